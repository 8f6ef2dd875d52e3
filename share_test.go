package taskwait

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/poll"
)

// TestShare is about calls of WaitForTask that run at the same time on one Waiter.
func TestShare(t *testing.T) {
	t.Run("figures", inBubble(shareFigures))
	t.Run("the same id", inBubble(shareSameID))
	t.Run("a cancelled one disturbs nobody", inBubble(shareCancelled))
	t.Run("a hung one holds nobody", inBubble(shareHung))
	t.Run("timeouts", inBubble(shareTimeouts))
	t.Run("a panic", inBubble(sharePanic))
	t.Run("one after the other", inBubble(shareSerial))
	t.Run("what was asked before it began", inBubble(shareStale))
}

// each waits for each id on a goroutine of its own.
func (f *fleet) each(t *testing.T, w *Waiter, ids []string, opts ...Option) (errs []error, delay time.Duration) {
	t.Helper()
	errs = make([]error, len(ids))
	late := make([]time.Duration, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			_, errs[i] = w.WaitForTask(t.Context(), id, opts...)
			late[i] = time.Since(f.tasks[id].ends)
		})
	}
	all.Wait()
	for _, d := range late {
		delay += d / time.Duration(len(ids))
	}
	return errs, delay
}

// shareStale: a query that is under way when a wait begins may tell of a time before that. An operation may have been
// started again since: its answer is not for that wait.
func shareStale(t *testing.T) {
	begin := time.Now()
	w := newWaiter(t, SourceFunc(func(_ context.Context, id string) (Task, error) {
		seen := StatusCancelled
		if time.Since(begin) >= time.Second { // it was armed again, and is done
			seen = StatusSuccess
		}
		time.Sleep(1500 * time.Millisecond)
		return Task{ID: id, Status: seen}, nil
	}))
	var first error
	var done sync.WaitGroup
	done.Go(func() { _, first = w.WaitForTask(t.Context(), "id") })
	time.Sleep(time.Second)
	_, second := w.WaitForTask(t.Context(), "id")
	done.Wait()
	if !errors.Is(first, ErrTaskCancelled) || second != nil {
		t.Errorf("%v, then %v; want that it was cancelled, then nothing", first, second)
	}
}

func shareFigures(t *testing.T) {
	for n, most := range map[int]float64{10: 8, 1000: 4} {
		f := newFleet(100)
		ids := f.add(n, logNormal(1, 20*time.Second, 1.2))
		errs, delay := f.each(t, newWaiter(t, f.source(), WithLimiter(perSecond(10))), ids)
		for i, err := range errs {
			if err != nil {
				t.Errorf("%s: %v", ids[i], err)
			}
		}
		if each := float64(len(f.asked)) / float64(n); each > most || delay > 5*time.Second {
			t.Errorf("%d waits: %.2f requests each, mean delay %v, want %v and 5s at most", n, each, delay, most)
		}
	}
}

func shareSameID(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		id := f.add(1, fixed(5*time.Minute))[0]
		w := newWaiter(t, f.source())
		_, _ = f.each(t, w, []string{id})
		alone := len(f.asked)
		f.asked = nil
		f.tasks[id].ends = time.Now().Add(5 * time.Minute)
		var ids []string
		for range 100 {
			ids = append(ids, id)
		}
		errs, delay := f.each(t, w, ids)
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if len(f.asked) > alone*2 || delay > defaultMaxInterval {
			t.Errorf("pages of %d: 100 waits for one id make %d queries, mean delay %v; one makes %d", size, len(f.asked), delay,
				alone)
		}
	}
}

func shareCancelled(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		id := f.add(1, fixed(time.Minute))[0]
		w := newWaiter(t, f.source())
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				ctx, start := t.Context(), time.Now()
				if i > 0 {
					ctx = cancelAfter(t, time.Duration(i)*time.Second+25*time.Millisecond, nil)
				}
				_, err := w.WaitForTask(ctx, id)
				switch took := time.Since(start); {
				case i == 0 && (err != nil || took > 90*time.Second):
					t.Errorf("%v after %v, want success", err, took)
				case i > 0 && (!errors.Is(err, context.Canceled) || took != time.Duration(i)*time.Second+25*time.Millisecond):
					t.Errorf("%v after %v, want context.Canceled at once", err, took)
				}
			})
		}
		all.Wait()
	}
}

func shareHung(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		ids := f.add(3, fixed(time.Minute))
		start := time.Now()
		f.single = func(string) error {
			if time.Since(start) < time.Second { // the first queries
				time.Sleep(10 * time.Minute)
			}
			return nil
		}
		f.page = func(n int) error {
			if n == 2 {
				time.Sleep(30 * time.Second)
			}
			return nil
		}
		errs, _ := f.each(t, newWaiter(t, f.source()), append(ids, ids...), WithQueryTimeout(20*time.Second))
		for _, err := range errs {
			if err != nil && size > 0 {
				t.Errorf("pages of %d: %v", size, err)
			}
		}
		if took := time.Since(start); size > 0 && took > 2*time.Minute {
			t.Errorf("pages of %d: %v", size, took)
		}
		time.Sleep(time.Hour)
	}
}

func shareTimeouts(t *testing.T) {
	f := newFleet(100)
	ids := f.add(200, fixed(time.Hour))
	w := newWaiter(t, f.source(), WithLimiter(perSecond(10)))
	start := time.Now()
	errs, _ := f.each(t, w, ids, WithTimeout(time.Minute))
	for _, err := range errs {
		if !errors.Is(err, ErrTimeout) || asWaitError(t, err).FinalPollFailed {
			t.Errorf("%v, want ErrTimeout after a last look", err)
		}
	}
	if took := time.Since(start); took > time.Minute+poll.FinalAllowance {
		t.Errorf("over after %v", took)
	}
	if most := mostWithin(f.asked, time.Second); most > 12 {
		t.Errorf("%d queries within a second", most)
	}
}

func sharePanic(t *testing.T) {
	f := newFleet(100)
	ids := f.add(10, fixed(time.Minute))
	f.page = func(int) error { panic("boom") }
	w := newWaiter(t, f.source())
	var mu sync.Mutex
	panics := 0
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					mu.Lock()
					defer mu.Unlock()
					panics++
				}
			}()
			if _, err := w.WaitForTask(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if panics != 1 || f.pages != 1 {
		t.Errorf("%d panics by %d pages, want one", panics, f.pages)
	}
}

// shareSerial makes sure that a wait that ends leaves a group in which others go on as before, down to the last.
func shareSerial(t *testing.T) {
	f := newFleet(100)
	ids := f.add(5, func(i int) time.Duration { return time.Duration(i+1) * time.Minute })
	start := time.Now()
	w := newWaiter(t, f.source())
	errs, delay := f.each(t, w, ids)
	for i, err := range errs {
		if err != nil {
			t.Error(fmt.Errorf("%s: %w", ids[i], err))
		}
	}
	if delay > 15*time.Second || time.Since(start) > 6*time.Minute || len(w.pollers.byKey) != 0 {
		t.Errorf("mean delay %v, %d pollers left", delay, len(w.pollers.byKey))
	}
}
