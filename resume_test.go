package taskwait_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
)

// clock is a Source whose answer depends on the time since it was made. It counts the polls.
type clock struct {
	start  time.Time
	takes  time.Duration
	answer func(at time.Duration) (taskwait.Task, error)

	mu    sync.Mutex
	polls []time.Duration
}

func newClock(answer func(at time.Duration) (taskwait.Task, error)) *clock {
	return &clock{start: time.Now(), answer: answer}
}

func (c *clock) Task(ctx context.Context, _ string) (taskwait.Task, error) {
	c.mu.Lock()
	c.polls = append(c.polls, time.Since(c.start))
	c.mu.Unlock()
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return taskwait.Task{}, ctx.Err()
	}
	return c.answer(time.Since(c.start))
}

// polled is how many polls there were since the last call.
func (c *clock) polled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.polls)
	c.polls = nil
	return n
}

// becomes is a task that runs until an instant, and then has a status.
func becomes(status taskwait.Status, after time.Duration) func(time.Duration) (taskwait.Task, error) {
	return func(at time.Duration) (taskwait.Task, error) {
		if at < after {
			return taskwait.Task{Status: taskwait.StatusExecuting}, nil
		}
		return taskwait.Task{Status: status}, nil
	}
}

// breaks is a task that runs until an instant, from which on there are only errors.
func breaks(err error, after time.Duration) func(time.Duration) (taskwait.Task, error) {
	return func(at time.Duration) (taskwait.Task, error) {
		if at < after {
			return taskwait.Task{Status: taskwait.StatusExecuting}, nil
		}
		return taskwait.Task{}, err
	}
}

func inJSON(t *testing.T, w *taskwait.Wait) string {
	t.Helper()
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// throughJSON is a wait as another process gets it.
func throughJSON(t *testing.T, w *taskwait.Wait) *taskwait.Wait {
	t.Helper()
	back, err := stored(w)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// poll is one Poll that must not end the wait.
func poll(t *testing.T, w *taskwait.Waiter, wait *taskwait.Wait, opts ...taskwait.Option) taskwait.Progress {
	t.Helper()
	p, err := w.Poll(t.Context(), wait, opts...)
	if err != nil || p.Done {
		t.Fatalf("got %v, done %v, want a wait that goes on", err, p.Done)
	}
	return p
}

// endings are the ways in which a wait can end, with a fixed pause of ten seconds.
var endings = []struct {
	name   string
	answer func(time.Duration) (taskwait.Task, error)
	opts   []taskwait.Option
	want   error
	at     time.Duration // of a wait that was never cut
}{
	{"success", becomes(taskwait.StatusSuccess, 95*time.Second), nil, nil, 100 * time.Second},
	{"failure", becomes(taskwait.StatusFailed, 95*time.Second), nil, taskwait.ErrTaskFailed, 100 * time.Second},
	{"deleted", becomes(taskwait.StatusDeleted, 95*time.Second), nil, taskwait.ErrTaskDeleted, 100 * time.Second},
	{"cancelled", becomes(taskwait.StatusCancelled, 95*time.Second), nil, taskwait.ErrTaskCancelled, 100 * time.Second},
	{"confirmed", becomes(taskwait.StatusSuccess, 75*time.Second), []taskwait.Option{confirmations(3)}, nil,
		100 * time.Second},
	{"timeout", becomes(taskwait.StatusSuccess, time.Hour), []taskwait.Option{taskwait.WithTimeout(95 * time.Second)},
		taskwait.ErrTimeout, 95 * time.Second},
	{"success at the timeout", becomes(taskwait.StatusSuccess, 95*time.Second),
		[]taskwait.Option{taskwait.WithTimeout(95 * time.Second)}, nil, 95 * time.Second},
	{"unconfirmed at the timeout", becomes(taskwait.StatusSuccess, 85*time.Second),
		[]taskwait.Option{taskwait.WithTimeout(95 * time.Second), confirmations(9)}, nil, 95 * time.Second},
	{"run timeout", becomes(taskwait.StatusSuccess, time.Hour),
		[]taskwait.Option{taskwait.WithRunTimeout(95 * time.Second)}, taskwait.ErrTimeout, 95 * time.Second},
	{"stalled", becomes(taskwait.StatusSuccess, time.Hour),
		[]taskwait.Option{taskwait.WithStallTimeout(100 * time.Second)}, taskwait.ErrStalled, 100 * time.Second},
	{"errors", breaks(unavailable(), 15*time.Second),
		[]taskwait.Option{taskwait.WithErrorTolerance(80 * time.Second)}, taskwait.ErrQuery, 100 * time.Second},
	{"not found", breaks(taskwait.NotFound(nil), 15*time.Second),
		[]taskwait.Option{taskwait.WithNotFoundGrace(80 * time.Second)}, taskwait.ErrTaskNotFound, 100 * time.Second},
	{"refused", breaks(taskwait.Permanent(errors.New("no such route")), 95*time.Second), nil, taskwait.ErrQuery,
		100 * time.Second},
	{"the schedule ends", becomes(taskwait.StatusSuccess, time.Hour), []taskwait.Option{
		taskwait.WithBackOff(func() backoff.BackOff {
			return backoff.WithMaxRetries(backoff.NewConstantBackOff(10*time.Second), 10)
		}),
	}, taskwait.ErrBackOffStopped, 100 * time.Second},
	{"it never leaves its phase", becomes(taskwait.StatusSuccess, 0), []taskwait.Option{
		taskwait.WithStalePhase("SUCCESS"), taskwait.WithTimeout(95 * time.Second),
	}, taskwait.ErrTimeout, 95 * time.Second},
}

// cuts are the ways to interrupt a wait at an instant, and to go on with it.
var cuts = []struct {
	name string
	wait func(t *testing.T, w *taskwait.Waiter, at time.Duration) (taskwait.Task, error)
}{
	{"Resume after Resume", func(t *testing.T, w *taskwait.Waiter, at time.Duration) (taskwait.Task, error) {
		wait := &taskwait.Wait{ID: "id"}
		if task, err, over := resumeUntil(t, w, wait, at); over {
			return task, err
		}
		return w.Resume(t.Context(), throughJSON(t, wait))
	}},
	{"Resume after WaitForTask", func(t *testing.T, w *taskwait.Waiter, at time.Duration) (taskwait.Task, error) {
		task, err := w.WaitForTask(within(t, at), "id")
		var e *taskwait.WaitError
		if !errors.As(err, &e) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, taskwait.ErrTimeout) {
			return task, err
		}
		return w.Resume(t.Context(), throughJSON(t, e.Wait))
	}},
	{"Poll after Resume", func(t *testing.T, w *taskwait.Waiter, at time.Duration) (taskwait.Task, error) {
		wait := &taskwait.Wait{ID: "id"}
		if task, err, over := resumeUntil(t, w, wait, at); over {
			return task, err
		}
		p, err := pollUntil(t, w, throughJSON(t, wait), time.Hour)
		return p.Task, err
	}},
	{"Resume after Poll", func(t *testing.T, w *taskwait.Waiter, at time.Duration) (taskwait.Task, error) {
		wait := &taskwait.Wait{ID: "id"}
		if p, err := pollUntil(t, w, wait, at); p.Done {
			return p.Task, err
		}
		return w.Resume(t.Context(), throughJSON(t, wait))
	}},
	{"all in turn", func(t *testing.T, w *taskwait.Waiter, at time.Duration) (taskwait.Task, error) {
		wait := &taskwait.Wait{ID: "id"}
		for {
			if p, err := pollUntil(t, w, wait, at); p.Done {
				return p.Task, err
			}
			wait = throughJSON(t, wait)
			if task, err, over := resumeUntil(t, w, wait, at); over {
				return task, err
			}
			wait, at = throughJSON(t, wait), 17*time.Second+1 // or nothing would ever come of it
		}
	}},
}

// resumeUntil resumes a wait for a time. over: it has ended.
//
//nolint:revive // a test reads best so
func resumeUntil(
	t *testing.T, w *taskwait.Waiter, wait *taskwait.Wait, d time.Duration,
) (task taskwait.Task, err error, over bool) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer time.AfterFunc(d, cancel).Stop()
	task, err = w.Resume(ctx, wait)
	var e *taskwait.WaitError
	if errors.As(err, &e) && e.Wait != wait {
		t.Errorf("got the Wait %p in the error, want the one that was given, %p", e.Wait, wait)
	}
	return task, err, !errors.Is(err, context.Canceled)
}

