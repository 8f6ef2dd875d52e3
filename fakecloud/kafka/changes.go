package kafka

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

// The statuses of an instance that this cloud knows by itself (API reference, "Instance Status"). [Cloud.SetStatus],
// [Change.Outcome] and [Change.Statuses] may bring in others.
const (
	running        = "RUNNING"
	creating       = "CREATING"
	restarting     = "RESTARTING"
	deleting       = "DELETING"
	extending      = "EXTENDING"
	extendedFailed = "EXTENDEDFAILED"
	createFailed   = "CREATEFAILED"
	faulty         = "ERROR"
	recycled       = "RECYCLE"
	deleted        = ""
)

// Change is how the status of an instance goes through a change that has no task: its creation, a restart, its
// deletion. The zero Change shows CREATING, RESTARTING or DELETING from the request on, for 5 minutes, 90 seconds or
// one minute, and succeeds. An invalid Change (a negative duration, statuses out of order) panics when it is set.
type Change struct {
	Duration   time.Duration // from the request until the outcome; default: see above
	FlipsAfter time.Duration // for so long the status is still the old one; default 0. A creation shows CREATING at once
	Outcome    string        // the status at the end; default RUNNING, and for a deletion "", which is: deleted
	Statuses   []StatusStep  // the statuses one by one, instead of all of the above; until the first the old one stays
}

// StatusStep is a status that an instance has from a time on.
type StatusStep struct {
	After  time.Duration // since the request
	Status string        // "": the instance is deleted
}

// OnCreate sets the Change of creations that start from now on.
func (c *Cloud) OnCreate(ch Change) { c.onChange(creating, ch) }

// OnRestart sets the Change of restarts that start from now on.
func (c *Cloud) OnRestart(ch Change) { c.onChange(restarting, ch) }

// OnDelete sets the Change of deletions that start from now on.
func (c *Cloud) OnDelete(ch Change) { c.onChange(deleting, ch) }

func (c *Cloud) onChange(status string, ch Change) {
	steps := ch.steps(status)
	if problem := stepsProblem(steps); problem != "" {
		panic(fmt.Sprintf("fakecloud: change to %s: %s", status, problem)) // a slip in a test, to be seen where it is made
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes[status] = steps
}

func stepsProblem(steps []StatusStep) string {
	switch {
	case steps[0].After < 0:
		return "a duration is negative"
	case !slices.IsSortedFunc(steps, func(a, b StatusStep) int { return cmp.Compare(a.After, b.After) }):
		return "the statuses are not in the order of After, or it flips after it has ended"
	}
	return ""
}

// steps are the statuses one by one of a change that shows this one on the way.
func (ch Change) steps(status string) []StatusStep {
	if len(ch.Statuses) > 0 {
		return slices.Clone(ch.Statuses)
	}
	duration, outcome := 5*time.Minute, running
	switch status {
	case restarting:
		duration = 90 * time.Second
	case deleting:
		duration, outcome = time.Minute, deleted
	default:
		ch.FlipsAfter = 0
	}
	return []StatusStep{{ch.FlipsAfter, status}, {cmp.Or(ch.Duration, duration), cmp.Or(ch.Outcome, outcome)}}
}

// phase is a change on its way.
type phase struct {
	start time.Time
	steps []StatusStep
}

// change starts one of an instance, that shows this status on the way.
func (c *Cloud) change(i *instance, status string, now time.Time) {
	steps := slices.Clone(c.changes[status])
	if steps == nil {
		steps = Change{}.steps(status)
	}
	if c.speed != 1 {
		for n := range steps {
			steps[n].After = faster(steps[n].After, c.speed)
		}
	}
	i.phases = append(i.phases, phase{now, steps})
}

// extend lets the status show that a task changes the instance's size.
func (i *instance) extend(t *task) {
	steps := []StatusStep{{0, extending}}
	if after, status := t.end(); status.Terminal() {
		outcome := running
		if status == taskwait.StatusFailed {
			outcome = extendedFailed
		}
		steps = append(steps, StatusStep{after, outcome})
	}
	i.phases = append(i.phases, phase{t.CreatedAt, steps})
}

// status is the one that the instance shows, deleted if it is. The latest change counts.
func (i *instance) status(now time.Time) string {
	status := i.alive(now)
	if status != deleted && i.forced != "" {
		return i.forced
	}
	return status
}

func (i *instance) alive(now time.Time) string {
	for _, p := range slices.Backward(i.phases) {
		for _, s := range slices.Backward(p.steps) {
			if now.Sub(p.start) >= s.After {
				return s.Status
			}
		}
	}
	return running
}

// changing is whether a change has not ended yet, though the status may not show it yet, or not at the moment.
func (i *instance) changing(now time.Time) bool {
	return slices.ContainsFunc(i.phases, func(p phase) bool { return now.Sub(p.start) < p.steps[len(p.steps)-1].After })
}

// SetStatus makes an instance show this status, such as FROZEN, whatever happens to it. "": it shows its real status
// again. A deleted instance stays deleted. If there is no such instance, it is added.
func (c *Cloud) SetStatus(instanceID, status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance(instanceID).forced = status
}

// WithoutConflicts lets every operation start, whatever runs on its instance. By default an operation is refused with
// 400 and DMS.00400017 while a task of the instance runs. It is refused with 400 and DMS.00400026 while the instance
// changes, or has a status that forbids the operation.
func WithoutConflicts() fakecloud.Option { return option(func(c *Cloud) { c.allowConflicts = true }) }

// WithStatusFirst refuses an operation that the status of the instance forbids with DMS.00400026, even if a task runs,
// as while the instance is EXTENDING. Default: the task counts, and the code is DMS.00400017. It is not documented
// which code the real service gives. The official Terraform provider tries again only after DMS.00400026.
func WithStatusFirst() fakecloud.Option { return option(func(c *Cloud) { c.statusFirst = true }) }

var (
	errNoInstance = &serviceError{http.StatusNotFound, "DMS.00404022", "This instance does not exist."}
	errTaskRuns   = &serviceError{http.StatusBadRequest, "DMS.00400017", "This DMS instance job task is still running."}
	errStatus     = &serviceError{http.StatusBadRequest, "DMS.00400026",
		"This operation is not allowed due to the instance status."}
)

// refusal is why an operation on the instance must not start now; nil: it may. Besides RUNNING it may in these
// statuses.
func (c *Cloud) refusal(e *exchange, i *instance, also ...string) *serviceError {
	if i == nil || i.status(e.Now) == deleted {
		return errNoInstance
	}
	status := i.status(e.Now)
	wrongStatus := status != running && !slices.Contains(also, status)
	switch {
	case c.allowConflicts:
	case c.statusFirst && wrongStatus:
		return errStatus
	case slices.ContainsFunc(i.tasks, func(t *task) bool { return t.runs(e.Now) }):
		return errTaskRuns
	case i.changing(e.Now), wrongStatus:
		return errStatus
	}
	return nil
}

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
	c.delete(e, e.instance, false)
	e.Status = http.StatusNoContent
}

