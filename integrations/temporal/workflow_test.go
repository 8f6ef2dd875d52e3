package temporalwait_test

import (
	"context"
	"io"
	"log/slog"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	temporalwait "github.com/taskwait/taskwait/integrations/temporal"
	"github.com/taskwait/taskwait/sourcetest"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// resize is a workflow as in the README.
func resize(ctx workflow.Context) (taskwait.Task, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Second, HeartbeatTimeout: time.Second, ScheduleToStartTimeout: time.Second,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var task string
	if err := workflow.ExecuteActivity(ctx, "start").Get(ctx, &task); err != nil {
		return taskwait.Task{}, err
	}
	return temporalwait.Wait(ctx, temporalwait.Args{Source: "kafka", TaskID: task, Timeout: time.Hour})
}

func newEnvironment(t *testing.T, answers ...sourcetest.Answer) (env *testsuite.TestWorkflowEnvironment, starts *int) {
	t.Helper()
	// The environment's clock skips the pauses, and time.Now does not.
	waiter, err := taskwait.New(sourcetest.Script(answers...), taskwait.WithInterval(time.Millisecond, time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	env = suite.NewTestWorkflowEnvironment()
	temporalwait.Register(env, temporalwait.ByName(map[string]*taskwait.Waiter{"kafka": waiter}))
	starts = new(int)
	env.RegisterActivityWithOptions(func(context.Context) (string, error) {
		*starts++
		return id, nil
	}, activity.RegisterOptions{Name: "start"})
	return env, starts
}

// TestWait starts an operation in a workflow, and waits for it through more attempts than the environment, or the
// workflow's other activities, would allow.
func TestWait(t *testing.T) {
	env, starts := newEnvironment(t, running(50), ended(taskwait.StatusSuccess))
	env.ExecuteWorkflow(resize)
	var task taskwait.Task
	if err := env.GetWorkflowResult(&task); err != nil || task.Status != taskwait.StatusSuccess || *starts != 1 {
		t.Errorf("got %v, %v, %d starts, want SUCCESS, 1 start", task, err, *starts)
	}
}

// TestWaitFailed makes sure that a workflow learns what became of the task.
func TestWaitFailed(t *testing.T) {
	failed := ended(taskwait.StatusFailed).Task
	failed.FailureCode, failed.FailureReason = "DMS.1", "disk full"
	env, _ := newEnvironment(t, running(2), sourcetest.Answer{Task: failed})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		task, err := resize(ctx)
		failed.ID = id
		f := temporalwait.FailureOf(err)
		if !reflect.DeepEqual(task, failed) || !reflect.DeepEqual(f.Task, failed) || f.StillRunning {
			t.Errorf("got %v, %+v, want %v", task, f, failed)
		}
		return err
	})
	if f := temporalwait.FailureOf(env.GetWorkflowError()); f.Type != temporalwait.TypeTaskFailed || f.Polls != 3 {
		t.Errorf("got %+v, want a failed task after 3 polls", f)
	}
}

// TestWaitCancelled cancels the workflow while it waits.
func TestWaitCancelled(t *testing.T) {
	env, _ := newEnvironment(t, running(1))
	env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { env.CancelWorkflow() })
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		task, err := resize(ctx)
		if f := temporalwait.FailureOf(err); !temporal.IsCanceledError(err) || !f.StillRunning || task.ID != id {
			t.Errorf("got %v, %v, want a cancelled wait, its task still running", task, err)
		}
		return err
	})
	if err := env.GetWorkflowError(); !temporal.IsCanceledError(err) {
		t.Errorf("got %v, want a cancelled workflow", err)
	}
}

// TestOptions makes sure that the engine bounds a wait a little later than the wait does itself.
func TestOptions(t *testing.T) {
	for _, test := range []struct{ timeout, want time.Duration }{
		{0, 0}, {time.Hour, time.Hour + 2*time.Minute}, {math.MaxInt64, 0},
	} {
		if got := temporalwait.Options(temporalwait.Args{Timeout: test.timeout}).ScheduleToCloseTimeout; got != test.want {
			t.Errorf("%v: got ScheduleToCloseTimeout %v, want %v", test.timeout, got, test.want)
		}
	}
}
