package taskwait

import (
	"cmp"
	"context"
	"fmt"

	"github.com/taskwait/taskwait/internal/text"
)

// Operation is something that [Waiter.Do] starts once, and whose task it then waits for. It may be given to Do more
// than once, also at the same time.
type Operation struct {
	// Name says what it is, for messages: "resize", "bindInstancePublicIp".
	Name string

	// Kind is the kind of its task, as [WithKind] names it. Empty: unknown.
	Kind string

	// Before notes the tasks that exist before the operation is sent: Attempt.At and Seen. It is called each time
	// before the operation is sent, but its result is reused for two minutes after a Start that was throttled or did
	// not get through. An error of ClassPermanent or ClassNotFound ends Do with [ErrNotStarted]; after any other error
	// it is called again. nil: there is nothing to note.
	Before func(ctx context.Context) (Attempt, error)

	// Start sends the operation, once, and returns the id of its task. If the id is empty, Find looks for the task. It
	// must not retry.
	//
	// A nil error means that the service has accepted it. After a plain error it is not known whether the service has.
	// The operation is then not sent again, and Do ends with [ErrOutcomeUnknown]. A [*QueryError] says more. After
	// ClassConflict (refused because something else runs), ClassThrottled and ClassNotSent the operation is sent
	// again. ClassPermanent and ClassNotFound, for every other refusal, end Do with [ErrNotStarted]. An id beside an
	// error says what the operation is about.
	Start func(ctx context.Context, a Attempt) (id string, err error)

	// Find returns the tasks that may be the operation's: by their kind, by what they are about, and because they are
	// not in a.Seen. An empty list: none yet. nil: the task cannot be found. It is called if Start gives no id, or if
	// the outcome of Start is unknown.
	Find func(ctx context.Context, a Attempt) ([]Task, error)

	// Busy says in a few words what keeps the service from accepting the operation, after a refusal with
	// ClassConflict. "": nothing, it may be sent again. nil: it is sent again on schedule.
	Busy func(ctx context.Context) (string, error)

	// StalePhase and Confirmations are what the operation needs of [WithStalePhase] and [WithConfirmations]: an
	// instance still shows RUNNING when its restart was accepted. An option that is given, to New or to Do, wins.
	// Empty and 0: nothing.
	StalePhase    string
	Confirmations int

	// Save stores what a later process needs if this one dies: as JSON, in a file or a row. It is called each time
	// before Start, again with the answer, and when Find has found the task. An error before Start ends Do with
	// [ErrNotStarted], and nothing is sent. A later error is logged. The Wait is a copy for Save alone. Like Start,
	// Save may be abandoned, and still run when Do has returned. nil: only Progress.Wait has it.
	Save func(*Wait) error

	// Wait is what Save has stored, or the Wait of a WaitError. Do goes on with it, in its phase, with the time that
	// is left and the same Attempt.Key. If it is not known whether the operation was sent, Do looks for a task that is
	// new. If there is one, Do waits for it. If there is none ten seconds after the operation was sent, Do sends it
	// now. If there are several, or there is no Find, the error Is [ErrOutcomeUnknown], and nothing is sent. Name must
	// be the same. nil, or new(Wait): a new operation.
	Wait *Wait
}

// Do starts an operation and waits for its task, all within one WithTimeout. The id of the task is in the Task that is
// returned, and in the error.
//
// If the service refuses because something else runs, Do waits until that is over and tries again; Progress.Err says
// so. Do never sends the operation twice unless the service has refused it. If an answer leaves open whether the
// service has accepted it, or the wait ends during the call, the error Is [ErrOutcomeUnknown], and Candidates has the
// tasks that have appeared since. If ctx has ended there is no time to look for them: SentAt says since when one may
// have begun. Any other end before the operation was accepted Is [ErrNotStarted].
//
// If the service gives no id, Do looks for the task for the time of WithNotFoundGrace. If more than one task may be the
// operation's, now or when it has ended, the error Is [ErrAmbiguous], and Candidates has them. Do does not guess.
//
// The promises of WaitForTask hold for Do as well. WithInitialDelay is the pause between the start and the first poll.
// WithQueryTimeout bounds a call of Start; one that takes longer has an unknown outcome. Polls counts calls of Start
// too.
func (w *Waiter) Do(ctx context.Context, op Operation, opts ...Option) (Task, error) {
	s, err := w.settings.forCall(ctx, opts)
	if err == nil {
		err = op.check()
	}
	if err != nil {
		return Task{}, op.neverBegun(err)
	}
	s = s.forOperation(&op)
	x := newExecution(&w.pollers, s, &op)
	first, err := x.next(ctx, s.forPhase(s.grace), "")
	if err != nil {
		return Task{}, op.neverBegun(err)
	}
	ctx = x.enter(ctx, &w.stays)
	defer x.leave()
	e := x.run(ctx, first)
	if e != nil {
		e.SentAt = x.sentAt
	}
	err = x.now.end(e)
	x.now.keep()
	return x.now.state.task, err
}

func (op *Operation) check() error {
	switch name := text.Quote(op.Name); {
	case op.Start == nil:
		return fmt.Errorf("taskwait: %w: operation %s has no Start", ErrInvalidOption, name)
	case op.Confirmations < 0:
		return fmt.Errorf("taskwait: %w: operation %s: Confirmations %d, want at least 0", ErrInvalidOption, name,
			op.Confirmations)
	}
	return op.checkWait()
}

// checkWait says why Do cannot go on with w; nil: it can. A Wait that has not begun, or nil, is a new beginning.
func (op *Operation) checkWait() error {
	w := op.Wait
	var what string
	switch {
	case w == nil || w.start == nil && w.savedAt.IsZero() && w.ID == "":
		return nil
	case w.start == nil:
		what = "of no operation"
	case w.start.name != op.Name:
		what = fmt.Sprintf("that of operation %s", text.Quote(w.start.name))
	default:
		return nil
	}
	return fmt.Errorf("taskwait: %w: operation %q: its Wait is %s", ErrInvalidOption, text.Clip(op.Name), what)
}

// forOperation is s with what op needs where no option was given.
func (s *settings) forOperation(op *Operation) *settings {
	t := *s
	t.kind = cmp.Or(s.kind, op.Kind)
	t.confirmations = cmp.Or(s.confirmations, op.Confirmations)
	if !s.stalePhaseGiven {
		t.stalePhase = op.StalePhase
	}
	return &t
}

// neverBegun is the error of an execution that was never begun, for what is wrong with an option.
func (op *Operation) neverBegun(err error) *WaitError {
	return &WaitError{
		Operation: op.Name, LastErr: err, Reason: ErrNotStarted, outcome: outcome{ended: ErrInvalidOption},
	}
}
