// Command example is a worker, and a client that has it start an operation and wait for its task. It needs a Temporal
// server, on TEMPORAL_ADDRESS if that is not localhost:7233.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/taskwait/taskwait"
	temporalwait "github.com/taskwait/taskwait/integrations/temporal"
	"github.com/taskwait/taskwait/sourcetest"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func main() {
	c, err := client.Dial(client.Options{
		HostPort: os.Getenv("TEMPORAL_ADDRESS"), Namespace: os.Getenv("TEMPORAL_NAMESPACE"),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	waiter, err := taskwait.New(service)
	if err != nil {
		log.Fatal(err)
	}
	w := worker.New(c, "operations", worker.Options{})
	temporalwait.Register(w, temporalwait.ByName(map[string]*taskwait.Waiter{"kafka": waiter}))
	w.RegisterActivity(StartResize)
	w.RegisterWorkflow(Resize)
	if err := w.Start(); err != nil {
		log.Fatal(err)
	}
	defer w.Stop()

	run, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{TaskQueue: "operations"}, Resize)
	if err != nil {
		log.Fatal(err)
	}
	var task taskwait.Task
	err = run.Get(context.Background(), &task)
	fmt.Println(task, err)
}

// Resize starts an operation and waits for its task.
func Resize(ctx workflow.Context) (taskwait.Task, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1}, // if its answer is lost, it may have been carried out
	})
	var id string
	if err := workflow.ExecuteActivity(ctx, StartResize).Get(ctx, &id); err != nil {
		return taskwait.Task{}, err
	}
	return temporalwait.Wait(ctx, temporalwait.Args{Source: "kafka", TaskID: id, Timeout: 30 * time.Minute})
}

// StartResize sends the request, and returns the id of the task.
func StartResize(context.Context) (string, error) { return "8abf4f7e-resize", nil }

// service stands for a real one, such as kafkatasks.New(client, instanceID): its tasks take five seconds.
var service = sourcetest.Script(
	sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting}},
	sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusSuccess}, After: 5 * time.Second},
)
