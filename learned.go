package taskwait

import (
	"time"

	"github.com/taskwait/taskwait/schedule"
)

const (
	// firstLookBy is the latest that a first look is put off, however long tasks of the kind take: a wrong id and a missing
	// permission show only then.
	firstLookBy = 30 * time.Second

	// learnedJitter, on each side, parts waits that began together. It is small: where durations are known well, a look that
	// is planned to the second must not be missed by a tenth of the whole.
	learnedJitter = 0.02
)

// Estimate is how long a task of its kind usually takes, by the history or, for what remains, by the service's own word.
type Estimate struct {
	Typical time.Duration // half of the tasks of this kind take longer; 0: unknown
	Half    time.Duration // in half of the cases no more than this remains
	Most    time.Duration // in nine cases of ten no more than this remains
}

// learned is the schedule of one wait that has a history.
type learned struct {
	history *History
	policy  schedule.Policy
	kind    string // as told beforehand; the service's own name wins
	usual   *exponential
}

func (l *learned) model(t *Task) *schedule.Model {
	if t.Name != "" {
		return l.history.model(t.Name)
	}
	return l.history.model(l.kind)
}

// pause is a plan: the learned pause, where something is known of the kind, and the exponential otherwise.
func (l *learned) pause(step int, t *Task, age time.Duration, rnd float64) time.Duration {
	usual := l.usual.pause(step, rnd)
	m := l.model(t)
	if m == nil {
		return usual
	}
	return spreadBy(m.Delay(age, usual, l.policy), learnedJitter, rnd)
}

// first is the pause before the first look, where the kind was told beforehand; else that comes at once.
func (l *learned) first(rnd float64) time.Duration {
	m := l.history.model(l.kind)
	if m == nil {
		return 0
	}
	return min(spreadBy(m.Delay(0, schedule.ShortestGap, l.policy), learnedJitter, rnd), firstLookBy)
}

// spreadBy moves d by up to a fraction f of it, either way.
func spreadBy(d time.Duration, f, rnd float64) time.Duration {
	return time.Duration(float64(d) * (1 - f + 2*f*rnd))
}

// estimate is what can be said of a task of this age, or nil.
func (l *learned) estimate(t *Task, age time.Duration) *Estimate {
	if t.Status.Terminal() {
		return nil
	}
	e, known := Estimate{}, false
	if m := l.model(t); m != nil {
		e.Typical, _ = m.Typical()
		e.Half, e.Most, known = m.Remaining(age)
	}
	if left, told := serviceRemaining(t, age); told { // the service knows better
		e.Half, e.Most, known = left, left, true
	}
	if !known {
		return nil
	}
	return &e
}

// serviceRemaining is what remains by the service's own word: its estimate, or else by its percentage, were all of them
// alike.
func serviceRemaining(t *Task, age time.Duration) (left time.Duration, told bool) {
	switch {
	case t.Remaining > 0:
		return t.Remaining, true
	case t.Percent != nil && *t.Percent > 0 && *t.Percent <= 100:
		return time.Duration(float64(age) * float64(100-*t.Percent) / float64(*t.Percent)), true
	}
	return 0, false
}

// observe adds to the history what a wait has seen, when it ends: how long the task took by the service's account; else
// until about the middle between the last look that found it running and the one that did not; or how old it is by now.
func (l *learned) observe(s *state, now time.Time) {
	t := &s.Task
	took, ok := t.took()
	switch {
	case ok:
		l.history.Add(t.Name, took)
	case s.Alive.IsZero(): // it had ended when it was first seen, nobody knows when; or it never was
	case t.Status.Terminal():
		l.history.Add(t.Name, s.Alive.Add(now.Sub(s.Alive)/2).Sub(s.Born))
	default:
		l.history.add(t.Name, duration{Took: now.Sub(s.Born), Running: true})
	}
}
