package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// allowance is how long after the timeout a wait may go on with its final polls.
const allowance = 5 * time.Second

// TestFinalPollOfMany: many tasks end just before the one instant at which all their waits time out, under a quota
// that cannot answer for all at once. The final polls are spread over the allowance, and repeated while they are
// throttled. What cannot be known then says so.
func TestFinalPollOfMany(t *testing.T) {
	const quota = 10
	tests := []struct {
		name    string
		tasks   int
		timeout time.Duration
		list    bool
		limiter bool
		right   int // how many must be known to have succeeded
	}{
		{"300 tasks, a list", 300, 2 * time.Minute, true, false, 300},
		{"300 tasks, a list and a limiter", 300, 2 * time.Minute, true, true, 300},
		{"300 tasks", 300, 2 * time.Minute, false, false, 40},
		{"300 tasks, a limiter", 300, 2 * time.Minute, false, true, 40},
		{"20 tasks, a list", 20, 6 * time.Second, true, false, 20},
		{"20 tasks, a list and a limiter", 20, 6 * time.Second, true, true, 20},
		{"20 tasks", 20, 6 * time.Second, false, false, 20},
		{"20 tasks, a limiter", 20, 6 * time.Second, false, true, 20},
	}
	for _, tt := range tests {
		for _, way := range ways {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				s := newService(t)
				s.quota = quota
				ids := s.add("task", tt.tasks, always(tt.timeout-200*time.Millisecond))
				opts := []taskwait.Option{taskwait.WithTimeout(tt.timeout)}
				if tt.limiter {
					opts = append(opts, limit(quota))
				}
				got := way.wait(t.Context(), newWaiter(t, s.source(tt.list), opts...), ids)
				right := checkFinalPolls(t, got, ids, tt.timeout+allowance)
				if right < tt.right {
					t.Errorf("got %d of %d right, want at least %d", right, len(ids), tt.right)
				}
				if tt.limiter && s.refused > 0 {
					t.Errorf("got %d requests beyond the quota, want none behind a limiter", s.refused)
				}
			})
		}
	}
}

// checkFinalPolls counts the tasks that are known to have succeeded. All have: of the others it must not be known
// whether they have finished.
func checkFinalPolls(t *testing.T, got map[string]result, ids []string, most time.Duration) (right int) {
	t.Helper()
	silent, late := 0, 0
	for _, id := range ids {
		r := got[id]
		switch {
		case r.err == nil:
			right++
		case !unknownOutcome(r.err):
			if silent++; silent <= 3 {
				t.Errorf("%s: got %v, want ErrTimeout that says it is not known whether it finished", id, r.err)
			}
		}
		if r.after > most {
			if late++; late <= 3 {
				t.Errorf("%s: ended after %v, want at most %v", id, r.after, most)
			}
		}
	}
	if silent+late > 0 {
		t.Errorf("got %d of %d that do not say so, and %d late, want 0", silent, len(ids), late)
	}
	return right
}

// waitOne are the ways to wait for one task.
var waitOne = []struct {
	name string
	wait func(ctx context.Context, w *taskwait.Waiter, id string, opts ...taskwait.Option) (taskwait.Task, error)
}{
	{"WaitForTask", func(
		ctx context.Context, w *taskwait.Waiter, id string, opts ...taskwait.Option,
	) (taskwait.Task, error) {
		return w.WaitForTask(ctx, id, opts...)
	}},
	{"WaitForTasks", func(
		ctx context.Context, w *taskwait.Waiter, id string, opts ...taskwait.Option,
	) (taskwait.Task, error) {
		for task, err := range w.WaitForTasks(ctx, []string{id}, opts...) {
			return task, err
		}
		return taskwait.Task{}, errors.New("no result")
	}},
	{"Do", func(
		ctx context.Context, w *taskwait.Waiter, id string, opts ...taskwait.Option,
	) (taskwait.Task, error) {
		return w.Do(ctx, operation(id), opts...)
	}},
}

