package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// Each result comes when there is one.
func ExampleWaiter_WaitForTasks() {
	source := ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "FAILED", "c3": "SUCCESS"})
	waiter, _ := taskwait.New(source, often)
	for task, err := range waiter.WaitForTasks(context.Background(), []string{"a1", "b2", "c3", "no id"}) {
		switch {
		case err == nil:
			fmt.Println(task.ID, "is done")
		case errors.Is(err, taskwait.ErrTaskFailed):
			fmt.Println(task.ID, "has failed")
		case errors.Is(err, taskwait.ErrInvalidID):
			fmt.Printf("%q is no id\n", task.ID)
		}
	}
	// Unordered output:
	// "no id" is no id
	// a1 is done
	// b2 has failed
	// c3 is done
}
