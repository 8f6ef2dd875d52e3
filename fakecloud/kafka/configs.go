package kafka

import (
	"maps"
	"slices"
)

// config is a parameter of an instance as the API shows it.
type config struct {
	Name    string `json:"name"`
	Valid   string `json:"valid_values,omitempty"`
	Default string `json:"default_value,omitempty"`
	Kind    string `json:"config_type"` // dynamic, or static: it takes a restart, which is the caller's business
	Value   string `json:"value"`
	Type    string `json:"value_type,omitempty"`
}

// known are some of the parameters that the service has. Others may be set too, and are dynamic here.
var known = []config{
	{"min.insync.replicas", "1~3", "1", "dynamic", "", "integer"},
	{"message.max.bytes", "0~10485760", "10485760", "dynamic", "", "integer"},
	{"unclean.leader.election.enable", "true,false", "true", "dynamic", "", "enum"},
	{"connections.max.idle.ms", "5000~600000", "600000", "static", "", "integer"},
	{"log.retention.hours", "1~168", "72", "static", "", "integer"},
}

// showConfigs answers with the parameters that are known or were set.
func (*Cloud) showConfigs(e *exchange) {
	rest := maps.Clone(e.instance.configs)
	all := slices.Clone(known)
	for n := range all {
		all[n].Value = all[n].Default
		if value, ok := rest[all[n].Name]; ok {
			all[n].Value = value
			delete(rest, all[n].Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		all = append(all, config{Name: name, Kind: "dynamic", Value: rest[name]})
	}
	e.Payload = &struct {
		Configs []config `json:"kafka_configs"`
	}{all}
}

// askedConfigs is what a change of the configuration asks for.
type askedConfigs struct {
	Configs []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"kafka_configs"`
}

// configsAnswer is the answer to it.
type configsAnswer struct {
	JobID   string `json:"job_id,omitempty"`
	Dynamic int    `json:"dynamic_config"`
	Static  int    `json:"static_config"`
}

// modifyConfigs starts a task. The id is in the answer, see [WithoutConfigJobID].
func (c *Cloud) modifyConfigs(e *exchange) {
	var asked askedConfigs
	if !e.asked(&asked) {
		return
	}
	set, answer := map[string]string{}, configsAnswer{}
	for _, p := range asked.Configs {
		set[p.Name] = p.Value
		if slices.ContainsFunc(known, func(k config) bool { return k.Name == p.Name && k.Kind == "static" }) {
			answer.Static++
		}
	}
	if answer.Dynamic = len(asked.Configs) - answer.Static; len(set) == 0 {
		e.invalid()
		return
	}
	if t, ok := c.start(e, taskNames[e.Route], &asked, func(i *instance) { maps.Copy(i.configs, set) }); ok {
		if !c.hideConfigJobID {
			answer.JobID = t.ID
		}
		e.Payload = &answer
	}
}
