// Package taskwait waits for an asynchronous cloud task to finish, whatever the network, the service and the clock do
// meanwhile. [Waiter.WaitForTask] is the way in; what it asks is a [Source], such as package huawei/kafkatasks makes for
// the background tasks of Huawei Cloud DMS for Kafka:
//
//	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), taskwait.WithTimeout(30*time.Minute))
//	task, err := waiter.WaitForTask(ctx, jobID)
//
// A wait ends in one of four ways: the service said SUCCESS (nil error), the service said that the task failed, was
// deleted or was cancelled ([ErrTaskFailed], [ErrTaskDeleted], [ErrTaskCancelled]), we stopped waiting (the context's
// error, [ErrTimeout], [ErrBackOffStopped]), or we could not find out ([ErrTaskNotFound], [ErrQuery]). In the last two the
// task may well still run, and [WaitError.StillRunning] says so: do not destroy anything then.
package taskwait

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/taskwait/taskwait/internal/pacing"
	"github.com/taskwait/taskwait/schedule"
)

// Waiter waits for tasks of one Source. It never changes after [New] and is safe for concurrent use.
type Waiter struct {
	src      Source
	settings *settings
	left     atomic.Int64
	shared   shared
}

// New returns a Waiter that asks src, with opts as the defaults of its waits. A bad option is an error that Is
// [ErrInvalidOption] and names it and its value. If src has a method Validate() error, New returns what that returns.
func New(src Source, opts ...Option) (*Waiter, error) {
	if f, ok := src.(SourceFunc); src == nil || ok && f == nil {
		return nil, fmt.Errorf("taskwait: %w: the Source is nil", ErrInvalidOption)
	}
	if v, ok := src.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	s, err := defaults().with(opts)
	if err != nil {
		return nil, err
	}
	return &Waiter{src: src, settings: s}, nil
}

// LeftBehind returns how many calls of the Source are still running though their wait has given up on them: because the
// context ended, or because they took longer than WithQueryTimeout allows. With a Source that heeds its context it goes
// back to 0 as soon as the Source has reacted.
func (w *Waiter) LeftBehind() int { return int(w.left.Load()) }

// WaitForTask waits for the task with this id and returns the last thing the service said of it, with every error too.
//
// The error is nil if and only if the service said SUCCESS for this id. A bad option or id is a plain error that Is
// [ErrInvalidOption] or [ErrInvalidID], and nothing has been asked; every other error is a [*WaitError]. When ctx ends
// WaitForTask returns at once, also while a query is in flight, with an error that Is ctx.Err() and context.Cause(ctx)
// (unless the cause is, say, another wait's ErrTaskFailed: that is not what became of this task).
//
// There is no limit on the time but that of ctx and [WithTimeout]: a service that throttles for ever, or that answers
// for ever with a status we do not know, is waited for that long. A ctx that ends by a deadline ends the wait on the spot;
// one query is made shortly before (a second, or a tenth of the time left), but only WithTimeout promises a last look.
//
// The wait runs on the calling goroutine. If the Source panics, so does WaitForTask, with an error that shows the value and
// the Source's stack, and unwraps to the value if that is an error.
func (w *Waiter) WaitForTask(ctx context.Context, id string, opts ...Option) (Task, error) {
	r, err := w.prepare(ctx, id, opts)
	if err != nil {
		return Task{}, err
	}
	err = r.end(r.untilDone(ctx))
	return r.state.Task, err
}

// prepare makes a wait, if there is nothing wrong with what it is to be: not inlined, as a wait holds its caller's stack
// while it sleeps.
//
//go:noinline
func (w *Waiter) prepare(ctx context.Context, id string, opts []Option) (*wait, error) {
	s, err := w.settings.with(opts)
	if err != nil {
		return nil, err
	}
	if err := CheckID("task id", id); err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, fmt.Errorf("taskwait: %w: the context is nil", ErrInvalidOption)
	}
	own, err := s.schedule()
	if err != nil {
		return nil, err
	}
	return newWait(ctx, w, w.src, s, id, own), nil
}

// wait is one call of WaitForTask.
type wait struct {
	*settings
	limits  limits
	whole   *Tally          // nil: this is WaitForTask
	own     pacing.Schedule // nil: the exponential
	learn   *pacing.Learned // nil: there is no history
	state   state
	err     error // the last error
	query   query
	more    *details // nil: there is nothing more to be told of the task
	warned  warned
	prelude bool      // it is for something other than the task: its good end is no news
	begun   time.Time // by the caller's clock, even if the state is an older one
	looked  time.Time // when the last look began
	next    time.Time // when the wait's own pause ends
	wake    time.Time // until when it sleeps

	member  *member // where it shares with others; nil: not any more
	place   member
	granted bool // the group has had the limiter's turn for it
}

func newWait(ctx context.Context, w *Waiter, src Source, s *settings, id string, own pacing.Schedule) *wait {
	r := &wait{
		settings: s, own: own,
		limits: s.limits(ctx),
		state:  state{ID: id, Started: time.Now()},
		begun:  time.Now(),
		query:  query{waiter: w, src: src, id: id, log: s.log, slot: make(chan struct{}, 1)},
	}
	r.query.run = r.query.call
	if d, ok := src.(Detailer); ok {
		r.more = newDetails(w, d, s, id)
	}
	r.remember(s.history)
	return r
}

// remember makes the wait one that learns from h.
func (w *wait) remember(h *History) {
	if h != nil {
		w.learn = &pacing.Learned{History: h, Kind: w.kind, Fallback: w.exponential, Policy: schedule.Policy{QueryCost: w.queryCost}}
		w.own = w.learn.Pause
	}
}