// pollUntil polls a wait, whenever it is due, for a time.
func pollUntil(
	t *testing.T, w *taskwait.Waiter, wait *taskwait.Wait, d time.Duration,
) (taskwait.Progress, error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer time.AfterFunc(d, cancel).Stop()
	for {
		before := inJSON(t, wait)
		p, err := w.Poll(ctx, wait)
		switch {
		case p.Done:
			return p, err
		case err != nil:
			if after := inJSON(t, wait); after != before || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v and the Wait\n%s, want it as it was:\n%s", err, after, before)
			}
			return p, err
		}
		select {
		case <-ctx.Done():
			return p, err
		case <-time.After(p.Next):
		}
	}
}

// TestCut: a wait that is cut at any place, stored, and gone on with ends like one that was never cut: at the same
// instant, but for what a poll that was cut costs.
func TestCut(t *testing.T) {
	for _, e := range endings {
		for _, c := range cuts {
			virtually(t, e.name+"/"+c.name, func(t *testing.T) {
				const takes = 2 * time.Second
				for _, at := range []time.Duration{
					1, time.Second, 2*time.Second - 1, 2*time.Second + 1, 5 * time.Second, 12 * time.Second, 13 * time.Second,
					47 * time.Second, 60*time.Second + 1, 89 * time.Second, 94 * time.Second, 95*time.Second - 1, 95*time.Second + 1,
					96 * time.Second, 99 * time.Second, 101 * time.Second,
				} {
					src := newClock(e.answer)
					src.takes = takes
					w := newWaiter(t, src, append(e.opts, every(10*time.Second))...)
					begun := time.Now()
					task, err := c.wait(t, w, at)
					took := time.Since(begun)
					if !errors.Is(err, e.want) || (err == nil) != (e.want == nil) || err == nil && !task.Status.Succeeded() {
						t.Errorf("cut after %v: got %v and %v, want %v", at, task, err, e.want)
					}
					if took < e.at-10*time.Second || took > e.at+40*time.Second {
						t.Errorf("cut after %v: it took %v, want about %v", at, took, e.at)
					}
				}
			})
		}
	}
}

// TestCutBetweenPolls: cut and gone on with between two polls, a wait polls at the same instants as one that was not.
func TestCutBetweenPolls(t *testing.T) {
	for _, e := range endings {
		for _, c := range cuts {
			virtually(t, e.name+"/"+c.name, func(t *testing.T) {
				var want string
				for _, at := range []time.Duration{0, 3 * time.Second, 33 * time.Second, 94*time.Second + 1} {
					src := newClock(e.answer)
					w := newWaiter(t, src, append(e.opts, every(10*time.Second))...)
					var err error
					if at == 0 {
						_, err = w.WaitForTask(t.Context(), "id")
					} else {
						_, err = c.wait(t, w, at)
					}
					text, _, _ := strings.Cut(fmt.Sprint(err), ", last: ")
					got := fmt.Sprint(src.polls, time.Since(src.start), text)
					if at == 0 {
						want = got
					}
					deadlinePoll := c.name == "Resume after WaitForTask" // it has a deadline, before which there is a poll
					if got != want && !deadlinePoll {
						t.Errorf("cut after %v: got\n%s, want\n%s", at, got, want)
					}
				}
			})
		}
	}
}

