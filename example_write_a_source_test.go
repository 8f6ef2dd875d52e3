package taskwait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskwait/taskwait"
)

// jobs is a service with words of its own.
type jobs map[string]string

// Task translates them. What it does not know it passes on: an unknown status is neither success nor failure.
func (j jobs) Task(_ context.Context, id string) (taskwait.Task, error) {
	word, known := j[id]
	if !known {
		return taskwait.Task{}, taskwait.NotFound(errors.New("no such import"))
	}
	status, translated := map[string]taskwait.Status{
		"queued": taskwait.StatusCreated, "running": taskwait.StatusExecuting, "done": taskwait.StatusSuccess,
		"broken": taskwait.StatusFailed, "stopped": taskwait.StatusCancelled, "purged": taskwait.StatusDeleted,
	}[word]
	if !translated {
		status = taskwait.Status(word)
	}
	return taskwait.Task{ID: id, Kind: "import", Status: status, Phase: word}, nil
}

// A Source for a service of your own is one method.
func ExampleSource_own() {
	waiter, _ := taskwait.New(jobs{"a1": "done", "b2": "broken"}, taskwait.WithNotFoundGrace(0), often)
	for _, id := range []string{"a1", "b2", "c3"} {
		task, err := waiter.WaitForTask(context.Background(), id)
		failed, unknown := errors.Is(err, taskwait.ErrTaskFailed), errors.Is(err, taskwait.ErrTaskNotFound)
		fmt.Println(id, task.Status.Succeeded(), failed, unknown)
	}
	// Output:
	// a1 true false false
	// b2 false true false
	// c3 false false true
}
