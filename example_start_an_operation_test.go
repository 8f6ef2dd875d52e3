package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// Do starts an operation and waits for its task. Refused because something else runs, it tries again. Where the end
// is not known from the task, the error Is [taskwait.ErrNotStarted], [taskwait.ErrOutcomeUnknown] or
// [taskwait.ErrAmbiguous].
func ExampleWaiter_Do() {
	waiter, err := taskwait.New(statuses(taskwait.StatusExecuting, taskwait.StatusSuccess), often)
	if err != nil {
		fmt.Println(err)
		return
	}
	refused := true
	resize := taskwait.Operation{
		Name: "resize",
		Start: func(context.Context, taskwait.Attempt) (string, error) {
			if refused { // here the first time
				refused = false
				return "", &taskwait.QueryError{Class: taskwait.ClassConflict, Err: errors.New("an upgrade runs")}
			}
			return "8abfa7b272adc5b4", nil
		},
	}
	task, err := waiter.Do(context.Background(), resize, taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Err != nil {
			fmt.Println(p.Err)
		}
	}))
	fmt.Println(task, err)
	// Output:
	// an upgrade runs
	// task "8abfa7b272adc5b4": SUCCESS (bindInstancePublicIp) <nil>
}
