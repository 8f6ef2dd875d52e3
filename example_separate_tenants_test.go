package taskwait_test

import (
	"context"
	"fmt"

	"github.com/taskwait/taskwait"
)

type tenantKey struct{}

// Where the answer depends on the context, waits on one Waiter must not share answers.
func ExampleWithoutSharing() {
	source := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		status := taskwait.StatusFailed
		if ctx.Value(tenantKey{}) == "blue" {
			status = taskwait.StatusSuccess
		}
		return taskwait.Task{ID: id, Status: status}, nil
	})
	waiter, _ := taskwait.New(source, taskwait.WithoutSharing())
	for _, tenant := range []string{"blue", "green"} {
		ctx := context.WithValue(context.Background(), tenantKey{}, tenant)
		task, _ := waiter.WaitForTask(ctx, "8abfa7b272adc5b4")
		fmt.Println(tenant, task.Status)
	}
	// Output:
	// blue SUCCESS
	// green FAILED
}
