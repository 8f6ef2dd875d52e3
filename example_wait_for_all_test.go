package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// WaitForAll returns the tasks in the order of their ids.
func ExampleWaiter_WaitForAll() {
	source := ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "FAILED"})
	waiter, _ := taskwait.New(source, often)
	tasks, err := waiter.WaitForAll(context.Background(), []string{"a1", "b2"})
	for _, task := range tasks {
		fmt.Println(task)
	}
	fmt.Println(errors.Is(err, taskwait.ErrTaskFailed)) // it is each of the errors there are
	// Output:
	// task "a1": SUCCESS
	// task "b2": FAILED
	// true
}
