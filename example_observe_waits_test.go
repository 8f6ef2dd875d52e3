package taskwait_test

import (
	"context"
	"fmt"

	"github.com/taskwait/taskwait"
)

type traceKey struct{}

// An observer puts a value into the context of each wait, where each query finds it, and is told of each answer.
func ExampleWithObserver() {
	source := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		fmt.Println("query with", ctx.Value(traceKey{}))
		return taskwait.Task{ID: id, Status: taskwait.StatusSuccess}, nil
	})
	observe := func(ctx context.Context, id string) (context.Context, func(taskwait.Progress)) {
		trace := "trace of " + id
		return context.WithValue(ctx, traceKey{}, trace), func(p taskwait.Progress) {
			switch {
			case p.Done:
				fmt.Println(trace, "ends:", p.Outcome)
			case p.Interrupted:
				fmt.Println(trace, "is left") // by Poll, or a loop over WaitForTasks
			default:
				fmt.Println(trace, "has", p.Task.Status, "by the query with", p.Context().Value(traceKey{}))
			}
		}
	}
	waiter, _ := taskwait.New(source, taskwait.WithObserver(observe))
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	// Output:
	// query with trace of 8abfa7b272adc5b4
	// trace of 8abfa7b272adc5b4 has SUCCESS by the query with trace of 8abfa7b272adc5b4
	// trace of 8abfa7b272adc5b4 ends: <nil>
}

// Waits shows what a process is waiting for. Package debugpage makes a page of it.
func ExampleWaiter_Waits() {
	asked := make(chan struct{})
	source := taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
		close(asked)
		<-ctx.Done() // the answer takes its time
		return taskwait.Task{}, ctx.Err()
	})
	waiter, _ := taskwait.New(source)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = waiter.WaitForTask(ctx, "8abfa7b272adc5b4")
	}()
	<-asked
	for p := range waiter.Waits() {
		fmt.Printf("waiting for task %s, %d polls so far\n", p.Task.ID, p.Polls)
	}
	cancel()
	<-ended
	for p := range waiter.Waits() {
		fmt.Println("still there:", p.Task.ID)
	}
	// Output:
	// waiting for task 8abfa7b272adc5b4, 0 polls so far
}
