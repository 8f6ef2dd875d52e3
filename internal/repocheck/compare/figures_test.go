//go:build figures

// Figures of the library through its public face alone, with names that old and new trees have. Each test prints lines
// of the form "figure: name: value unit"; it judges nothing.
package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

func figure(name string, value float64, unit string) {
	fmt.Printf("figure: %s: %g %s\n", name, value, unit)
}

func answer(status taskwait.Status) taskwait.SourceFunc {
	return func(_ context.Context, id string) (taskwait.Task, error) {
		return taskwait.Task{ID: id, Status: status}, nil
	}
}

func waiter(t *testing.T, src taskwait.Source, opts ...taskwait.Option) *taskwait.Waiter {
	t.Helper()
	w, err := taskwait.New(src, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestPoll measures one poll of a lone wait in virtual time, whose pauses cost nothing, and the loop that one would
// write by hand. Both hold what the virtual clock costs.
func TestPoll(t *testing.T) {
	const polls = 200_000
	n := 0
	source := func(_ context.Context, id string) (taskwait.Task, error) {
		if n++; n < polls {
			return taskwait.Task{ID: id, Status: taskwait.StatusExecuting}, nil
		}
		return taskwait.Task{ID: id, Status: taskwait.StatusSuccess}, nil
	}
	measure := func(name string, wait func(ctx context.Context) error) {
		n = 0
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		synctest.Test(t, func(t *testing.T) {
			if err := wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		figure(name, float64(took.Nanoseconds())/polls, "ns")
		figure(name+", allocations", float64(after.Mallocs-before.Mallocs)/polls, "")
	}
	measure("a poll", func(ctx context.Context) error {
		w := waiter(t, taskwait.SourceFunc(source), taskwait.WithInterval(time.Second, time.Second))
		_, err := w.WaitForTask(ctx, "id")
		return err
	})
	measure("a poll of a bare loop", func(ctx context.Context) error {
		timer := time.NewTimer(time.Second)
		for {
			if task, err := source(ctx, "id"); err != nil || task.Status.Terminal() {
				return err
			}
			timer.Reset(time.Second)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
			}
		}
	})
}

// TestFirstPoll measures a wait for a task that is done at the first poll.
func TestFirstPoll(t *testing.T) {
	w := waiter(t, answer(taskwait.StatusSuccess))
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := w.WaitForTask(b.Context(), "id"); err != nil {
				b.Fatal(err)
			}
		}
	})
	figure("done at the first poll", float64(r.NsPerOp()), "ns")
	figure("done at the first poll, allocations", float64(r.MemAllocs)/float64(r.N), "")
}

func TestAsleepOnOneWaiter(t *testing.T) {
	w := waiter(t, answer(taskwait.StatusExecuting), taskwait.WithInterval(time.Hour, time.Hour))
	figure("asleep, of 20,000 on one Waiter", asleep(t, func() *taskwait.Waiter { return w }), "B")
}

func TestAsleepOnManyWaiters(t *testing.T) {
	figure("asleep, each on its own Waiter", asleep(t, func() *taskwait.Waiter {
		return waiter(t, answer(taskwait.StatusExecuting), taskwait.WithInterval(time.Hour, time.Hour))
	}), "B")
}

// asleep returns the bytes of heap and stack that each of 20,000 waits holds while it sleeps.
func asleep(t *testing.T, on func() *taskwait.Waiter) float64 {
	const waits = 20_000
	ctx, cancel := context.WithCancel(t.Context())
	var polled, ended sync.WaitGroup
	before := inUse()
	polled.Add(waits)
	for i := range waits {
		ended.Go(func() {
			_, _ = on().WaitForTask(ctx, strconv.Itoa(i), taskwait.WithProgress(func(p taskwait.Progress) {
				if !p.Done {
					polled.Done()
				}
			}))
		})
	}
	polled.Wait()
	for last := 0; last != runtime.NumGoroutine(); time.Sleep(100 * time.Millisecond) {
		last = runtime.NumGoroutine()
	}
	held := (inUse() - before) / waits
	cancel()
	ended.Wait()
	return held
}

// inUse is what is alive on the heap, and the stacks.
func inUse() float64 {
	runtime.GC()
	runtime.GC() // what the first one's sweep has freed
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// TestMillion measures what each of a million ids of one WaitForTasks holds after its first poll, without its string.
func TestMillion(t *testing.T) {
	const n = 1_000_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	var polled atomic.Int64
	all := make(chan struct{})
	w := waiter(t, taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		if polled.Add(1) == n {
			close(all)
		}
		return taskwait.Task{ID: id, Status: taskwait.StatusExecuting}, nil
	}), taskwait.WithInterval(24*time.Hour, 24*time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	before, began := inUse(), time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for task, err := range w.WaitForTasks(ctx, ids) {
			if err == nil {
				t.Errorf("got %v done, want all to run", task)
			}
		}
	}()
	<-all
	figure("a million ids, first poll of each", float64(time.Since(began).Nanoseconds())/n, "ns")
	time.Sleep(time.Second) // the last answers are taken
	figure("a million ids, held for each", (inUse()-before)/n, "B")
	cancel()
	<-ended
}

// TestPunctuality cancels 100,000 waits of 120 goroutines, on one Waiter, at random instants. It counts the returns
// that come more than 20 ms after the end of the context.
func TestPunctuality(t *testing.T) {
	const goroutines, waits, late = 120, 100_000, 20 * time.Millisecond
	w := waiter(t, answer(taskwait.StatusExecuting), taskwait.WithInterval(time.Millisecond, 2*time.Millisecond))
	var todo, tooLate atomic.Int64
	var worst [goroutines]time.Duration
	todo.Store(waits)
	var ended sync.WaitGroup
	for g := range goroutines {
		ended.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for todo.Add(-1) >= 0 {
				d := waitOnce(t, w, "id-"+strconv.Itoa(g), time.Duration(r.Int64N(int64(10*time.Millisecond))))
				if d > late {
					tooLate.Add(1)
				}
				worst[g] = max(worst[g], d)
			}
		})
	}
	ended.Wait()
	figure("of 100,000 cancelled waits late", float64(tooLate.Load()), "")
	figure("the latest of them", slices.Max(worst[:]).Seconds()*1000, "ms")
}

// waitOnce cancels one wait after d, and returns how long it took from then to return.
func waitOnce(t *testing.T, w *taskwait.Waiter, id string, d time.Duration) time.Duration {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	timer := time.AfterFunc(d, func() {
		cancelled = time.Now()
		cancel()
	})
	defer timer.Stop()
	if _, err := w.WaitForTask(ctx, id); err == nil {
		t.Error("got no error from a wait that was cancelled")
	}
	<-ctx.Done()
	return time.Since(cancelled)
}
