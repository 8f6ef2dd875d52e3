package taskwait_test

import (
	"context"

	"github.com/taskwait/taskwait"
)

// This file holds every use of a name of the public face that is to change, so that the models change in one place.

// sharesAnyQueryTimeout: waits with different query timeouts share (G2).
const sharesAnyQueryTimeout = false

type listRequest = taskwait.ListRequest

// listingService is a service that also lists.
type listingService struct{ *simService }

var _ taskwait.Lister = listingService{}

func (s listingService) List(ctx context.Context, r listRequest) ([]taskwait.Task, string, error) {
	return s.page(ctx, r.Page)
}

func withConfirmations(n int) taskwait.Option      { return taskwait.WithConfirmations(n) }
func withStalePhase(phase string) taskwait.Option  { return taskwait.WithStalePhase(phase) }
func unconfirmed(t *taskwait.Task) bool            { return t.Unconfirmed }
func abandonedCalls(waiter *taskwait.Waiter) int   { return waiter.AbandonedCalls() }
func totals(p *taskwait.Progress) (all, ended int) { return p.Total, p.Ended }

// simOperation is an Operation of the script: start sends it, find lists what may be its tasks, busy says what is in
// the way.
func simOperation(name string, start func(context.Context) (string, error),
	find func(context.Context) ([]taskwait.Task, error), busy func(context.Context) (string, error)) taskwait.Operation {
	op := taskwait.Operation{
		Name:  name,
		Busy:  busy,
		Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) { return start(ctx) },
	}
	if find != nil {
		op.Find = func(ctx context.Context, _ taskwait.Attempt) ([]taskwait.Task, error) { return find(ctx) }
	}
	return op
}