// untilDone is the loop: sleep, ask, decide, report. What is on the stack here and above a wait holds while it sleeps.
func (w *wait) untilDone(ctx context.Context) *WaitError {
	defer w.stop()
	w.join()
	w.plan(w.begun.Add(w.limits.cut(&w.state, w.begun, w.firstPause())))
	for {
		if e, done := w.proceed(ctx); done {
			return e
		}
		w.rest(ctx)
	}
}

// proceed does what there is to do before the wait sleeps again, until wake, or ends it.
//
//go:noinline
func (w *wait) proceed(ctx context.Context) (e *WaitError, done bool) {
	for !done {
		var a *answer
		if ctx.Err() == nil {
			var look bool
			if a, look = w.listen(); look {
				a = w.lookForAll(ctx)
			} else if a == nil {
				return nil, false
			}
		}
		e, done = w.follow(ctx, a)
	}
	return e, true
}

// follow does what follows from an answer: it plans the next look, or ends the wait.
func (w *wait) follow(ctx context.Context, a *answer) (e *WaitError, done bool) {
	v, now, ok := w.take(ctx, a)
	switch {
	case !ok:
		return w.stopped(ctx.Err(), context.Cause(ctx)), true
	case v.done:
		return w.finish(&v), true
	}
	next := now.Add(v.wait)
	if v.seen && !a.shared && w.more != nil {
		next = w.askDetails(ctx, next)
	}
	w.plan(next)
	return nil, false
}

func (w *wait) stop() {
	w.part()
	w.query.stop()
	if w.more != nil {
		w.more.stop()
	}
}

// firstPause is what comes before the first look.
func (w *wait) firstPause() time.Duration {
	if w.initial == 0 && w.learn != nil && w.kind != "" {
		return w.learn.First(rand.Float64())
	}
	return w.initial
}

// take decides what an answer means, and reports it; now is when that was. ok is false if ctx ended before it came.
func (w *wait) take(ctx context.Context, a *answer) (v verdict, now time.Time, ok bool) {
	if a == nil || a.err != nil && ctx.Err() != nil { // an error that the end of ctx may have caused says nothing
		return v, now, false
	}
	w.looked = a.sent
	if a.shared {
		w.state.Polls++
	}
	if a.shared && time.Now().Before(w.next) {
		v, now = w.overheard(a)
	} else {
		v, now = w.judge(a)
	}
	if v.is(ClassThrottled) {
		w.limiter.throttled(v.retryAfter)
	}
	return v, now, true
}

// judge decides what an answer means, and reports it; now is when that was.
func (w *wait) judge(a *answer) (v verdict, now time.Time) {
	now = time.Now()
	before := w.state.Task
	v = decide(&w.limits, &w.state, a, now, w.pause(a, now), rand.Float64())
	if !v.seen {
		w.err = v.trouble
	}
	if !w.prelude || !v.done || v.kind != nil {
		w.report(&v, w.state.Task.Status != before.Status || w.state.Task.Phase != before.Phase)
	}
	return v, now
}

// look makes one query, when the limiter lets it, and returns what it brings; nil: ctx ended before.
func (w *wait) look(ctx context.Context) *answer {
	if w.limiter == nil || w.granted {
		return w.ask(ctx)
	}
	now := time.Now()
	if !w.query.free(ctx, now, w.limits.query(w.state.Started, now, w.queryTimeout).free) {
		return w.query.stillRunning(now)
	}
	if a, ok := w.turn(ctx); a != nil || !ok {
		return a
	}
	return w.ask(ctx)
}

// ask makes one query now.
func (w *wait) ask(ctx context.Context) *answer {
	now := time.Now()
	b := w.limits.query(w.state.Started, now, w.queryTimeout)
	if !w.query.free(ctx, now, b.free) {
		return w.query.stillRunning(now)
	}
	w.state.Polls++
	return w.query.ask(ctx, b)
}

// pause is the schedule's word on how long to wait after this answer; an error says nothing new of the task.
func (w *wait) pause(a *answer, now time.Time) time.Duration {
	t := &a.task
	switch {
	case a.err == nil && (t.ID == "" || t.ID == w.state.ID):
		if w.limits.final(&w.state, t) {
			return 0 // the wait is over: a BackOff is not asked for a pause that nobody makes
		}
		if left := orElse(t.Remaining, w.state.left(now)); left > 0 && w.newBackOff == nil {
			return w.exponential.Until(left, rand.Float64())
		}
	case a.err != nil:
		t = &w.state.Task
	}
	if w.own == nil {
		return w.exponential.Pause(w.state.Step, rand.Float64())
	}
	return w.own(w.state.Step, t.Name, now.Sub(w.state.born(t, now)), rand.Float64())
}

// finish ends the wait as decided.
func (w *wait) finish(v *verdict) *WaitError {
	if v.kind == nil {
		return nil
	}
	e := w.failure(v.kind)
	if v.kind == ErrTimeout { //nolint:errorlint // a sentinel, as decide gave it
		e.ctxErr, e.blind = context.DeadlineExceeded, !v.seen
	}
	return e
}

// stopped ends the wait because its context has ended, for the reason that is given.
func (w *wait) stopped(err, cause error) *WaitError {
	e := w.failure(nil)
	e.ctxErr, e.cause = err, cause
	return e
}

func (w *wait) failure(kind error) *WaitError {
	s := &w.state
	s.Task.Unsettled = s.Good > 0
	return &WaitError{
		ID: s.ID, Task: s.Task, Polls: s.Polls, Errors: s.Errors,
		Elapsed: w.elapsed(), LastErr: w.err, kind: kind, unleft: w.limits.leave != "" && !s.Left,
	}
}

func (w *wait) elapsed() time.Duration { return time.Since(w.state.Started) }
