package kafka

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// instance is one with its past and its future. Its state is as of the last advance.
type instance struct {
	id        string
	number    int // by creation, from 1 on
	createdAt time.Time
	spec      spec
	configs   map[string]string // that were set
	tasks     []*task
	scheduled []*scheduled
	phases    []phase // by their start
	forced    string  // see SetStatus
}

// spec is what an instance was asked to be. The names are those of a creation, and of showing one.
type spec struct {
	Name            string   `json:"name"`
	Description     string   `json:"description,omitempty"`
	Engine          string   `json:"engine"`
	EngineVersion   string   `json:"engine_version,omitempty"`
	Brokers         int      `json:"broker_num"`
	Storage         int      `json:"storage_space"` // GB
	StorageSpec     string   `json:"storage_spec_code,omitempty"`
	Product         string   `json:"product_id,omitempty"`
	VPC             string   `json:"vpc_id,omitempty"`
	SecurityGroup   string   `json:"security_group_id,omitempty"`
	Subnet          string   `json:"subnet_id,omitempty"`
	Zones           []string `json:"available_zones,omitempty"`
	MaintainBegin   string   `json:"maintain_begin,omitempty"`
	MaintainEnd     string   `json:"maintain_end,omitempty"`
	PublicIP        bool     `json:"enable_publicip"`
	RetentionPolicy string   `json:"retention_policy,omitempty"`
	AccessUser      string   `json:"access_user,omitempty"` // the password that comes with it is not kept
	SSL             bool     `json:"ssl_enable"`
}

// instanceRow is an instance as the API shows it.
type instanceRow struct {
	ID string `json:"instance_id"`
	spec
	TotalStorage int    `json:"total_storage_space"`
	Status       string `json:"status"`
	Type         string `json:"type"`
	Charging     int    `json:"charging_mode"` // 1: by use
	UserID       string `json:"user_id"`
	UserName     string `json:"user_name"`
	CreatedAt    string `json:"created_at"` // milliseconds since 1970, in a string
}

func (e *exchange) instanceRow(i *instance) instanceRow {
	return instanceRow{
		ID: i.id, spec: i.spec, TotalStorage: i.spec.Storage, Status: i.status(e.Now), Type: "cluster", Charging: 1,
		UserID: userID, UserName: "fake_user", CreatedAt: strconv.FormatInt(e.Clock(i.createdAt).UnixMilli(), 10),
	}
}

// instance gives the one with this id, made if there is none, or no more.
func (c *Cloud) instance(id string) *instance {
	now := time.Now()
	i := c.instances[id]
	if i == nil || i.status(now) == deleted {
		i = c.newInstance(id, now)
		i.spec = spec{Name: id, Engine: "kafka", EngineVersion: "2.7", Brokers: 3, Storage: 300}
	}
	return i
}

func (c *Cloud) newInstance(id string, now time.Time) *instance {
	c.created++
	i := &instance{id: id, number: c.created, createdAt: now, configs: map[string]string{}}
	c.instances[id] = i
	return i
}

// asked reads the request's body into v, or gives an answer.
func (e *exchange) asked(v any) bool {
	var object map[string]any
	switch {
	case len(e.Body) == 0:
		e.Fail(http.StatusBadRequest, "DMS.00400004", "The request body is empty.")
	case json.Unmarshal(e.Body, &object) != nil:
		e.Fail(http.StatusBadRequest, "DMS.00400005", "The message body is not in JSON format or contains invalid characters.")
	case json.Unmarshal(e.Body, v) != nil:
		e.invalid()
	default:
		return true
	}
	return false
}

func (e *exchange) invalid() {
	e.Fail(http.StatusBadRequest, "DMS.00400062", "Invalid request parameter.")
}

// createInstance answers with the id of a new instance, which is CREATING. Of what must be given only the name, the
// brokers and the storage are asked for here.
func (c *Cloud) createInstance(e *exchange) {
	s := spec{Engine: "kafka"}
	if !e.asked(&s) {
		return
	}
	if s.Name == "" || s.Engine != "kafka" || s.Brokers < 1 || s.Storage < 1 {
		e.invalid()
		return
	}
	h := fakecloud.HexID("instance", c.created+1)
	i := c.newInstance(strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"), e.Now)
	i.spec = s
	c.change(i, creating, e.Now)
	c.record(e, i, "")
	e.Payload = &struct {
		ID string `json:"instance_id"`
	}{i.id}
}

func (*Cloud) showInstance(e *exchange) {
	row := e.instanceRow(e.instance)
	e.Payload = &row
}

// The largest page of instances; the one that is served when none is asked for is the tasks'.
const maxInstances = 50

// listInstances answers with a page of the instances, the one that was made last first, and the number of all that fit.
func (c *Cloud) listInstances(e *exchange) {
	p, ok := e.page("offset", maxInstances)
	if !ok {
		e.invalid()
		return
	}
	newest := func(a, b *instance) int { return b.number - a.number }
	var fit []*instance
	for _, i := range slices.SortedFunc(maps.Values(c.instances), newest) {
		if c.advance(i, e.Now); i.status(e.Now) != deleted && e.fits(i) {
			fit = append(fit, i)
		}
	}
	rows := []instanceRow{}
	for _, i := range cut(fit, p) {
		rows = append(rows, e.instanceRow(i))
	}
	e.Payload = &struct {
		Instances []instanceRow `json:"instances"`
		Count     int           `json:"instance_num"`
	}{rows, len(fit)}
}

// fits is whether the query asks for the instance.
func (e *exchange) fits(i *instance) bool {
	is := func(key, value string) bool { return !e.Query.Has(key) || e.Query.Get(key) == value }
	name := strings.Contains(i.spec.Name, e.Query.Get("name"))
	if e.Query.Get("exact_match_name") == "true" {
		name = is("name", i.spec.Name)
	}
	return name && is("engine", i.spec.Engine) && is("instance_id", i.id) && is("status", i.status(e.Now))
}
