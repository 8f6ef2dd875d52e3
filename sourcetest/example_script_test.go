package sourcetest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// grow is the code to be tested: it waits for a job, and says whether the job must be kept.
func grow(ctx context.Context, waiter *taskwait.Waiter, jobID string) string {
	_, err := waiter.WaitForTask(ctx, jobID)
	var wait *taskwait.WaitError
	switch {
	case err == nil:
		return "grown"
	case errors.As(err, &wait) && wait.StillRunning():
		return "keep the job"
	}
	return "roll back"
}

// The task fails, after it was created, and after two polls that went wrong. In a test in virtual time
// (testing/synctest) the default interval will do, and After can be hours.
func ExampleScript() {
	source := sourcetest.Script(
		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusCreated}},
		sourcetest.Answer{Err: errors.New("503 Service Unavailable"), Times: 2},
		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusFailed}, After: 20 * time.Millisecond},
	)
	waiter, err := taskwait.New(source, taskwait.WithInterval(time.Millisecond, 5*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(grow(context.Background(), waiter, "job-1"))
	// Output: roll back
}
