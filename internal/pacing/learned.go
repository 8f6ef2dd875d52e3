package pacing

import (
	"time"

	"github.com/taskwait/taskwait/schedule"
)

const (
	// MaxFirst bounds the pause before the first poll, however long tasks of the kind take: a wrong id and a missing
	// permission show only then.
	MaxFirst = 30 * time.Second

	// learnedJitter, on each side, parts waits that began together. It is small: where durations are known well, a poll
	// that is planned to the second must not be missed by a tenth of the whole.
	learnedJitter = 0.02
)

// Learned is the schedule of a wait that has a history. It is safe for concurrent use.
type Learned struct {
	History  *schedule.History
	Policy   schedule.Policy
	Kind     string       // the kind of task, as far as it is known before the first answer; the service's own word wins
	Fallback *Exponential // for kinds of which the history knows nothing
}

func (l *Learned) model(kind string) *schedule.Model {
	if kind == "" {
		kind = l.Kind
	}
	return l.History.Model(kind)
}

// Pause is a [Schedule]: the learned pause where the history knows the kind, and that of Fallback otherwise.
func (l *Learned) Pause(step int, kind string, age time.Duration, rnd float64) time.Duration {
	usual := l.Fallback.Pause(step, rnd)
	m := l.model(kind)
	if m == nil {
		return usual
	}
	return spread(m.Delay(age, usual, l.Policy), learnedJitter, rnd)
}

// First returns the pause before the first poll, at most [MaxFirst]. It is 0 unless the history knows Kind.
func (l *Learned) First(rnd float64) time.Duration {
	m := l.History.Model(l.Kind)
	if m == nil {
		return 0
	}
	return min(spread(m.Delay(0, schedule.ShortestGap, l.Policy), learnedJitter, rnd), MaxFirst)
}

// Estimate returns what the history knows of a task of this kind and age. ok reports whether it knows what remains; the
// median may be known all the same.
func (l *Learned) Estimate(kind string, age time.Duration) (e schedule.Estimate, ok bool) {
	m := l.model(kind)
	if m == nil {
		return schedule.Estimate{}, false
	}
	return m.Estimate(age)
}
