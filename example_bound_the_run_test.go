package taskwait_test

import (
	"context"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
)

// A task may queue for hours and then has ten minutes for its work. The context bounds the whole.
func ExampleWithRunTimeout() {
	polls := 0
	source := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		statuses := []taskwait.Status{taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusSuccess}
		polls++
		return taskwait.Task{Status: statuses[polls-1]}, nil
	})
	waiter, err := taskwait.New(source, taskwait.WithInterval(time.Millisecond, time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Hour)
	defer cancel()
	fmt.Println(waiter.WaitForTask(ctx, "17", taskwait.WithRunTimeout(10*time.Minute)))
	// Output: task "17": SUCCESS <nil>
}
