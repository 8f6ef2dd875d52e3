package taskwait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

func inBubble(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

// TestLimiter is about what waits on one limiter do to each other.
func TestLimiter(t *testing.T) {
	t.Run("no permit in time", func(t *testing.T) { throughEach(t, noPermitInTime) })
	t.Run("a final poll within the quota", func(t *testing.T) { throughEach(t, finalPollWithinQuota) })
	t.Run("burst 0", func(t *testing.T) { throughEach(t, burstZero) })
	t.Run("an inner that fails is a passing fault", func(t *testing.T) { throughEach(t, innerFails) })
	t.Run("an inner that panics", func(t *testing.T) { throughEach(t, innerPanics) })
	t.Run("an inner that hangs holds nobody", func(t *testing.T) { throughEach(t, innerHangs) })
	t.Run("queued for its permit", func(t *testing.T) { throughEach(t, queuedSaysSo) })
	t.Run("the quota holds over Waiters", func(t *testing.T) { throughEach(t, quotaOverWaiters) })
	t.Run("final polls are no herd", inBubble(finalPollsAreNoHerd))
	t.Run("a throttle is everybody's", inBubble(throttleIsEverybodys))
}

func perSecond(n int) *Limiter { return NewLimiter(rate.NewLimiter(rate.Limit(n), 1)) }

func noPermitInTime(t *testing.T, d driver) {
	c := script(running)
	_, err, elapsed := d.waitFor(
		t.Context(),
		newWaiter(t, c, WithLimiter(NewLimiter(rate.NewLimiter(rate.Every(time.Hour), 1))), WithTimeout(20*time.Second)),
	)
	if !errors.Is(err, ErrTimeout) || elapsed != 25*time.Second || !asWaitError(t, err).FinalPollFailed ||
		len(c.asked) != 1 {
		t.Errorf(
			"%v after %v and %d queries, want ErrTimeout after 25s and one, and that the final poll failed",
			err,
			elapsed,
			len(c.asked),
		)
	}
}

func finalPollWithinQuota(t *testing.T, d driver) {
	limited := WithLimiter(NewLimiter(rate.NewLimiter(rate.Every(23*time.Second), 1)))
	_, err, elapsed := d.waitFor(
		t.Context(),
		newWaiter(t, until(10*time.Second, running, success), limited, WithTimeout(20*time.Second)),
	)
	if err != nil || elapsed.Round(time.Millisecond) != 23*time.Second {
		t.Errorf("%v after %v, want success after 23s, with the first permit after the timeout", err, elapsed)
	}
}

func finalPollsAreNoHerd(t *testing.T) {
	c := script(running)
	w := newWaiter(t, c, WithLimiter(perSecond(10)), WithTimeout(20*time.Second))
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			start := time.Now()
			_, err := w.WaitForTask(t.Context(), fmt.Sprint(i))
			if took := time.Since(start); !errors.Is(err, ErrTimeout) || took > 25*time.Second {
				t.Errorf("%v after %v, want ErrTimeout within 25s", err, took)
			}
		})
	}
	all.Wait()
	if most := mostWithin(c.asked, time.Second); most > 12 {
		t.Errorf("%d queries within a second, want 12 at most", most)
	}
}

// mostWithin is the greatest number of instants within a span of d.
func mostWithin(at []time.Time, d time.Duration) (most int) {
	slices.SortFunc(at, time.Time.Compare)
	from := 0
	for to := range at {
		for at[to].Sub(at[from]) >= d {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

func burstZero(t *testing.T, d driver) {
	c := script(running)
	_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, c, WithLimiter(NewLimiter(rate.NewLimiter(10, 0)))))
	if !errors.Is(err, ErrQuery) || elapsed != 0 || len(c.asked) != 0 || !strings.Contains(err.Error(), "burst 0") {
		t.Errorf("%v after %v and %d queries, want ErrQuery at once that names the burst", err, elapsed, len(c.asked))
	}
}

type waitFunc func(ctx context.Context) error

func (f waitFunc) Wait(ctx context.Context) error { return f(ctx) }

func innerFails(t *testing.T, d driver) {
	n := 0
	l := NewLimiter(waitFunc(func(context.Context) error {
		if n++; n < 5 {
			return errors.New("no connection to Redis")
		}
		return nil
	}))
	if _, err, _ := d.waitFor(t.Context(), newWaiter(t, script(success), WithLimiter(l))); err != nil || n != 5 {
		t.Errorf("%v after %d turns asked for, want success after 5", err, n)
	}
}

func innerPanics(t *testing.T, d driver) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "boom") {
			t.Errorf("raised %v, want the limiter's own panic on this goroutine", err)
		}
	}()
	l := NewLimiter(waitFunc(func(context.Context) error { panic("boom") }))
	_, _, _ = d.waitFor(t.Context(), newWaiter(t, script(success), WithLimiter(l)))
}

func innerHangs(t *testing.T, d driver) {
	l := NewLimiter(waitFunc(func(context.Context) error { time.Sleep(time.Hour); return nil }))
	w := newWaiter(t, script(success), WithLimiter(l))
	_, err, elapsed := d.waitFor(cancelAfter(t, 5*time.Second, nil), w)
	if !errors.Is(err, context.Canceled) || elapsed != 5*time.Second {
		t.Errorf("%v after %v, want context.Canceled after 5s", err, elapsed)
	}
	if _, err, elapsed = d.waitFor(t.Context(), w); err != nil || elapsed != time.Hour-5*time.Second {
		t.Errorf("%v after %v, want success with the turn that comes an hour after the first was asked for", err, elapsed)
	}
}

