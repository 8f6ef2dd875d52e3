package taskwait

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestCancelDuringSleep: a cancellation is noticed in a pause, and is no success.
func TestCancelDuringSleep(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		_, err, elapsed := d.waitFor(cancelAfter(t, 7*time.Second, nil), newWaiter(t, script(running)))
		if !errors.Is(err, context.Canceled) || elapsed != 7*time.Second || !asWaitError(t, err).StillRunning() {
			t.Errorf("after %v: %v, want context.Canceled after 7s, still running", elapsed, err)
		}
	})
}

// TestCancelWhileAQueryHangs: a query that honours no context holds up nobody, and its late answer races with nothing.
func TestCancelWhileAQueryHangs(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := &cloud{answers: []answer{running}, latency: time.Minute, deaf: true}
		_, err, elapsed := d.waitFor(cancelAfter(t, 5*time.Second, nil), newWaiter(t, c, WithQueryTimeout(time.Hour)))
		if !errors.Is(err, context.Canceled) || elapsed != 5*time.Second {
			t.Errorf("after %v: %v, want context.Canceled after 5s", elapsed, err)
		}
		time.Sleep(time.Minute) // the call writes its answer late
	})
}

// TestNothingBeginsAfterTheReturn: abandoned calls end by themselves, and begin nothing.
func TestNothingBeginsAfterTheReturn(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := &cloud{answers: []answer{running}, latency: time.Minute, deaf: true}
		w := newWaiter(t, c)
		for range 3 {
			_, _, _ = d.waitFor(cancelAfter(t, 5*time.Second, nil), w)
		}
		if w.AbandonedCalls() != 3 || len(c.asked) != 3 {
			t.Errorf("%d left behind of %d calls by 3 waits, want 3 of 3", w.AbandonedCalls(), len(c.asked))
		}
		time.Sleep(time.Hour)
		if w.AbandonedCalls() != 0 || len(c.asked) != 3 {
			t.Errorf("an hour later %d left behind and %d calls, want 0 and still 3", w.AbandonedCalls(), len(c.asked))
		}
	})
}

// TestDeadContextPollsNothing: a context that has ended makes no query.
func TestDeadContextPollsNothing(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(success)
		w := newWaiter(t, c)
		for range 3000 {
			_, err, elapsed := d.waitFor(cancelled(t), w)
			if !errors.Is(err, context.Canceled) || elapsed != 0 {
				t.Fatalf("after %v: %v, want context.Canceled at once", elapsed, err)
			}
		}
		if len(c.asked) != 0 {
			t.Errorf("%d queries, want none", len(c.asked))
		}
	})
}

// TestCancelAtTheTimer: no query begins at the instant of the cancellation.
func TestCancelAtTheTimer(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			c := script(running)
			w := newWaiter(t, SourceFunc(func(qctx context.Context, id string) (Task, error) {
				if ctx.Err() != nil {
					t.Error("a query began after the cancellation")
				}
				return c.Task(qctx, id)
			}), every(4500*time.Millisecond)) // the look before the deadline is at 4.5 s; the next timer at 9 s
			_, err, elapsed := d.waitFor(ctx, w)
			if !errors.Is(err, context.DeadlineExceeded) || elapsed != 5*time.Second {
				t.Fatalf("after %v: %v, want the deadline after 5s", elapsed, err)
			}
			cancel()
		}
	})
}

// TestNoGoroutineIsLeft: the bubble fails if a goroutine is left when the test ends.
func TestNoGoroutineIsLeft(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for _, src := range []Source{
			script(success), script(running), &cloud{answers: []answer{running}, latency: time.Hour},
		} {
			_, _, _ = d.waitFor(cancelAfter(t, time.Minute, nil), newWaiter(t, src))
		}
	})
}

// TestCapDoesNotEndTheWait: the longest pause is repeated as often as need be.
func TestCapDoesNotEndTheWait(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(repeat(49, running, success)...)
		_, err, _ := d.waitFor(t.Context(), newWaiter(t, c, WithInterval(time.Second, 2*time.Second)))
		if err != nil || len(c.asked) != 50 {
			t.Errorf("%v after %d queries, want success after 50", err, len(c.asked))
		}
	})
}