// TestFinalPollInTrouble: a final poll that brings no answer is repeated within the allowance, and no more than then.
func TestFinalPollInTrouble(t *testing.T) {
	const timeout = 10 * time.Minute
	first := func(err error) func(int, time.Duration) error { // the first final poll fails
		return func(n int, _ time.Duration) error {
			if n == 1 {
				return err
			}
			return nil
		}
	}
	during := func(d time.Duration, err error) func(int, time.Duration) error { // those that begin before d fail
		return func(_ int, since time.Duration) error {
			if since < d {
				return err
			}
			return nil
		}
	}
	tests := []struct {
		name  string
		fault func(n int, since time.Duration) error // of the n-th final poll, which began this long after the timeout
		known bool
	}{
		{"429 at that instant", first(throttled(0)), true},
		{"429 at that instant, come again in a second", first(throttled(time.Second)), true},
		{"429 at that instant, come again in a minute", first(throttled(time.Minute)), true},
		{"503 at that instant", first(unavailable()), true},
		{"503 at that instant, come again in a minute", first(&taskwait.QueryError{RetryAfter: time.Minute}), true},
		{"a plain error at that instant", first(errors.New("connection reset")), true},
		{"429 for two seconds", during(2*time.Second, throttled(time.Second)), true},
		{"503 for three seconds", during(3*time.Second, unavailable()), true},
		{"429 to the end", during(time.Hour, throttled(0)), false},
		{"503 to the end", during(time.Hour, unavailable()), false},
	}
	for _, tt := range tests {
		for _, way := range waitOne {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				s, begun, final := newService(t), time.Now(), 0
				s.latency = time.Nanosecond // so that no poll is in flight at the timeout
				s.fault = func(_ context.Context, r request) error {
					since := r.at.Sub(begun) - timeout
					if since < 0 {
						return nil
					}
					final++
					return tt.fault(final, since)
				}
				id := s.add("task", 1, always(timeout+10*time.Millisecond))[0] // ends between the two
				_, err := way.wait(t.Context(), newWaiter(t, s, taskwait.WithTimeout(timeout)), id)
				took := time.Since(begun)
				if took < timeout || took > timeout+allowance {
					t.Errorf("ended after %v, want within %v of %v", took, allowance, timeout)
				}
				switch {
				case tt.known && err != nil:
					t.Errorf("got %v after %d final polls, want success", err, final)
				case !tt.known && (err == nil || !unknownOutcome(err)):
					t.Errorf("got %v, want ErrTimeout that says it is not known whether it finished", err)
				}
				if final < 2 || final > 20 {
					t.Errorf("got %d final polls, want 2 to 20", final)
				}
			})
		}
	}
}

// TestFinalPollAnswered: the answer for the task is the last word, and is not asked for again.
func TestFinalPollAnswered(t *testing.T) {
	const timeout = 10 * time.Minute
	for _, way := range waitOne {
		virtually(t, way.name, func(t *testing.T) {
			s, begun := newService(t), time.Now()
			s.latency = time.Nanosecond // so that no poll is in flight at the timeout
			id := s.add("task", 1, always(timeout+time.Second))[0]
			_, err := way.wait(t.Context(), newWaiter(t, s, taskwait.WithTimeout(timeout)), id)
			want := timeout + s.latency
			if took := time.Since(begun); !errors.Is(err, taskwait.ErrTimeout) || took != want {
				t.Errorf("got %v after %v, want ErrTimeout after %v", err, took, want)
			}
			if err != nil && strings.Contains(err.Error(), "not known") {
				t.Errorf("got %v, but the final poll was answered", err)
			}
		})
	}
}

// TestFinalPollWithSlowAnswers: a task that had ended by the timeout is not reported as timed out if its service
// answers within the allowance. If it takes longer, the error says that it is not known whether the task has finished.
func TestFinalPollWithSlowAnswers(t *testing.T) {
	const timeout = time.Minute
	for _, latency := range []time.Duration{2 * time.Second, 4 * time.Second, 6 * time.Second, 20 * time.Second} {
		for _, way := range waitOne {
			virtually(t, fmt.Sprintf("%s/answers take %v", way.name, latency), func(t *testing.T) {
				s, begun := newService(t), time.Now()
				s.latency = latency
				id := s.add("task", 1, always(timeout-10*time.Millisecond))[0]
				_, err := way.wait(t.Context(), newWaiter(t, s, taskwait.WithTimeout(timeout)), id)
				if took := time.Since(begun); took > timeout+allowance {
					t.Errorf("ended after %v, want at most %v", took, timeout+allowance)
				}
				switch {
				case latency < allowance && err != nil:
					t.Errorf("got %v, want success", err)
				case err != nil && !unknownOutcome(err):
					t.Errorf("got %v, want ErrTimeout that says it is not known whether it finished", err)
				}
			})
		}
	}
}

// runs is a service whose tasks end a moment before the run timeout: each is queued for a while, and its run begins
// with the first answer that says so.
type runs struct {
	*service
	mu    sync.Mutex
	begun map[string]time.Time // when the first answer came that was not CREATED
}

