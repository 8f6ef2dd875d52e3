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
	var query *taskwait.QueryError
	fmt.Println(errors.Is(err, taskwait.ErrQuery), errors.As(err, &query))
	fmt.Println(query)
	// Output:
	// true true
	// 403 Forbidden (DMS.00403002)
}
