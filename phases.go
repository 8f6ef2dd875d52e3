package taskwait

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/taskwait/taskwait/internal/poll"
	"go.uber.org/zap"
)

// unclearSearch is for how long a task is looked for where it is not known whether the operation was started. Tasks
// appear within seconds, and whoever made the call is waiting.
const unclearSearch = 10 * time.Second

// listLag is how long after the answer to Start the operation's task may still be missing in a list. Until then a task
// that fits may be another's.
const listLag = 10 * time.Second

// execution is one run of Do: a row of phases that share their time. The first ends when the operation was accepted,
// the second when its task is found, the third is the wait for the task, and the last makes sure that it was the
// right one. It begins with the phase that kept has come to.
type execution struct {
	pollers  *pollers
	settings *settings
	op       *Operation
	began    time.Time
	sentAt   time.Time // when the operation was sent, unless it was refused
	stay     stay
	now      *wait // the one that ends the execution, should it end now
	shown    *wait // what waits now; guarded by the stay's lock
	kept     *Wait // what a later process goes on with
	starting *startPhase
}

func newExecution(h *pollers, s *settings, op *Operation) *execution {
	x := &execution{pollers: h, settings: s, op: op, began: time.Now(), kept: op.Wait}
	if x.kept == nil {
		x.kept = &Wait{}
	}
	if x.kept.start == nil {
		x.kept.start = &started{name: op.Name, attempt: Attempt{Key: rand.Text()}}
	} else {
		x.began, x.sentAt = x.kept.began, x.kept.start.sentAt
	}
	return x
}

// run runs the phases; first is the wait of the first one.
func (x *execution) run(ctx context.Context, first *wait) *WaitError {
	o, e := x.start(ctx, first)
	switch {
	case e != nil:
		return e
	case o.id != "" && !x.kept.start.found:
		return x.waitForTask(ctx, o.id, false)
	}
	search := &searchPhase{op: x.op, attempt: o.attempt, id: o.id}
	if o.id == "" {
		if e := x.search(ctx, search, x.settings.forPhase(x.settings.grace)); e != nil {
			e.Candidates = search.candidates()
			return e
		}
		search.id = search.candidates()[0].ID
		x.save(search.id)
	}
	if e = x.waitForTask(ctx, search.id, true); e != nil && !e.Task.Status.Terminal() {
		return e
	}
	if e := x.confirm(ctx, search, search.id, o.at); e != nil {
		return e
	}
	x.kept.start.found = false
	return e
}

// start gets the operation accepted, unless that was done; first is the wait of that phase.
func (x *execution) start(ctx context.Context, first *wait) (startOutcome, *WaitError) {
	k := *x.kept.start // which keep replaces
	if !k.acceptedAt.IsZero() || x.kept.ID != "" {
		return k.outcome(x.kept.ID), nil
	}
	start := &startPhase{op: x.op, over: ctx.Done(), key: cmp.Or(k.attempt.Key, rand.Text()), save: x.snapshot}
	if k.unclear() {
		if e := x.recover(ctx, k); e != nil || x.kept.ID != "" {
			return x.kept.start.outcome(x.kept.ID), e
		}
		start.attempt, start.prepared = k.attempt, time.Now()
		w, err := x.next(ctx, x.settings.forPhase(x.settings.grace), "")
		if err != nil {
			return startOutcome{}, w.refused(ErrInvalidOption, err)
		}
		first = w
		w.reporting.write(zap.WarnLevel, "sent again", &w.state, 0, errSentAgain)
		w.tell(&Progress{Err: errSentAgain})
	}
	start.end, start.limited = x.end()
	x.starting = start
	e := x.phase(ctx, first, start.poll)
	o, saveFailed := start.close()
	if o.sent {
		x.sentAt = o.sentAt
	}
	x.keep()
	if x.starting = nil; o.accepted {
		x.kept.ID = o.id
	}
	if saveFailed != nil {
		x.notSaved(saveFailed)
	}
	if e != nil {
		return o, x.notAccepted(ctx, o, e)
	}
	return o, nil
}

// errSentAgain says that the operation is sent, though an earlier process may have sent it.
var errSentAgain = errors.New("an earlier process may have sent it, but its task has not appeared: it is sent now")

// recover looks for the task of an operation that was perhaps sent by a process that has died, and keeps its id. No id
// and no error: it was not sent, as far as the service's list tells.
func (x *execution) recover(ctx context.Context, k started) *WaitError {
	search := &searchPhase{op: x.op, attempt: k.attempt}
	e := x.search(ctx, search, x.settings.forPhase(max(0, time.Until(k.sentAt.Add(listLag)))))
	switch {
	case e == nil:
		x.kept.start.acceptedAt = k.sentAt
		x.save(search.candidates()[0].ID)
		return nil
	case is(e.Reason, ErrTaskNotFound) && x.op.Find != nil:
		return nil
	}
	e.endedBy(e.Reason)
	e.Reason, e.Candidates, e.outcome.searched = ErrOutcomeUnknown, search.candidates(), x.op.Find != nil
	return e
}

