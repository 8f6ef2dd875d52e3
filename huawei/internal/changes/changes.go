package changes

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/internal/lenient"
	"github.com/taskwait/taskwait/internal/limiter"
)

// Tasks are the tasks among which that of an operation is found.
type Tasks struct {
	Validate func() error

	// List is the list of those that began at or after a time. It may show older ones too, at least a day: the zone in
	// which services read the time is not documented.
	List func(since time.Time) *Reading[taskwait.Task]

	// Finish reads a list to its end.
	Finish func(context.Context, *Reading[taskwait.Task]) error

	// Busy says what runs; "": nothing.
	Busy func(context.Context) (string, error)
}

// Operation is a change that start sends, once. Should its answer have no id, the task is found as the only one that
// was not there before, and fits. kind is that of the task; empty: not known.
func (s Tasks) Operation(
	name, kind string, start func(context.Context) (string, error), fits []func(taskwait.Task) bool,
) taskwait.Operation {
	kept := &readings{}
	return taskwait.Operation{
		Name: name, Kind: kind, Busy: s.Busy,
		Before: func(ctx context.Context) (taskwait.Attempt, error) { return s.before(ctx, kept) },
		Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
			return WhileBusy(ctx, start, s.Busy)
		},
		Find: func(ctx context.Context, a taskwait.Attempt) ([]taskwait.Task, error) { return s.since(ctx, a, fits) },
	}
}

// longBefore is by how much a task began before the attempt if it cannot be the operation's, whatever the clocks: a
// list may have hidden it. The service refuses requests of a client whose clock differs by as much.
const longBefore = 15 * time.Minute

// list is the part of the list in which an operation's task is looked for. What began earlier, as far as the clocks of
// service and client can tell, is not the operation's, and need not be read.
func (s Tasks) list(since time.Time) *taskList { return &taskList{s.List(since), since} }

// before reads what is there before an operation is sent: at least all that the list of the attempt shows. An id that
// is shown there later and was not there is new, also with an earlier date: the clock that dates an answer may be
// ahead of the one that dates a task. A reading that does not come to its end is kept in kept, for the next call.
func (s Tasks) before(ctx context.Context, kept *readings) (taskwait.Attempt, error) {
	if err := s.Validate(); err != nil {
		return taskwait.Attempt{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	r := kept.take()
	if r == nil {
		r = s.list(time.Now().Add(-lenient.Zones / 2))
	}
	if err := s.Finish(ctx, r.Reading); err != nil {
		kept.keep(r)
		return taskwait.Attempt{}, err
	}
	a := taskwait.Attempt{At: cmp.Or(r.AsOf, time.Now())}
	if a.At.Before(r.since) { // our clock is far ahead of the service's
		if err := limiter.Acquire(ctx); err != nil {
			return taskwait.Attempt{}, err
		}
		r = s.list(a.At)
		if err := s.Finish(ctx, r.Reading); err != nil {
			kept.keep(r)
			return taskwait.Attempt{}, err
		}
	}
	a.Seen = IDs(r.Rows)
	return a, nil
}

// IDs are those of tasks.
func IDs(tasks []taskwait.Task) []string {
	all := make([]string, len(tasks))
	for i := range tasks {
		all[i] = tasks[i].ID
	}
	return all
}

// since lists the tasks that were not there before the attempt, and fit.
func (s Tasks) since(
	ctx context.Context, a taskwait.Attempt, fits []func(taskwait.Task) bool,
) ([]taskwait.Task, error) {
	r := s.list(a.At)
	if err := s.Finish(ctx, r.Reading); err != nil {
		return nil, err
	}
	var found []taskwait.Task
	for _, t := range r.Rows {
		older := !t.CreatedAt.IsZero() && t.CreatedAt.Before(a.At.Add(-longBefore))
		if !older && !slices.Contains(a.Seen, t.ID) && fitsAll(t, fits) {
			found = append(found, t)
		}
	}
	return found, nil
}

func fitsAll(t taskwait.Task, fits []func(taskwait.Task) bool) bool {
	for _, f := range fits {
		if !f(t) {
			return false
		}
	}
	return true
}

// passing are the codes of refusals that pass: another task runs, the instance is being unsubscribed. Others, because
// of the instance's status (DMS.00400026) or without a reason that is known here, may pass or not.
var passing = map[string]bool{"DMS.00400017": true, "CBC.99003651": true}

// WhileBusy is start, but a refusal that may pass or not is a conflict only if something is seen to run.
// What ran may have ended since the refusal; so the operation is sent once more before that is taken for final.
func WhileBusy(
	ctx context.Context,
	start func(context.Context) (string, error),
	busy func(context.Context) (string, error),
) (string, error) {
	for again := true; ; again = false {
		id, err := start(ctx)
		var q *taskwait.QueryError
		if !errors.As(err, &q) || q.Class != taskwait.ClassConflict || passing[q.Code] {
			return id, err
		}
		what, failed := "", limiter.Acquire(ctx)
		if failed == nil {
			what, failed = busy(ctx)
		}
		if failed == nil && what == "" && again {
			failed = limiter.Acquire(ctx)
		}
		switch {
		case failed != nil:
			return id, huawei.NotSent(failed)
		case what != "":
			return id, err
		case !again:
			refused := *q
			refused.Class = taskwait.ClassPermanent
			return id, &refused
		}
	}
}