// newRuns makes n tasks. The one after another is queued for longer by step.
func newRuns(t *testing.T, n int, step, run time.Duration) (r *runs, ids []string) {
	t.Helper()
	r = &runs{service: newService(t), begun: map[string]time.Time{}}
	ids = r.add("task", n, func(i int) time.Duration { return time.Duration(i) * step }) // leaves the queue then
	r.state = func(id string, at time.Time) taskwait.Status {
		r.mu.Lock()
		defer r.mu.Unlock()
		begun, runs := r.begun[id]
		switch {
		case at.Before(r.ends[id]):
			return taskwait.StatusCreated
		case !runs:
			r.begun[id] = at
		case !at.Before(begun.Add(run - 200*time.Millisecond)):
			return taskwait.StatusSuccess
		}
		return taskwait.StatusExecuting
	}
	return r, ids
}

// end is when the run timeout of a task passes, if its run has begun.
func (r *runs) end(id string, run time.Duration) (end time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	begun, ok := r.begun[id]
	return begun.Add(run), ok
}

// check reports an error for each task whose wait has not ended by the allowance after its run timeout, or whose error
// is not what right accepts.
func (r *runs) check(t *testing.T, got map[string]result, start time.Time, run time.Duration, right func(error) bool) {
	t.Helper()
	for id, end := range r.begun {
		late := start.Add(got[id].after).Sub(end.Add(run))
		if late > allowance || !right(got[id].err) {
			t.Errorf("%s: %v, %v after the run timeout, want it by %v", id, got[id].err, late, allowance)
		}
	}
	if len(r.begun) != len(got) {
		t.Errorf("%d of %d tasks have run", len(r.begun), len(got))
	}
}

func isNil(err error) bool { return err == nil }

// TestFinalPollsOfRuns: each task's run has a final poll of its own, which comes before the polls of the others.
func TestFinalPollsOfRuns(t *testing.T) {
	const run = 30 * time.Second
	for _, tt := range []struct {
		name          string
		list, limiter bool
	}{{"alone", false, false}, {"limiter", false, true}, {"list", true, false}, {"list and limiter", true, true}} {
		for _, way := range ways {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				r, ids := newRuns(t, 100, 250*time.Millisecond, run)
				opts := []taskwait.Option{taskwait.WithRunTimeout(run), every(2 * time.Second)}
				if tt.limiter {
					opts = append(opts, limit(10))
				}
				start := time.Now()
				got := way.wait(t.Context(), newWaiter(t, r.source(tt.list), opts...), ids)
				r.check(t, got, start, run, isNil)
			})
		}
	}
}

// TestHungPollAtTheEndOfRun: a query that hangs when the run timeout passes is cancelled in time for the final poll.
// One that ignores that ends the wait without it.
func TestHungPollAtTheEndOfRun(t *testing.T) {
	const run = 12 * time.Second
	for _, honours := range []bool{true, false} {
		for _, way := range ways {
			virtually(t, fmt.Sprint(way.name, "/honours its context: ", honours), func(t *testing.T) {
				r, ids := newRuns(t, 8, 700*time.Millisecond, run)
				r.fault = func(ctx context.Context, q request) error {
					if end, runs := r.end(q.id, run); runs && q.at.Before(end) && q.at.After(end.Add(-3*time.Second)) {
						return r.hang(ctx, honours)
					}
					return nil
				}
				right := isNil
				if !honours {
					right = func(err error) bool { return err != nil && unknownOutcome(err) }
				}
				start := time.Now()
				got := way.wait(t.Context(), newWaiter(t, r, taskwait.WithRunTimeout(run), every(5*time.Second)), ids)
				r.check(t, got, start, run, right)
			})
		}
	}
}

// TestRunTimeoutAfterTimeout: the earlier one of the two bounds ends a wait, each for its task.
func TestRunTimeoutAfterTimeout(t *testing.T) {
	const timeout, run, step = 20 * time.Second, 15 * time.Second, 2 * time.Second
	for _, way := range ways {
		virtually(t, way.name, func(t *testing.T) {
			s := newService(t)
			ids := s.add("task", 8, func(i int) time.Duration { return time.Duration(i) * step })
			s.latency = 0
			s.state = func(id string, at time.Time) taskwait.Status {
				if at.Before(s.ends[id]) {
					return taskwait.StatusCreated
				}
				return taskwait.StatusExecuting
			}
			got := way.wait(t.Context(), newWaiter(t, s, every(step), taskwait.WithTimeout(timeout),
				taskwait.WithRunTimeout(run)), ids)
			for i, id := range ids {
				want := min(timeout, time.Duration(i)*step+run)
				if r := got[id]; !errors.Is(r.err, taskwait.ErrTimeout) || r.after != want {
					t.Errorf("%s: got %v after %v, want ErrTimeout after %v", id, r.err, r.after, want)
				}
			}
		})
	}
}
