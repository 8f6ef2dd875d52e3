package kafka

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/taskwait/taskwait/fakecloud"
)

// OnResize sets the script of the tasks that resizing an instance starts from now on. Default: the zero [Script], by the
// name of kafkaInstanceExtend. While such a task runs the instance is EXTENDING; afterwards RUNNING with what was asked
// for, or EXTENDEDFAILED without it.
func (c *Cloud) OnResize(s Script) { c.onOperation(RouteResize, s) }

// OnPublicIP sets the script of the tasks that binding or unbinding public IPs starts from now on. Default: the zero
// [Script], by the name of bindInstancePublicIp or unbindInstancePublicIp.
func (c *Cloud) OnPublicIP(s Script) { c.onOperation(RoutePublicIP, s) }

// OnConfig sets the script of the tasks that changing the configuration starts from now on. Default: the zero [Script],
// by the name of kafkaConfigModify.
func (c *Cloud) OnConfig(s Script) { c.onOperation(RouteModifyConfigs, s) }

// OnOffsetReset sets the script of the tasks that resetting offsets starts from now on. Default: the zero [Script], by
// the name of kafkaResetConsumerOffset.
func (c *Cloud) OnOffsetReset(s Script) { c.onOperation(RouteResetOffset, s) }

func (c *Cloud) onOperation(r fakecloud.Route, s Script) {
	s.Steps, s.Stages = slices.Clone(s.Steps), slices.Clone(s.Stages)
	trial := s.withDefaults()
	trial.ID = cmp.Or(trial.ID, "trial")
	trial.mustPlay(&instance{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scripts[r] = s
}

// WithConfigJobID lets the answer to a change of the configuration have the id of its task, as the API page has it.
// Default: it has none, and the task is to be found in the list.
func WithConfigJobID() fakecloud.Option { return option(func(c *Cloud) { c.configJobID = true }) }

// start begins the task of an operation, unless that is refused. When the task has ended well, effect makes its change.
func (c *Cloud) start(e *exchange, name string, params any, effect func(*instance)) (*task, bool) {
	if err := c.refusal(e, e.instance); err != nil {
		e.refuse(err)
		return nil, false
	}
	text, err := json.Marshal(params)
	if err != nil {
		panic(err) // of our own types
	}
	s := c.scripts[e.Route]
	s.Name, s.Params = cmp.Or(s.Name, name), cmp.Or(s.Params, string(text))
	if s.CreatedAt.IsZero() {
		s.CreatedAt = e.Now
	}
	t := c.addTask(e.instance, s)
	t.effect = effect
	c.record(e, e.instance, t.ID)
	return t, true
}

// resizeInstance starts a task, and answers with its id. Whether the size fits the kind of change is not looked at.
func (c *Cloud) resizeInstance(e *exchange) {
	var asked struct {
		Kind    string `json:"oper_type,omitempty"`
		Storage int    `json:"new_storage_space,omitempty"`
		Brokers int    `json:"new_broker_num,omitempty"`
		Product string `json:"new_product_id,omitempty"`
	}
	if !e.asked(&asked) {
		return
	}
	if asked.Storage < 0 || asked.Brokers < 0 {
		e.invalid()
		return
	}
	t, ok := c.start(e, "kafkaInstanceExtend", &asked, func(i *instance) {
		i.spec.Storage = cmp.Or(asked.Storage, i.spec.Storage)
		i.spec.Brokers = cmp.Or(asked.Brokers, i.spec.Brokers)
		i.spec.Product = cmp.Or(asked.Product, i.spec.Product)
	})
	if ok {
		e.instance.extend(t)
		e.Payload = &struct {
			JobID string `json:"job_id"`
		}{t.ID}
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
		name = "bindInstancePublicIp"
	}
	if _, ok := c.start(e, name, &params, func(i *instance) { i.spec.PublicIP = params.Enable }); ok {
		e.Status = http.StatusNoContent
	}
}

// resetOffset starts a task that does nothing but run. There is no id in the answer.
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
	if _, ok := c.start(e, "kafkaResetConsumerOffset", &params, func(*instance) {}); ok {
		e.Status = http.StatusNoContent
	}
}
