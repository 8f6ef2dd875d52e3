package taskwait

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait/internal/limiter"
	"github.com/taskwait/taskwait/internal/poll"
	"github.com/taskwait/taskwait/internal/text"
)

// unclearSearch is for how long a task is looked for where it is not known whether the operation was started. Tasks
// appear within seconds, and whoever made the call is waiting.
const unclearSearch = 10 * time.Second

// listLag is how long after the answer to Start the operation's task may still be missing in a list. Until then a task
// that fits may be another's.
const listLag = 10 * time.Second

// execution is one run of Do: a row of phases that share their time. The first ends when the operation was accepted,
// the second when its task is found, the third is the wait for the task, and the last makes sure that it was the
// right one.
type execution struct {
	pollers  *pollers
	settings *settings
	op       *Operation
	began    time.Time
	sentAt   time.Time // when the operation was sent, unless it was refused
	now      *wait     // the one that ends the execution, should it end now
}

// run runs the phases; first is the wait of the first one.
func (x *execution) run(ctx context.Context, first *wait) *WaitError {
	start := &startPhase{op: x.op, over: ctx.Done(), key: rand.Text()}
	start.end, start.limited = x.end()
	e := x.phase(ctx, first, start.poll)
	outcome := start.close()
	if outcome.sent {
		x.sentAt = outcome.sentAt
	}
	if e != nil {
		return x.notAccepted(ctx, outcome, e)
	}
	if outcome.id != "" {
		return x.waitForTask(ctx, outcome.id, false)
	}
	search := &searchPhase{op: x.op, attempt: outcome.attempt}
	if e := x.search(ctx, search, x.settings.forPhase(x.settings.grace)); e != nil {
		e.Candidates = search.candidates()
		return e
	}
	id := search.candidates()[0].ID
	search.id = id
	if e = x.waitForTask(ctx, id, true); e != nil && !e.Task.Status.Terminal() {
		return e
	}
	if e := x.confirm(ctx, search, id, outcome.at); e != nil {
		return e
	}
	return e
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
	w, err := x.next(ctx, x.settings, id)
	w.state.listReadable = listed
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
	w.state.taskStartedAt = time.Now()
	w.details = newDetails(x.pollers.src, x.settings, &x.pollers.abandoned)
	sub := x.pollers.subscribe(ctx, w.settings, id, w.terms(&w.state))
	defer sub.close()
	return w.run(ctx, sub.Subscription)
}

func (x *execution) runOn(ctx context.Context, w *wait, p *poll.Poller[Task]) *WaitError {
	sub := p.Subscribe(ctx, []string{w.state.task.ID}, w.terms(&w.state))
	defer sub.Close()
	return w.run(ctx, sub)
}

// next makes the execution's next wait, which goes on with its time and its counts. id is that of the task, if it has
// one.
func (x *execution) next(ctx context.Context, s *settings, id string) (*wait, error) {
	w := &wait{}
	c := newShared(ctx, s, x.began)
	if id == "" {
		c.reporting.operation = x.op.Name
	}
	err := w.begin(c, id)
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
	return p
}

// startPhase sends the operation until the service has accepted it. A call of it may be abandoned: so all that it does
// to the service it does between begin, which is refused once the phase is closed, and note.
type startPhase struct {
	op      *Operation
	over    <-chan struct{} // closed when nobody waits any more
	end     time.Time       // from then on nothing is sent, if limited
	limited bool

	key string // of each Attempt

	mu       sync.Mutex
	closed   bool
	conflict bool      // something else ran when it was sent last
	prepared time.Time // when attempt was last found to be good; zero: it must be read
	heldTill time.Time // nothing is sent before, as the service has asked, perhaps in the answer to an abandoned call
	startOutcome
}

// startOutcome is what is known of an operation.
type startOutcome struct {
	sent     bool      // and not refused: it may have been carried out
	sentAt   time.Time // when it was sent last
	accepted bool
	at       time.Time // when it was accepted
	id       string    // of its task, or of what it is about; empty: the service gave none
	attempt  Attempt   // what was there before
	reason   error     // ErrNotStarted: it was refused; ErrOutcomeUnknown: the answer does not say; nil: neither
	err      error     // the answer, where there is a reason
}

// poll sends the operation, unless that was done. The poll has one permit of the limiter: each further call takes one
// more.
func (p *startPhase) poll(ctx context.Context) error {
	if err := p.heldOff(); err != nil {
		return err
	}
	if err := p.blocked(ctx); err != nil {
		return err
	}
	attempt, err := p.prepare(ctx)
	if err != nil {
		return err
	}
	if done, err := p.begin(ctx, attempt); done || err != nil {
		return err
	}
	id, err := p.op.Start(ctx, attempt)
	return p.note(id, err)
}

// heldOff says what the service has asked for, as long as that holds.
func (p *startPhase) heldOff() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := time.Until(p.heldTill); left > 0 && !p.sent {
		return &QueryError{Class: ClassThrottled, RetryAfter: left, Err: errors.New("the service has asked to come later")}
	}
	return nil
}

