package taskwait

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Waiter waits for tasks of one Source. It never changes after [New], and is safe for concurrent use.
type Waiter struct {
	settings *settings
	pollers  pollers
	stays    stays
}

// New returns a Waiter for src, with opts as the defaults of its waits. The error of a bad option Is
// [ErrInvalidOption], and names the option and its value. If src has a method Validate() error, New returns its error.
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
	return &Waiter{settings: s, pollers: pollers{src: src, poll: checked(src), checkID: idCheck(src)}}, nil
}

// AbandonedCalls returns how many calls of the Source are abandoned and still running, because the context of their
// wait ended, or because they took longer than WithQueryTimeout. With a Source that honours its context it goes back to
// 0 as soon as the Source has reacted. It is safe for concurrent use.
func (w *Waiter) AbandonedCalls() int { return int(w.pollers.abandoned.Load()) }

// Waits returns the waits of the Waiter, the oldest call first: each from its start until its call returns, or until
// its result comes out of WaitForTasks. A wait is shown as it is when the iteration reaches it, by a [Progress]. Err is
// the present trouble, and Next the time from now until the coming query; 0: the query is due, or under way. Task.Raw
// and Wait are nil. A stored wait is not among them while no call goes on with it. Waits is safe for concurrent use,
// makes no query, and delays no wait.
func (w *Waiter) Waits() iter.Seq[Progress] {
	return func(yield func(Progress) bool) {
		for _, s := range w.stays.all() {
			if !s.each(yield) {
				return
			}
		}
	}
}

// WaitForTask waits for the task with this id. It returns the task as the service last reported it, with every error
// too.
//
// The error is nil if and only if the service reported SUCCESS for this id. Every other error is a [*WaitError]. For a
// bad option or id it Is [ErrInvalidOption] or [ErrInvalidID]: nothing has been polled, and the task may still run.
//
// When ctx ends, WaitForTask returns at once, also while a query is in flight. The error Is ctx.Err() and
// context.Cause(ctx). It is not the cause if that is one of this package's errors, such as the ErrTaskFailed of another
// wait.
//
// Only ctx and [WithTimeout] limit the time. If a service throttles for ever, or always answers with an unknown status,
// the wait lasts until then. A deadline of ctx ends the wait at that instant. One query is made shortly before it (a
// second, or a tenth of the time left), but only WithTimeout promises a final poll.
//
// Waits that run at the same time on one Waiter share answers by id, so an answer of the Source must not depend on the
// context ([WithoutSharing]). A query has the values of the context of the wait whose poll was due first.
//
// The wait runs on the calling goroutine. If the Source panics, so does WaitForTask, with an error that shows the value
// and the stack of the Source, and unwraps to the value if that is an error.
func (w *Waiter) WaitForTask(ctx context.Context, id string, opts ...Option) (Task, error) {
	r, ctx, err := w.begin(ctx, id, opts)
	if err != nil {
		return Task{ID: id}, err
	}
	defer r.leave()
	w.subscribe(ctx, r)
	err = r.end(r.run(ctx, r.sub.Subscription))
	return r.state.task, err
}

// neverBegun is the error of a wait that was never begun, for what is wrong with its id or an option.
func neverBegun(id string, reason, err error) *WaitError {
	return &WaitError{ID: id, Task: Task{ID: id}, LastErr: err, Reason: reason}
}

// begin begins a wait, if there is nothing wrong with what it is to be. It is not inlined: a wait holds its caller's
// stack while it sleeps.
//
//go:noinline
func (w *Waiter) begin(ctx context.Context, id string, opts []Option) (*lone, context.Context, error) {
	r, err := w.newWait(ctx, id, nil, opts)
	if err != nil {
		return nil, nil, err
	}
	return r, r.enter(ctx, &w.stays), nil
}

// subscribe begins the subscription of r.
//
//go:noinline
func (w *Waiter) subscribe(ctx context.Context, r *lone) {
	r.sub = w.pollers.subscribe(ctx, r.settings, r.state.task.ID, r.terms(&r.state))
}

// newWait makes a wait that goes on with kept; nil: it begins.
func (w *Waiter) newWait(ctx context.Context, id string, kept *Wait, opts []Option) (*lone, error) {
	s, err := w.settings.forCall(ctx, opts)
	if err != nil {
		return nil, neverBegun(id, ErrInvalidOption, err)
	}
	if err := kept.mayResume(); err != nil {
		return nil, neverBegun(id, ErrInvalidOption, err)
	}
	if err := w.pollers.checkID(id); err != nil {
		return nil, neverBegun(id, ErrInvalidID, err)
	}
	began := time.Now()
	if kept != nil && !kept.began.IsZero() {
		began = kept.began
	}
	r := &lone{wait: wait{details: newDetails(w.pollers.src, s, &w.pollers.abandoned)}}
	r.common.begin(ctx, s, began)
	r.common.stay = &r.stay
	if err := r.wait.begin(&r.common, id); err != nil {
		return nil, neverBegun(id, ErrInvalidOption, err)
	}
	if kept != nil {
		r.resume(kept)
	}
	return r, nil
}
