package kafka

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// instance is one with its past and its future. Its state is as of the last advance.
type instance struct {
	creation // as it has become since

	id         string
	number     int // by creation, from 1 on
	createdAt  time.Time
	advertised map[string]string // by a broker's IP: what crossvpc/modify has set
	extended   int               // how often its storage has grown
	configs    map[string]string // that were set
	tasks      []*task           // by their start, those of one instant as they were added
	byID       map[string]*task
	pending    []*task // whose success has an effect that it has not had yet
	scheduled  []*scheduled
	phases     []phase // by their start
	forced     string  // see SetStatus
}

// settings are what PUT of an instance changes, by the names of a creation, and of showing one.
type settings struct {
	Name              string `json:"name"`
	Description       string `json:"description"`
	MaintainBegin     string `json:"maintain_begin"`
	MaintainEnd       string `json:"maintain_end"`
	SecurityGroup     string `json:"security_group_id"`
	RetentionPolicy   string `json:"retention_policy"`
	EnterpriseProject string `json:"enterprise_project_id"`
}

// spec is what an instance was asked to be. The names are those of a creation, and of showing one.
type spec struct {
	settings
	Engine           string   `json:"engine"`
	EngineVersion    string   `json:"engine_version"`
	Brokers          int      `json:"broker_num"`
	Storage          int      `json:"storage_space"` // GB, of all brokers
	StorageSpec      string   `json:"storage_spec_code"`
	Product          string   `json:"product_id"`
	VPC              string   `json:"vpc_id"`
	Subnet           string   `json:"subnet_id"`
	Zones            []string `json:"available_zones"`
	PublicIP         bool     `json:"enable_publicip"`
	AccessUser       string   `json:"access_user,omitempty"` // the password that comes with it is not kept
	SSL              bool     `json:"ssl_enable"`
	SecurityProtocol string   `json:"kafka_security_protocol"`
	SASLMechanisms   []string `json:"sasl_enabled_mechanisms"`
	IPv6             bool     `json:"ipv6_enable"`
	DiskEncryptedKey string   `json:"disk_encrypted_key"`
	Connector        bool     `json:"connector_enable"`
	AutoTopic        bool     `json:"enable_auto_topic"`
	VPCClientPlain   bool     `json:"vpc_client_plain"`
	Tags             []tag    `json:"tags"`
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// creation is what a creation asks for. What is not in spec goes by another name when it is shown.
type creation struct {
	spec
	DiskEncrypted bool            `json:"disk_encrypted_enable"`
	PortProtocol  map[string]bool `json:"port_protocol"`
	TenantIPs     []string        `json:"tenant_ips"`
	PublicIPs     string          `json:"publicip_id"` // with commas between them
	Billing       struct {
		Mode string `json:"charging_mode"`
	} `json:"bss_param"`
}

// complete is whether all is given that must be (required in the SDK's type, v0.1.207).
func (c *creation) complete() bool {
	return c.Name != "" && c.Engine == "kafka" && c.EngineVersion != "" && c.Brokers >= 1 && c.Storage >= 1 &&
		c.VPC != "" && c.SecurityGroup != "" && c.Subnet != "" && len(c.Zones) > 0 && c.Product != "" &&
		c.StorageSpec != ""
}

// Spec describes an instance. A zero field leaves it as it is; a new instance has the defaults.
type Spec struct {
	Name    string   // default: its id
	Version string   // of Kafka; default 2.7
	Brokers int      // default 3
	Storage int      // GB, of all brokers; default 300
	Product string   // default c6.2u4g.cluster
	Zones   []string // ids; default: the first zone of GET available-zones
}

// SetSpec changes an instance to the spec. If there is no such instance, it is added.
func (c *Cloud) SetSpec(instanceID string, s Spec) {
	if s.Brokers < 0 || s.Storage < 0 {
		panic(fmt.Sprintf("fakecloud: SetSpec: %d brokers, %d GB, want 0 or more", s.Brokers, s.Storage))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.instance(instanceID)
	i.Name, i.Product = cmp.Or(s.Name, i.Name), cmp.Or(s.Product, i.Product)
	i.EngineVersion = cmp.Or(s.Version, i.EngineVersion)
	i.Brokers, i.Storage = cmp.Or(s.Brokers, i.Brokers), cmp.Or(s.Storage, i.Storage)
	if len(s.Zones) > 0 {
		i.Zones = slices.Clone(s.Zones)
	}
}

// instance gives the one with this id, made if there is none, or no more.
func (c *Cloud) instance(id string) *instance {
	now := time.Now()
	i := c.instances[id]
	if i == nil || i.status(now) == deleted {
		i = c.newInstance(id, now, creation{spec: spec{
			settings: settings{Name: id, SecurityGroup: uuid("security group", 0)},
			Engine:   "kafka", EngineVersion: "2.7", Brokers: 3, Storage: 300, StorageSpec: "dms.physical.storage.high.v2",
			Product: "c6.2u4g.cluster", VPC: uuid("vpc", 0), Subnet: uuid("subnet", 0), Zones: []string{zones[0].ID},
		}})
	}
	return i
}

// newInstance makes one. The defaults of what was not asked for are the API page's where it has them.
func (c *Cloud) newInstance(id string, now time.Time, asked creation) *instance {
	c.created++
	i := &instance{
		creation: asked, id: id, number: c.created, createdAt: now,
		advertised: map[string]string{}, configs: map[string]string{}, byID: map[string]*task{},
	}
	i.MaintainBegin, i.MaintainEnd = cmp.Or(i.MaintainBegin, "02:00:00"), cmp.Or(i.MaintainEnd, "06:00:00")
	i.RetentionPolicy, i.EnterpriseProject = cmp.Or(i.RetentionPolicy, "produce_reject"), cmp.Or(i.EnterpriseProject, "0")
	if i.Tags == nil {
		i.Tags = []tag{}
	}
	if i.SASLMechanisms == nil {
		i.SASLMechanisms = []string{}
		if i.SSL {
			i.SASLMechanisms = []string{"PLAIN"} // what an empty one stands for (API page)
		}
	}
	i.setPorts()
	c.instances[id] = i
	return i
}

func uuid(kind string, n int) string {
	h := fakecloud.HexID(kind, n)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// asked reads the request's body into v, or gives an answer.
func (e *exchange) asked(v any) bool {
	var object map[string]any
	switch {
	case len(e.Body) == 0:
		e.Fail(http.StatusBadRequest, "DMS.00400004", "The request body is empty.")
	case json.Unmarshal(e.Body, &object) != nil:
		e.Fail(http.StatusBadRequest, "DMS.00400005",
			"The message body is not in JSON format or contains invalid characters.")
	case json.Unmarshal(e.Body, v) != nil:
		e.invalid()
	default:
		return true
	}
	return false
}

// invalid refuses a parameter. The braces are the real service's: it does not fill in the name.
func (e *exchange) invalid() {
	e.Fail(http.StatusBadRequest, "DMS.00400062", "Invalid {0} parameter in the request.")
}

// createInstance answers with the id of a new instance, which is CREATING.
func (c *Cloud) createInstance(e *exchange) {
	s := creation{spec: spec{Engine: "kafka"}}
	if !e.asked(&s) {
		return
	}
	if !s.complete() {
		e.invalid()
		return
	}
	i := c.newInstance(uuid("instance", c.created+1), e.Now, s)
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
// One that is DELETING is not listed any more, though it can still be shown.
func (c *Cloud) listInstances(e *exchange) {
	p, ok := e.page("offset", maxInstances)
	if !ok {
		e.invalid()
		return
	}
	var fit []*instance
	for _, i := range c.newestFirst() {
		c.advance(i, e.Now)
		if !slices.Contains([]string{deleted, deleting, recycled}, i.status(e.Now)) && e.fits(i) {
			fit = append(fit, i)
		}
	}
	if p.offset > 0 && p.offset >= len(fit) {
		e.Fail(http.StatusBadRequest, "DMS.40050010", "Offset parameter is invalid.")
		return
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

// newestFirst are all instances, the deleted ones too.
func (c *Cloud) newestFirst() []*instance {
	return slices.SortedFunc(maps.Values(c.instances), func(a, b *instance) int { return b.number - a.number })
}

// fits is whether the query asks for the instance.
func (e *exchange) fits(i *instance) bool {
	is := func(key, value string) bool { return !e.Query.Has(key) || e.Query.Get(key) == value }
	name := strings.Contains(i.Name, e.Query.Get("name"))
	if e.Query.Get("exact_match_name") == "true" {
		name = is("name", i.Name)
	}
	return name && is("engine", i.Engine) && is("instance_id", i.id) && is("status", i.status(e.Now))
}
