// Package footprint measures, for benchmarks, what a wait holds while it sleeps.
package footprint

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Waits is how many waits are put to sleep at once.
const Waits = 20_000

// Measure starts Waits goroutines that call wait, and reports what each of them holds when all are asleep and garbage
// is collected: bytes of live objects and of stacks, and goroutines. wait must call asleep once when it is about to
// sleep, and return when ctx ends.
func Measure(b *testing.B, wait func(ctx context.Context, asleep func())) {
	b.Helper()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		var asleep, ended sync.WaitGroup
		bytes, goroutines := inUse(), runtime.NumGoroutine()
		asleep.Add(Waits)
		for range Waits {
			ended.Go(func() { wait(ctx, asleep.Done) })
		}
		asleep.Wait()
		settle()
		b.ReportMetric((inUse()-bytes)/Waits, "B/wait")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/Waits, "goroutines/wait")
		cancel()
		ended.Wait()
	}
}

// settle waits until what was still under way when asleep was called is over.
func settle() {
	for last := 0; last != runtime.NumGoroutine(); {
		last = runtime.NumGoroutine()
		time.Sleep(100 * time.Millisecond)
	}
}

func inUse() float64 {
	runtime.GC()
	runtime.GC() // the second one gives back what the first one's sweep has freed
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}
