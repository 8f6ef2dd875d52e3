package taskwait

import (
	"context"
	"time"
)

const (
	// earlyLook is how long before the context's deadline one look is planned; a tenth of the time left, if that is less.
	earlyLook = time.Second

	// lastLook is how long after the timeout all is over: what the query in flight then, and the last one, may take.
	// Of it lastLookReserve is kept for the last one, should the one in flight hang.
	lastLook        = 5 * time.Second
	lastLookReserve = time.Second
)

// limits are the bounds of a wait.
type limits struct {
	timeout   time.Duration // 0: none
	tolerance time.Duration
	grace     time.Duration
	ctxEnd    time.Time     // the context's deadline; zero: none
	stall     time.Duration // 0: none
	settle    int           // answers that it takes; 0 is as good as 1
	leave     string        // the phase that does not count until it was left; "": there is none
}

// final reports whether what t says is the end of it, for a wait that remembers s.
func (l *limits) final(s *state, t *Task) bool {
	return t.Status.Terminal() && !l.held(s, t) && (!t.Status.Succeeded() || s.Good+1 >= l.settle)
}

// held reports whether t is still in the phase that it must leave first.
func (l *limits) held(s *state, t *Task) bool {
	return l.leave != "" && !s.Left && orElse(t.Phase, string(t.Status)) == l.leave
}

// stalled reports whether a task that was just seen has not changed for too long.
func (l *limits) stalled(s *state, now time.Time) bool {
	return l.stall > 0 && s.Good == 0 && now.Sub(s.Moved) >= l.stall
}

// upTo shortens a pause after the answer n so that a look falls at the grace's end, or where the task will have stalled.
func (l *limits) upTo(s *state, n *note, now time.Time, wait time.Duration) time.Duration {
	var left time.Duration
	switch {
	case n.is(ClassNotFound):
		left = s.Missing.Since.Add(l.grace).Sub(now)
	case n.seen && l.stall > 0:
		left = s.Moved.Add(l.stall).Sub(now)
	}
	if left > 0 {
		wait = min(wait, left)
	}
	return wait
}

func (s *settings) limits(ctx context.Context) limits {
	l := limits{timeout: s.timeout, tolerance: s.tolerance, grace: s.grace, stall: s.stall, settle: s.settle, leave: s.leave}
	l.ctxEnd, _ = ctx.Deadline()
	return l
}

// end is the instant at which a wait that began at start has used up its timeout; ok is false if it never does.
func (l *limits) end(start time.Time) (end time.Time, ok bool) {
	return start.Add(l.timeout), l.timeout > 0
}

// cut shortens a pause so that it passes neither the timeout nor, once, the moment shortly before the context's deadline.
func (l *limits) cut(s *state, now time.Time, wait time.Duration) time.Duration {
	if left := l.ctxEnd.Sub(now); !l.ctxEnd.IsZero() && !s.Early && left > 0 {
		if early := left - min(earlyLook, left/10); wait >= early {
			wait, s.Early = early, true
		}
	}
	if end, limited := l.end(s.Started); limited {
		wait = min(wait, end.Sub(now))
	}
	return max(wait, 0)
}

// bounds are those of one query: until when it may wait for an earlier one that was left behind, when its own context is
// cancelled, and when it is left behind in its turn.
type bounds struct{ free, cancel, leave time.Time }

// query gives the bounds of a query that begins now, in a wait that began at start.
func (l *limits) query(start, now time.Time, timeout time.Duration) bounds {
	b := bounds{free: now, cancel: now.Add(timeout), leave: now.Add(timeout)}
	end, limited := l.end(start)
	switch {
	case !limited:
	case now.Before(end):
		b.leave = earlier(b.leave, end.Add(lastLook))
		b.cancel = earlier(b.cancel, end.Add(lastLook-lastLookReserve))
	default: // the last look
		over := end.Add(lastLook)
		if now.After(over) {
			over = now.Add(lastLookReserve) // the machine slept, or a progress callback did; one look there is all the same
		}
		b.leave = earlier(b.leave, over)
		b.free, b.cancel = b.leave, b.leave
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
