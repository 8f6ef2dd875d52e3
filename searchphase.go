package taskwait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

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
		return &QueryError{Class: ClassNotFound, Err: errors.New("no task of the operation has appeared")}
	}
	return p.fail(ErrAmbiguous, fmt.Errorf("%d tasks may be the operation's", len(all)))
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
