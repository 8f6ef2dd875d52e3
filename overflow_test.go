package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
)

// unlessSpinning ends the test if a wait reports so much that it must be spinning.
func unlessSpinning(t *testing.T) taskwait.Option {
	t.Helper()
	var reports atomic.Int64
	return taskwait.WithProgress(func(taskwait.Progress) {
		if reports.Add(1) > 10_000 {
			t.Fatal("the wait spins")
		}
	})
}

// TestLongestDurations: a duration near the longest there is means "no limit". Sums of durations saturate.
func TestLongestDurations(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	tests := []struct {
		name string
		opt  func(d time.Duration) taskwait.Option
	}{
		{"WithTimeout", taskwait.WithTimeout},
		{"WithQueryTimeout", taskwait.WithQueryTimeout},
		{"WithErrorTolerance", taskwait.WithErrorTolerance},
		{"WithNotFoundGrace", taskwait.WithNotFoundGrace},
		{"WithStallTimeout", taskwait.WithStallTimeout},
		{"WithInterval", func(d time.Duration) taskwait.Option { return taskwait.WithInterval(time.Second, d) }},
		{"History.QueryCost", func(d time.Duration) taskwait.Option {
			return taskwait.WithHistory(&schedule.History{QueryCost: d})
		}},
	}
	const year = 365 * 24 * time.Hour
	durations := []time.Duration{longest, longest - 1, longest - time.Minute, longest - 50*year, longest / 2}
	for _, tt := range tests {
		for _, d := range durations {
			for _, way := range waitOne {
				virtually(t, fmt.Sprintf("%s(%v)/%s", tt.name, d, way.name), func(t *testing.T) {
					s, begun := newService(t), time.Now()
					id := s.add("task", 1, always(time.Minute))[0]
					s.fault = func(_ context.Context, r request) error {
						if r.n%2 == 1 {
							return unavailable()
						}
						return nil
					}
					_, err := way.wait(within(t, time.Hour), newWaiter(t, s, tt.opt(d), unlessSpinning(t)), id)
					if took := time.Since(begun); err != nil || took > 3*time.Minute {
						t.Errorf("got %v after %v, want success within 3m", err, took)
					}
				})
			}
		}
	}
}

// TestLongestTimeoutOfMany: many tasks, with a list and without, are waited for as without a timeout.
func TestLongestTimeoutOfMany(t *testing.T) {
	for _, list := range []bool{false, true} {
		for _, way := range ways {
			virtually(t, fmt.Sprintf("%s/list: %v", way.name, list), func(t *testing.T) {
				s := newService(t)
				ids := s.add("task", 20, always(time.Minute))
				w := newWaiter(t, s.source(list), taskwait.WithTimeout(math.MaxInt64), unlessSpinning(t))
				succeeded(t, way.wait(within(t, time.Hour), w, ids), ids, 2*time.Minute)
			})
		}
	}
}

// TestLongestPauses: a pause near the longest there is does not overflow, and does not outlast the context.
func TestLongestPauses(t *testing.T) {
	const end = 10 * time.Second
	longest := func() backoff.BackOff { return backoff.NewConstantBackOff(math.MaxInt64) }
	tests := []struct {
		name string
		opt  taskwait.Option
	}{
		{"WithInterval", every(math.MaxInt64)},
		{"WithInitialDelay", taskwait.WithInitialDelay(math.MaxInt64)},
		{"WithBackOff", taskwait.WithBackOff(longest)},
	}
	for _, tt := range tests {
		for _, way := range waitOne {
			virtually(t, tt.name+"/"+way.name, func(t *testing.T) {
				s, begun := newService(t), time.Now()
				id := s.add("task", 1, always(time.Hour))[0]
				_, err := way.wait(cancelled(t, end), newWaiter(t, s, tt.opt, unlessSpinning(t)), id)
				if took := time.Since(begun); !errors.Is(err, context.Canceled) || took != end {
					t.Errorf("got %v after %v, want context.Canceled after %v", err, took, end)
				}
				if n := len(s.asked(false)); n > 1 {
					t.Errorf("got %d polls, want 1 at most", n)
				}
			})
		}
	}
}

// TestLongestRetryAfter: a wish of the service near the longest duration is honoured up to its cap.
func TestLongestRetryAfter(t *testing.T) {
	const longest = 5 * time.Minute
	for _, way := range waitOne {
		virtually(t, way.name, func(t *testing.T) {
			s, begun := newService(t), time.Now()
			s.fault = func(_ context.Context, r request) error {
				if r.n == 1 {
					return throttled(math.MaxInt64)
				}
				return nil
			}
			id := s.add("task", 1, always(0))[0]
			_, err := way.wait(within(t, time.Hour), newWaiter(t, s, unlessSpinning(t)), id)
			took := time.Since(begun)
			if err != nil || took < longest || took > 2*longest {
				t.Errorf("got %v after %v, want success some time after %v", err, took, longest)
			}
		})
	}
}

// TestLongestTimeoutOfDo: with the longest timeout the task of an operation is still looked for where it is not known
// whether it was started.
func TestLongestTimeoutOfDo(t *testing.T) {
	for _, d := range []time.Duration{0, time.Hour, math.MaxInt64 - time.Second, math.MaxInt64} {
		synctest.Test(t, func(t *testing.T) {
			found := taskwait.Task{ID: "id", Status: taskwait.StatusExecuting}
			find := func(context.Context, taskwait.Attempt) ([]taskwait.Task, error) { return []taskwait.Task{found}, nil }
			op := taskwait.Operation{Name: "resize", Find: find, Start: func(context.Context, taskwait.Attempt) (string, error) {
				return "", errors.New("connection reset")
			}}
			_, err := newWaiter(t, newService(t), taskwait.WithTimeout(d)).Do(within(t, time.Hour), op)
			e := asWaitError(t, err)
			if !errors.Is(err, taskwait.ErrOutcomeUnknown) || len(e.Candidates) != 1 {
				t.Errorf("WithTimeout(%v): got %v, candidates %v, want ErrOutcomeUnknown and 1", d, err, e.Candidates)
			}
		})
	}
}
