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
	"time"
)

// Waiter waits for tasks of one Source. It never changes after [New] and is safe for concurrent use.
type Waiter struct {
	settings *settings
	pollers  pollers
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
	return &Waiter{settings: s, pollers: pollers{src: src, poll: checked(src)}}, nil
}

// AbandonedCalls returns how many calls of the Source are abandoned, and still running: because the context of their wait
// ended, or because they took longer than WithQueryTimeout allows. With a Source that honours its context it goes back to
// 0 as soon as the Source has reacted. It is safe for concurrent use.
func (w *Waiter) AbandonedCalls() int { return int(w.pollers.abandoned.Load()) }

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
// Waits that run at the same time on one Waiter share answers by id, so an answer of the Source must not depend on the
// context ([WithoutSharing]). A query has the values of the context of the wait whose poll was due first.
//
// The wait runs on the calling goroutine. If the Source panics, so does WaitForTask, with an error that shows the value and
// the Source's stack, and unwraps to the value if that is an error.
func (w *Waiter) WaitForTask(ctx context.Context, id string, opts ...Option) (Task, error) {
	r, sub, err := w.begin(ctx, id, opts)
	if err != nil {
		return Task{}, err
	}
	defer sub.close()
	err = r.end(r.run(ctx, sub.Subscription))
	return r.state.task, err
}

// begin begins a wait and its subscription, if there is nothing wrong with what it is to be. It is not inlined: a wait holds
// its caller's stack while it sleeps.
//
//go:noinline
func (w *Waiter) begin(ctx context.Context, id string, opts []Option) (*wait, subscription, error) {
	s, err := w.settings.forCall(ctx, opts)
	if err != nil {
		return nil, subscription{}, err
	}
	if err := CheckID("task id", id); err != nil {
		return nil, subscription{}, err
	}
	r := &lone{wait: wait{details: newDetails(w.pollers.src, s, &w.pollers.abandoned)}}
	r.common.begin(ctx, s, time.Now())
	if err := r.wait.begin(&r.common, id); err != nil {
		return nil, subscription{}, err
	}
	return &r.wait, w.pollers.subscribe(ctx, s, id, r.terms()), nil
}
