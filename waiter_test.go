package taskwait

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/guard"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// cloud is a Source under a test's control: it gives its answers in turn, the last one again and again.
type cloud struct {
	answers []answer
	latency time.Duration
	deaf    bool          // does not heed its context
	hangs   time.Duration // since the first query: from then on there is no answer; 0: never

	mu      sync.Mutex
	asked   []time.Time // when each query began
	running atomic.Int32
}

func script(answers ...answer) *cloud { return &cloud{answers: answers} }

func (c *cloud) Task(ctx context.Context, id string) (Task, error) {
	c.running.Add(1)
	defer c.running.Add(-1)
	c.mu.Lock()
	a := c.answers[min(len(c.asked), len(c.answers)-1)]
	c.asked = append(c.asked, time.Now())
	c.mu.Unlock()
	done := ctx.Done()
	if c.deaf {
		done = nil
	}
	if c.latency > 0 {
		select {
		case <-time.After(c.latency):
		case <-done:
			return Task{}, ctx.Err()
		}
	}
	if c.hangs > 0 && time.Since(c.asked[0]) >= c.hangs {
		<-done
		return Task{}, ctx.Err()
	}
	if a.Err == nil && a.Value.ID == "id" {
		a.Value.ID = id
	}
	return a.Value, a.Err
}

// repeat is n times a, followed by then.
func repeat(n int, a answer, then ...answer) []answer {
	all := make([]answer, 0, n+len(then))
	for range n {
		all = append(all, a)
	}
	return append(all, then...)
}

// seconds are the times of the queries, since the first of them.
func (c *cloud) seconds() []float64 {
	var all []float64
	for _, t := range c.asked {
		all = append(all, t.Sub(c.asked[0]).Seconds())
	}
	return all
}

func newWaiter(t *testing.T, src Source, opts ...Option) *Waiter {
	t.Helper()
	w, err := New(src, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// every is an interval without jitter, so that a test can name the instants.
func every(d time.Duration) Option { return WithInterval(d, d) }

func TestWaitForTask(t *testing.T) { eachDriver(t, waitForTask) }

func waitForTask(t *testing.T, d driver) {
	executing := seen(StatusExecuting)
	tests := []struct {
		name    string
		cloud   *cloud
		opts    []Option
		want    error
		elapsed time.Duration
		asked   []float64
	}{
		{
			name: "done at the first look", cloud: script(seen(StatusSuccess)), asked: []float64{0},
		},
		{
			name: "done at the third", cloud: script(executing, executing, seen(StatusSuccess)),
			elapsed: 10 * time.Second, asked: []float64{0, 5, 10},
		},
		{
			name: "failed", cloud: script(executing, seen(StatusFailed)), want: ErrTaskFailed,
			elapsed: 5 * time.Second, asked: []float64{0, 5},
		},
		{
			name: "initial delay", cloud: script(seen(StatusSuccess)), opts: []Option{WithInitialDelay(20 * time.Second)},
			elapsed: 20 * time.Second, asked: []float64{0},
		},
		{
			name: "initial delay beyond the timeout: the last look is the first", cloud: script(executing),
			opts: []Option{WithInitialDelay(time.Minute), WithTimeout(7 * time.Second)}, want: ErrTimeout,
			elapsed: 7 * time.Second, asked: []float64{0},
		},
		{
			name: "timeout: a last look at that instant", cloud: script(executing),
			opts: []Option{WithTimeout(12 * time.Second)},
			want: ErrTimeout, elapsed: 12 * time.Second, asked: []float64{0, 5, 10, 12},
		},
		{
			name: "an option of the call undoes one of the Waiter", cloud: script(repeat(99, executing, seen(StatusSuccess))...),
			opts: []Option{WithTimeout(12 * time.Second), WithTimeout(0)}, elapsed: 495 * time.Second,
		},
		{
			name:  "a query that hangs is cancelled, and counts as an error",
			cloud: &cloud{answers: []answer{executing}, latency: time.Hour},
			opts:  []Option{WithErrorTolerance(0)}, want: ErrQuery, elapsed: 100 * time.Second, asked: []float64{0, 35, 70},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWaiter(t, tt.cloud, every(5*time.Second))
				_, err, elapsed := d.waitFor(t.Context(), w, tt.opts...)
				if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				if elapsed != tt.elapsed {
					t.Errorf("elapsed = %v, want %v", elapsed, tt.elapsed)
				}
				if tt.asked != nil && !reflect.DeepEqual(tt.cloud.seconds(), tt.asked) {
					t.Errorf("asked at %v s, want %v s", tt.cloud.seconds(), tt.asked)
				}
			})
		})
	}
}

