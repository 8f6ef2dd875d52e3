package taskwait

import (
	"context"
	"fmt"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

// Operation is something that is started once, and whose task is then waited for: what [Waiter.Do] takes.
type Operation struct {
	// Name says what it is, for messages: "resize", "bindInstancePublicIp".
	Name string

	// Start sends the operation, once, and says what came of it. It must not retry.
	//
	// A nil error means that the service has accepted it. An error is taken to leave open whether it has: the operation is
	// then not sent again, and Do ends with [ErrOutcomeUnknown]. Only a [*QueryError] says more: ClassConflict (refused
	// because something else runs), ClassThrottled and ClassNotSent, after which it is sent again; ClassPermanent and
	// ClassNotFound, for every other refusal, which end Do with [ErrNotStarted].
	Start func(ctx context.Context) (Started, error)

	// Busy says in a few words what keeps the service from taking the operation, after it was refused with ClassConflict;
	// "": nothing, it may be sent again. nil: it is sent again on schedule.
	Busy func(ctx context.Context) (string, error)
}

// Started is what is known of an operation that was sent.
type Started struct {
	// ID is that of the task to wait for. Empty: the service gives none, and Find finds it.
	ID string

	// Find returns the tasks that may be the operation's: by their name, by what they are about, and because they were
	// not there before. None yet: an empty list. nil: there is no way to find it. It also helps where the outcome of
	// Start is unknown, so that a Started may come with an error.
	Find func(ctx context.Context) ([]Task, error)
}

// Do starts an operation and waits for its task, all within one WithTimeout. The id of the task is in the Task that is
// returned, and in the error.
//
// Refused because something else runs, it waits until that is over and tries again; Progress.Err says so. It never
// sends the operation twice unless the service has refused it: where an answer does not tell, or the wait ends in the
// middle of the call, the error Is [ErrOutcomeUnknown], and Candidates has the tasks that appeared since, if any did.
// Any other refusal Is [ErrNotStarted], and so is every other end before the operation was accepted.
//
// Where the service gives no id, the task is looked for through WithNotFoundGrace. If more than one may be the one, now
// or when it has ended, the error Is [ErrAmbiguous], and Candidates has them: it is never guessed.
//
// What WaitForTask promises holds for Do as well. WithInitialDelay comes between the start and the first look, and one
// WithQueryTimeout bounds a call of Start: one that takes longer has an unknown outcome. Polls counts those calls too.
func (w *Waiter) Do(ctx context.Context, op Operation, opts ...Option) (Task, error) {
	s, err := w.settings.forCall(ctx, opts)
	switch {
	case err != nil:
		return Task{}, op.neverBegun(err)
	case op.Start == nil:
		return Task{}, op.neverBegun(fmt.Errorf("taskwait: %w: operation %q has no Start", ErrInvalidOption, text.Clip(op.Name)))
	}
	x := &execution{pollers: &w.pollers, settings: s, op: &op, began: time.Now()}
	first, err := x.next(ctx, s.forPhase(s.grace), "")
	if err != nil {
		return Task{}, op.neverBegun(err)
	}
	e := x.run(ctx, first)
	err = x.now.end(e)
	return x.now.state.task, err
}

// neverBegun is the error of an execution that was never begun, for what is wrong with an option.
func (op *Operation) neverBegun(err error) *WaitError {
	return &WaitError{Operation: op.Name, LastErr: err, kind: ErrInvalidOption, start: ErrNotStarted}
}
