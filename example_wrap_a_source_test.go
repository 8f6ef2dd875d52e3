package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// Wrap a Source to change what an answer means. This one does not wait for a status that it does not know.
func ExampleSource() {
	inner := statuses(taskwait.StatusExecuting, "PAUSED")
	strict := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		task, err := inner.Task(ctx, id)
		known := task.Status.Terminal() || task.Status == taskwait.StatusCreated || task.Status == taskwait.StatusExecuting
		if err == nil && !known {
			err = &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: fmt.Errorf("status %q is new to us", task.Status)}
		}
		return task, err
	})
	waiter, _ := taskwait.New(strict, often)
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	var wait *taskwait.WaitError
	fmt.Println(errors.Is(err, taskwait.ErrQuery), errors.As(err, &wait) && wait.StillRunning())
	// Output: true true
}