// TestLastLook is about the seconds around the timeout, here 10 s after the start.
func TestFinalPoll(t *testing.T) { eachDriver(t, finalPoll) }

func finalPoll(t *testing.T, d driver) {
	executing, success := seen(StatusExecuting), seen(StatusSuccess)
	tests := []struct {
		name    string
		answers []answer
		latency time.Duration
		deaf    bool
		opts    []Option
		want    error
		elapsed time.Duration
		queries int
	}{
		{
			name: "in flight, and done", answers: []answer{executing, executing, success}, latency: 2 * time.Second,
			elapsed: 11 * time.Second, queries: 3,
		},
		{
			name: "in flight, not done: a fresh look", answers: []answer{executing, executing, executing, success},
			latency: 2 * time.Second, elapsed: 13 * time.Second, queries: 4,
		},
		{
			name: "neither of them", answers: []answer{executing}, latency: 2 * time.Second, want: ErrTimeout,
			elapsed: 13 * time.Second, queries: 4,
		},
		{
			name: "in flight for 2.5 s more", answers: []answer{executing, success}, latency: 5 * time.Second,
			elapsed: 12500 * time.Millisecond, queries: 2,
		},
		{
			name: "a hung query gives way to a fresh look", answers: []answer{executing}, latency: time.Hour,
			want: ErrTimeout, elapsed: 15 * time.Second, queries: 2,
		},
		{
			name: "a hung query that heeds nothing", answers: []answer{executing}, latency: time.Hour, deaf: true,
			want: ErrTimeout, elapsed: 15 * time.Second, queries: 1,
		},
		{
			name: "a deaf query that answers within the 5 s", answers: []answer{success},
			latency: 14500 * time.Millisecond, deaf: true, elapsed: 14500 * time.Millisecond, queries: 1,
		},
		{
			name: "the query timeout falls between the timeout and its end", answers: []answer{executing}, latency: time.Hour,
			opts: []Option{WithQueryTimeout(11 * time.Second)}, want: ErrTimeout, elapsed: 15 * time.Second, queries: 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cloud{answers: tt.answers, latency: tt.latency, deaf: tt.deaf}
				w := newWaiter(t, c, every(2500*time.Millisecond), WithTimeout(10*time.Second))
				_, err, elapsed := d.waitFor(t.Context(), w, tt.opts...)
				if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				if tt.want != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error = %v, want it to be context.DeadlineExceeded too", err)
				}
				if elapsed != tt.elapsed || len(c.asked) != tt.queries {
					t.Errorf("%d queries in %v, want %d in %v", len(c.asked), elapsed, tt.queries, tt.elapsed)
				}
				time.Sleep(time.Hour) // a call that was left behind ends
			})
		})
	}
}