// TestBudgetSurvives: a budget of ten minutes holds over a crash at minute seven, however long the process was away.
func TestBudgetSurvives(t *testing.T) {
	const timeout = 10 * time.Minute
	for _, tt := range []struct {
		name string
		away time.Duration
		want time.Duration
	}{
		{"at once", 0, timeout},
		{"two minutes later", 2 * time.Minute, timeout},
		{"at its very end", 3 * time.Minute, timeout},
		{"long after", time.Hour, 7*time.Minute + time.Hour},
	} {
		virtually(t, tt.name, func(t *testing.T) {
			src := newClock(becomes(taskwait.StatusSuccess, 24*time.Hour))
			w := newWaiter(t, src, taskwait.WithTimeout(timeout), every(30*time.Second))
			wait := &taskwait.Wait{ID: "id"}
			if _, err, over := resumeUntil(t, w, wait, 7*time.Minute-time.Second); over {
				t.Fatal(err)
			}
			back := inJSON(t, wait)
			time.Sleep(time.Second + tt.away)
			wait = &taskwait.Wait{}
			if err := json.Unmarshal([]byte(back), wait); err != nil {
				t.Fatal(err)
			}
			src.polled()
			_, err := w.Resume(t.Context(), wait)
			if took := time.Since(src.start); !errors.Is(err, taskwait.ErrTimeout) || took != tt.want {
				t.Errorf("got %v after %v, want ErrTimeout after %v", err, took, tt.want)
			}
			if last := src.polls[len(src.polls)-1]; last != tt.want {
				t.Errorf("got the last poll at %v, want it at %v", last, tt.want)
			}
		})
	}
}

// TestAwayPastTheTimeout: one final poll is made when a process comes back after the end of its budget. It counts, and
// it is repeated for as long as any while it is throttled.
func TestAwayPastTheTimeout(t *testing.T) {
	resume := func(ctx context.Context, w *taskwait.Waiter, wait *taskwait.Wait) error {
		_, err := w.Resume(ctx, wait)
		return err
	}
	polls := func(ctx context.Context, w *taskwait.Waiter, wait *taskwait.Wait) error {
		for {
			p, err := w.Poll(ctx, wait)
			if p.Done || err != nil {
				return err
			}
			time.Sleep(p.Next)
		}
	}
	for _, way := range []struct {
		name string
		wait func(context.Context, *taskwait.Waiter, *taskwait.Wait) error
	}{{"Resume", resume}, {"Poll", polls}} {
		for _, tt := range []struct {
			name        string
			answer      func(time.Duration) (taskwait.Task, error)
			want        error
			least, most int
		}{
			{"it has succeeded", becomes(taskwait.StatusSuccess, time.Minute), nil, 1, 1},
			{"it has failed", becomes(taskwait.StatusFailed, time.Minute), taskwait.ErrTaskFailed, 1, 1},
			{"it runs", becomes(taskwait.StatusFailed, 48*time.Hour), taskwait.ErrTimeout, 1, 1},
			{"throttled for three seconds", func(at time.Duration) (taskwait.Task, error) {
				if at >= 24*time.Hour && at < 24*time.Hour+3*time.Second {
					return taskwait.Task{}, throttled(time.Minute)
				}
				return becomes(taskwait.StatusSuccess, time.Minute)(at)
			}, nil, 4, 8},
			{"throttled for ever", breaks(throttled(time.Minute), time.Minute), taskwait.ErrTimeout, 5, 10},
		} {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				src := newClock(tt.answer)
				w := newWaiter(t, src, taskwait.WithTimeout(10*time.Minute), every(30*time.Second))
				wait := &taskwait.Wait{ID: "id"}
				poll(t, w, wait)
				wait = throughJSON(t, wait)
				time.Sleep(24 * time.Hour)
				src.polled()
				begun := time.Now()
				err := way.wait(t.Context(), w, wait)
				if n := src.polled(); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || n < tt.least || n > tt.most {
					t.Errorf("got %v after %d polls, want %v after %d to %d", err, n, tt.want, tt.least, tt.most)
				}
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("it took %v, want at most 5s", took)
				}
			})
		}
	}
}

