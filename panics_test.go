package taskwait_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestPanicOfListIsHeard: each panic of a list is raised on a goroutine that waits, or logged, whatever its waits do at
// that instant.
func TestPanicOfListIsHeard(t *testing.T) {
	const quiet, done = 3500 * time.Millisecond, 5 * time.Second // all is well at first
	tests := []struct {
		name    string
		panics  time.Duration // this long after the list was asked
		singles time.Duration // how long single polls take
		ends    time.Duration // of the tasks
		ctx     time.Duration // when it ends; 0: never
	}{
		{"while all sleep", 0, 0, time.Hour, 0},
		{"while all poll alone", 2 * time.Second, 3 * time.Second, time.Hour, 0},
		{"while all poll alone and find success", 2 * time.Second, 3 * time.Second, done, 0},
		{"when all have succeeded", 3 * time.Second, 100 * time.Millisecond, done, 0},
		{"when all are cancelled", 8 * time.Second, time.Second, time.Hour, 10 * time.Second},
		{"long after it was abandoned", 2 * time.Minute, time.Second, time.Hour, 0},
		{"when it was abandoned and all are cancelled", 2 * time.Minute, time.Second, time.Hour, time.Minute},
	}
	for _, tt := range tests {
		for _, way := range ways {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				s, begun := newService(t), time.Now()
				var thrown atomic.Int64
				s.latency = time.Millisecond
				s.fault = func(_ context.Context, r request) error {
					if r.at.Sub(begun) < quiet {
						return nil
					}
					if !r.lists() {
						time.Sleep(tt.singles)
						return nil
					}
					time.Sleep(tt.panics)
					if thrown.Add(1) == 1 {
						panic("the list is broken")
					}
					return unavailable()
				}
				core, logs := observer.New(zap.DebugLevel)
				w := newWaiter(t, s.source(true), every(2*time.Second), taskwait.WithLogger(zap.New(core)))
				ctx := within(t, 10*time.Minute)
				if tt.ctx > 0 {
					ctx = cancelled(t, tt.ctx)
				}
				ids := s.add("task", 10, always(tt.ends))
				raised := raisedBy(ctx, way, w, ids)
				time.Sleep(time.Hour)
				if thrown.Load() == 0 {
					t.Fatal("the list was not asked")
				}
				logged := 0
				for _, e := range logs.All() {
					if strings.Contains(e.Message+fmt.Sprint(e.ContextMap()), "the list is broken") {
						logged++
					}
				}
				if raised+logged == 0 {
					t.Error("got a panic raised by nobody and logged nowhere, want one of both")
				}
			})
		}
	}
}

// raisedBy waits for all, and counts the goroutines on which a panic was raised.
func raisedBy(ctx context.Context, way way, w *taskwait.Waiter, ids []string) (raised int) {
	calls := [][]string{ids}
	if way.name == "WaitForTask" {
		calls = nil
		for _, id := range ids {
			calls = append(calls, []string{id})
		}
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, ids := range calls {
		all.Go(func() {
			defer func() {
				if recover() != nil {
					mu.Lock()
					raised++
					mu.Unlock()
				}
			}()
			if way.name == "WaitForTask" {
				_, _ = w.WaitForTask(ctx, ids[0])
				return
			}
			_ = waitForMany(ctx, w, ids)
		})
	}
	all.Wait()
	return raised
}

// goexit is the quota of a limiter whose every n-th Wait ends its goroutine.
type goexit struct {
	mu    sync.Mutex
	every int
	calls int
}

func (g *goexit) Wait(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls++; g.calls%g.every == 1 {
		runtime.Goexit()
	}
	return nil
}

// TestLimiterSurvivesGoexit: a Wait of the limiter's that ends its goroutine is a passing fault. The limiter goes on.
func TestLimiterSurvivesGoexit(t *testing.T) {
	for _, n := range []int{2, 3, 10} {
		for _, way := range ways {
			virtually(t, fmt.Sprintf("%s/every %d.", way.name, n), func(t *testing.T) {
				s := newService(t)
				limited := taskwait.WithLimiter(taskwait.NewLimiter(&goexit{every: n}))
				ids := s.add("task", 20, always(10*time.Second))
				w := newWaiter(t, s.source(false), limited, every(5*time.Second))
				got := way.wait(within(t, 10*time.Minute), w, ids)
				succeeded(t, got, ids, time.Minute)
			})
		}
	}
}
