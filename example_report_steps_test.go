package taskwait_test

import (
	"context"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
)

// resizing is a Source that also knows how far its task is.
type resizing struct{ taskwait.Source }

// Details makes a request of its own.
func (resizing) Details(_ context.Context, t taskwait.Task) (taskwait.Task, error) {
	half := 50
	t.Percent = &half
	t.Steps = []taskwait.Step{{Name: "disks", Status: "COMPLETED"}, {Name: "brokers", Status: "IN_PROGRESS"}}
	return t, nil
}

// A [taskwait.Detailer] is asked between two polls.
func ExampleDetailer() {
	source := resizing{statuses(taskwait.StatusExecuting, taskwait.StatusSuccess)}
	waiter, _ := taskwait.New(source, taskwait.WithInterval(50*time.Millisecond, 50*time.Millisecond))
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4", taskwait.WithProgress(func(p taskwait.Progress) {
		if len(p.Task.Steps) > 0 && !p.Task.Status.Terminal() {
			fmt.Printf("%d%%, %s: %s\n", *p.Task.Percent, p.Task.Steps[1].Name, p.Task.Steps[1].Status)
		}
	}))
	// Output: 50%, brokers: IN_PROGRESS
}