// TestNoHiddenLimit: without a timeout a wait lasts for days.
func TestNoHiddenLimit(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, until(48*time.Hour, running, success)))
		if err != nil || elapsed < 48*time.Hour || elapsed > 48*time.Hour+defaultMaxInterval {
			t.Errorf("after %v: %v, want success within a pause of 48 h", elapsed, err)
		}
	})
}

// TestErrorsKeepThePauses: errors do not make a wait hasty.
func TestErrorsKeepThePauses(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(repeat(5, reset, success)...)
		if _, err, _ := d.waitFor(t.Context(), newWaiter(t, c)); err != nil {
			t.Error(err)
		}
		for i := 1; i < len(c.asked); i++ {
			if gap := c.asked[i].Sub(c.asked[i-1]); gap < defaultMinInterval {
				t.Errorf("gap %d = %v, want %v at least", i, gap, defaultMinInterval)
			}
		}
	})
}

// TestFirstPollIsAtOnce: a task that has ended costs one query and no time.
func TestFirstPollIsAtOnce(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(success)
		_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, c))
		if err != nil || elapsed != 0 || len(c.asked) != 1 {
			t.Errorf("%v after %v and %d queries, want success at once with one", err, elapsed, len(c.asked))
		}
	})
}

// TestNoHerd: waits that began together do not stay together.
func TestNoHerd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waits, rounds = 1000, 8
		var mu sync.Mutex
		var asked []time.Time
		count := map[string]int{}
		w := newWaiter(t, SourceFunc(func(_ context.Context, id string) (Task, error) {
			mu.Lock()
			defer mu.Unlock()
			if count[id]++; count[id] > 3 {
				asked = append(asked, time.Now())
			}
			if count[id] > rounds {
				return Task{Status: StatusSuccess}, nil
			}
			return Task{Status: StatusExecuting}, nil
		}))
		var all sync.WaitGroup
		for i := range waits {
			all.Go(func() { _, _ = w.WaitForTask(t.Context(), fmt.Sprint(i)) })
		}
		all.Wait()
		slices.SortFunc(asked, time.Time.Compare)
		most, from := 0, 0
		for to := range asked {
			for asked[to].Sub(asked[from]) >= 100*time.Millisecond {
				from++
			}
			most = max(most, to-from+1)
		}
		if most > waits/10 {
			t.Errorf("%d of %d waits asked within 100 ms, want a tenth of them at most", most, waits)
		}
	})
}

// TestNoLatency: a Source without latency, in virtual time.
func TestNoLatency(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(repeat(999, running, success)...)
		_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, c, every(time.Second)))
		if err != nil || elapsed != 999*time.Second || len(c.asked) != 1000 {
			t.Errorf("%v after %v and %d queries, want success after 999s and 1000", err, elapsed, len(c.asked))
		}
	})
}

var manyErrors = flag.Int("many.errors", 10_000, "how many errors the wait of TestMemoryOfErrors meets")

// TestMemoryOfErrors: memory does not grow with the errors.
func TestMemoryOfErrors(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		polls, n := *manyErrors, 0
		w := newWaiter(t, SourceFunc(func(context.Context, string) (Task, error) {
			n++
			return Task{}, fmt.Errorf("error %d", n)
		}), every(time.Millisecond), WithErrorTolerance(time.Hour), WithTimeout(time.Duration(polls)*time.Millisecond))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var err error
		_, err, _ = d.waitFor(t.Context(), w, WithProgress(func(p Progress) {
			if p.Polls == polls {
				runtime.GC()
				runtime.ReadMemStats(&after)
			}
		}))
		grown, most := int64(after.HeapAlloc)-int64(before.HeapAlloc), 10*int64(polls) // an error has more bytes than 10
		if !errors.Is(err, ErrTimeout) || grown > most {
			t.Errorf("%v; the heap has grown by %d bytes over %d errors, want at most %d", err, grown, polls, most)
		}
	})
}
