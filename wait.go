package taskwait

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"github.com/taskwait/taskwait/internal/pacing"
	"github.com/taskwait/taskwait/internal/poll"
	"go.uber.org/zap"
)

// wait is one wait for one id, whoever polls for it.
type wait struct {
	*shared
	schedule pacing.Schedule // nil: the exponential
	state    state
	err      error // the last error that came instead of a task; nil: none
	warned   warned
	details  *details // nil: there are none
	kept     *Wait    // what the caller is given of all this; nil: nothing yet
	again    bool     // it had ended before, and says so once more
}

// shared is what the waits of one call have in common.
type shared struct {
	*settings
	stay           *stay // its lock is held to change what the waits show
	deadlines      deadlines
	reporting      reporting
	times          map[*wait]int // how often an id was given, if more than once
	first          time.Time     // when the first polls are due; of a wait that goes on, its next one
	deadlinePollAt time.Time     // of a wait that has had no answer yet
	listReadable   bool          // a list has shown the task of one of them: the credentials are good
	keeper         func() *Wait  // brings the Wait up to date where there is no task to wait for; nil: there is one
	quiet          bool          // it is a phase of Do before the task's own wait: its good end is no news
}

// lone is a wait that has nothing in common with others.
type lone struct {
	wait
	common shared
	stay   stay
	sub    subscription // zero: there is none yet
}

// newShared is what waits have in common that poll from now on. Their time runs from began, and ends with ctx.
func newShared(ctx context.Context, s *settings, began time.Time) *shared {
	c := &shared{}
	c.begin(ctx, s, began)
	return c
}

func (c *shared) begin(ctx context.Context, s *settings, began time.Time) {
	now := time.Now()
	c.settings, c.deadlines = s, s.deadlines
	c.deadlines.began = began
	c.deadlines.ctxEnd, _ = ctx.Deadline()
	c.reporting = reporting{began: began, to: s.log, learned: s.learned()}
	pause := s.initial
	if pause == 0 && c.reporting.learned != nil && s.kind != "" && s.newBackOff == nil {
		pause = c.reporting.learned.First(rand.Float64())
	}
	var fresh state
	c.first = now.Add(c.deadlines.clamp(&fresh, time.Time{}, now, pause))
	c.deadlinePollAt = fresh.deadlinePollAt
}

// begin makes w a wait for id.
func (w *wait) begin(c *shared, id string) (err error) {
	w.shared = c
	w.state = state{
		task: Task{ID: id, Kind: c.kind}, taskStartedAt: c.deadlines.began, plannedAt: c.first,
		deadlinePollAt: c.deadlinePollAt,
	}
	w.schedule, err = c.schedule(c.reporting.learned)
	return err
}

// resume makes w go on with what kept remembers.
func (w *wait) resume(kept *Wait) {
	w.kept = kept
	if kept.savedAt.IsZero() {
		return
	}
	w.first = kept.goOn(&w.deadlines, &w.state, w.kind, time.Now())
	if w.state.noDetails {
		w.details = nil
	}
	if w.newBackOff != nil {
		w.schedule = w.schedule.After(int(w.state.step))
	}
}

// terms are those of the wait with its poller.
func (c *shared) terms(s *state) poll.Terms {
	end, _ := c.deadlines.end(s)
	order := c.deadlines.stalePhase != "" || c.deadlines.confirmations > 1
	return poll.Terms{First: c.first, Pause: c.lo, Order: order, Fixed: c.newBackOff != nil, End: end, Owner: c.settings}
}

// run is the loop of a wait. It sleeps here, with as little as can be on its stack: Go keeps a stack at 8 kB of which
// more than 1.2 kB is in use, and makes it 4 kB else.
func (w *wait) run(ctx context.Context, sub *poll.Subscription[Task]) *WaitError {
	for {
		if end, over := w.takeIn(ctx, sub); over {
			return end
		}
		select {
		case <-ctx.Done():
		case <-sub.Ready():
		}
	}
}

// takeIn takes in what answers there are: decide, report, plan.
//
//go:noinline
func (w *wait) takeIn(ctx context.Context, sub *poll.Subscription[Task]) (end *WaitError, over bool) {
	var a answer
	for sub.Receive(&a) {
		polled := !w.state.beforeDue(&a) && !a.Listed // its own poll, not a list
		d := w.handle(&a)
		switch {
		case a.Queued > 0: // its poll is still due
			continue
		case d.done:
			return w.finish(&d), true
		case polled && d.seen:
			w.pollDetails(ctx)
		}
		if ctx.Err() != nil { // a callback may have taken long
			continue
		}
		w.plan(sub, 0)
	}
	if ctx.Err() != nil {
		return w.stopped(ctx, sub.Done(0)), true
	}
	return nil, false
}

// plan plans the next poll of w, which is for id key of sub.
func (w *wait) plan(sub *poll.Subscription[Task], key int) {
	if end, limited := w.deadlines.end(&w.state); limited && w.deadlines.run > 0 {
		sub.SetEnd(key, end)
	}
	sub.Plan(key, w.state.plannedAt, w.state.task.CreatedAt)
}

