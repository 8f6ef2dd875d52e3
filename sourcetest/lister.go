package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/taskwait/taskwait"
)

// mostPages is more than the service behind a Subject, with its one task, can have.
const mostPages = 100

// listRules makes of the rules of a Source those of a Lister: what Task keeps to for one task, List keeps to for those
// on its list. The exception is an unknown id: a list simply does not show it.
func listRules(rules []rule) (more []rule) {
	for _, r := range rules {
		if r.name == "not-found/unknown-id" {
			continue
		}
		check := r.check
		r.name, r.must = "list/"+r.name, false
		r.check = func(t *trial) error {
			b, ok := t.Source.(taskwait.Lister)
			if !ok {
				return fmt.Errorf("the Source is no taskwait.Lister: %w", errors.ErrUnsupported)
			}
			l := &listed{Lister: b}
			t.Source = l
			if err := check(t); !l.none.Load() {
				return err
			}
			return fmt.Errorf("the Lister has no list: %w", errors.ErrUnsupported)
		}
		more = append(more, r)
	}
	return more
}

// listed asks for one task by List.
type listed struct {
	taskwait.Lister
	none atomic.Bool // List said that there is no list
}

// Task goes through the pages until one shows the task.
func (s *listed) Task(ctx context.Context, id string) (taskwait.Task, error) {
	b := taskwait.ListRequest{IDs: []string{id}}
	for range mostPages {
		tasks, next, err := s.List(ctx, b)
		if errors.Is(err, errors.ErrUnsupported) {
			s.none.Store(true)
		}
		if err != nil {
			return taskwait.Task{}, err
		}
		if len(b.IDs) != 1 || b.IDs[0] != id {
			return taskwait.Task{}, fmt.Errorf("a call of List has changed the ids that it was given, to %q", b.IDs)
		}
		if i := slices.IndexFunc(tasks, func(t taskwait.Task) bool { return t.ID == id }); i >= 0 {
			return tasks[i], nil
		}
		if b.Page = next; next == "" {
			return taskwait.Task{}, &taskwait.QueryError{
				Class: taskwait.ClassNotFound, Err: errors.New("no page shows the task, by its ID"),
			}
		}
	}
	return taskwait.Task{}, fmt.Errorf("the list has more than %d pages, want an end", mostPages)
}
