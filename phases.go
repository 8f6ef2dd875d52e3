package taskwait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait/internal/poll"
	"github.com/taskwait/taskwait/internal/text"
)

// unclearSearch is for how long a task is looked for where it is not known whether the operation was started. Tasks
// appear within seconds, and whoever made the call is waiting.
const unclearSearch = 10 * time.Second

// listLag is how long after the answer to Start the operation's task may still be missing in a list. Until then a task
// that fits may be another's.
const listLag = 10 * time.Second

// execution is one run of Do: a row of phases that share their time. The first ends when the operation was accepted, the
// second when its task is found, the third is the wait for the task, and the last makes sure that it was the right one.
type execution struct {
	pollers  *pollers
	settings *settings
	op       *Operation
	began    time.Time
	now      *wait // the one that ends the execution, should it end now
}

// run runs the phases; first is the wait of the first one.
func (x *execution) run(ctx context.Context, first *wait) *WaitError {
	start := &startPhase{op: x.op, over: ctx.Done()}
	start.end, start.limited = x.end()
	e := x.phase(ctx, first, start.poll)
	outcome := start.close()
	if e != nil {
		return x.notAccepted(ctx, outcome, e)
	}
	if outcome.started.ID != "" {
		return x.waitForTask(ctx, outcome.started.ID)
	}
	search := &searchPhase{find: outcome.started.Find}
	if e := x.search(ctx, search, x.settings.forPhase(x.settings.grace)); e != nil {
		e.Candidates = search.candidates()
		return e
	}
	id := search.candidates()[0].ID
	search.id = id
	if e = x.waitForTask(ctx, id); e != nil && !e.Task.Status.Terminal() {
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
	return l.end()
}

// notAccepted completes the error e of an execution that has ended before the operation was accepted, as far as we know.
func (x *execution) notAccepted(ctx context.Context, o startOutcome, e *WaitError) *WaitError {
	if o.reason != nil && e.kind == ErrQuery { //nolint:errorlint // a sentinel
		e.kind = o.reason
	}
	switch {
	case !o.sent:
		e.start = ErrNotStarted
	case o.accepted && o.started.ID != "": // it was accepted in the very moment in which we stopped
		e.ID = o.started.ID
	default:
		e.ID = o.started.ID // where it says what the operation is about
		e.start = ErrOutcomeUnknown
		e.Candidates = x.searchAnyway(ctx, &o.started)
	}
	return e
}

// searchAnyway looks for a task that has appeared, though nobody knows whether the operation was carried out.
func (x *execution) searchAnyway(ctx context.Context, started *Started) []Task {
	left := unclearSearch
	if end, limited := x.end(); limited {
		left = min(left, time.Until(end.Add(poll.FinalAllowance)))
	}
	if ctx.Err() != nil || started.Find == nil || left <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	last, search := x.now, &searchPhase{find: started.Find}
	_ = x.search(ctx, search, x.settings.forPhase(2*unclearSearch)) // what comes of it otherwise is beside the point
	x.backTo(last)
	return search.candidates()
}

// confirm looks once more whether the task that was waited for is the only one that may be the operation's: one that
// began at the same time may have been listed first. started is when the operation was accepted.
func (x *execution) confirm(ctx context.Context, search *searchPhase, id string, started time.Time) *WaitError {
	last, s := x.now, x.settings.forPhase(x.settings.grace)
	s.initial = max(0, time.Until(started.Add(listLag)))
	e := x.search(ctx, search, s)
	if e != nil {
		e.ID, e.Task, e.Candidates, e.ambiguous = id, last.state.task, search.candidates(), true
	}
	x.backTo(last)
	return e
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
	if reason := search.ended(); e != nil && reason != nil && e.kind == ErrQuery { //nolint:errorlint // a sentinel
		e.kind = reason
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

// waitForTask waits for the operation's task.
func (x *execution) waitForTask(ctx context.Context, id string) *WaitError {
	w, err := x.next(ctx, x.settings, id)
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
	if err := CheckID("task id", id); err != nil {
		return w.refused(ErrInvalidID, err)
	}
	w.state.taskStartedAt = time.Now()
	w.details = newDetails(x.pollers.src, x.settings, &x.pollers.abandoned)
	sub := x.pollers.subscribe(ctx, w.settings, id, w.terms())
	defer sub.close()
	return w.run(ctx, sub.Subscription)
}

func (x *execution) runOn(ctx context.Context, w *wait, p *poll.Poller[Task]) *WaitError {
	sub := p.Subscribe(ctx, []string{w.state.task.ID}, w.terms())
	defer sub.Close()
	return w.run(ctx, sub)
}

// next makes the execution's next wait, which goes on with its time and its counts. id is that of the task, if it has one.
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

	mu       sync.Mutex
	closed   bool
	conflict bool // something else ran when it was sent last
	startOutcome
}

// startOutcome is what is known of an operation.
type startOutcome struct {
	sent     bool // and not refused: it may have been carried out
	accepted bool
	at       time.Time // when it was accepted
	started  Started
	reason   error // ErrNotStarted: it was refused; ErrOutcomeUnknown: the answer does not say; nil: neither
	err      error // the answer, where there is a reason
}

// poll sends the operation, unless that was done.
func (p *startPhase) poll(ctx context.Context) error {
	if err := p.blocked(ctx); err != nil {
		return err
	}
	if done, err := p.begin(ctx); done || err != nil {
		return err
	}
	started, err := p.op.Start(ctx)
	return p.note(started, err)
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
	if err == nil && what != "" {
		err = &QueryError{Class: ClassConflict, Err: errors.New("busy: " + text.Clip(what))}
	}
	return err
}

// begin notes that the operation is being sent. It returns done where it was accepted before, and an error where it must
// not be sent.
func (p *startPhase) begin(ctx context.Context) (done bool, err error) {
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
	p.sent = true
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
func (p *startPhase) note(started Started, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := asQueryError(err)
	switch {
	case err == nil:
		p.started, p.accepted, p.at = started, true, time.Now()
		return nil
	case ok && (q.Class == ClassConflict || q.Class == ClassThrottled || q.Class == ClassNotSent):
		p.sent, p.conflict = false, q.Class == ClassConflict
		return err
	case ok && (q.Class == ClassPermanent || q.Class == ClassNotFound):
		p.sent, p.reason, p.err = false, ErrNotStarted, err
	default:
		p.started, p.reason, p.err = started, ErrOutcomeUnknown, err
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
	find func(context.Context) ([]Task, error)
	id   string // the one that was found before; empty: none

	mu     sync.Mutex // a call may be abandoned
	found  []Task
	reason error // why there is nothing to wait for; nil: not known yet
}

// poll looks for the task.
func (p *searchPhase) poll(ctx context.Context) error {
	if p.find == nil {
		return p.fail(ErrTaskNotFound, errors.New("the service gave no id, and there is no way to find the task"))
	}
	all, err := p.find(ctx)
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
