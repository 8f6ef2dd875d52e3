// Package taskwait has as much of the library as a trace needs.
package taskwait

import (
	"context"
	"time"
)

type Status string

const (
	StatusExecuting Status = "EXECUTING"
	StatusSuccess   Status = "SUCCESS"
)

type Task struct {
	ID     string
	Status Status
}

type Source interface {
	Task(ctx context.Context, id string) (Task, error)
}

type Waiter struct{ src Source }

func New(src Source) (*Waiter, error) { return &Waiter{src}, nil }

func (w *Waiter) WaitForTask(ctx context.Context, id string) (Task, error) {
	s := Subscription[Task]{ask: func() (Task, error) { return w.src.Task(ctx, id) }}
	for {
		task, err := s.Next()
		if err != nil || decide(task) {
			return task, err
		}
		s.Plan(time.Second)
	}
}
