package taskwait_test

import (
	"context"
	"fmt"

	"github.com/taskwait/taskwait"
)

// Where a good status flaps, it is to be seen more than once. Where it is still that of before, as after a restart, see
// [taskwait.WithStalePhase].
func ExampleWithConfirmations() {
	flapping := statuses(taskwait.StatusSuccess, taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, err := taskwait.New(flapping, taskwait.WithConfirmations(2), often)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = waiter.WaitForTask(context.Background(), "kafka-1", taskwait.WithProgress(func(p taskwait.Progress) {
		if !p.Done {
			fmt.Println(p.Task.Status, p.Confirmed)
		}
	}))
	fmt.Println(err)
	// Output:
	// SUCCESS 1
	// EXECUTING 0
	// SUCCESS 1
	// SUCCESS 2
	// <nil>
}