// TestOverInTime: whatever a Source does, all is over 5 s after the timeout.
func TestOverInTime(t *testing.T) {
	for _, tt := range []struct {
		name    string
		deaf    bool
		latency time.Duration // of the query that is in flight at the timeout
	}{
		{"deaf, and answers at the very end", true, 14900 * time.Millisecond},
		{"deaf, and answers after the cancellation", true, 14100 * time.Millisecond},
		{"deaf", true, time.Hour},
		{"heeds its context", false, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cloud{answers: []answer{seen(StatusExecuting)}, latency: tt.latency, deaf: tt.deaf}
				_, err, elapsed := waitFor(t.Context(), newWaiter(t, c, WithTimeout(10*time.Second)))
				if !errors.Is(err, ErrTimeout) || elapsed > 15*time.Second {
					t.Errorf("%v after %v, want ErrTimeout within 15s", err, elapsed)
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// TestLatePanics: a panic is not lost, whenever it comes.
func TestLatePanics(t *testing.T) {
	raised := func(t *testing.T, src SourceFunc, opts ...Option) (v any, err error) {
		w := newWaiter(t, src, every(5*time.Second))
		defer func() { v = recover() }()
		_, err, _ = waitFor(t.Context(), w, opts...)
		return nil, err
	}
	onCancel := func(ctx context.Context, _ string) (Task, error) { <-ctx.Done(); panic("boom") }
	synctest.Test(t, func(t *testing.T) {
		if v, err := raised(t, onCancel, WithTimeout(10*time.Second)); v == nil {
			t.Errorf("a panic at our cancellation, in flight at the timeout: %v, want it raised", err)
		}
		if v, err := raised(t, onCancel); v == nil {
			t.Errorf("a panic at the query's timeout: %v, want it raised by the next query", err)
		}
		core, logs := observer.New(zap.DebugLevel)
		ctx := cancelAfter(t, time.Second, nil)
		afterwards := SourceFunc(func(ctx context.Context, _ string) (Task, error) {
			<-ctx.Done()
			time.Sleep(time.Second)
			panic("boom")
		})
		if _, err, _ := waitFor(ctx, newWaiter(t, afterwards, WithLogger(zap.New(core)))); !errors.Is(
			err,
			context.Canceled,
		) {
			t.Errorf("a panic when the wait has ended: %v, want context.Canceled", err)
		}
		time.Sleep(time.Minute)
		if logs.FilterMessage("panic in an abandoned query").Len() != 1 {
			t.Errorf("logs = %v, want the panic", logs.All())
		}
		first, firstLogs := observer.New(zap.DebugLevel)
		core, logs = observer.New(zap.DebugLevel)
		w := newWaiter(t, SourceFunc(func(ctx context.Context, id string) (Task, error) {
			if id == "first" {
				<-ctx.Done()
				return Task{}, ctx.Err()
			}
			return afterwards(ctx, id)
		}))
		firstCtx := cancelAfter(t, time.Second, nil)
		go func() { _, _ = w.WaitForTask(firstCtx, "first", WithLogger(zap.New(first))) }() // it makes the Poller
		synctest.Wait()
		_, _, _ = waitFor(cancelAfter(t, 2*time.Second, nil), w, WithLogger(zap.New(core)))
		time.Sleep(time.Minute)
		const line = "panic in an abandoned query"
		if n, m := logs.FilterMessage(line).Len(), firstLogs.FilterMessage(line).Len(); n != 1 || m != 0 {
			t.Errorf("got %d panics in the log of the wait whose query it was, %d in its neighbour's, want 1 and 0", n, m)
		}
		refused := failed(ClassPermanent, 0)
		_, err, _ := waitFor(t.Context(), newWaiter(t, SourceFunc(func(ctx context.Context, _ string) (Task, error) {
			<-ctx.Done()
			return Task{}, refused.Err
		}), WithTimeout(10*time.Second)))
		if !errors.Is(err, ErrQuery) {
			t.Errorf("a refusal that came as we cancelled: %v, want ErrQuery", err)
		}
	})
}

func TestContextDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := script(seen(StatusExecuting))
		w := newWaiter(t, c, every(40*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err, elapsed := waitFor(ctx, w, WithTimeout(time.Hour))
		if elapsed != time.Minute || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) {
			t.Errorf("after %v: %v, want the context's deadline after 1m, and not ErrTimeout", elapsed, err)
		}
		if want := []float64{0, 40, 59}; !reflect.DeepEqual(c.seconds(), want) {
			t.Errorf("asked at %v s, want %v s", c.seconds(), want)
		}
	})
}

func TestAbandonedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{answers: []answer{seen(StatusExecuting)}, latency: 50 * time.Second, deaf: true}
		w := newWaiter(t, c, every(5*time.Second), WithErrorTolerance(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), 48*time.Second)
		defer cancel()
		most, texts := 0, ""
		_, err, _ := waitFor(ctx, w, WithProgress(func(p Progress) {
			most = max(most, w.AbandonedCalls())
			if p.Err != nil {
				texts += p.Err.Error() + "; "
			}
		}))
		if !errors.Is(err, context.DeadlineExceeded) || len(c.asked) != 1 || most != 1 {
			t.Errorf("%v; %d queries, at most %d left behind; want one query, one left behind", err, len(c.asked), most)
		}
		if want := "no answer within 30s; the query begun 35s ago is still running; "; !strings.HasPrefix(texts, want) {
			t.Errorf("trouble = %q, want it to begin with %q", texts, want)
		}
		if w.AbandonedCalls() != 1 || c.running.Load() != 1 {
			t.Errorf("left behind after the wait: %d counted, %d running; want 1, 1", w.AbandonedCalls(), c.running.Load())
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if w.AbandonedCalls() != 0 || c.running.Load() != 0 || len(c.asked) != 1 {
			t.Errorf(
				"when the call has ended: %d counted, %d running, %d queries; want 0, 0, 1",
				w.AbandonedCalls(),
				c.running.Load(),
				len(c.asked),
			)
		}
	})
}