// TestMoreTime: a wait that has timed out goes on where it is given more time, and with less it ends.
func TestMoreTime(t *testing.T) {
	virtually(t, "more", func(t *testing.T) {
		src := newClock(becomes(taskwait.StatusSuccess, 25*time.Minute))
		w := newWaiter(t, src, every(30*time.Second))
		wait := &taskwait.Wait{ID: "id"}
		if _, err := w.Resume(t.Context(), wait, taskwait.WithTimeout(10*time.Minute)); !errors.Is(err, taskwait.ErrTimeout) {
			t.Fatalf("got %v, want ErrTimeout", err)
		}
		wait = throughJSON(t, wait)
		_, err := w.Resume(t.Context(), wait, taskwait.WithTimeout(20*time.Minute))
		if took := time.Since(src.start); !errors.Is(err, taskwait.ErrTimeout) || took != 20*time.Minute {
			t.Fatalf("got %v after %v, want ErrTimeout after 20m", err, took)
		}
		p, err := pollUntil(t, w, throughJSON(t, wait), time.Hour)
		if err != nil || p.Task.Status != taskwait.StatusSuccess || p.Elapsed != 25*time.Minute {
			t.Errorf("got %v and %v after %v, want SUCCESS after 25m", p.Task, err, p.Elapsed)
		}
	})
	virtually(t, "less", func(t *testing.T) {
		src := newClock(func(at time.Duration) (taskwait.Task, error) {
			if at > time.Second && at < 103*time.Second {
				return taskwait.Task{}, throttled(0)
			}
			return taskwait.Task{Status: taskwait.StatusExecuting}, nil
		})
		w := newWaiter(t, src, every(time.Hour))
		wait := &taskwait.Wait{ID: "id"}
		poll(t, w, wait)
		time.Sleep(100 * time.Second)
		_, err := w.Resume(t.Context(), throughJSON(t, wait), taskwait.WithTimeout(time.Minute))
		var e *taskwait.WaitError
		if took := time.Since(src.start); !errors.As(err, &e) || !errors.Is(err, taskwait.ErrTimeout) || e.FinalPollFailed ||
			took > 105*time.Second {
			t.Errorf("got %v after %v, want ErrTimeout by a final poll that was answered at last", err, took)
		}
	})
}

// TestEndedWait: a wait whose task has ended says so again, without a query, and does not change.
func TestEndedWait(t *testing.T) {
	for _, e := range endings[:5] {
		virtually(t, e.name, func(t *testing.T) {
			src := newClock(e.answer)
			history := &schedule.History{}
			w := newWaiter(t, src, append(e.opts, every(10*time.Second), taskwait.WithHistory(history))...)
			wait := &taskwait.Wait{ID: "id"}
			p, want := pollUntil(t, w, wait, time.Hour)
			if !errors.Is(want, e.want) || p.Outcome != want || p.Wait != wait {
				t.Fatalf("got %v, %v, want %v", want, p.Outcome, e.want)
			}
			learned, bytes := fmt.Sprint(history), inJSON(t, wait)
			src.polled()
			time.Sleep(time.Hour)
			for range 3 {
				wait = throughJSON(t, wait)
				var told []taskwait.Progress
				again, err := w.Poll(t.Context(), wait, taskwait.WithProgress(func(p taskwait.Progress) { told = append(told, p) }))
				if text(err) != text(want) || !again.Done || again.Elapsed != p.Elapsed || again.Task.String() != p.Task.String() {
					t.Errorf("Poll: got %v, %v after %v, want %v, %v after %v", again.Task, err, again.Elapsed, p.Task, want,
						p.Elapsed)
				}
				if len(told) != 1 || !told[0].Done || text(told[0].Outcome) != text(want) || told[0].Wait != wait {
					t.Errorf("got the progress %v, want the outcome", told)
				}
				task, err := w.Resume(t.Context(), wait)
				if text(err) != text(want) || task.String() != p.Task.String() {
					t.Errorf("Resume: got %v, %v, want %v, %v", task, err, p.Task, want)
				}
				if got := inJSON(t, wait); got != bytes {
					t.Errorf("got the Wait\n%s, want\n%s", got, bytes)
				}
			}
			if n := src.polled(); n > 0 {
				t.Errorf("got %d polls, want none", n)
			}
			if got := fmt.Sprint(history); got != learned {
				t.Errorf("got %v learned, want %v", got, learned)
			}
		})
	}
}

func text(err error) string {
	s, _, _ := strings.Cut(fmt.Sprint(err), ", last: ")
	return s
}

// TestLatePoll: where nobody polled for long, no error has lasted for long.
func TestLatePoll(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"errors", unavailable(), taskwait.ErrQuery},
		{"not found", taskwait.NotFound(nil), taskwait.ErrTaskNotFound},
		{"refused", &taskwait.QueryError{
			Class: taskwait.ClassPermanent, StatusCode: 403, Err: errors.New("no permission"),
		}, taskwait.ErrQuery},
	} {
		virtually(t, tt.name, func(t *testing.T) {
			src := newClock(breaks(tt.err, time.Second))
			w := newWaiter(t, src, every(time.Second), taskwait.WithErrorTolerance(time.Minute))
			wait := &taskwait.Wait{ID: "id"}
			poll(t, w, wait)
			for range 5 { // half a minute of trouble in all, in ten hours
				for range 5 {
					time.Sleep(time.Second)
					poll(t, w, wait)
				}
				wait = throughJSON(t, wait)
				time.Sleep(2 * time.Hour)
			}
			begun := time.Now()
			_, err := w.Resume(t.Context(), wait)
			if took := time.Since(begun); !errors.Is(err, tt.want) || took < 30*time.Second || took > 45*time.Second {
				t.Errorf("got %v after %v, want %v after the rest of a minute", err, took, tt.want)
			}
		})
	}
}

// TestHeldPollCountsNoTimeTwice: a Poll that comes late and is held off, often, lengthens no run of errors beyond what
// was late, and what it stores can be read.
func TestHeldPollCountsNoTimeTwice(t *testing.T) {
	virtually(t, "", func(t *testing.T) {
		src := newClock(func(time.Duration) (taskwait.Task, error) { return taskwait.Task{}, taskwait.NotFound(nil) })
		limiter := taskwait.NewLimiter(nil)
		opts := []taskwait.Option{every(5 * time.Second), taskwait.WithNotFoundGrace(12 * time.Second)}
		w := newWaiter(t, src, opts...)
		wait := &taskwait.Wait{ID: "id"}
		poll(t, w, wait) // not found, since now
		time.Sleep(3 * time.Second)
		throttledElsewhere := newWaiter(t, taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
			return taskwait.Task{}, throttled(30 * time.Second)
		}), taskwait.WithLimiter(limiter))
		poll(t, throttledElsewhere, &taskwait.Wait{ID: "other"})
		limited := append(opts, taskwait.WithLimiter(limiter))
		for range 25 { // due after 2 s, held off for 30
			time.Sleep(time.Second)
			wait = throughJSON(t, wait)
			if p := poll(t, w, wait, limited...); p.Polls != 1 {
				t.Fatalf("got %d polls, want it to be held off", p.Polls)
			}
		}
		time.Sleep(10 * time.Second) // late by 35 - 2 s
		src.polled()
		_, err := w.Resume(t.Context(), throughJSON(t, wait))
		// Five of the twelve seconds had passed when the poll was due.
		took := time.Since(src.start) - 38*time.Second
		if !errors.Is(err, taskwait.ErrTaskNotFound) || took != 7*time.Second {
			t.Errorf("got %v after %v, want ErrTaskNotFound after 7s", err, took)
		}
	})
}

