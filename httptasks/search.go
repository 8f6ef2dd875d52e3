package httptasks

import (
	"context"
	"slices"
	"strings"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/limiter"
)

// named reports whether the request is for one job.
func (p *program) named() bool {
	return strings.Contains(p.URL+p.Body, "{id}") || strings.Contains(p.URL, "{+id}")
}

// search looks for a job in the whole list; absent is the error if it is not there. Each request takes a permit of its
// own.
func (s *Source) search(ctx context.Context, id string, absent error) (taskwait.Task, error) {
	for r := (taskwait.ListRequest{}); ; {
		if err := limiter.Acquire(ctx); err != nil {
			return taskwait.Task{}, err
		}
		tasks, next, err := s.List(ctx, r)
		if err != nil {
			return taskwait.Task{}, err
		}
		if i := slices.IndexFunc(tasks, func(t taskwait.Task) bool { return t.ID == id }); i >= 0 {
			return tasks[i], nil
		}
		if r.Page = next; next == "" {
			return taskwait.Task{}, absent
		}
	}
}
