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

// taskNames are the routes that start a task, and the names of the tasks. The first ones are known (API page, Terraform
// provider); the others are made up: they are those of the SDK's methods.
var taskNames = map[fakecloud.Route]string{
	RouteResize:        "kafkaInstanceExtend",
	RoutePublicIP:      "bindInstancePublicIp",
	RouteModifyConfigs: "kafkaConfigModify",
	RouteAutoTopic:     "kafkaConfigModify",
	RouteResetOffset:   "kafkaResetConsumerOffset",

	RouteSwitchProtocol:    "updateKafkaPortProtocol",
	RouteReassign:          "createKafkaReassignmentTask",
	RouteUpgrade:           "upgradeInstance",
	RouteCreateConnector:   "createConnector",
	RouteDeleteConnector:   "deleteConnector",
	RouteCreateTopicQuota:  "createKafkaTopicQuota",
	RouteModifyTopicQuota:  "modifyKafkaTopicQuota",
	RouteDeleteTopicQuota:  "deleteKafkaTopicQuota",
	RouteCreateClientQuota: "createKafkaUserClientQuotaTask",
	RouteUpdateClientQuota: "updateKafkaUserClientQuotaTask",
	RouteDeleteClientQuota: "deleteKafkaUserClientQuotaTask",
	RouteStartRebalanceLog: "createKafkaRebalanceLogTask",
	RouteStopRebalanceLog:  "stopKafkaRebalanceLogTask",
	RouteStartLog:          "startKafkaLogTask",
	RouteStopLog:           "stopKafkaLogTask",
	RouteAccessPolicy:      "updateTopicAccessPolicy",
	RouteRestore:           "restoreRecycleInstance",
}

// TaskNames returns the routes that start a task, and the default names of their tasks. Unbinding a public IP has
// another name, unbindInstancePublicIp.
func TaskNames() map[fakecloud.Route]string { return maps.Clone(taskNames) }

// OnResize sets the script of tasks that a resize starts from now on. Default: the zero Script, with the name
// kafkaInstanceExtend. While such a task runs the instance is EXTENDING. Afterwards it is RUNNING with the new size, or
// EXTENDEDFAILED with the old one.
func (c *Cloud) OnResize(s Script) { c.OnOperation(RouteResize, s) }

// OnPublicIP sets the script of tasks that binding or unbinding public IPs starts from now on. Default: the zero
// Script, with the name bindInstancePublicIp or unbindInstancePublicIp.
func (c *Cloud) OnPublicIP(s Script) { c.OnOperation(RoutePublicIP, s) }

// OnConfig sets the script of tasks that a change of the configuration starts from now on. Default: the zero Script,
// with the name kafkaConfigModify.
func (c *Cloud) OnConfig(s Script) { c.OnOperation(RouteModifyConfigs, s) }

// OnOffsetReset sets the script of tasks that a reset of offsets starts from now on. Default: the zero Script, with the
// name kafkaResetConsumerOffset.
func (c *Cloud) OnOffsetReset(s Script) { c.OnOperation(RouteResetOffset, s) }