// TestPollOfCancelledContext: where ctx ends, before or during the query, the Wait is what it was, byte for byte.
func TestPollOfCancelledContext(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		begun bool
	}{
		{"before the first", 0, false}, {"during the first", time.Second, false},
		{"before the second", 0, true}, {"during the second", time.Second, true},
	} {
		for _, told := range []bool{false, true} {
			virtually(t, fmt.Sprint(tt.name, ", with a callback: ", told), func(t *testing.T) {
				src := newClock(becomes(taskwait.StatusSuccess, time.Hour))
				opts := []taskwait.Option{every(10 * time.Second), taskwait.WithTimeout(time.Hour)}
				if told {
					opts = append(opts, taskwait.WithProgress(func(taskwait.Progress) {}))
				}
				w := newWaiter(t, src, opts...)
				wait := &taskwait.Wait{ID: "id"}
				if tt.begun {
					poll(t, w, wait)
					time.Sleep(12 * time.Second)
				}
				src.takes = 5 * time.Second
				before := inJSON(t, wait)
				cause := errors.New("the worker stops")
				ctx, cancel := context.WithCancelCause(t.Context())
				if tt.after == 0 {
					cancel(cause)
				} else {
					time.AfterFunc(tt.after, func() { cancel(cause) })
				}
				begun := time.Now()
				p, err := w.Poll(ctx, wait)
				if took := time.Since(begun); p.Done || took != tt.after || !errors.Is(err, context.Canceled) ||
					!errors.Is(err, cause) {
					t.Errorf("got %v, done %v after %v, want the context's error and cause after %v", err, p.Done, took, tt.after)
				}
				if after := inJSON(t, wait); after != before || p.Wait != wait {
					t.Errorf("got the Wait\n%s, want\n%s", after, before)
				}
			})
		}
	}
}

// TestPollsDeadline: a deadline of ctx bounds the call alone, and brings no poll forward.
func TestPollsDeadline(t *testing.T) {
	virtually(t, "", func(t *testing.T) {
		src := newClock(becomes(taskwait.StatusSuccess, time.Hour))
		w := newWaiter(t, src, every(30*time.Second))
		wait := &taskwait.Wait{ID: "id"}
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			p, err := w.Poll(ctx, wait)
			cancel()
			if err != nil || p.Next != 30*time.Second {
				t.Fatalf("got %v and the next in %v, want it in 30s", err, p.Next)
			}
			time.Sleep(p.Next)
		}
	})
}

// TestEarlyPoll: a Poll that comes early makes no query and says what is left, before and after the timeout.
func TestEarlyPoll(t *testing.T) {
	virtually(t, "before the timeout", func(t *testing.T) {
		src := newClock(becomes(taskwait.StatusSuccess, time.Hour))
		w := newWaiter(t, src, every(10*time.Second), taskwait.WithInitialDelay(3*time.Second),
			taskwait.WithTimeout(time.Minute))
		wait := &taskwait.Wait{ID: "id"}
		if p := poll(t, w, wait); p.Next != 3*time.Second || p.Polls != 0 || p.Task.ID != "id" {
			t.Errorf("got the next in %v after %d polls, want it in 3s", p.Next, p.Polls)
		}
		time.Sleep(time.Second)
		wait = throughJSON(t, wait)
		if p := poll(t, w, wait); p.Next != 2*time.Second || p.Elapsed != time.Second {
			t.Errorf("got the next in %v at %v, want it in 2s at 1s", p.Next, p.Elapsed)
		}
		time.Sleep(2 * time.Second)
		poll(t, w, wait)
		for left := 9 * time.Second; left > 0; left -= time.Second {
			time.Sleep(time.Second)
			wait = throughJSON(t, wait)
			p := poll(t, w, wait)
			if p.Next != left || p.Polls != 1 || p.Changed || p.Err != nil || p.Unchanged != 10*time.Second-left {
				t.Errorf("got %+v, want one poll, nothing new, and %v left", p, left)
			}
		}
		if n := src.polled(); n != 1 {
			t.Errorf("got %d polls, want 1", n)
		}
		time.Sleep(time.Second)
		poll(t, w, wait)
		if n := src.polled(); n != 1 {
			t.Errorf("got %d polls, want 1", n)
		}
	})
	virtually(t, "between two final polls", func(t *testing.T) {
		src := newClock(breaks(throttled(0), 0))
		w := newWaiter(t, src, every(10*time.Second), taskwait.WithTimeout(10*time.Second))
		wait := &taskwait.Wait{ID: "id"}
		poll(t, w, wait)
		time.Sleep(10 * time.Second)
		src.polled()
		for range 40 {
			if _, err := w.Poll(t.Context(), wait); err != nil {
				break
			}
			wait = throughJSON(t, wait)
			time.Sleep(100 * time.Millisecond)
		}
		if n := src.polled(); n > 8 {
			t.Errorf("got %d final polls in four seconds, want at most one each half", n)
		}
	})
}

