package fakecloud

import (
	"cmp"
	"net/http"
	"slices"
)

// WithoutConflicts lets every operation start, whatever runs on its instance. By default an operation is refused with
// 400 and DMS.00400017 while a task of the instance runs, and with 400 and DMS.00400026 while the instance changes, or
// has a status that does not allow it.
func WithoutConflicts() Option { return func(c *Cloud) { c.lax = true } }

var (
	errNoInstance = &serviceError{http.StatusNotFound, "DMS.00404022", "This instance does not exist."}
	errTaskRuns   = &serviceError{http.StatusBadRequest, "DMS.00400017", "This DMS instance job task is still running."}
	errStatus     = &serviceError{http.StatusBadRequest, "DMS.00400026", "This operation is not allowed due to the instance status."}
)

// refusal is why an operation on the instance must not start now; nil: it may. Besides RUNNING it may in these statuses.
func (c *Cloud) refusal(e *exchange, i *instance, also ...string) *serviceError {
	if i == nil || i.status(e.now) == gone {
		return errNoInstance
	}
	status := i.status(e.now)
	switch {
	case c.lax:
	case slices.ContainsFunc(i.tasks, func(t *task) bool { return t.runs(e.now) }):
		return errTaskRuns
	case i.changing(e.now), status != running && !slices.Contains(also, status):
		return errStatus
	}
	return nil
}

func (e *exchange) refuse(err *serviceError) { e.fail(err.status, err.code, err.message) }

// The statuses besides RUNNING that allow a restart (User Guide, "Restarting a Kafka Instance": Running or Faulty), and
// a deletion, which is how one gets rid of what has failed.
var (
	restartable = []string{faulty}
	deletable   = []string{faulty, extendedFailed, createFailed}
)

// deleteInstance starts the deletion of an instance.
func (c *Cloud) deleteInstance(e *exchange) {
	if err := c.refusal(e, e.instance, deletable...); err != nil {
		e.refuse(err)
		return
	}
	c.change(e.instance, deleting, e.now)
	c.did(e, e.instance, "")
	e.status = http.StatusNoContent
}

// result is what became of one of many.
type result struct {
	Result   string `json:"result"`
	Instance string `json:"instance"`
}

// actOnInstances restarts or deletes many. If none of them may be, the answer is why the first may not: a guess.
func (c *Cloud) actOnInstances(e *exchange) {
	var asked struct {
		Action    string   `json:"action"`
		Instances []string `json:"instances"`
	}
	if !e.asked(&asked) {
		return
	}
	status, also := deleting, deletable
	if asked.Action == "restart" {
		status, also = restarting, restartable
	} else if asked.Action != "delete" {
		asked.Instances = nil
	}
	if len(asked.Instances) == 0 {
		e.invalid()
		return
	}
	c.actOn(e, asked.Instances, status, also)
}

func (c *Cloud) actOn(e *exchange, ids []string, status string, also []string) {
	var refused *serviceError
	var results []result
	good := false
	for _, id := range ids {
		i := c.instances[id]
		c.settle(i, e.now)
		if err := c.refusal(e, i, also...); err != nil {
			results = append(results, result{"failed", id})
			refused = cmp.Or(refused, err)
			continue
		}
		c.change(i, status, e.now)
		c.did(e, i, "")
		results = append(results, result{"success", id})
		good = true
	}
	if !good {
		e.refuse(refused)
		return
	}
	e.payload = &struct {
		Results []result `json:"results"`
	}{results}
}
