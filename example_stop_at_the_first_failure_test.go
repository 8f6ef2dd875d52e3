package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// The first task that has not succeeded ends the wait for all others.
func ExampleWaiter_WaitForTasks_failFast() {
	source := ends(map[string]taskwait.Status{"a1": "FAILED", "b2": "EXECUTING"})
	waiter, _ := taskwait.New(source, often)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	for task, err := range waiter.WaitForTasks(ctx, []string{"a1", "b2"}) {
		if err != nil {
			cancel(err)
		}
		fmt.Println(task.ID, errors.Is(err, taskwait.ErrTaskFailed), errors.Is(err, context.Canceled))
	}
	// Output:
	// a1 true false
	// b2 false true
}