// TestPollPanics: a panic of the Source comes out of Poll, and the Wait is what it was.
func TestPollPanics(t *testing.T) {
	virtually(t, "", func(t *testing.T) {
		panics := true
		src := newClock(func(time.Duration) (taskwait.Task, error) {
			if panics {
				panic("a bug")
			}
			return taskwait.Task{Status: taskwait.StatusSuccess}, nil
		})
		w := newWaiter(t, src, taskwait.WithProgress(func(taskwait.Progress) {}))
		wait := &taskwait.Wait{ID: "id"}
		before := inJSON(t, wait)
		func() {
			defer func() {
				if v := recover(); !strings.Contains(fmt.Sprint(v), "a bug") {
					t.Errorf("got the panic %v, want that of the Source", v)
				}
			}()
			p, err := w.Poll(t.Context(), wait)
			t.Errorf("got %v, %v, want a panic", p, err)
		}()
		if after := inJSON(t, wait); after != before {
			t.Errorf("got the Wait\n%s, want\n%s", after, before)
		}
		panics = false
		if p, err := w.Poll(t.Context(), wait); err != nil || !p.Done {
			t.Errorf("got %v, want SUCCESS", err)
		}
	})
}

// TestPollRefused: a bad id or option ends no wait, and is said as everywhere.
func TestPollRefused(t *testing.T) {
	src := newClock(becomes(taskwait.StatusSuccess, 0))
	w := newWaiter(t, src)
	for _, tt := range []struct {
		name string
		wait *taskwait.Wait
		opts []taskwait.Option
		want error
	}{
		{"nil", nil, nil, taskwait.ErrInvalidID},
		{"no id", &taskwait.Wait{}, nil, taskwait.ErrInvalidID},
		{"an id that is a path", &taskwait.Wait{ID: "a/b"}, nil, taskwait.ErrInvalidID},
		{"an option", &taskwait.Wait{ID: "id"}, []taskwait.Option{taskwait.WithTimeout(-1)}, taskwait.ErrInvalidOption},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := json.Marshal(tt.wait)
			p, err := w.Poll(t.Context(), tt.wait, tt.opts...)
			_, resumed := w.Resume(t.Context(), tt.wait, tt.opts...)
			for _, err := range []error{err, p.Outcome, resumed} {
				var e *taskwait.WaitError
				if !errors.As(err, &e) || !errors.Is(err, tt.want) || !e.StillRunning() {
					t.Errorf("got %v, want a *WaitError that is %v", err, tt.want)
				}
			}
			if after, _ := json.Marshal(tt.wait); !bytes.Equal(before, after) || p.Wait != tt.wait || !p.Done {
				t.Errorf("got the Wait %s, done %v, want %s as it was", after, p.Done, before)
			}
		})
	}
	//nolint:staticcheck // that it is nil is what is tested
	if p, err := w.Poll(nil, &taskwait.Wait{ID: "id"}); !errors.Is(err, taskwait.ErrInvalidOption) || !p.Done {
		t.Errorf("a nil context: got %v, want ErrInvalidOption", err)
	}
}

// detailed is a clock that is a Detailer.
type detailed struct {
	*clock
	details func(at time.Duration) (taskwait.Task, error)
	asked   []time.Duration
}

func (d *detailed) Details(context.Context, taskwait.Task) (taskwait.Task, error) {
	d.asked = append(d.asked, time.Since(d.start))
	return d.details(time.Since(d.start))
}

// TestPollDetails: Poll asks for details as WaitForTask does, and what they have said survives JSON: a task whose steps
// stay the same stalls.
func TestPollDetails(t *testing.T) {
	percent := 40
	for _, tt := range []struct {
		name    string
		details func(time.Duration) (taskwait.Task, error)
		want    string // of the details, by when they are asked for
	}{
		{"steps that stay the same", func(time.Duration) (taskwait.Task, error) {
			return taskwait.Task{Percent: &percent, Steps: []taskwait.Step{{Name: "copy", Status: "WAITING"}}}, nil
		}, "[0s 10s 20s]"},
		{"steps that change once", func(at time.Duration) (taskwait.Task, error) {
			return taskwait.Task{Steps: []taskwait.Step{{Name: "copy", Status: fmt.Sprint(at > 15*time.Second)}}}, nil
		}, "[0s 10s 20s 30s 40s]"},
		{"there are none", func(time.Duration) (taskwait.Task, error) { return taskwait.Task{}, nil }, "[0s]"},
		{"trouble", func(time.Duration) (taskwait.Task, error) { return taskwait.Task{}, unavailable() }, "[0s 10s 20s]"},
	} {
		virtually(t, tt.name, func(t *testing.T) {
			for _, stored := range []bool{false, true} {
				src := &detailed{clock: newClock(becomes(taskwait.StatusSuccess, time.Hour)), details: tt.details}
				w := newWaiter(t, src, every(10*time.Second), taskwait.WithStallTimeout(30*time.Second))
				wait := &taskwait.Wait{ID: "id"}
				var err error
				for over := false; !over; {
					var p taskwait.Progress
					if p, err = w.Poll(t.Context(), wait); stored {
						wait = throughJSON(t, wait)
					}
					over = p.Done
					time.Sleep(p.Next)
				}
				if got := fmt.Sprint(src.asked); !errors.Is(err, taskwait.ErrStalled) || got != tt.want {
					t.Errorf("stored %v: got %v and details at %v, want ErrStalled and %v", stored, err, got, tt.want)
				}
			}
		})
	}
}

// listingClock is a clock that lists the same for all ids, in one request.
type listingClock struct {
	*clock
	lists int
}

