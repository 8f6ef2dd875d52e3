package taskwait_test

import (
	"context"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
)

// A [taskwait.Waiter] polls its Source until the task has ended: see [taskwait.Status.Terminal]. The error is nil if
// and only if the status is SUCCESS.
func ExampleWaiter_WaitForTask() {
	source := statuses(taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, err := taskwait.New(source, taskwait.WithTimeout(30*time.Minute), often)
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	fmt.Println(task, err)
	// Output: task "8abfa7b272adc5b4": SUCCESS (bindInstancePublicIp) <nil>
}