func TestSourceMisbehaves(t *testing.T) {
	boom := errors.New("boom")
	wait := func(t *testing.T, f SourceFunc) (err error, raised any) {
		w := newWaiter(t, f, every(time.Second), WithErrorTolerance(0))
		defer func() { raised = recover() }()
		_, err = w.WaitForTask(t.Context(), "id")
		return err, nil
	}
	synctest.Test(t, func(t *testing.T) {
		_, raised := wait(t, func(context.Context, string) (Task, error) { panic(boom) })
		err, _ := raised.(error)
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), "TestSourceMisbehaves") {
			t.Errorf("raised %v, want boom with the stack of the Source", raised)
		}
		err, raised = wait(t, func(context.Context, string) (Task, error) { panic("text") })
		if err != nil || !strings.Contains(raised.(error).Error(), "panic in a Source: text") {
			t.Errorf("raised %v, error %v", raised, err)
		}
		err, raised = wait(t, func(context.Context, string) (Task, error) { goexit(); return Task{}, nil })
		if !errors.Is(err, ErrQuery) || !errors.Is(err, guard.ErrGoexit) || raised != nil {
			t.Errorf("Goexit: error = %v, raised %v", err, raised)
		}
		err, _ = wait(t, func(context.Context, string) (Task, error) { return Task{}, (*QueryError)(nil) })
		if !errors.Is(err, ErrQuery) {
			t.Errorf("a nil *QueryError: error = %v", err)
		}
	})
}

func TestNew(t *testing.T) {
	var none SourceFunc
	for _, src := range []Source{nil, none} {
		if w, err := New(src); !errors.Is(err, ErrInvalidOption) || w != nil {
			t.Errorf("New(%v) = %v, %v", src, w, err)
		}
	}
	bad := errors.New("bad instance id")
	if _, err := New(validated{err: bad}); !errors.Is(err, bad) {
		t.Errorf("New(a Source that does not validate) = %v", err)
	}
	if _, err := New(validated{}); err != nil {
		t.Errorf("New(a Source that validates) = %v", err)
	}
}

type validated struct {
	SourceFunc
	err error
}

func (v validated) Validate() error { return v.err }

func goexit() { runtime.Goexit() }

// TestManyGoroutines: one Waiter serves many goroutines.
func TestManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiter(
			t,
			SourceFunc(func(context.Context, string) (Task, error) { return Task{Status: StatusExecuting}, nil }),
			WithTimeout(time.Hour),
		)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				first := true
				_, err := w.WaitForTask(t.Context(), fmt.Sprint(i), WithProgress(func(p Progress) {
					if first && (p.Next < defaultMinInterval || p.Next > defaultMinInterval*2) {
						t.Errorf("wait %d begins with a pause of %v", i, p.Next)
					}
					first = false
				}))
				if !errors.Is(err, ErrTimeout) {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