func (l *listingClock) List(ctx context.Context, r taskwait.ListRequest) ([]taskwait.Task, string, error) {
	l.mu.Lock()
	l.lists++
	l.mu.Unlock()
	var all []taskwait.Task
	for _, id := range r.IDs {
		task, err := l.answer(time.Since(l.start))
		if err != nil {
			return nil, "", err
		}
		task.ID = id
		all = append(all, task)
	}
	return all, "", ctx.Err()
}

// requests is how many there were since it was last asked, lists too.
func (l *listingClock) requests() int {
	n := l.polled()
	l.mu.Lock()
	defer l.mu.Unlock()
	n += l.lists
	l.lists = 0
	return n
}

// TestPollsShare: Polls of one Waiter at the same time share what a list shows, and each poll of one id, as first polls
// of WaitForTask do.
func TestPollsShare(t *testing.T) {
	const many = 200
	wait := func(t *testing.T, w *taskwait.Waiter, id string) (taskwait.Task, error) {
		return w.WaitForTask(t.Context(), id)
	}
	polls := func(t *testing.T, w *taskwait.Waiter, id string) (taskwait.Task, error) {
		p, err := pollUntil(t, w, &taskwait.Wait{ID: id}, time.Hour)
		return p.Task, err
	}
	for _, ids := range []int{1, many} {
		virtually(t, fmt.Sprint(ids, " ids"), func(t *testing.T) {
			asked := func(one func(*testing.T, *taskwait.Waiter, string) (taskwait.Task, error)) (first, all int) {
				src := &listingClock{clock: newClock(becomes(taskwait.StatusSuccess, 25*time.Second))}
				src.takes = 100 * time.Millisecond
				w := newWaiter(t, src, every(10*time.Second))
				var waits sync.WaitGroup
				for i := range many {
					id := fmt.Sprint("id-", i%ids)
					waits.Go(func() {
						if task, err := one(t, w, id); err != nil || task.Status != taskwait.StatusSuccess || task.ID != id {
							t.Errorf("got %v, %v, want SUCCESS", task, err)
						}
					})
				}
				time.Sleep(9 * time.Second)
				first = src.requests()
				waits.Wait()
				return first, first + src.requests()
			}
			waitsFirst, waitsAll := asked(wait)
			first, all := asked(polls)
			t.Logf("%d and %d requests, and for as many WaitForTask %d and %d", first, all, waitsFirst, waitsAll)
			if first > waitsFirst+waitsFirst/10 {
				t.Errorf("got %d requests for the first polls, want about as many as of WaitForTask, %d", first, waitsFirst)
			}
			if want := 4 * ids; all > want {
				t.Errorf("got %d requests for four polls each, want at most %d", all, want)
			}
		})
	}
}

// TestPollsHoldOff: after a throttled answer to one Poll the others of the Waiter make no query for as long, but for a
// final one.
func TestPollsHoldOff(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opts  []taskwait.Option
		after time.Duration // of the answer
		held  time.Duration // for at least so long, and a tenth more at most
	}{
		{"for what was asked", nil, 8 * time.Second, 8 * time.Second},
		{"untold", nil, 0, time.Second},
		{"with a limiter", []taskwait.Option{taskwait.WithLimiter(taskwait.NewLimiter(nil))}, 8 * time.Second,
			8 * time.Second},
		{"apart", []taskwait.Option{taskwait.WithoutSharing()}, 8 * time.Second, 0},
	} {
		virtually(t, tt.name, func(t *testing.T) {
			var polled []string
			src := taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
				if polled = append(polled, id); id == "throttled" {
					return taskwait.Task{}, throttled(tt.after)
				}
				return taskwait.Task{Status: taskwait.StatusExecuting}, nil
			})
			w := newWaiter(t, src, append(tt.opts, every(10*time.Second))...)
			final, other := &taskwait.Wait{ID: "final"}, &taskwait.Wait{ID: "other"}
			timeout := taskwait.WithTimeout(time.Second)
			poll(t, w, final, timeout)
			time.Sleep(time.Second)
			if p := poll(t, w, &taskwait.Wait{ID: "throttled"}); p.Next < max(10*time.Second, tt.after) {
				t.Errorf("got the next poll in %v, want it after the pause", p.Next)
			}
			if _, err := w.Poll(t.Context(), final, timeout); !errors.Is(err, taskwait.ErrTimeout) {
				t.Errorf("got %v, want ErrTimeout by a final poll", err)
			}
			p := poll(t, w, other)
			if held := tt.held; held == 0 {
				if p.Polls != 1 {
					t.Errorf("got %d polls, want 1", p.Polls)
				}
				return
			} else if p.Polls != 0 || p.Next < held || p.Next > held+held/10 {
				t.Errorf("got %d polls and the next in %v, want none for %v", p.Polls, p.Next, held)
			}
			time.Sleep(p.Next)
			for other.Task().Status == "" { // behind a limiter they come one by one for a while
				time.Sleep(poll(t, w, other).Next)
			}
			if got := fmt.Sprint(polled); got != "[final throttled final other]" {
				t.Errorf("got polls of %s, want each once", got)
			}
		})
	}
}

// TestPollBehindALimiter: each query of Poll takes a permit, and waits for it.
func TestPollBehindALimiter(t *testing.T) {
	virtually(t, "", func(t *testing.T) {
		src := newClock(becomes(taskwait.StatusSuccess, time.Hour))
		w := newWaiter(t, src, limit(2), every(time.Minute))
		var all sync.WaitGroup
		for i := range 21 {
			all.Go(func() { poll(t, w, &taskwait.Wait{ID: fmt.Sprint("id-", i)}) })
		}
		all.Wait()
		if took := time.Since(src.start); src.polled() != 21 || took != 10*time.Second {
			t.Errorf("it took %v, want 21 polls in 10s at two a second", took)
		}
	})
}

