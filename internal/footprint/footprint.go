// Package footprint measures, for benchmarks, what a wait holds while it sleeps.
package footprint

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

// Waits is how many waits are put to sleep at once.
const Waits = 20_000

// Measure starts Waits goroutines that call wait, and reports what each of them holds when all are asleep and garbage is
// collected: bytes of live objects and of stacks, and goroutines. wait must call asleep once when it is about to sleep,
// and return when ctx ends.
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
		b.ReportMetric((inUse()-bytes)/Waits, "B/wait")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/Waits, "goroutines/wait")
		cancel()
		ended.Wait()
	}
}

func inUse() float64 {
	runtime.GC()
	runtime.GC() // the second one gives back what the first one's sweep has freed
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}
