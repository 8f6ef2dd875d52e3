package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/time/rate"
)

// statuses is a Source that gives these answers in turn, and the last one again and again. Yours asks a service.
func statuses(all ...taskwait.Status) taskwait.Source {
	next := 0
	return taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		s := all[min(next, len(all)-1)]
		next++
		return taskwait.Task{ID: id, Kind: "bindInstancePublicIp", Status: s}, nil
	})
}

// A short interval keeps the examples short.
var often = taskwait.WithInterval(time.Millisecond, time.Millisecond)

func ExampleWaiter_WaitForTask() {
	source := statuses(taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, err := taskwait.New(source, taskwait.WithTimeout(30*time.Minute), often)
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	fmt.Println(task, err)
	// Output: task "8abfa7b272adc5b4": SUCCESS (bindInstancePublicIp) <nil>
}

func ExampleWaiter_Do() {
	waiter, err := taskwait.New(statuses(taskwait.StatusExecuting, taskwait.StatusSuccess), often)
	if err != nil {
		fmt.Println(err)
		return
	}
	refused := true
	resize := taskwait.Operation{
		Name: "resize",
		Start: func(context.Context) (taskwait.Started, error) {
			if refused { // here the first time
				refused = false
				return taskwait.Started{}, &taskwait.QueryError{Class: taskwait.ClassConflict, Err: errors.New("an upgrade runs")}
			}
			return taskwait.Started{ID: "8abfa7b272adc5b4"}, nil
		},
	}
	task, err := waiter.Do(context.Background(), resize, taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Err != nil {
			fmt.Println(p.Err)
		}
	}))
	fmt.Println(task, err)
	// Output:
	// an upgrade runs
	// task "8abfa7b272adc5b4": SUCCESS (bindInstancePublicIp) <nil>
}

// Where a good status flaps, it is to be seen more than once.
func ExampleWithConfirmations() {
	flapping := statuses(taskwait.StatusSuccess, taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, err := taskwait.New(flapping, taskwait.WithConfirmations(2), often)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = waiter.WaitForTask(context.Background(), "kafka-1", taskwait.WithProgress(func(p taskwait.Progress) {
		if !p.Done {
			fmt.Println(p.Task.Status, p.Confirmed)
		}
	}))
	fmt.Println(err)
	// Output:
	// SUCCESS 1
	// EXECUTING 0
	// SUCCESS 1
	// SUCCESS 2
	// <nil>
}

// ends is a Source of tasks that have ended so.
func ends(all map[string]taskwait.Status) taskwait.Source {
	return taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		return taskwait.Task{ID: id, Status: all[id]}, nil
	})
}

func ExampleWaiter_WaitForTasks() {
	source := ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "FAILED", "c3": "SUCCESS"})
	waiter, _ := taskwait.New(source, often)
	for task, err := range waiter.WaitForTasks(context.Background(), []string{"a1", "b2", "c3", "no id"}) {
		switch {
		case err == nil:
			fmt.Println(task.ID, "is done")
		case errors.Is(err, taskwait.ErrTaskFailed):
			fmt.Println(task.ID, "has failed")
		case errors.Is(err, taskwait.ErrInvalidID):
			fmt.Printf("%q is no id\n", task.ID)
		}
	}
	// Unordered output:
	// "no id" is no id
	// a1 is done
	// b2 has failed
	// c3 is done
}

func ExampleWaiter_WaitForAll() {
	source := ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "FAILED"})
	waiter, _ := taskwait.New(source, often)
	tasks, err := waiter.WaitForAll(context.Background(), []string{"a1", "b2"})
	for _, task := range tasks {
		fmt.Println(task)
	}
	fmt.Println(errors.Is(err, taskwait.ErrTaskFailed)) // it is each of the errors there are
	// Output:
	// task "a1": SUCCESS
	// task "b2": FAILED
	// true
}

// The first task that has not succeeded ends the wait for all others.
func ExampleWaiter_WaitForTasks_failFast() {
	source := ends(map[string]taskwait.Status{"a1": "FAILED", "b2": "EXECUTING"})
	waiter, _ := taskwait.New(source, often)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	for task, err := range waiter.WaitForTasks(ctx, []string{"a1", "b2"}) {
		if err != nil {
			cancel(err)
		}
		fmt.Println(task.ID, errors.Is(err, taskwait.ErrTaskFailed), errors.Is(err, context.Canceled))
	}
	// Output:
	// a1 true false
	// b2 false true
}

// Five requests a second for all Waiters that share the limiter. A little less than the service allows leaves room for
// what the network makes irregular.
func ExampleNewLimiter() {
	limited := taskwait.WithLimiter(taskwait.NewLimiter(rate.NewLimiter(5, 1)))
	source := ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "SUCCESS"})
	staging, _ := taskwait.New(source, limited)
	production, _ := taskwait.New(source, limited)
	fmt.Println(staging.WaitForTask(context.Background(), "a1"))
	fmt.Println(production.WaitForTask(context.Background(), "b2"))
	// Output:
	// task "a1": SUCCESS <nil>
	// task "b2": SUCCESS <nil>
}

// pair is a Source whose service takes two ids at once.
type pair struct{ taskwait.Source }

func (p pair) List(ctx context.Context, b taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	from, _ := strconv.Atoi(b.Page)
	to := min(from+2, len(b.IDs))
	for _, id := range b.IDs[from:to] { // one request, in earnest
		task, err := p.Task(ctx, id)
		if err != nil {
			return nil, "", err
		}
		tasks = append(tasks, task)
	}
	if to < len(b.IDs) {
		next = strconv.Itoa(to)
	}
	return tasks, next, nil
}

