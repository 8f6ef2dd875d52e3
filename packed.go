package taskwait

import (
	"math"
	"time"
)

// packed is what one of many waits remembers while it waits: a state, smaller. Times are counted from the start, which
// all have in common.
type packed struct {
	task          Task
	err           error
	born, alive   time.Duration // never: not known
	moved         time.Duration
	trouble       shortRun
	missing       shortRun
	step          int32 // of a BackOff
	polls, errors int32
	good          int32
	early, left   bool
}

type shortRun struct {
	since time.Duration
	count int32
}

const never = time.Duration(math.MinInt64)

// pack stores s, which began at start.
func (p *packed) pack(s *state, err error) {
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return never
		}
		return t.Sub(s.Started)
	}
	short := func(r run) shortRun { return shortRun{since(r.Since), small(r.Count)} }
	p.task, p.err = s.Task, err
	p.born, p.alive, p.moved = since(s.Born), since(s.Alive), since(s.Moved)
	p.trouble, p.missing = short(s.Trouble), short(s.Missing)
	p.step, p.polls, p.errors, p.good = small(s.Step), small(s.Polls), small(s.Errors), small(s.Good)
	p.early, p.left = s.Early, s.Left
}

// unpack gives the state back, of the task with this id.
func (p *packed) unpack(id string, start time.Time) state {
	at := func(d time.Duration) time.Time {
		if d == never {
			return time.Time{}
		}
		return start.Add(d)
	}
	long := func(r shortRun) run { return run{at(r.since), int(r.count)} }
	return state{
		ID: id, Started: start, Task: p.task, Born: at(p.born), Alive: at(p.alive), Moved: at(p.moved), Trouble: long(p.trouble), Missing: long(p.missing),
		Step: int(p.step), Polls: int(p.polls), Errors: int(p.errors), Good: int(p.good), Early: p.early, Left: p.left,
	}
}

func small(n int) int32 { return int32(min(n, math.MaxInt32)) } //nolint:gosec // bounded
