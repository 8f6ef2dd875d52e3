package taskwait_test

import (
	"context"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
)

// With a history, a wait polls when an answer is likely. [taskwait.WithKind] plans the first poll, too;
// [taskwait.Task.Took] is what a History is fed with.
func ExampleWithHistory() {
	history := &schedule.History{}
	for range 10 {
		history.Add("bindInstancePublicIp", 200*time.Millisecond)
	}
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting, taskwait.StatusSuccess), taskwait.WithHistory(history))
	_, err := waiter.WaitForTask(
		context.Background(),
		"8abfa7b272adc5b4",
		taskwait.WithProgress(func(p taskwait.Progress) {
			if p.Polls == 1 && !p.Done {
				fmt.Printf("usually takes %v, next poll within a second: %v\n",
					p.Estimate.Median.Round(100*time.Millisecond), p.Next < time.Second)
			}
		}),
	)
	fmt.Println(err)
	// Output:
	// usually takes 200ms, next poll within a second: true
	// <nil>
}
