package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// A Source says with a QueryError what an error means: here that asking again cannot help. [taskwait.Permanent] makes
// one without a code. The other classes ([taskwait.Class]) of a query are [taskwait.ClassTransient],
// [taskwait.ClassThrottled] and [taskwait.ClassNotFound]; [taskwait.ClassConflict] and [taskwait.ClassNotSent] are for
// an Operation.
func ExampleQueryError() {
	source := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{}, &taskwait.QueryError{
			Class: taskwait.ClassPermanent, Code: "DMS.00403002", Err: errors.New("403 Forbidden"),
		}
	})
	waiter, _ := taskwait.New(source)
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	fmt.Println(err)
	fmt.Println(errors.Is(err, taskwait.ErrQuery))
	// Output:
	// taskwait: task "8abfa7b272adc5b4": could not query after 0s: never seen, 1 poll, 1 error, last: 403 Forbidden (DMS.00403002)
	// true
}
