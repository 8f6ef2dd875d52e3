package temporalwait

import (
	"math"
	"time"

	"github.com/taskwait/taskwait"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// attemptTimeout is longer than a query may take by default, 30 s, by the time to get a permit and to answer. A worker
	// that has died during a poll is replaced after it.
	attemptTimeout = 40 * time.Second

	// afterDeath is the pause after an attempt that has timed out, or panicked.
	afterDeath = 5 * time.Second

	// lateness is how much longer than its own timeout the activity may take: for the final poll, should two workers in a
	// row die during a poll.
	lateness = 2 * time.Minute
)

// Wait is called in a workflow. It waits for a task and returns the task last seen, with an error too. The error is
// that of the activity: [FailureOf] says what is in it. The timeouts and the retry policy are those of [Options]. Other
// activity options in ctx hold, such as a task queue.
//
// To wait for several tasks at once, call Wait in a workflow.Go for each.
func Wait(ctx workflow.Context, a Args) (taskwait.Task, error) {
	o, own := workflow.GetActivityOptions(ctx), Options(a)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = own.StartToCloseTimeout, own.ScheduleToCloseTimeout
	o.ScheduleToStartTimeout, o.HeartbeatTimeout = 0, 0
	o.RetryPolicy = own.RetryPolicy
	var task taskwait.Task
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), ActivityName, a).Get(ctx, &task)
	if err != nil {
		task = FailureOf(err).Task
		task.ID = a.TaskID
	}
	return task, err
}

// Options returns the activity options for an execution without [Wait]. StartToCloseTimeout is 40 s. It must be longer
// than WithQueryTimeout of the Waiter, by a third. ScheduleToCloseTimeout is two minutes longer than a.Timeout, so that
// the activity's own timeout, with its final poll, comes first. If a.Timeout is 0, only the workflow's own timeouts
// bound the activity. Do not limit the number of attempts: each is a poll.
func Options(a Args) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: afterDeath, BackoffCoefficient: 1,
			MaximumAttempts: math.MaxInt32, // 0 is no limit either, but 10 in the SDK's test environment
		},
	}
	if a.Timeout > 0 && a.Timeout < math.MaxInt64-lateness {
		o.ScheduleToCloseTimeout = a.Timeout + lateness
	}
	return o
}
