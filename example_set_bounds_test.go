package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
)

// Bounds are options of the Waiter, or of one call, which win.
func ExampleWithTimeout() {
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting),
		taskwait.WithQueryTimeout(10*time.Second),  // one query
		taskwait.WithErrorTolerance(2*time.Minute), // nothing but errors
		taskwait.WithNotFoundGrace(30*time.Second), // the id is not known
		taskwait.WithStallTimeout(time.Hour),       // nothing changes
		taskwait.WithTimeout(30*time.Minute),       // the whole wait
		often,
	)
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4",
		taskwait.WithInitialDelay(2*time.Millisecond), taskwait.WithTimeout(5*time.Millisecond))
	fmt.Println(errors.Is(err, taskwait.ErrTimeout), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}