// blocked asks whether what was in the way still is.
func (p *startPhase) blocked(ctx context.Context) error {
	p.mu.Lock()
	conflict := p.conflict && !p.sent
	p.mu.Unlock()
	if !conflict || p.op.Busy == nil {
		return nil
	}
	what, err := p.op.Busy(ctx)
	switch {
	case err != nil:
		return err
	case what != "":
		return &QueryError{Class: ClassConflict, Err: errors.New("busy: " + text.Clip(what))}
	}
	return limiter.Acquire(ctx)
}

// attemptKept is how long what was read before the operation is good for, where the operation did not get through:
// longer than the minute that gateways throttle for, and too short for other operations to come and go.
const attemptKept = 2 * time.Minute

// prepare reads what is there before the operation is sent, unless it was sent or has just been prepared.
func (p *startPhase) prepare(ctx context.Context) (Attempt, error) {
	p.mu.Lock()
	a := p.attempt
	ready := p.sent || p.reason != nil || !p.prepared.IsZero() && time.Since(p.prepared) < attemptKept
	p.mu.Unlock()
	if ready {
		return a, nil
	}
	a = Attempt{}
	if p.op.Before != nil {
		var err error
		if a, err = p.op.Before(ctx); err == nil {
			err = limiter.Acquire(ctx)
		}
		if err != nil {
			return a, p.notPrepared(err)
		}
	}
	if a.Key = p.key; a.At.IsZero() {
		a.At = time.Now()
	}
	return a, nil
}

// notPrepared keeps why the operation cannot be sent, where that is for good.
func (p *startPhase) notPrepared(err error) error {
	q, ok := asQueryError(err)
	if !ok || q.Class != ClassPermanent && q.Class != ClassNotFound {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reason, p.err = ErrNotStarted, err
	return p.refusal()
}

// begin notes that the operation is being sent. It returns done where it was accepted before, and an error where it
// must not be sent.
func (p *startPhase) begin(ctx context.Context, attempt Attempt) (done bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.accepted:
		return true, nil
	case p.reason != nil:
		return false, p.refusal()
	case p.sent:
		p.reason, p.err = ErrOutcomeUnknown, errors.New("the call ended without an answer")
		return false, p.refusal()
	case p.closed || ctx.Err() != nil || isClosed(p.over): // this call was abandoned, or is about to be
		return false, &QueryError{Class: ClassConflict, Err: errors.New("nobody waits for this call any more")}
	case p.limited && !time.Now().Before(p.end):
		return false, &QueryError{Class: ClassConflict, Err: errors.New("no time is left to start it")}
	}
	p.sent, p.sentAt, p.attempt, p.prepared = true, time.Now(), attempt, time.Time{}
	return false, nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// note keeps what came of sending the operation.
func (p *startPhase) note(id string, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := asQueryError(err)
	switch {
	case err == nil:
		p.id, p.accepted, p.at = id, true, time.Now()
		return nil
	case ok && (q.Class == ClassConflict || q.Class == ClassThrottled || q.Class == ClassNotSent):
		p.heldTill = time.Now().Add(min(q.RetryAfter, maxRetryAfter))
		if p.sent, p.conflict = false, q.Class == ClassConflict; !p.conflict {
			p.prepared = time.Now()
		}
		return err
	case ok && (q.Class == ClassPermanent || q.Class == ClassNotFound):
		p.sent, p.reason, p.err = false, ErrNotStarted, err
	default:
		p.id, p.reason, p.err = id, ErrOutcomeUnknown, err
	}
	return p.refusal()
}

// refusal is the answer that ends the phase.
func (p *startPhase) refusal() error { return permanent(p.err) }

// close ends the phase: from now on nothing is sent. It returns what is known of the operation.
func (p *startPhase) close() startOutcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return p.startOutcome
}

// searchPhase looks for the one task of an operation.
type searchPhase struct {
	op      *Operation
	attempt Attempt
	id      string // the one that was found before; empty: none

	mu     sync.Mutex // a call may be abandoned
	found  []Task
	reason error // why there is nothing to wait for; nil: not known yet
}

// poll looks for the task.
func (p *searchPhase) poll(ctx context.Context) error {
	if p.op.Find == nil {
		return p.fail(ErrTaskNotFound, errors.New("the service gave no id, and there is no way to find the task"))
	}
	all, err := p.op.Find(ctx, p.attempt)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.found = slices.Clone(all)
	p.mu.Unlock()
	known := slices.ContainsFunc(all, func(t Task) bool { return t.ID == p.id })
	switch {
	case len(all) == 1 && (p.id == "" || known), len(all) == 0 && p.id != "": // a record may have been deleted since
		return nil
	case len(all) == 0:
		return &QueryError{Class: ClassNotFound, Err: errors.New("no task of it has appeared")}
	}
	return p.fail(ErrAmbiguous, fmt.Errorf("%d tasks may be it", len(all)))
}

func (p *searchPhase) fail(reason, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reason = reason
	return permanent(err)
}

func (p *searchPhase) ended() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

func (p *searchPhase) candidates() []Task {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

// permanent is err as the end of a phase.
func permanent(err error) error {
	p := &QueryError{Class: ClassPermanent, Err: err}
	if q, ok := asQueryError(err); ok {
		p.Code, p.RequestID = q.Code, q.RequestID
	}
	return p
}