func ExampleLister() {
	source := pair{ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "SUCCESS", "c3": "SUCCESS"})}
	waiter, _ := taskwait.New(source, often)
	_, err := waiter.WaitForAll(context.Background(), []string{"a1", "b2", "c3"})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleNew() {
	_, err := taskwait.New(statuses(taskwait.StatusSuccess), taskwait.WithTimeout(-time.Minute))
	fmt.Println(err)
	fmt.Println(errors.Is(err, taskwait.ErrInvalidOption))
	// Output:
	// taskwait: invalid option: WithTimeout -1m0s, want at least 0s
	// true
}

func ExampleWithProgress() {
	source := statuses(taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, _ := taskwait.New(source, often)
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4", taskwait.WithProgress(func(p taskwait.Progress) {
		switch {
		case p.Done:
			fmt.Printf("done after %d polls: %v\n", p.Polls, p.Outcome)
		case p.Changed:
			fmt.Printf("%s, next look in %v\n", p.Task.Status, p.Next)
		}
	}))
	// Output:
	// CREATED, next look in 1ms
	// EXECUTING, next look in 1ms
	// SUCCESS, next look in 0s
	// done after 4 polls: <nil>
}

// What to do when a wait did not end with SUCCESS.
func ExampleWaitError() {
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting), often)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("shutting down"))
	_, err := waiter.WaitForTask(ctx, "8abfa7b272adc5b4")

	var wait *taskwait.WaitError
	switch {
	case err == nil:
		fmt.Println("done")
	case errors.Is(err, taskwait.ErrTaskFailed):
		fmt.Println("roll back")
	case errors.As(err, &wait) && wait.StillRunning():
		fmt.Println("keep the id and wait again:", err)
	}
	// Output:
	// keep the id and wait again: taskwait: task "8abfa7b272adc5b4": context canceled (shutting down) after 0s: never seen, 0 polls
}

// A Source of your own says with a QueryError what an error means: here that asking again cannot help.
func ExampleQueryError() {
	source := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{}, &taskwait.QueryError{
			Class: taskwait.ClassPermanent, Code: "DMS.00403002", Err: errors.New("403 Forbidden"),
		}
	})
	waiter, _ := taskwait.New(source)
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	fmt.Println(err)
	fmt.Println(errors.Is(err, taskwait.ErrQuery))
	// Output:
	// taskwait: task "8abfa7b272adc5b4": could not query after 0s: never seen, 1 poll, 1 error, last: 403 Forbidden (DMS.00403002)
	// true
}

// Wrap a Source to see things differently. This one does not wait for a status that it does not know.
func ExampleSource() {
	inner := statuses(taskwait.StatusExecuting, "PAUSED")
	strict := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		task, err := inner.Task(ctx, id)
		known := task.Status.Terminal() || task.Status == taskwait.StatusCreated || task.Status == taskwait.StatusExecuting
		if err == nil && !known {
			err = &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: fmt.Errorf("status %q is new to us", task.Status)}
		}
		return task, err
	})
	waiter, _ := taskwait.New(strict, often)
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	var wait *taskwait.WaitError
	fmt.Println(errors.Is(err, taskwait.ErrQuery), errors.As(err, &wait) && wait.StillRunning())
	// Output: true true
}

// Any BackOff will do. This one gives up after three looks.
func ExampleWithBackOff() {
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting), taskwait.WithBackOff(func() backoff.BackOff {
		return backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Millisecond), 2)
	}))
	task, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	fmt.Println(errors.Is(err, taskwait.ErrBackOffStopped), task.Status)
	// Output: true EXECUTING
}

func ExampleWithLogger() {
	log := zap.NewExample(zap.IncreaseLevel(zapcore.InfoLevel))
	source := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: errors.New("401 Unauthorized")}
	})
	waiter, _ := taskwait.New(source, taskwait.WithLogger(log.WithOptions(zap.WrapCore(withoutTimes))))
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	// Output:
	// {"level":"warn","msg":"trouble","task":"8abfa7b272adc5b4","kind":"","status":"","polls":1,"errors":1,"error":"401 Unauthorized"}
	// {"level":"info","msg":"wait ended","task":"8abfa7b272adc5b4","kind":"","status":"","polls":1,"errors":1,"error":"taskwait: task \"8abfa7b272adc5b4\": could not query after 0s: never seen, 1 poll, 1 error, last: 401 Unauthorized"}
}

func ExampleCheckID() {
	fmt.Println(taskwait.CheckID("instance id", "../other"))
	// Output: taskwait: invalid id: instance id "../other" holds '/' at byte 2, want none of / \ ? # % { } nor white space or what does not print
}

// withoutTimes leaves out of a log what differs from run to run.
func withoutTimes(core zapcore.Core) zapcore.Core { return timeless{core} }

type timeless struct{ zapcore.Core }

func (c timeless) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c timeless) Write(e zapcore.Entry, fields []zapcore.Field) error {
	var kept []zapcore.Field
	for _, f := range fields {
		if f.Type != zapcore.DurationType {
			kept = append(kept, f)
		}
	}
	return c.Core.Write(e, kept)
}

// With a history, a wait asks when an answer is likely.
func ExampleWithHistory() {
	history := &schedule.History{}
	for range 10 {
		history.Add("bindInstancePublicIp", 200*time.Millisecond)
	}
	waiter, _ := taskwait.New(statuses(taskwait.StatusExecuting, taskwait.StatusSuccess), taskwait.WithHistory(history))
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4", taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Polls == 1 && !p.Done {
			fmt.Printf("usually takes %v, next look within a second: %v\n",
				p.Estimate.Median.Round(100*time.Millisecond), p.Next < time.Second)
		}
	}))
	fmt.Println(err)
	// Output:
	// usually takes 200ms, next look within a second: true
	// <nil>
}
