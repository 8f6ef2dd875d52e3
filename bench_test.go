package taskwait

import (
	"context"
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
	l := &limits{timeout: time.Hour, tolerance: DefaultErrorTolerance, grace: DefaultNotFoundGrace}
	s := state{ID: "id", Started: now}
	a := seen(StatusExecuting)
	a.sent = now
	b.ReportAllocs()
	for b.Loop() {
		decide(l, &s, &a, now, time.Second, 0.5)
	}
}

// BenchmarkPoll is one poll of a Source that answers at once, without the pause: ask, decide, report. The bare loop does
// what a hand-written one would: look at the context, ask, look at the status, set a timer.
func BenchmarkPoll(b *testing.B) {
	src := always(StatusExecuting)
	b.Run("taskwait", func(b *testing.B) {
		w, err := New(src)
		if err != nil {
			b.Fatal(err)
		}
		run := newWait(b.Context(), w, w.src, w.settings, "id", nil)
		defer run.query.stop()
		b.ReportAllocs()
		for b.Loop() {
			if _, _, ok := run.take(b.Context(), run.look(b.Context())); !ok {
				b.Fatal("the context ended")
			}
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
	b.Run("done-at-first-look", func(b *testing.B) {
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

// BenchmarkSleepingWait measures what a wait costs while it sleeps, beside a bare goroutine asleep on a timer and a context.
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

// BenchmarkWaitForTasks measures what a million waiting tasks hold, ids and Raw not counted, and what a decision about one
// of them takes: an answer is judged, kept, and the next look planned.
func BenchmarkWaitForTasks(b *testing.B) {
	const n = 1_000_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	w, err := New(always(StatusExecuting))
	if err != nil {
		b.Fatal(err)
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	m, err := newMany(b.Context(), w, ids, nil)
	if err != nil {
		b.Fatal(err)
	}
	next := int32(0)
	decide := func() {
		m.deliver(next, &answer{task: Task{ID: ids[next], Status: StatusExecuting}, sent: time.Now()})
		m.s.choose(m.s.now())
		next = (next + 7919) % n // as they come
	}
	for range ids {
		decide()
	}
	held := float64(heap()-before) / n
	b.ReportAllocs()
	for b.Loop() {
		decide()
	}
	b.ReportMetric(held, "B/task")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
	runtime.KeepAlive(m)
}

// heap is what is alive on it.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
