package taskwait

import (
	"context"
	"fmt"
)

// Result is what became of one task.
type Result struct {
	Task Task  // the last thing the service said; its ID is always the one that was asked for
	Err  error // nil if and only if the task has succeeded
}

// CollectTasks waits as WaitForTasks does and returns all results, in the order of ids. The error is nil if and only if all
// have succeeded; it says how many have not and why the first of them has not, and [errors.Is] and [errors.As] find the errors of all.
func (w *Waiter) CollectTasks(ctx context.Context, ids []string, opts ...Option) ([]Result, error) {
	places := make(map[string][]int, len(ids))
	for i, id := range ids {
		places[id] = append(places[id], i)
	}
	results := make([]Result, len(ids))
	var bad error // of an option, where there are no ids
	for task, err := range w.WaitForTasks(ctx, ids, opts...) {
		if len(ids) == 0 {
			bad = err
			continue
		}
		at := places[task.ID]
		results[at[0]], places[task.ID] = Result{task, err}, at[1:]
	}
	if err := joined(results); err != nil {
		return results, err
	}
	return results, bad
}

// notAll is the error of many tasks.
type notAll struct {
	total int
	errs  []error
}

func joined(results []Result) error {
	e := &notAll{total: len(results)}
	for _, r := range results {
		if r.Err != nil {
			e.errs = append(e.errs, r.Err)
		}
	}
	if e.errs == nil {
		return nil
	}
	return e
}

func (e *notAll) Error() string {
	if e.total == 1 {
		return e.errs[0].Error()
	}
	return fmt.Sprintf("taskwait: %d of %d tasks have not succeeded, the first: %v", len(e.errs), e.total, e.errs[0])
}

func (e *notAll) Unwrap() []error { return e.errs }
