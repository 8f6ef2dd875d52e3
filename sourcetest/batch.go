package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/taskwait/taskwait"
)

// mostPages is more than the service behind a Subject, with its one task, can have.
const mostPages = 100

// batches makes of the rules of a Source those of a BatchSource: what Task keeps to for one task, Tasks keeps to for those on
// its list. The exception is an unknown id: a list simply does not show it.
func batches(rules []rule) (more []rule) {
	for _, r := range rules {
		if r.name == "not-found/unknown-id" {
			continue
		}
		check := r.check
		r.name, r.must = "batch/"+r.name, false
		r.check = func(t *trial) error {
			b, ok := t.Source.(taskwait.BatchSource)
			if !ok {
				return fmt.Errorf("the Source is no taskwait.BatchSource: %w", errors.ErrUnsupported)
			}
			t.Source = swept{b}
			return check(t)
		}
		more = append(more, r)
	}
	return more
}

// swept asks for one task by Tasks.
type swept struct{ taskwait.BatchSource }

// Task goes through the pages until one shows the task.
func (s swept) Task(ctx context.Context, id string) (taskwait.Task, error) {
	b := taskwait.Batch{IDs: []string{id}}
	for range mostPages {
		tasks, next, err := s.Tasks(ctx, b)
		if err != nil {
			return taskwait.Task{}, err
		}
		if len(b.IDs) != 1 || b.IDs[0] != id {
			return taskwait.Task{}, fmt.Errorf("a call of Tasks has changed the ids that it was given, to %q", b.IDs)
		}
		if i := slices.IndexFunc(tasks, func(t taskwait.Task) bool { return t.ID == id }); i >= 0 {
			return tasks[i], nil
		}
		if b.Page = next; next == "" {
			return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("no page shows the task, by its ID")}
		}
	}
	return taskwait.Task{}, fmt.Errorf("the list has more than %d pages, want an end", mostPages)
}