// OnOperation sets the script of tasks that requests for a route start from now on. Default: the zero Script, with the
// name of [TaskNames]. A route that starts no task panics.
func (c *Cloud) OnOperation(r fakecloud.Route, s Script) {
	if taskNames[r] == "" {
		panic(fmt.Sprintf("fakecloud: %s starts no task, want one of %q", r, slices.Sorted(maps.Keys(taskNames))))
	}
	s.Steps, s.Stages = slices.Clone(s.Steps), slices.Clone(s.Stages)
	trial := s.withDefaults()
	trial.ID = cmp.Or(trial.ID, "trial")
	trial.mustPlay(&instance{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scripts[r] = s
}

// WithoutConfigJobID leaves the id of the task out of the answer to a change of the configuration, so that the task
// must be found in the list. Default: the id is in the answer.
func WithoutConfigJobID() fakecloud.Option {
	return option(func(c *Cloud) { c.hideConfigJobID = true })
}

// WithStrictResize refuses a resize of an unknown kind, without a size, or to a smaller storage. Default: it is carried
// out. It is not documented whether the real service refuses it.
func WithStrictResize() fakecloud.Option { return option(func(c *Cloud) { c.strictResize = true }) }

// start begins the task of an operation, unless that is refused. When the task has ended well, effect makes its change.
func (c *Cloud) start(e *exchange, name string, params any, effect func(*instance)) (*task, bool) {
	if err := c.refusal(e, e.instance); err != nil {
		e.refuse(err)
		return nil, false
	}
	return c.begin(e, e.instance, name, params, effect), true
}

// begin begins a task of an instance.
func (c *Cloud) begin(e *exchange, i *instance, name string, params any, effect func(*instance)) *task {
	text, err := json.Marshal(params)
	if err != nil {
		panic(err) // of our own types
	}
	s := c.scripts[e.Route]
	s.Name, s.Params = cmp.Or(s.Name, name), cmp.Or(s.Params, string(text))
	if s.CreatedAt.IsZero() {
		s.CreatedAt = e.Now
	}
	t := c.addTask(i, s)
	if effect != nil {
		t.effect = effect
		i.pending = append(i.pending, t)
	}
	c.record(e, i, t.ID)
	return t
}

// jobAnswer is the answer of an operation that has started a task.
type jobAnswer struct {
	JobID string `json:"job_id"`
}

// starts is a handler for an operation that does nothing here but start a task, unless it has an effect.
func starts(effect func(*instance)) handler {
	return inInstance(func(c *Cloud, e *exchange) {
		params, ok := e.params()
		if !ok {
			return
		}
		if t, ok := c.start(e, taskNames[e.Route], params, effect); ok {
			e.Payload = &jobAnswer{t.ID}
		}
	})
}

// params are what the body asks for, without passwords; a body there need not be.
func (e *exchange) params() (params map[string]any, ok bool) {
	params = map[string]any{}
	if len(e.Body) > 0 && !e.asked(&params) {
		return nil, false
	}
	maps.DeleteFunc(params, func(name string, _ any) bool { return strings.Contains(name, "pass") })
	return params, true
}

// resize is what a request for another size asks for.
type resize struct {
	Kind    string `json:"oper_type,omitempty"`
	Storage int    `json:"new_storage_space,omitempty"`
	Brokers int    `json:"new_broker_num,omitempty"`
	Product string `json:"new_product_id,omitempty"`
}

// refused is whether an instance cannot have this size.
func (r *resize) refused(i *instance, strict bool) bool {
	if r.Storage < 0 || r.Brokers < 0 || !strict {
		return r.Storage < 0 || r.Brokers < 0
	}
	switch r.Kind {
	case "storage":
		return r.Storage <= i.Storage
	case "horizontal":
		return r.Brokers <= i.Brokers || r.Storage != 0 && r.Storage < i.Storage
	case "vertical":
		return r.Product == ""
	}
	return true
}

// apply gives the instance its new size. The storage of each broker stays the same, so that more brokers have more.
func (r *resize) apply(i *instance) {
	brokers := cmp.Or(r.Brokers, i.Brokers)
	storage := cmp.Or(r.Storage, i.Storage*brokers/i.Brokers)
	if storage > i.Storage {
		i.extended++
	}
	i.Brokers, i.Storage, i.Product = brokers, storage, cmp.Or(r.Product, i.Product)
}

// resizeInstance starts a task, and answers with its id.
func (c *Cloud) resizeInstance(e *exchange) {
	var asked resize
	if !e.asked(&asked) {
		return
	}
	if asked.refused(e.instance, c.strictResize) {
		e.invalid()
		return
	}
	if t, ok := c.start(e, taskNames[e.Route], &asked, asked.apply); ok {
		e.instance.extend(t)
		e.Payload = &jobAnswer{t.ID}
	}
}

// switchPublicIP binds a public IP if the request names one or a bandwidth, and else unbinds it. That this is how the
// two are told apart is a guess: the API page does not say it. There is no id in the answer.
func (c *Cloud) switchPublicIP(e *exchange) {
	var asked struct {
		ID        string `json:"publicip_id"`
		Address   string `json:"eip_address"`
		Bandwidth int    `json:"public_boundwidth"`
	}
	if !e.asked(&asked) {
		return
	}
	params := struct { // as in the API page's example of a task
		ID      string `json:"public_ip_id,omitempty"`
		Address string `json:"public_ip_address,omitempty"`
		Enable  bool   `json:"enable_public_ip"`
	}{asked.ID, asked.Address, asked.ID != "" || asked.Address != "" || asked.Bandwidth > 0}
	name := "unbindInstancePublicIp"
	if params.Enable {
		name = taskNames[e.Route]
	}
	if _, ok := c.start(e, name, &params, func(i *instance) { i.switchPublicIP(params.Enable) }); ok {
		e.Status = http.StatusNoContent
	}
}

// resetOffset resets the offsets of all topics by a task; those of one topic at once. There is no id in the answer.
func (c *Cloud) resetOffset(e *exchange) {
	params := struct {
		Group     string `json:"group"`
		Topic     string `json:"topic"`
		Partition int    `json:"partition"`
		Offset    *int64 `json:"message_offset,omitempty"`
		Timestamp *int64 `json:"timestamp,omitempty"`
	}{}
	if !e.asked(&params) {
		return
	}
	params.Group = e.Vars["group"]
	if params.Offset == nil && params.Timestamp == nil {
		e.invalid() // one of the two must be
		return
	}
	if params.Topic != "" {
		c.permit(e)
		return
	}
	if _, ok := c.start(e, taskNames[e.Route], &params, nil); ok {
		e.Status = http.StatusNoContent
	}
}

// switchAutoTopic starts a task. The answer is 200 without a body (API page, read 2026-11-28).
func (c *Cloud) switchAutoTopic(e *exchange) {
	var asked struct {
		Enable *bool `json:"enable_auto_topic"`
	}
	if !e.asked(&asked) {
		return
	}
	if asked.Enable == nil {
		e.invalid()
		return
	}
	c.start(e, taskNames[e.Route], &asked, func(i *instance) { i.AutoTopic = *asked.Enable })
}

// switchProtocol starts a task that enables or disables a protocol.
func (c *Cloud) switchProtocol(e *exchange) {
	var asked struct {
		Protocol string `json:"protocol"`
		Enable   bool   `json:"enable"`
	}
	if !e.asked(&asked) {
		return
	}
	if !slices.ContainsFunc(protocols, func(p protocol) bool { return p.name == asked.Protocol }) {
		e.invalid()
		return
	}
	t, ok := c.start(e, taskNames[e.Route], &asked, func(i *instance) { i.PortProtocol[asked.Protocol] = asked.Enable })
	if ok {
		e.Payload = &struct {
			jobAnswer
			Protocol string `json:"protocol"`
			Enable   bool   `json:"enable"`
		}{jobAnswer{t.ID}, asked.Protocol, asked.Enable}
	}
}

// schedulable is what an operation asks for that may be planned for later.
type schedulable struct {
	Scheduled bool  `json:"is_schedule"`
	At        int64 `json:"execute_at"`    // milliseconds since 1970
	Estimate  bool  `json:"time_estimate"` // only say how long it would take
}

// startsOrSchedules is a handler for an operation that starts a task, or is planned for later: then there is no id of a
// task in the answer.
func startsOrSchedules() handler {
	now := starts(nil)
	return inInstance(func(c *Cloud, e *exchange) {
		var asked schedulable
		if len(e.Body) > 0 && !e.asked(&asked) {
			return
		}
		switch {
		case asked.Estimate:
			e.Payload = &struct {
				Seconds int `json:"reassignment_time"`
			}{int(defaultDuration.Seconds())}
		case asked.Scheduled:
			s := c.schedule(e.instance, e.Now, Scheduled{Name: taskNames[e.Route], At: time.UnixMilli(asked.At).Add(-e.Skew)})
			c.record(e, e.instance, s.ID)
			e.Payload = &struct {
				ID string `json:"schedule_id"`
			}{s.ID}
		default:
			now(c, e)
		}
	})
}
