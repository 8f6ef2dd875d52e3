package taskwait_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/time/rate"
)

// methods are all methods that take Options, each for the one task "id".
var methods = []struct {
	name string
	wait func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) error
}{
	{"WaitForTask", func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) error {
		_, err := w.WaitForTask(ctx, "id", opts...)
		return err
	}},
	{"WaitForTasks", func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) (last error) {
		for _, err := range w.WaitForTasks(ctx, []string{"id"}, opts...) {
			last = err
		}
		return last
	}},
	{"WaitForAll", func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) error {
		_, err := w.WaitForAll(ctx, []string{"id"}, opts...)
		return err
	}},
	{"Do", func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) error {
		_, err := w.Do(ctx, operation("id"), opts...)
		return err
	}},
}

// answers are those to the n-th poll, from 1.
type answers func(ctx context.Context, n int) (taskwait.Task, error)

// statusesOf answers with these statuses in turn, the last one again and again.
func statusesOf(all ...taskwait.Status) answers {
	return func(_ context.Context, n int) (taskwait.Task, error) {
		return taskwait.Task{ID: "id", Kind: "resize", Status: all[min(n, len(all))-1]}, nil
	}
}

func nineSeconds() backoff.BackOff { return backoff.NewConstantBackOff(9 * time.Second) }

// TestEveryOption: no method ignores an option, in New or in the call.
func TestEveryOption(t *testing.T) {
	const s = time.Second
	running, done := taskwait.StatusExecuting, taskwait.StatusSuccess
	tests := []struct {
		name    string
		opt     taskwait.Option
		answers answers
		want    error
		after   time.Duration // every 4 s, but for what opt changes
	}{
		{name: "WithTimeout", opt: taskwait.WithTimeout(10 * s), answers: statusesOf(running),
			want: taskwait.ErrTimeout, after: 10 * s},
		{name: "WithRunTimeout", opt: taskwait.WithRunTimeout(6 * s),
			answers: statusesOf(taskwait.StatusCreated, running), want: taskwait.ErrTimeout, after: 10 * s},
		{name: "WithStallTimeout", opt: taskwait.WithStallTimeout(9 * s), answers: statusesOf(running),
			want: taskwait.ErrStalled, after: 9 * s},
		{name: "WithQueryTimeout", opt: taskwait.WithQueryTimeout(3 * s),
			answers: func(ctx context.Context, n int) (taskwait.Task, error) {
				if n == 1 {
					<-ctx.Done()
				}
				return taskwait.Task{ID: "id", Status: done}, ctx.Err()
			}, after: 7 * s},
		{name: "WithErrorTolerance", opt: taskwait.WithErrorTolerance(0),
			answers: func(context.Context, int) (taskwait.Task, error) { return taskwait.Task{}, errors.New("reset") },
			want:    taskwait.ErrQuery, after: 8 * s},
		{name: "WithNotFoundGrace", opt: taskwait.WithNotFoundGrace(6 * s),
			answers: func(context.Context, int) (taskwait.Task, error) {
				return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound}
			}, want: taskwait.ErrTaskNotFound, after: 6 * s},
		{name: "WithConfirmations", opt: taskwait.WithConfirmations(3), answers: statusesOf(done), after: 8 * s},
		{name: "WithStalePhase", opt: taskwait.WithStalePhase("SUCCESS"), answers: statusesOf(done, running, done),
			after: 8 * s},
		{name: "WithInitialDelay", opt: taskwait.WithInitialDelay(3 * s), answers: statusesOf(done), after: 3 * s},
		{name: "WithInterval", opt: taskwait.WithInterval(7*s, 7*s), answers: statusesOf(running, done), after: 7 * s},
		{name: "WithBackOff", opt: taskwait.WithBackOff(nineSeconds), answers: statusesOf(running, done), after: 9 * s},
	}
	for _, tt := range tests {
		for _, m := range methods {
			for _, inCall := range []bool{false, true} {
				virtually(t, tt.name+"/"+m.name, func(t *testing.T) {
					n, begun, opts := 0, time.Now(), []taskwait.Option{every(4 * s)}
					src := taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
						n++
						return tt.answers(ctx, n)
					})
					var call []taskwait.Option
					if inCall {
						call = append(call, tt.opt)
					} else {
						opts = append(opts, tt.opt)
					}
					err := m.wait(within(t, time.Hour), newWaiter(t, src, opts...), call...)
					after := time.Since(begun)
					if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || after != tt.after {
						t.Errorf("got %v after %v, want %v after %v", err, after, tt.want, tt.after)
					}
				})
			}
		}
	}
}

// TestEveryReport: each method reports to what WithProgress, WithLogger, WithHistory and WithKind name, and takes
// permits of WithLimiter.
func TestEveryReport(t *testing.T) {
	for _, m := range methods {
		virtually(t, m.name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			history, limiter := &schedule.History{}, &counted{inner: rate.NewLimiter(1000, 1)}
			first, reports, polls := "", 0, 0
			src := taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
				if polls++; polls == 1 {
					return taskwait.Task{}, errors.New("reset")
				}
				return statusesOf(taskwait.StatusExecuting, taskwait.StatusSuccess)(ctx, polls-1)
			})
			err := m.wait(within(t, time.Hour), newWaiter(t, src, every(4*time.Second)),
				taskwait.WithLogger(zap.New(core)), taskwait.WithHistory(history), taskwait.WithKind("given"),
				taskwait.WithLimiter(taskwait.NewLimiter(limiter)), taskwait.WithProgress(func(p taskwait.Progress) {
					if reports++; first == "" {
						first = p.Task.Kind
					}
				}))
			known := history.Model("resize") != nil
			if err != nil || logs.Len() == 0 || !known || first != "given" || reports == 0 || limiter.n < polls {
				t.Errorf("got %v, %d lines, a model: %v, kind %q, %d reports, %d permits; want success, and some of each",
					err, logs.Len(), known, first, reports, limiter.n)
			}
		})
	}
}

// counted counts the permits of a quota.
type counted struct {
	inner *rate.Limiter
	n     int
}

// Wait waits for a permit.
func (c *counted) Wait(ctx context.Context) error {
	c.n++
	return c.inner.Wait(ctx)
}
