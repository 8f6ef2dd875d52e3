package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
)

// What to do when a wait did not end with SUCCESS. The rest of the reasons are [taskwait.ErrTaskDeleted] and
// [taskwait.ErrTaskCancelled], the task's own; [taskwait.ErrStalled] and [taskwait.ErrBackOffStopped], where the wait
// stopped.
func ExampleWaitError() {
	explain := func(err error) string {
		var wait *taskwait.WaitError
		switch {
		case err == nil:
			return "go on"
		case errors.Is(err, taskwait.ErrTaskFailed):
			return "roll back"
		case errors.Is(err, taskwait.ErrTaskNotFound), errors.Is(err, taskwait.ErrInvalidID):
			return "look up the id"
		case errors.Is(err, taskwait.ErrTimeout) || errors.As(err, &wait) && wait.StillRunning():
			return "keep the id and wait again"
		}
		return "ask somebody"
	}
	source := ends(map[string]taskwait.Status{
		"a1": taskwait.StatusSuccess, "b2": taskwait.StatusFailed,
		"c3": taskwait.StatusExecuting, "d4": taskwait.StatusCancelled,
	})
	waiter, _ := taskwait.New(source, taskwait.WithTimeout(10*time.Millisecond), often)
	for _, id := range []string{"a1", "b2", "c3", "d4", ""} {
		_, err := waiter.WaitForTask(context.Background(), id)
		fmt.Printf("%q: %s\n", id, explain(err))
	}
	// Output:
	// "a1": go on
	// "b2": roll back
	// "c3": keep the id and wait again
	// "d4": ask somebody
	// "": look up the id
}
