package taskwait_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

// caller is foreign code of all kinds that waits, on the same Waiter, for a task that is done. It does so a hundred
// times.
type caller struct {
	waiter *taskwait.Waiter
	calls  atomic.Int64
}

func (c *caller) call() {
	if c.calls.Add(1) <= 100 {
		_, _ = c.waiter.WaitForTask(context.Background(), "done-0")
	}
}

func (c *caller) Error() string              { c.call(); return "a foreign error" }
func (c *caller) Is(error) bool              { c.call(); return false }
func (c *caller) As(any) bool                { c.call(); return false }
func (c *caller) Unwrap() error              { c.call(); return nil }
func (c *caller) Wait(context.Context) error { c.call(); return nil }
func (c *caller) NextBackOff() time.Duration { c.call(); return time.Second }
func (c *caller) Reset()                     { c.call() }

// TestForeignCodeMayWait: errors of a Source, a limiter, a BackOff and the progress callback may use the Waiter whose
// waits call them: no lock is held meanwhile. (A lock that is held makes this test hang.)
func TestForeignCodeMayWait(t *testing.T) {
	tests := []struct {
		name string
		opt  func(c *caller) taskwait.Option
		errs func(c *caller) error // every second answer
	}{
		{name: "a plain error", errs: func(c *caller) error { return c }},
		{name: "an error in a QueryError", errs: func(c *caller) error {
			return &taskwait.QueryError{Class: taskwait.ClassTransient, Err: c}
		}},
		{name: "a BackOff", opt: func(c *caller) taskwait.Option {
			return taskwait.WithBackOff(func() backoff.BackOff { return c })
		}},
		{name: "a progress callback", opt: func(c *caller) taskwait.Option {
			return taskwait.WithProgress(func(taskwait.Progress) { c.call() })
		}},
		{name: "a limiter of another quota", opt: func(c *caller) taskwait.Option {
			return taskwait.WithLimiter(taskwait.NewLimiter(c))
		}},
	}
	for _, tt := range tests {
		for _, list := range []bool{false, true} {
			for _, way := range ways {
				virtually(t, fmt.Sprintf("%s/%s/list: %v", way.name, tt.name, list), func(t *testing.T) {
					s, c := newService(t), &caller{}
					s.fault = func(_ context.Context, r request) error {
						if r.id != "done-0" && tt.errs != nil && r.n%2 == 0 {
							return tt.errs(c)
						}
						return nil
					}
					s.add("done", 1, always(0))
					ids := s.add("task", 10, always(30*time.Second))
					c.waiter = newWaiter(t, s.source(list))
					var opts []taskwait.Option
					if tt.opt != nil {
						opts = append(opts, tt.opt(c))
					}
					succeeded(t, way.wait(within(t, time.Hour), c.waiter, ids, opts...), ids, 10*time.Minute)
					if c.calls.Load() == 0 {
						t.Error("the foreign code was not called")
					}
				})
			}
		}
	}
}
