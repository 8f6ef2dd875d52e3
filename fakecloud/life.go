package fakecloud

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
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
	gone           = ""
)

// Change is how the status of an instance goes through a change that has no task: its creation, a restart, its
// deletion. The zero Change shows CREATING, RESTARTING or DELETING from the request on, for 5 minutes, 90 seconds or one
// minute, and ends well. One that cannot be played (a negative duration, statuses out of order) panics where it is set.
type Change struct {
	Takes      time.Duration // from the request until the outcome; default: see above
	FlipsAfter time.Duration // for so long the status is still the old one; default 0. A creation shows CREATING at once
	Outcome    string        // the status at the end; default RUNNING, and for a deletion "", which is: gone
	Statuses   []StatusStep  // the statuses one by one, instead of all of the above; until the first the old one stays
}

// StatusStep is a status that an instance has from a time on.
type StatusStep struct {
	After  time.Duration // since the request
	Status string        // "": the instance is gone
}

// OnCreate sets how creations go that start from now on.
func (c *Cloud) OnCreate(ch Change) { c.onChange(creating, ch) }

// OnRestart sets how restarts go that start from now on.
func (c *Cloud) OnRestart(ch Change) { c.onChange(restarting, ch) }

// OnDelete sets how deletions go that start from now on.
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
	takes, outcome := 5*time.Minute, running
	switch status {
	case restarting:
		takes = 90 * time.Second
	case deleting:
		takes, outcome = time.Minute, gone
	default:
		ch.FlipsAfter = 0
	}
	return []StatusStep{{ch.FlipsAfter, status}, {cmp.Or(ch.Takes, takes), cmp.Or(ch.Outcome, outcome)}}
}

// phase is a change on its way.
type phase struct {
	start time.Time
	steps []StatusStep
}

// change starts one of an instance, that shows this status on the way.
func (c *Cloud) change(i *instance, status string, now time.Time) {
	steps := c.changes[status]
	if steps == nil {
		steps = Change{}.steps(status)
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

// status is the one that the instance shows, gone if it is. The latest change counts.
func (i *instance) status(now time.Time) string {
	status := i.alive(now)
	if status != gone && i.forced != "" {
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

// SetStatus makes an instance show this status, whatever happens to it, such as FROZEN; "": again the one that its life
// has come to. An instance that is gone stays gone. It makes the instance if there is none.
func (c *Cloud) SetStatus(instanceID, status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance(instanceID).forced = status
}
