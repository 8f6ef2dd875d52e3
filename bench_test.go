package taskwait

import (
	"context"
	"encoding/json"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/footprint"
)

func always(status Status) SourceFunc {
	return func(_ context.Context, id string) (Task, error) { return Task{ID: id, Status: status}, nil }
}

func BenchmarkDecide(b *testing.B) {
	now := time.Now()
	l := &deadlines{began: now, timeout: time.Hour, tolerance: defaultErrorTolerance, grace: defaultNotFoundGrace}
	s := newState()
	a := seen(StatusExecuting)
	a.Sent = now
	b.ReportAllocs()
	for b.Loop() {
		decide(l, &s, &a, now, time.Second, 0.5)
	}
}

// BenchmarkPoll is one poll of a lone wait on a Source that answers at once, without the pause: poll, decide, report,
// plan. The bare loop does what a hand-written one would: look at the context, query, look at the status, set a timer.
func BenchmarkPoll(b *testing.B) {
	src := always(StatusExecuting)
	b.Run("taskwait", func(b *testing.B) {
		w, err := New(src)
		if err != nil {
			b.Fatal(err)
		}
		run, ctx, err := w.begin(b.Context(), "id", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer run.leave()
		w.subscribe(ctx, run)
		sub := run.sub
		b.ReportAllocs()
		for b.Loop() {
			a, _ := sub.Next(b.Context())
			if d := run.handle(&a); d.done {
				b.Fatal(d.reason)
			}
			sub.Plan(0, time.Now(), time.Time{})
		}
	})
	b.Run("bare-loop", func(b *testing.B) {
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		ctx := b.Context()
		b.ReportAllocs()
		for b.Loop() {
			if task, err := src(ctx, "id"); err != nil || ctx.Err() != nil || task.Status.Terminal() {
				b.Fatal(task, err)
			}
			timer.Reset(time.Hour)
		}
	})
}

func BenchmarkWaitForTask(b *testing.B) {
	b.Run("done-at-first-poll", func(b *testing.B) {
		w, err := New(always(StatusSuccess))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.WaitForTask(b.Context(), "id"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPollOnce is one Poll of a wait that goes on, on a Source that answers at once.
func BenchmarkPollOnce(b *testing.B) {
	for _, bench := range []struct {
		name string
		due  bool
	}{{"due", true}, {"early", false}} {
		b.Run(bench.name, func(b *testing.B) {
			w, err := New(always(StatusExecuting))
			if err != nil {
				b.Fatal(err)
			}
			wait := &Wait{ID: "id"}
			if _, err := w.Poll(b.Context(), wait); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if bench.due {
					wait.state.plannedAt = wait.savedAt
				}
				if p, err := w.Poll(b.Context(), wait); err != nil || p.Done {
					b.Fatal(p, err)
				}
			}
		})
	}
}

// BenchmarkWaitJSON stores a wait that is under way, and reads it.
func BenchmarkWaitJSON(b *testing.B) {
	w, err := New(always(StatusExecuting))
	if err != nil {
		b.Fatal(err)
	}
	wait := &Wait{ID: "8abfa7b37d2a4a3b017d2a5f4e6c0012"}
	if _, err := w.Poll(b.Context(), wait); err != nil {
		b.Fatal(err)
	}
	stored, err := json.Marshal(wait)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(wait); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := json.Unmarshal(stored, &Wait{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSleepingWait measures what a wait costs while it sleeps, beside a bare goroutine asleep on a timer and a
// context.
func BenchmarkSleepingWait(b *testing.B) {
	b.Run("taskwait", func(b *testing.B) {
		w, err := New(always(StatusExecuting), WithInterval(time.Hour, time.Hour))
		if err != nil {
			b.Fatal(err)
		}
		var id atomic.Int64
		footprint.Measure(b, func(ctx context.Context, asleep func()) {
			_, _ = w.WaitForTask(ctx, strconv.FormatInt(id.Add(1), 36), WithProgress(func(p Progress) {
				if !p.Done {
					asleep()
				}
			}))
		})
	})
	b.Run("bare-goroutine", func(b *testing.B) {
		footprint.Measure(b, func(ctx context.Context, asleep func()) {
			timer := time.NewTimer(time.Hour)
			defer timer.Stop()
			asleep()
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		})
	})
}

// BenchmarkWaitForTasks measures what a million waiting tasks hold, ids and Raw not counted, and what a poll of one of
// them takes: the answer is decided on and kept, and the next poll planned.
func BenchmarkWaitForTasks(b *testing.B) {
	const n = 1_000_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	w, err := New(always(StatusExecuting), WithInterval(time.Hour, time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	g, err := w.newGroup(b.Context(), ids, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer g.sub.Close()
	take := func(due time.Time) {
		a, _ := g.sub.Next(b.Context())
		g.waits[a.Key].handle(&a)
		g.sub.Plan(a.Key, due, time.Time{})
	}
	for range ids {
		take(time.Now().Add(time.Hour))
	}
	held := float64(heap()-before) / n
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
	for key := range 16 {
		g.sub.Plan(key, time.Now(), time.Time{})
	}
	b.ReportAllocs()
	for b.Loop() {
		take(time.Now())
	}
	b.ReportMetric(held, "B/task")
	runtime.KeepAlive(g)
}

// heap is what is alive on it.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