// delete starts a deletion, which ends in the recycle bin if there is one, unless it is forced.
func (c *Cloud) delete(e *exchange, i *instance, force bool) {
	c.change(i, deleting, e.Now)
	steps := i.phases[len(i.phases)-1].steps
	if last := len(steps) - 1; c.recycleBin && !force && steps[last].Status == deleted {
		steps[last].Status = recycled
	}
	c.record(e, i, "")
}

// restart starts a restart.
func (c *Cloud) restart(e *exchange, i *instance) {
	c.change(i, restarting, e.Now)
	c.record(e, i, "")
}

// result is what became of one of many.
type result struct {
	Result   string `json:"result"`
	Instance string `json:"instance"`
}

// action is a change of many instances.
type action struct {
	Action     string   `json:"action"`
	Instances  []string `json:"instances"`
	AllFailure string   `json:"all_failure"` // kafka: delete all whose creation has failed
	Force      bool     `json:"force_delete"`
}

// actOnInstances restarts or deletes many. If none of them may be, the answer is why the first may not: a guess.
func (c *Cloud) actOnInstances(e *exchange) {
	var asked action
	switch {
	case !e.asked(&asked):
	case asked.Action == "delete" && asked.AllFailure == "kafka":
		c.deleteFailed(e, asked.Force)
	case len(asked.Instances) == 0:
		e.invalid()
	case asked.Action == "restart":
		c.actOn(e, asked.Instances, restartable, func(i *instance) { c.restart(e, i) })
	case asked.Action == "delete":
		c.actOn(e, asked.Instances, deletable, func(i *instance) { c.delete(e, i, asked.Force) })
	default:
		e.invalid()
	}
}

// deleteFailed deletes all instances whose creation has failed. Its answer has no body.
func (c *Cloud) deleteFailed(e *exchange, force bool) {
	for _, id := range slices.Sorted(maps.Keys(c.instances)) {
		if i := c.instances[id]; i.status(e.Now) == createFailed {
			c.delete(e, i, force)
		}
	}
	e.Status = http.StatusNoContent
}

func (c *Cloud) actOn(e *exchange, ids []string, also []string, act func(*instance)) {
	var refused *serviceError
	var results []result
	for _, id := range ids {
		i := c.instances[id]
		c.advance(i, e.Now)
		if err := c.refusal(e, i, also...); err != nil {
			results = append(results, result{"failed", id})
			refused = cmp.Or(refused, err)
			continue
		}
		act(i)
		results = append(results, result{"success", id})
	}
	if !slices.ContainsFunc(results, func(r result) bool { return r.Result == "success" }) {
		e.refuse(refused)
		return
	}
	e.Payload = &struct {
		Results []result `json:"results"`
	}{results}
}
