package taskwait

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

// details asks a Detailer on behalf of one wait. It has calls of its own, so that one that hangs is in no look's way.
type details struct {
	query
	source Detailer
	task   Task // what is asked about; the call's to read, once the slot was free
}

func newDetails(w *Waiter, d Detailer, s *settings, id string) *details {
	m := &details{source: d}
	m.query = query{waiter: w, src: m, id: id, log: s.log, slot: make(chan struct{}, 1)}
	m.run = m.call
	return m
}

// Task makes a Source of the Detailer, to be asked like one.
func (m *details) Task(ctx context.Context, _ string) (Task, error) {
	return m.source.Details(ctx, m.task)
}

// askDetails asks how far the task is, in the pause until the next look, and returns when that is due now: sooner or
// later, if the service says how much time remains.
func (w *wait) askDetails(ctx context.Context, next time.Time) time.Time {
	if !w.mayAskDetails(ctx, next) {
		return next
	}
	now := time.Now()
	w.more.task = w.state.Task
	until := earlier(next, now.Add(w.queryTimeout))
	a := w.more.ask(ctx, bounds{free: now, cancel: until, leave: until})
	switch {
	case a == nil: // ctx has ended
	case a.err != nil:
		w.write(zap.DebugLevel, "no details", time.Until(next), a.err)
		w.heedRefusal(a.err)
	case !a.task.detailed():
		w.noDetails()
	default:
		next = w.heed(&a.task, next)
	}
	return next
}

// mayAskDetails waits for the limiter's turn. It returns false if next comes before that, or an earlier call hangs.
func (w *wait) mayAskDetails(ctx context.Context, next time.Time) bool {
	now := time.Now()
	if !next.After(now) || !w.more.free(ctx, now, now) {
		return false
	}
	if w.limiter == nil {
		return true
	}
	t := w.limiter.enter()
	defer w.limiter.leave(t)
	w.limiter.before(t, next)
	select {
	case err := <-t.done:
		raise(&answer{err: err})
		return err == nil && ctx.Err() == nil
	case <-ctx.Done():
	case <-w.query.alarm.at(next):
	}
	return false
}

// heedRefusal makes all hold off, or asks for no more details, as err says.
func (w *wait) heedRefusal(err error) {
	switch q, ok := asQueryError(err); {
	case !ok:
	case q.Class == ClassNotFound, q.Class == ClassPermanent:
		w.noDetails()
	case q.Class == ClassThrottled:
		w.limiter.throttled(q.RetryAfter)
	}
}

// heed takes over the details and returns when the next look is due now.
func (w *wait) heed(d *Task, next time.Time) time.Time {
	now := time.Now()
	w.state.learnDetails(d, now)
	next = w.replan(now, next)
	w.write(zap.DebugLevel, "details", next.Sub(now), nil)
	if w.progress != nil {
		w.tell(&Progress{Next: max(next.Sub(now), 0)})
	}
	return next
}

func (w *wait) noDetails() {
	w.more.stop()
	w.more = nil
}

// replan is when the next look is due by what the service says remains; next, where that says nothing, or the time
// of the look is not ours to choose.
func (w *wait) replan(now, next time.Time) time.Time {
	left := w.state.Task.Remaining
	if left <= 0 || w.newBackOff != nil || w.state.Early {
		return next
	}
	wait := w.limits.upTo(&w.state, &note{seen: true}, now, w.exponential.Until(left, rand.Float64()))
	return now.Add(w.limits.cut(&w.state, now, wait))
}