// handle decides what an answer means, and reports it.
func (w *wait) handle(a *answer) (d decision) {
	if a.Queued > 0 {
		w.tell(&Progress{QueuedFor: a.Queued})
		return d
	}
	now := time.Now()
	w.listReadable = w.listReadable || a.Listed && a.Err == nil
	w.state.listReadable = w.state.listReadable || w.listReadable
	d = w.decide(a, now)
	if !w.quiet || !d.done || d.reason != nil {
		w.reporting.log(&w.state, &d, &w.warned)
		w.tell(d.progress())
	}
	return d
}

// decide decides what an answer means. Foreign code runs in that, so what the wait shows is changed in the end.
func (w *wait) decide(a *answer, now time.Time) decision {
	s := w.state
	planned, asked := w.pause(a, now)
	d := decide(&w.deadlines, &s, a, now, planned, rand.Float64())
	if w.newBackOff != nil && !w.state.inFirstDelay(a) { // Resume makes the same pauses again
		s.step = w.state.step + asked
	}
	d.changed = s.task.Status != w.state.task.Status || s.task.Phase != w.state.task.Phase
	if w.limiter != nil && a.Polled {
		d.permitAfter = max(a.Sent.Sub(w.state.plannedAt), 0)
	}
	if w.observer != nil {
		d.query = a.Context
	}
	w.stay.mu.Lock()
	defer w.stay.mu.Unlock()
	if w.state = s; !d.seen {
		w.err = d.trouble
	}
	return d
}

// enter begins the stay of w, which is alone, and its observation. It returns ctx with the observer's values.
func (w *wait) enter(ctx context.Context, l *stays) context.Context {
	ctx, w.settings = w.observed(ctx, w.state.task.ID)
	l.enter(w.stay, w)
	return ctx
}

// leave ends the subscription and the stay of w.
func (w *lone) leave() {
	defer w.stay.leave() // also if the observer panics
	w.sub.close()
	w.interrupt()
}

// interrupt tells an observer that w is left, unless it was told of the end.
func (w *wait) interrupt() {
	if w.observer == nil || w.state.ended {
		return
	}
	p := w.standing()
	p.Interrupted, p.Wait = true, w.kept
	w.progress(p)
}

// show is what the waits of its stay are: w alone.
func (w *wait) show(i int) (p Progress, over, more bool) {
	if i > 0 {
		return p, false, false
	}
	return w.standing(), false, true
}

// standing is how the wait is between two answers.
func (w *wait) standing() (p Progress) {
	s := &w.state
	switch {
	case s.failing > 0:
		p.Err = w.err
	case s.seen() && !s.task.Status.known():
		p.Err = unknownStatus(s.task.Status)
	}
	p.Next = max(time.Until(s.plannedAt), 0)
	w.reporting.complete(s, &p)
	p.Task.Raw = nil
	return p
}

// tell calls the progress callback, if there is one.
func (w *wait) tell(p *Progress) {
	if w.progress == nil {
		return
	}
	w.complete(p)
	w.progress(*p)
}

// keep brings the Wait that the caller has up to date.
func (w *wait) keep() *Wait {
	if w.keeper != nil {
		return w.keeper()
	}
	if w.kept == nil {
		w.kept = &Wait{}
	}
	if !w.again {
		w.kept.update(&w.deadlines, &w.state)
	}
	return w.kept
}

// complete adds to p what the wait remembers.
func (w *wait) complete(p *Progress) {
	p.Wait = w.keep()
	w.reporting.complete(&w.state, p)
	if w.again {
		p.Elapsed = w.elapsed()
	}
}

// pause is the schedule's word on how long to wait after this answer, before that is decided on. An error says nothing
// new of the task. asked is 1 if a BackOff was asked, and 0 else.
func (w *wait) pause(a *answer, now time.Time) (pause time.Duration, asked int32) {
	s := &w.state
	t, own := &s.task, s.endsPause(w.deadlines.confirmations, a)
	if a.Err == nil && (a.Value.ID == "" || a.Value.ID == s.task.ID) {
		t = &a.Value
		if !w.deadlines.stale(s, t) && w.deadlines.concludes(s, a) {
			return 0, 0 // the wait is over: a BackOff is not asked for a pause that nobody makes
		}
		if left := cmp.Or(t.Remaining, s.remaining(now)); left > 0 && w.newBackOff == nil {
			return w.exponential.Until(left, rand.Float64()), 0
		}
	}
	step := int(s.step)
	switch {
	case w.newBackOff != nil && !own && now.Before(s.plannedAt):
		return s.plannedAt.Sub(now), 0 // a BackOff is asked for the next pause when the one before is over
	// the schedule goes by the time: others' polls bring answers too
	case w.newBackOff == nil && (!own || w.reporting.totals != nil):
		step = w.exponential.StepAt(now.Sub(w.deadlines.began))
	}
	if w.schedule == nil {
		return w.exponential.Pause(step, rand.Float64()), 0
	}
	return w.schedule(step, t.Kind, now.Sub(s.startOf(t, now)), rand.Float64()), 1
}

