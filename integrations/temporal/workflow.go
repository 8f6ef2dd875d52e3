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

// Wait waits for a task, for a workflow, and returns the last thing that is known of it, with an error too. The error
// is that of the activity: [FailureOf] says what is in it. Of the activity options in ctx the timeouts and the retry
// policy do not hold, those of [Options] do; the others, such as a task queue, hold.
//
// To wait for several tasks at once, call Wait in a [workflow.Go] for each.
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

// Options are what the activity needs where it is executed without [Wait]. StartToCloseTimeout is 40 s: it must be
// longer than WithQueryTimeout of the Waiter, by a third. ScheduleToCloseTimeout is two minutes longer than a.Timeout,
// so that the activity's own timeout with its final poll comes first; where a.Timeout is 0, only the workflow's own
// timeouts bound the activity. The number of attempts must not be limited: each is a poll.
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
