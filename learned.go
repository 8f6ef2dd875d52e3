package taskwait

import (
	"time"

	"github.com/taskwait/taskwait/internal/pacing"
	"github.com/taskwait/taskwait/schedule"
)

// estimate is what can be said of a task of this age, or nil.
func estimate(l *pacing.Learned, t *Task, age time.Duration) *schedule.Estimate {
	if t.Status.Terminal() {
		return nil
	}
	e, known := l.Estimate(t.Kind, age)
	if remaining, reported := serviceRemaining(t, age); reported { // the service knows better
		e.RemainingP50, e.RemainingP90, known = remaining, remaining, true
	}
	if !known {
		return nil
	}
	return &e
}

// serviceRemaining is what remains by the service's own word: its estimate, or else what its percentage means if all of
// it takes the same time.
func serviceRemaining(t *Task, age time.Duration) (remaining time.Duration, reported bool) {
	switch {
	case t.Remaining > 0:
		return t.Remaining, true
	case t.Percent != nil && *t.Percent > 0 && *t.Percent <= 100:
		return time.Duration(float64(age) * float64(100-*t.Percent) / float64(*t.Percent)), true
	}
	return 0, false
}

// observe adds to the history what a wait has seen, when it ends: how long the task took by the service's account; else
// until about the middle between the last poll that found it running and the one that did not; or how old it is by now.
func observe(h *schedule.History, s *state, now time.Time) {
	t := &s.task
	switch took := t.Took(); {
	case took > 0:
		h.Add(t.Kind, took)
	case s.lastRunningAt.IsZero(): // it had ended when it was first seen, nobody knows when; or it never was
	case t.Status.Terminal():
		h.Add(t.Kind, s.lastRunningAt.Add(now.Sub(s.lastRunningAt)/2).Sub(s.taskStartedAt))
	default:
		h.AddRunning(t.Kind, now.Sub(s.taskStartedAt))
	}
}
