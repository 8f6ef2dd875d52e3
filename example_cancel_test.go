package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// A wait ends with its context, at once. The error is that of the context, and its cause.
func ExampleWaiter_WaitForTask_cancel() {
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting), often)
	ctx, cancel := context.WithCancelCause(context.Background())
	shutdown := errors.New("shutting down")
	cancel(shutdown)
	_, err := waiter.WaitForTask(ctx, "8abfa7b272adc5b4")
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, shutdown), waiter.AbandonedCalls())
	// Output: true true 0
}
