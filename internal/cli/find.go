package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
)

const (
	// expectGrace is how long --expect waits for tasks to be listed: the service lists a task some seconds after its
	// start.
	expectGrace = time.Minute
	expectEvery = 2 * time.Second
)

// find is an operation that was started elsewhere, and whose task is not known.
func (r *run) find() taskwait.Operation {
	find := func(ctx context.Context, _ taskwait.Attempt) ([]taskwait.Task, error) {
		tasks, err := r.listSince(ctx, r.selection.since)
		return slices.DeleteFunc(tasks, func(t taskwait.Task) bool { return t.Kind != r.selection.name }), err
	}
	return taskwait.Operation{
		Name: r.selection.name, Kind: r.selection.name, Find: find,
		Start: func(context.Context, taskwait.Attempt) (string, error) { return "", nil },
	}
}

// listSince asks for all tasks that began since then.
func (r *run) listSince(ctx context.Context, since time.Time) ([]taskwait.Task, error) {
	src, ok := r.source.polled.(lists)
	if !ok {
		return nil, taskwait.Permanent(errors.ErrUnsupported)
	}
	return src.ListSince(ctx, since)
}

// findAll puts the ids of all tasks that run into the selection. Tasks that begin later do not belong to it, unless
// --expect wants more than there are.
func (r *run) findAll(ctx context.Context) error {
	bound := expectGrace
	if r.timeout > 0 {
		bound = min(bound, r.timeout)
	}
	known := map[string]bool{}
	var ids []string
	for first := true; ; first = false {
		tasks, err := queryOnce(ctx, r.options(), r.progress, func(ctx context.Context) ([]taskwait.Task, error) {
			return r.listSince(ctx, time.Time{})
		})
		if err != nil {
			return err
		}
		if ids = pick(ids, tasks, known, first); len(ids) >= r.selection.expect {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.selection.ids = ids
			return nil
		}
		left := bound - time.Since(r.begun)
		if left <= 0 {
			return r.tooFew(len(ids))
		}
		select {
		case <-time.After(min(expectEvery, left)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pick adds to ids those of the tasks that are not known yet: of the first list the ones that run, then all of them.
func pick(ids []string, tasks []taskwait.Task, known map[string]bool, first bool) []string {
	for _, t := range tasks {
		if !known[t.ID] && (!first || !t.Status.Terminal()) {
			ids = append(ids, t.ID)
		}
		known[t.ID] = true
	}
	return ids
}

// tooFewError is the error of --expect.
type tooFewError struct{ found, expected int }

// Error says how many tasks there are.
func (e tooFewError) Error() string {
	return fmt.Sprintf("only %d of %d expected tasks listed", e.found, e.expected)
}

func (r *run) tooFew(found int) error {
	err := tooFewError{found, r.selection.expect}
	e := &event{Elapsed: seconds(time.Since(r.begun))}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done(e, "", nil, err)
	r.send(e)
	return err
}

// queryOnce makes one query with the patience of a wait: through throttles, and errors that pass.
func queryOnce[T any](
	ctx context.Context, opts []taskwait.Option, progress func(taskwait.Progress), query func(context.Context) (T,
		error),
) (T, error) {
	var answer T
	var mu sync.Mutex // a query may be abandoned
	waiter, err := taskwait.New(taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
		a, err := query(ctx)
		if err != nil {
			return taskwait.Task{}, err
		}
		mu.Lock()
		defer mu.Unlock()
		answer = a
		return taskwait.Task{Status: taskwait.StatusSuccess}, nil
	}), append(slices.Clone(opts), taskwait.WithHistory(nil))...)
	if err != nil {
		return answer, err
	}
	_, err = waiter.WaitForTask(ctx, "list", taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Err != nil || p.Done && p.Outcome != nil { // only what goes wrong
			p.Task = taskwait.Task{}
			progress(p)
		}
	}))
	mu.Lock()
	defer mu.Unlock()
	return answer, err
}
