package servertest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	temporalwait "github.com/taskwait/taskwait/integrations/temporal"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const queue = "operations"

// config is what a worker needs to know, in the environment of its process.
type config struct {
	address, namespace, service string
	min, max                    time.Duration // between polls
	rate                        float64       // of the task queue; 0: no limit
}

func (c config) environ() []string {
	return append(os.Environ(), "TEMPORAL_ADDRESS="+c.address, "TEMPORAL_NAMESPACE="+c.namespace,
		"WORKER_SERVICE="+c.service, "WORKER_MIN="+c.min.String(), "WORKER_MAX="+c.max.String(),
		fmt.Sprintf("WORKER_RATE=%g", c.rate))
}

func (c config) dial() (client.Client, error) {
	return client.Dial(client.Options{HostPort: c.address, Namespace: c.namespace, Logger: quiet})
}

// TestMain is also that of a worker, which is a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("WORKER_SERVICE") == "" {
		code := m.Run()
		remove()
		os.Exit(code)
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

var quiet = log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

// work runs a worker until its process is killed.
func work() error {
	lo, err := time.ParseDuration(os.Getenv("WORKER_MIN"))
	if err != nil {
		return err
	}
	hi, err := time.ParseDuration(os.Getenv("WORKER_MAX"))
	if err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(os.Getenv("WORKER_RATE"), 64)
	if err != nil {
		return err
	}
	c, err := config{address: os.Getenv("TEMPORAL_ADDRESS"), namespace: os.Getenv("TEMPORAL_NAMESPACE")}.dial()
	if err != nil {
		return err
	}
	src := source{os.Getenv("WORKER_SERVICE"), strconv.Itoa(os.Getpid())}
	waiter, err := taskwait.New(src, taskwait.WithInterval(lo, hi))
	if err != nil {
		return err
	}
	worker.SetStickyWorkflowCacheSize(0) // or a workflow is kept for five seconds for a worker that has died
	w := worker.New(c, queue, worker.Options{
		MaxConcurrentActivityTaskPollers: 16, MaxConcurrentWorkflowTaskPollers: 8, TaskQueueActivitiesPerSecond: rate,
	})
	temporalwait.Register(w, temporalwait.ByName(map[string]*taskwait.Waiter{"kafka": waiter}))
	w.RegisterActivityWithOptions(func(ctx context.Context) (string, error) {
		var t taskwait.Task
		err := src.call(ctx, http.MethodPost, "/tasks", &t)
		return t.ID, err
	}, activity.RegisterOptions{Name: "start"})
	w.RegisterWorkflow(Resize)
	w.RegisterWorkflow(Await)
	w.RegisterWorkflow(Impatient)
	go func() { // it ends with the process of the test, however that ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return w.Run(nil)
}

// Resize starts an operation and waits for its task.
func Resize(ctx workflow.Context, timeout time.Duration) (taskwait.Task, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var id string
	if err := workflow.ExecuteActivity(ctx, "start").Get(ctx, &id); err != nil {
		return taskwait.Task{}, err
	}
	return temporalwait.Wait(ctx, temporalwait.Args{Source: "kafka", TaskID: id, Timeout: timeout})
}

// Await waits for a task.
func Await(ctx workflow.Context, id string) (taskwait.Task, error) {
	return temporalwait.Wait(ctx, temporalwait.Args{Source: "kafka", TaskID: id})
}

// Impatient waits for a task, and gives an attempt two seconds.
func Impatient(ctx workflow.Context, id string) (taskwait.Task, error) {
	a := temporalwait.Args{Source: "kafka", TaskID: id}
	o := temporalwait.Options(a)
	o.StartToCloseTimeout, o.RetryPolicy.InitialInterval = 2*time.Second, time.Second
	var t taskwait.Task
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), temporalwait.ActivityName, a).Get(ctx, &t)
	return t, err
}

// startWorker starts a worker in a process of its own, and returns what kills it.
func startWorker(t *testing.T, c config) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this test itself
	cmd.Env, cmd.Stderr = c.environ(), os.Stderr
	life, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill() // SIGKILL
		_ = cmd.Wait()
		_ = life.Close()
	}
	t.Cleanup(kill)
	return kill
}
