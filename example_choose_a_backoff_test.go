package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

// Any BackOff will do. This one gives up after three polls.
func ExampleWithBackOff() {
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting), taskwait.WithBackOff(func() backoff.BackOff {
		return backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Millisecond), 2)
	}))
	task, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	fmt.Println(errors.Is(err, taskwait.ErrBackOffStopped), task.Status)
	// Output: true EXECUTING
}