// TestBackOffIsReplayed: a BackOff goes on where it was, for 64 pauses; later its last pause stands.
func TestBackOffIsReplayed(t *testing.T) {
	asked := 0
	growing := taskwait.WithBackOff(func() backoff.BackOff {
		return &counting{asked: &asked} // 1 s, 2 s, 3 s, …
	})
	virtually(t, "", func(t *testing.T) {
		src := newClock(becomes(taskwait.StatusSuccess, 24*time.Hour))
		wait := &taskwait.Wait{ID: "id"}
		for n := 1; n <= 80; n++ {
			asked = 0
			want := time.Duration(min(n, 65)) * time.Second // the 65th is not a replayed one yet
			if n > 65 {
				want = 64 * time.Second
			}
			p := poll(t, newWaiter(t, src, growing), wait)
			if p.Next != want || asked > 65 {
				t.Errorf("pause %d: got %v and %d calls, want %v and at most 65", n, p.Next, asked, want)
			}
			wait = throughJSON(t, wait)
			time.Sleep(p.Next)
		}
	})
	virtually(t, "beside another wait, which answers first", func(t *testing.T) {
		w := newWaiter(t, taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
			select {
			case <-time.After(5 * time.Second):
				return taskwait.Task{Status: taskwait.StatusExecuting}, nil
			case <-ctx.Done():
				return taskwait.Task{}, ctx.Err()
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		var neighbour sync.WaitGroup
		neighbour.Go(func() { _, _ = w.WaitForTask(ctx, "id", every(7*time.Second)) })
		asked = 0
		_, err := w.WaitForTask(ctx, "id", growing)
		before, wait := asked, asWaitError(t, err).Wait
		neighbour.Wait()
		if asked = 0; before < 5 {
			t.Errorf("the BackOff was asked for %d pauses, want at least 5", before)
		}
		resumed, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if _, err := w.Resume(resumed, wait, growing); err == nil || asked != before {
			t.Errorf("%d pauses were replayed, want %d: %v", asked, before, err)
		}
	})
	virtually(t, "beside another wait, in the delay before the first poll, which keeps it", func(t *testing.T) {
		type key struct{}
		began := time.Now()
		w := newWaiter(t, taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
			if age := time.Since(began); ctx.Value(key{}) != nil && age < 10*time.Second {
				t.Errorf("a poll after %v, want the first one after 10s", age)
			}
			return taskwait.Task{Status: taskwait.StatusSuccess, Phase: "RUNNING"}, nil
		}))
		var neighbour sync.WaitGroup
		neighbour.Go(func() {
			_, _ = w.WaitForTask(t.Context(), "id", every(3*time.Second), taskwait.WithConfirmations(4))
		})
		_, err := w.WaitForTask(context.WithValue(t.Context(), key{}, true), "id", growing, taskwait.WithTimeout(time.Minute),
			taskwait.WithInitialDelay(10*time.Second), taskwait.WithConfirmations(3), taskwait.WithStalePhase("RUNNING"))
		if neighbour.Wait(); !errors.Is(err, taskwait.ErrTimeout) {
			t.Errorf("got %v, want ErrTimeout", err)
		}
	})
	virtually(t, "it stops", func(t *testing.T) {
		src := newClock(becomes(taskwait.StatusSuccess, 24*time.Hour))
		stops := func(n uint64) taskwait.Option {
			return taskwait.WithBackOff(func() backoff.BackOff {
				return backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Second), n)
			})
		}
		wait := &taskwait.Wait{ID: "id"}
		for range 10 {
			time.Sleep(poll(t, newWaiter(t, src, stops(20)), wait).Next)
		}
		p, err := newWaiter(t, src, stops(5)).Poll(t.Context(), throughJSON(t, wait))
		if !errors.Is(err, taskwait.ErrBackOffStopped) || !p.Done || p.Polls != 11 {
			t.Errorf("got %v after %d polls, want ErrBackOffStopped after 11", err, p.Polls)
		}
	})
}

// counting is a BackOff whose pauses grow by a second.
type counting struct {
	n     int
	asked *int
}

func (c *counting) Reset() { c.n = 0 }

func (c *counting) NextBackOff() time.Duration {
	c.n++
	*c.asked++
	return time.Duration(c.n) * time.Second
}

// TestHistoryOfStoredWait: what a wait has seen is learned once, at its end, as WaitForTask would have.
func TestHistoryOfStoredWait(t *testing.T) {
	virtually(t, "", func(t *testing.T) {
		learned := func(wait func(w *taskwait.Waiter, h taskwait.Option)) string {
			src := newClock(becomes(taskwait.StatusSuccess, 95*time.Second))
			h := &schedule.History{}
			wait(newWaiter(t, src, taskwait.WithKind("resize"),
				taskwait.WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(10 * time.Second) })),
				taskwait.WithHistory(h))
			return fmt.Sprintf("%+v", h.Model("resize"))
		}
		want := learned(func(w *taskwait.Waiter, h taskwait.Option) {
			if _, err := w.WaitForTask(t.Context(), "id", h); err != nil {
				t.Fatal(err)
			}
		})
		got := learned(func(w *taskwait.Waiter, h taskwait.Option) {
			wait := &taskwait.Wait{ID: "id"}
			for {
				p, err := w.Poll(t.Context(), wait, h)
				if err != nil {
					t.Fatal(err)
				}
				if wait = throughJSON(t, wait); p.Done {
					return
				}
				time.Sleep(p.Next)
			}
		})
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