// save keeps that the task is the one with this id, which Find has found.
func (x *execution) save(id string) {
	k := x.kept
	k.start.found, k.ID = true, id
	if x.op.Save == nil {
		return
	}
	if err := x.op.Save(x.snapshot(id, *k.start)); err != nil {
		x.notSaved(err)
	}
}

// snapshot is a Wait for Save.
func (x *execution) snapshot(id string, b started) *Wait {
	now := time.Now()
	return &Wait{
		ID: id, savedAt: now, began: x.began, start: &b,
		state: state{task: Task{ID: id}, taskStartedAt: now, plannedAt: now},
	}
}

// keep brings the Wait up to date as long as there is no task.
func (x *execution) keep() *Wait {
	if x.kept.ID != "" {
		return x.kept
	}
	b := *x.kept.start
	if x.starting != nil {
		o := x.starting.known()
		o.attempt.Key = x.starting.key
		b = *o.started(x.op.Name)
	}
	*x.kept = *x.snapshot("", b)
	return x.kept
}

// notSaved logs that Save has failed when it was too late to stop.
func (x *execution) notSaved(err error) {
	x.now.reporting.write(zap.WarnLevel, "not saved", &x.now.state, 0, err)
}

// end is when the execution has used up its timeout; ok is false if it never does.
func (x *execution) end() (end time.Time, ok bool) {
	l := x.settings.deadlines
	l.began = x.began
	return l.end(&state{})
}

// notAccepted completes the error e of an execution that has ended before the operation was accepted, as far as we
// know.
func (x *execution) notAccepted(ctx context.Context, o startOutcome, e *WaitError) *WaitError {
	if o.reason != nil && is(e.Reason, ErrQuery) {
		e.endedBy(o.reason)
	}
	switch {
	case !o.sent:
		e.Reason = ErrNotStarted
	case o.accepted && o.id != "": // it was accepted in the very moment in which we stopped
		e.ID = o.id
	default:
		e.ID = o.id // where it says what the operation is about
		e.Reason = ErrOutcomeUnknown
		e.Candidates, e.outcome.searched = x.searchAnyway(ctx, o.attempt)
	}
	return e
}

