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

// search looks for a job on the pages that follow the first one, which it is not on; absent is the error if it is on
// none of them. Each request takes a permit of its own.
func (s *Source) search(ctx context.Context, id string, first *reading, absent error) (taskwait.Task, error) {
	at, err := s.p.parsePage("")
	next := ""
	if err == nil {
		_, next, err = s.p.readPage(first, at)
	}
	for err == nil && next != "" {
		var tasks []taskwait.Task
		if err = limiter.Acquire(ctx); err == nil {
			tasks, next, err = s.List(ctx, taskwait.ListRequest{Page: next})
		}
		if i := slices.IndexFunc(tasks, func(t taskwait.Task) bool { return sameWord(id, t.ID) }); i >= 0 {
			tasks[i].ID = id
			return tasks[i], nil
		}
	}
	if err == nil {
		err = absent
	}
	return taskwait.Task{}, err
}