// finish ends the wait as decided.
func (w *wait) finish(d *decision) *WaitError {
	if d.reason == nil {
		return nil
	}
	e := w.failure(d.reason)
	e.FinalPollFailed = is(d.reason, ErrTimeout) && !d.seen
	return e
}

// conclusion is how a wait ends whose task has ended before. Its Wait stays as it is.
func (w *wait) conclusion() *WaitError {
	w.again = true
	reason, _ := w.state.task.Status.outcome()
	return w.finish(&decision{observation: observation{seen: true}, reason: reason})
}

// stopped ends the wait because ctx has ended; polling says whether a poll was in flight.
func (w *wait) stopped(ctx context.Context, polling bool) *WaitError {
	return w.stoppedBy(ctx.Err(), causeOf(ctx), polling)
}

func (w *wait) stoppedBy(err, cause error, polling bool) *WaitError {
	if polling {
		w.stay.mu.Lock()
		w.state.polls++
		w.stay.mu.Unlock()
	}
	e := w.failure(err)
	e.outcome.cause = cause
	return e
}

// refused ends a wait that cannot be begun: reason says what is wrong, the id or an option.
func (w *wait) refused(reason, err error) *WaitError {
	w.err = err
	return w.failure(reason)
}

func (w *wait) failure(reason error) *WaitError {
	s := &w.state
	w.stay.mu.Lock()
	s.task.Unconfirmed = s.successStreak > 0
	w.stay.mu.Unlock()
	return &WaitError{
		ID: s.task.ID, Task: s.task, Polls: int(s.polls), Errors: int(s.errors), Elapsed: w.elapsed(), LastErr: w.err,
		Reason: reason, Wait: w.keep(),
		outcome: outcome{
			ended: reason, sighting: s.sighting(time.Now()), inStalePhase: w.deadlines.stalePhase != "" && !s.leftStalePhase,
		},
	}
}

func (w *wait) elapsed() time.Duration {
	if w.again {
		return w.kept.savedAt.Sub(w.kept.began)
	}
	return time.Since(w.deadlines.began)
}

// end reports the outcome, and returns it.
func (w *wait) end(e *WaitError) error {
	var outcome error // not e itself: a nil *WaitError in an error is not nil
	if e != nil {
		outcome = e
	}
	w.stay.mu.Lock()
	w.state.ended = true
	if w.reporting.totals != nil {
		w.reporting.totals.count(max(1, w.times[w]), e != nil)
	}
	w.stay.mu.Unlock()
	if w.reporting.learned != nil {
		observe(w.reporting.learned.History, &w.state, time.Now())
	}
	w.reporting.write(zap.InfoLevel, "wait ended", &w.state, 0, outcome)
	w.tell(&Progress{Done: true, Outcome: outcome})
	return outcome
}

// pollDetails asks how far the task is, in the pause before the next poll. That is then planned sooner or later, if the
// service says how much time remains.
func (w *wait) pollDetails(ctx context.Context) {
	s := &w.state
	if w.details == nil || s.task.Status.Terminal() || !s.plannedAt.After(time.Now()) {
		return
	}
	ctx, cancel := context.WithDeadline(ctx, s.plannedAt)
	defer cancel()
	c := w.details.poll(ctx, s.task)
	switch {
	case c == nil:
	case c.err != nil:
		w.reporting.write(zap.DebugLevel, "no details", s, time.Until(s.plannedAt), c.err)
		w.noDetails(classifyError(c.err))
	case !c.task.detailed():
		w.dropDetails()
	default:
		w.takeDetails(&c.task)
	}
}

func (w *wait) dropDetails() { w.details, w.state.noDetails = nil, true }

// noDetails makes all hold off, or asks for no more details, as an error says.
func (w *wait) noDetails(o observation) {
	switch o.class {
	case ClassNotFound, ClassPermanent:
		w.dropDetails()
	case ClassThrottled:
		if l := w.limiter; l != nil {
			l.Throttled(min(o.retryAfter, maxRetryAfter))
		}
	case ClassTransient, ClassConflict, ClassNotSent:
	}
}

// takeDetails remembers the details and reports them.
func (w *wait) takeDetails(d *Task) {
	s, now := &w.state, time.Now()
	w.stay.mu.Lock()
	s.recordDetails(d, now)
	if left := s.task.Remaining; left > 0 && w.newBackOff == nil {
		pause := w.deadlines.shorten(s, &observation{seen: true}, now, w.exponential.Until(left, rand.Float64()))
		if s.task.RetryAfter > 0 { // the service's wish stands, which the planned poll keeps
			pause = max(pause, s.plannedAt.Sub(now))
		}
		s.plannedAt = now.Add(w.deadlines.clamp(s, now, now, pause))
	}
	w.stay.mu.Unlock()
	next := max(s.plannedAt.Sub(now), 0)
	w.reporting.write(zap.DebugLevel, "details", s, next, nil)
	w.tell(&Progress{Next: next})
}
