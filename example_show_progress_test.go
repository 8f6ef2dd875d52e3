package taskwait_test

import (
	"context"
	"fmt"

	"github.com/taskwait/taskwait"
)

func ExampleWithProgress() {
	source := statuses(taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, _ := taskwait.New(source, often)
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4", taskwait.WithProgress(func(p taskwait.Progress) {
		switch {
		case p.Done:
			fmt.Printf("done after %d polls: %v\n", p.Polls, p.Outcome)
		case p.Changed:
			fmt.Printf("%s, next poll in %v\n", p.Task.Status, p.Next)
		}
	}))
	// Output:
	// CREATED, next poll in 1ms
	// EXECUTING, next poll in 1ms
	// SUCCESS, next poll in 0s
	// done after 4 polls: <nil>
}
