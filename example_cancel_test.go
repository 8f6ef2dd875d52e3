package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// A wait ends with its context, at once, and names the cause.
func ExampleWaiter_WaitForTask_cancel() {
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting), often)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("shutting down"))
	_, err := waiter.WaitForTask(ctx, "8abfa7b272adc5b4")
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.Canceled), waiter.AbandonedCalls())
	// Output:
	// taskwait: task "8abfa7b272adc5b4": context canceled (shutting down) after 0s: not polled yet, 0 polls
	// true 0
}