// searchAnyway looks for a task that has appeared, though nobody knows whether the operation was carried out.
func (x *execution) searchAnyway(ctx context.Context, attempt Attempt) (found []Task, searched bool) {
	left := unclearSearch
	if end, limited := x.end(); limited {
		left = min(left, time.Until(end.Add(poll.FinalAllowance)))
	}
	if ctx.Err() != nil || x.op.Find == nil || left <= 0 {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	last, search := x.now, &searchPhase{op: x.op, attempt: attempt}
	_ = x.search(ctx, search, x.settings.forPhase(2*unclearSearch)) // what comes of it otherwise is beside the point
	x.backTo(last)
	return search.candidates(), true
}

// confirm lists once more whether the task that was waited for is the only one that may be the operation's: one that
// began at the same time may have been listed first. started is when the operation was accepted.
func (x *execution) confirm(ctx context.Context, search *searchPhase, id string, started time.Time) *WaitError {
	last, s := x.now, x.settings.forPhase(x.settings.grace)
	s.initial = max(0, time.Until(started.Add(listLag)))
	e := x.search(ctx, search, s)
	if e == nil && time.Now().Before(started.Add(listLag)) { // time is over, and ours may still appear
		e = x.outOfTime(ctx)
	}
	if e != nil {
		e.ID, e.Task, e.Candidates, e.outcome.ambiguous = id, last.state.task, search.candidates(), true
	}
	x.backTo(last)
	return e
}

// outOfTime is how the execution ends where its timeout, or the context's deadline, left no time to make sure of a
// task.
func (x *execution) outOfTime(ctx context.Context) *WaitError {
	end, limited := x.end()
	if _, dies := ctx.Deadline(); !dies || limited && !time.Now().Before(end) {
		return x.now.failure(ErrTimeout)
	}
	<-ctx.Done() // the poll before its deadline was the last one
	return x.now.stopped(ctx, false)
}

// backTo makes an earlier wait the one that ends the execution. What was polled since counts.
func (x *execution) backTo(w *wait) {
	w.state.polls, w.state.errors = x.now.state.polls, x.now.state.errors
	x.now = w
	x.turnTo(w)
}

// turnTo makes w what the execution is seen to wait for.
func (x *execution) turnTo(w *wait) {
	x.stay.mu.Lock()
	defer x.stay.mu.Unlock()
	x.shown = w
}

// show is what the execution waits for.
func (x *execution) show(i int) (p Progress, over, more bool) { return x.shown.show(i) }

// enter begins the stay of the execution, and its observation. It returns ctx with the observer's values.
func (x *execution) enter(ctx context.Context, l *stays) context.Context {
	ctx, x.settings = x.settings.observed(ctx, x.kept.ID)
	x.now.progress, x.shown = x.settings.progress, x.now
	l.enter(&x.stay, x)
	return ctx
}

// leave ends the stay of the execution.
func (x *execution) leave() {
	defer x.stay.leave() // also if the observer panics
	x.now.interrupt()
}

// search runs a phase that looks for the operation's task.
func (x *execution) search(ctx context.Context, search *searchPhase, s *settings) *WaitError {
	w, err := x.next(ctx, s, "")
	if err != nil {
		return w.refused(ErrInvalidOption, err)
	}
	e := x.phase(ctx, w, search.poll)
	if reason := search.ended(); e != nil && reason != nil && is(e.Reason, ErrQuery) {
		e.endedBy(reason)
	}
	return e
}

// phase waits for something other than the task: for poll to return nil.
func (x *execution) phase(ctx context.Context, w *wait, poll func(context.Context) error) *WaitError {
	w.quiet = true
	f := func(ctx context.Context, _ string) (Task, error) { return Task{Status: StatusSuccess}, poll(ctx) }
	e := x.runOn(ctx, w, x.pollers.of(w.settings, f, nil))
	if e != nil {
		e.ID, e.Task, e.Operation = "", Task{}, x.op.Name
	}
	return e
}

// waitForTask waits for the operation's task; listed: Find has found it.
func (x *execution) waitForTask(ctx context.Context, id string, listed bool) *WaitError {
	// a process before has waited for it
	again := x.kept.ID == id && x.kept.state.task.ID == id && !x.kept.savedAt.IsZero()
	w, err := x.next(ctx, x.settings, id)
	if x.kept.ID = id; again {
		w.resume(x.kept)
	} else {
		w.state.taskStartedAt = time.Now()
	}
	w.state.listReadable = w.state.listReadable || listed
	e := x.waitOn(ctx, w, id, err)
	if e != nil {
		e.Operation = x.op.Name
	}
	return e
}

func (x *execution) waitOn(ctx context.Context, w *wait, id string, invalid error) *WaitError {
	if invalid != nil {
		return w.refused(ErrInvalidOption, invalid)
	}
	if err := x.pollers.checkID(id); err != nil {
		return w.refused(ErrInvalidID, err)
	}
	if w.state.concluded {
		return w.conclusion()
	}
	if !w.state.noDetails {
		w.details = newDetails(x.pollers.src, x.settings, &x.pollers.abandoned)
	}
	x.turnTo(w)
	sub := x.pollers.subscribe(ctx, w.settings, id, w.terms(&w.state))
	defer sub.close()
	return w.run(ctx, sub.Subscription)
}

func (x *execution) runOn(ctx context.Context, w *wait, p *poll.Poller[Task]) *WaitError {
	x.turnTo(w)
	sub := p.Subscribe(ctx, []string{w.state.task.ID}, w.terms(&w.state))
	defer sub.Close()
	return w.run(ctx, sub)
}

// next makes the execution's next wait, which goes on with its time and its counts. id is that of the task, if it has
// one.
func (x *execution) next(ctx context.Context, s *settings, id string) (*wait, error) {
	w := &wait{}
	c := newShared(ctx, s, x.began)
	c.stay = &x.stay
	if id == "" {
		c.reporting.operation, c.keeper = x.op.Name, x.keep
	}
	err := w.begin(c, id)
	w.kept = x.kept
	if x.now != nil {
		w.state.polls, w.state.errors = x.now.state.polls, x.now.state.errors
	}
	x.now = w
	return w, err
}

// forPhase is what a phase has of a call's settings: its bounds and how to poll. What is about the task is not in it.
func (s *settings) forPhase(grace time.Duration) *settings {
	p := defaults()
	p.deadlines = deadlines{timeout: s.timeout, tolerance: s.tolerance, grace: grace}
	p.lo, p.hi, p.exponential, p.newBackOff = s.lo, s.hi, s.exponential, s.newBackOff
	p.queryTimeout, p.limiter, p.progress, p.log = s.queryTimeout, s.limiter, s.progress, s.log
	p.observer = s.observer
	return p
}
