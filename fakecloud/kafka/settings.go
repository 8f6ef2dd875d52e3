package kafka

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/taskwait/taskwait/fakecloud"
)

// zone is one of the region's as the API shows it.
type zone struct {
	ID        string `json:"id"`
	Code      string `json:"code"`
	Name      string `json:"name"`
	Port      string `json:"port"`
	Resources string `json:"resource_availability"` // a string: so the service has it
	SoldOut   bool   `json:"soldOut"`
	Default   bool   `json:"default_az"`
	Remaining int64  `json:"remain_time"`
	IPv6      bool   `json:"ipv6_enable"`
}

var zones = makeZones("a", "b", "c")

func makeZones(letters ...string) (all []zone) {
	for n, letter := range letters {
		code := fakecloud.DefaultRegion + letter
		all = append(all, zone{
			ID: fakecloud.HexID("zone", n), Code: code, Name: code, Port: "8002", Resources: "true", Default: n == 0, IPv6: true,
		})
	}
	return all
}

// zoneNames are the names of zones by their ids; an unknown one goes by its id.
func zoneNames(ids []string) []string {
	names := slices.Clone(ids)
	for n, id := range ids {
		if k := slices.IndexFunc(zones, func(z zone) bool { return z.ID == id }); k >= 0 {
			names[n] = zones[k].Name
		}
	}
	return names
}

func (*Cloud) listZones(e *exchange) {
	e.Payload = &struct {
		Region string `json:"region_id"`
		Zones  []zone `json:"available_zones"`
	}{fakecloud.DefaultRegion, zones}
}

// updateInstance changes what is in the request, and leaves the rest.
func (c *Cloud) updateInstance(e *exchange) {
	s := e.instance.settings
	if !e.asked(&s) {
		return
	}
	if s.Name == "" {
		e.invalid()
		return
	}
	if c.permit(e) {
		e.instance.settings = s
	}
}

// permit records an operation without a task and answers 204, unless the operation must not start now.
func (c *Cloud) permit(e *exchange) bool {
	if err := c.refusal(e, e.instance); err != nil {
		e.refuse(err)
		return false
	}
	c.record(e, e.instance, "")
	e.Status = http.StatusNoContent
	return true
}

func (*Cloud) showTags(e *exchange) {
	e.Payload = &struct {
		Tags []tag `json:"tags"`
	}{append([]tag{}, e.instance.Tags...)}
}

// changeTags creates or deletes tags, at any time.
func (c *Cloud) changeTags(e *exchange) {
	var asked struct {
		Action string `json:"action"`
		Tags   []tag  `json:"tags"`
	}
	if !e.asked(&asked) {
		return
	}
	if asked.Action != "create" && asked.Action != "delete" || len(asked.Tags) == 0 {
		e.invalid()
		return
	}
	rest := slices.DeleteFunc(slices.Clone(e.instance.Tags), func(t tag) bool {
		return slices.ContainsFunc(asked.Tags, func(a tag) bool { return a.Key == t.Key })
	})
	if asked.Action == "create" {
		rest = append(rest, asked.Tags...)
	}
	e.instance.Tags = rest
	c.record(e, e.instance, "")
	e.Status = http.StatusNoContent
}

// resetPassword keeps no password.
func (c *Cloud) resetPassword(e *exchange) {
	var asked struct {
		Password string `json:"new_password"`
	}
	if !e.asked(&asked) {
		return
	}
	if asked.Password == "" {
		e.invalid()
		return
	}
	c.permit(e)
}

// crossVPCResult is what became of the address of one broker.
type crossVPCResult struct {
	Advertised string `json:"advertised_ip"`
	Success    bool   `json:"success"`
	IP         string `json:"ip"`
}

// changeCrossVPC sets the addresses by which brokers are reached from other VPCs. One for no broker fails.
func (c *Cloud) changeCrossVPC(e *exchange) {
	var asked struct {
		IPs map[string]string `json:"advertised_ip_contents"`
	}
	if !e.asked(&asked) {
		return
	}
	if len(asked.IPs) == 0 {
		e.invalid()
		return
	}
	if !c.permit(e) {
		return
	}
	all, results := true, []crossVPCResult{}
	for _, ip := range slices.Sorted(maps.Keys(asked.IPs)) {
		known := slices.Contains(e.instance.ips(), ip)
		if known {
			e.instance.advertised[ip] = asked.IPs[ip]
		}
		all = all && known
		results = append(results, crossVPCResult{asked.IPs[ip], known, ip})
	}
	e.Status, e.Payload = http.StatusOK, &struct {
		Success bool             `json:"success"`
		Results []crossVPCResult `json:"results"`
	}{all, results}
}

// broker is one as GET manage/cluster shows it.
type broker struct {
	Healthy bool   `json:"health"`
	Host    string `json:"host"`
	Port    int    `json:"port"`
	ID      string `json:"broker_id"`
}

func (*Cloud) showBrokers(e *exchange) {
	all := []broker{}
	for n, ip := range e.instance.ips() {
		all = append(all, broker{true, ip, 9092, strconv.Itoa(n)})
	}
	var body struct {
		Cluster struct {
			Brokers []broker `json:"brokers"`
		} `json:"cluster"`
	}
	body.Cluster.Brokers = all
	e.Payload = &body
}

// clusterBroker is one as GET management/cluster shows it.
type clusterBroker struct {
	Host       string `json:"host"`
	Port       int    `json:"port"`
	ID         string `json:"broker_id"`
	Controller bool   `json:"is_controller"`
	Version    string `json:"version"`
	Registered int64  `json:"register_time"`
	Healthy    bool   `json:"is_health"`
}

// showCluster answers with the brokers of an instance without topics.
func (*Cloud) showCluster(e *exchange) {
	all := []clusterBroker{}
	for n, ip := range e.instance.ips() {
		all = append(all, clusterBroker{
			ip, 9092, strconv.Itoa(n), n == 0, e.instance.EngineVersion, e.Clock(e.instance.createdAt).UnixMilli(), true,
		})
	}
	var body struct {
		Cluster struct {
			Controller string          `json:"controller"`
			Brokers    []clusterBroker `json:"brokers"`
			Topics     int             `json:"topics_count"`
			Partitions int             `json:"partitions_count"`
			Online     int             `json:"online_partitions_count"`
			Replicas   int             `json:"replicas_count"`
			InSync     int             `json:"isr_replicas_count"`
			Consumers  int             `json:"consumers_count"`
		} `json:"cluster"`
	}
	body.Cluster.Controller, body.Cluster.Brokers = "0", all
	e.Payload = &body
}
