package taskwait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

// attempt is a Source whose "task" is to get an operation accepted: SUCCESS when it was.
type attempt struct {
	op      *Operation
	end     time.Time // from then on nothing is begun, if limited
	limited bool

	mu      sync.Mutex // a call may be left behind
	refused bool       // something else runs
	sent    bool       // and not refused
	over    bool       // started and err are its outcome
	started Started
	err     error
}

// Task sends the operation, unless that has been done, or something is known to be in the way.
func (a *attempt) Task(ctx context.Context, _ string) (Task, error) {
	if t, err, over := a.past(); over {
		return t, err
	}
	if err := a.blocked(ctx); err != nil {
		return Task{}, err
	}
	if a.limited && !time.Now().Before(a.end) {
		return Task{}, &QueryError{Class: ClassConflict, Err: errors.New("no time is left to start it")}
	}
	a.mu.Lock()
	a.sent = true
	a.mu.Unlock()
	started, err := a.op.Start(ctx)
	return a.note(started, err)
}

// past is the answer where the operation was sent already, by a call that had been left behind.
func (a *attempt) past() (t Task, err error, over bool) { //nolint:revive // over says whether the others count
	a.mu.Lock()
	defer a.mu.Unlock()
	return Task{Status: StatusSuccess}, a.err, a.over
}

// blocked asks whether what was in the way still is.
func (a *attempt) blocked(ctx context.Context) error {
	if !a.refused || a.op.Busy == nil {
		return nil
	}
	what, err := a.op.Busy(ctx)
	if err == nil && what != "" {
		err = &QueryError{Class: ClassConflict, Err: errors.New("busy: " + text.Clip(what))}
	}
	return err
}

// note keeps what came of sending the operation.
func (a *attempt) note(started Started, err error) (Task, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, told := asQueryError(err)
	switch {
	case err == nil:
		a.started, a.over = started, true
		return Task{Status: StatusSuccess}, nil
	case told && (q.Class == ClassConflict || q.Class == ClassThrottled || q.Class == ClassNotSent):
		a.sent, a.refused = false, q.Class == ClassConflict
		return Task{}, err
	case told && (q.Class == ClassPermanent || q.Class == ClassNotFound):
		a.sent, a.over, a.err = false, true, permanent(ErrNotStarted, err)
	default:
		a.started, a.over, a.err = started, true, permanent(ErrOutcomeUnknown, err)
	}
	return Task{}, a.err
}

// outcome is what is known by now of an operation: sent says whether it may have been carried out.
func (a *attempt) outcome() (started Started, sent bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		err = ErrOutcomeUnknown
	} else {
		err = a.err
	}
	return a.started, a.sent, err
}

// finder is a Source whose "task" is to find the one task of an operation: SUCCESS when it is found.
type finder struct {
	find func(context.Context) ([]Task, error)
	id   string // the one that was found before; empty: none

	mu    sync.Mutex // a call may be left behind
	found []Task
}

// Task looks for the task of the operation.
func (f *finder) Task(ctx context.Context, _ string) (Task, error) {
	if f.find == nil {
		return Task{}, permanent(ErrTaskNotFound, errors.New("the service gave no id, and there is no way to find the task"))
	}
	all, err := f.find(ctx)
	if err != nil {
		return Task{}, err
	}
	f.mu.Lock()
	f.found = slices.Clone(all)
	f.mu.Unlock()
	known := slices.ContainsFunc(all, func(t Task) bool { return t.ID == f.id })
	switch {
	case len(all) == 1 && (f.id == "" || known), len(all) == 0 && f.id != "": // a record may have been deleted since
		return Task{Status: StatusSuccess}, nil
	case len(all) == 0:
		return Task{}, &QueryError{Class: ClassNotFound, Err: errors.New("no task of it has appeared")}
	}
	return Task{}, permanent(ErrAmbiguous, fmt.Errorf("%d tasks may be it", len(all)))
}

func (f *finder) candidates() []Task {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.found
}

// permanent is err as the end of a wait, of this kind.
func permanent(kind, err error) error {
	p := &QueryError{Class: ClassPermanent, Err: kinded{kind, err}}
	if q, ok := asQueryError(err); ok {
		p.Code, p.RequestID = q.Code, q.RequestID
	}
	return p
}

// kinded is an error of which we know what it means.
type kinded struct{ kind, err error }

// Error gives the error's text.
func (k kinded) Error() string { return errorText(k.err) }

// Unwrap gives both.
func (k kinded) Unwrap() []error { return []error{k.kind, k.err} }