func throttleIsEverybodys(t *testing.T) {
	const hold = 10 * time.Second
	for _, n := range []int{1, 100, 1000} {
		var mu sync.Mutex
		var asked []time.Time
		throttled := time.Now().Add(time.Minute)
		w := newWaiter(t, SourceFunc(func(context.Context, string) (Task, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, time.Now())
			if now := time.Now(); !throttled.IsZero() && now.After(throttled) {
				throttled = time.Time{}
				return Task{}, &QueryError{Class: ClassThrottled, RetryAfter: hold}
			}
			return Task{Status: StatusExecuting}, nil
		}), WithLimiter(NewLimiter(nil)), WithTimeout(2*time.Minute))
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { _, _ = w.WaitForTask(t.Context(), fmt.Sprint(i)) })
		}
		all.Wait()
		first := slices.IndexFunc(asked, func(at time.Time) bool { return at.Sub(asked[0]) > time.Minute })
		quiet := asked[first+1].Sub(asked[first])
		if quiet < hold || quiet > hold*11/10+250*time.Millisecond && n > 1 {
			t.Errorf("%d waits: nobody asks for %v after the throttle, want 10s and a tenth", n, quiet)
		}
		back := slices.DeleteFunc(
			slices.Clone(asked[first+1:]),
			func(at time.Time) bool { return at.Sub(asked[first+1]) > hold/2 },
		)
		if most := mostWithin(back, 100*time.Millisecond); most > max(1, n/50) {
			t.Errorf("%d waits: %d come back within 100ms", n, most)
		}
	}
}

func queuedSaysSo(t *testing.T, d driver) {
	l := NewLimiter(rate.NewLimiter(rate.Every(55*time.Second), 1))
	if err := l.queue.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told []time.Duration
	_, err, elapsed := d.waitFor(
		t.Context(),
		newWaiter(t, script(success), WithLimiter(l)),
		WithProgress(func(p Progress) {
			told = append(told, p.QueuedFor)
		}),
	)
	want := []time.Duration{
		10 * time.Second,
		20 * time.Second,
		30 * time.Second,
		40 * time.Second,
		50 * time.Second,
		0,
		0,
	}
	if err != nil || elapsed != 55*time.Second || !slices.Equal(told, want) {
		t.Errorf("%v after %v, told of %v, want success after 55s, and %v", err, elapsed, told, want)
	}
}

func quotaOverWaiters(t *testing.T, d driver) {
	limited, c := WithLimiter(perSecond(10)), script(running)
	var all sync.WaitGroup
	for range 100 {
		w := newWaiter(t, c, limited, WithTimeout(5*time.Minute))
		all.Go(func() { _, _, _ = d.waitFor(t.Context(), w) })
	}
	all.Wait()
	if most := mostWithin(c.asked, time.Second); most > 12 || len(c.asked) < 900 {
		t.Errorf("%d queries, %d within a second, want 12 at most", len(c.asked), most)
	}
}

// TestDetailsTakeTurns makes sure that details are asked for within the quota, or not at all, and that a throttle of
// theirs counts.
func TestDetailsTakeTurns(t *testing.T) { inBubble(detailsTakeTurns)(t) }

func detailsTakeTurns(t *testing.T) {
	d := &detailed{cloud: script(repeat(9, running, success)...), details: []answer{{Value: Task{Percent: new(int)}}}}
	limited := WithLimiter(NewLimiter(rate.NewLimiter(rate.Every(3*time.Second), 1)))
	if _, err, _ := waitFor(t.Context(), newWaiter(t, d, every(4*time.Second), limited)); err != nil {
		t.Error(err)
	}
	all := slices.Concat(d.asked, d.told)
	if most := mostWithin(all, 3*time.Second); most > 1 || len(d.told) == 0 || len(d.told) > 9 {
		t.Errorf("%d for details, %d of all queries within 3s, want some and 1", len(d.told), most)
	}
	d = &detailed{cloud: script(running, success), details: []answer{failed(ClassThrottled, time.Minute)}}
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, d, every(4*time.Second), WithLimiter(NewLimiter(nil))))
	if err != nil || elapsed < time.Minute || elapsed > 67*time.Second {
		t.Errorf("%v after %v, want success when the throttle of the details is over", err, elapsed)
	}
}

// TestLimiterWait: a request of one's own waits in the queue of the polls, and comes after those that were due before.
func TestLimiterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(rate.NewLimiter(rate.Every(10*time.Second), 1))
		begin := time.Now()
		for n := range 3 {
			if err := l.Wait(t.Context()); err != nil || time.Since(begin) != time.Duration(n)*10*time.Second {
				t.Errorf("request %d: %v after %v, want a permit every 10s", n, err, time.Since(begin))
			}
		}
		ctx := cancelAfter(t, time.Second, nil)
		if err := l.Wait(ctx); !errors.Is(err, context.Canceled) || time.Since(begin) != 21*time.Second {
			t.Errorf("%v after %v, want context.Canceled at once", err, time.Since(begin))
		}
		if err := (*Limiter)(nil).Wait(t.Context()); err != nil {
			t.Errorf("no Limiter: %v, want no quota", err)
		}
	})
}
