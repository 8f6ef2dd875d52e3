package taskwait_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

// TestNeighboursQueryTimeout: a poll that takes two seconds succeeds for the wait that allows it, and fails for the 100
// waits for the same task that give up after half a second.
func TestNeighboursQueryTimeout(t *testing.T) {
	const waits, ends = 100, 8 * time.Minute // longer than errors are tolerated
	for run := range 10 {
		virtually(t, fmt.Sprintf("run %d", run), func(t *testing.T) {
			s := newService(t)
			s.latency = 2 * time.Second
			id := s.add("task", 1, always(ends))[0]
			w := newWaiter(t, s.source(false))
			hasty, patient := make(chan error, waits), make(chan error, 1)
			for range waits {
				go func() {
					_, err := w.WaitForTask(t.Context(), id, taskwait.WithQueryTimeout(500*time.Millisecond))
					hasty <- err
				}()
			}
			time.Sleep(time.Duration(run) * 100 * time.Millisecond)
			go func() {
				_, err := w.WaitForTask(t.Context(), id)
				patient <- err
			}()
			if err := <-patient; err != nil {
				t.Errorf("the patient one got %v, want success", err)
			}
			wrong := 0
			for range waits {
				if err := <-hasty; !errors.Is(err, taskwait.ErrQuery) {
					wrong++
				}
			}
			if wrong > 0 {
				t.Errorf("got another outcome than ErrQuery for %d of the hasty ones, want none", wrong)
			}
		})
	}
}

// TestNeighboursQueryTimeoutAndList: one wait that gives up too soon on a slow list does not cost 50 others the list.
func TestNeighboursQueryTimeoutAndList(t *testing.T) {
	asked := func(t *testing.T, one ...taskwait.Option) (list, single int) {
		s := newService(t)
		s.latency = 100 * time.Millisecond
		s.fault = func(ctx context.Context, r request) error {
			if !r.lists() {
				return nil
			}
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		ids := s.add("task", 51, func(i int) time.Duration { return 10*time.Minute - time.Duration(i)*10*time.Second })
		w := newWaiter(t, s.source(true))
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := w.WaitForTask(t.Context(), ids[0], one...); err != nil {
				t.Errorf("the first got %v, want success", err)
			}
		})
		synctest.Wait()
		succeeded(t, waitForEach(t.Context(), w, ids[1:]), ids[1:], 0)
		first.Wait()
		return len(s.asked(true)), len(s.asked(false))
	}
	synctest.Test(t, func(t *testing.T) {
		list, single := asked(t)
		list2, single2 := asked(t, taskwait.WithQueryTimeout(2*time.Second))
		if list2 < list/2 || single2 > 2*single+100 {
			t.Errorf("got %d lists and %d single polls beside it, want about %d and %d", list2, single2, list, single)
		}
	})
}

var neighbourScripts = flag.Int("neighbours", 16, "how many random scripts TestNeighboursOptions plays")

// TestNeighboursOptions: the options of waits for the same tasks, and their ends, do not change a wait's verdict.
func TestNeighboursOptions(t *testing.T) {
	for seed := range uint64(*neighbourScripts) {
		synctest.Test(t, func(t *testing.T) { neighboursOptions(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func neighboursOptions(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	s := newService(t)
	s.latency = time.Duration(500+rnd.IntN(2500)) * time.Millisecond
	begun, troubled, missing := time.Now(), rnd.IntN(3) == 0, rnd.IntN(3) == 0
	tolerance := taskwait.WithErrorTolerance(time.Minute)
	s.fault = func(_ context.Context, r request) error {
		age := r.at.Sub(begun)
		switch { // neither lasts long enough to end a wait
		case troubled && age%(2*time.Minute) < 20*time.Second:
			return unavailable()
		case missing && !r.lists() && age%(2*time.Minute) < 20*time.Second:
			return &taskwait.QueryError{Class: taskwait.ClassNotFound}
		}
		return nil
	}
	id := s.add("task", 1, always(time.Duration(60+rnd.IntN(600))*time.Second))[0]
	w := newWaiter(t, s.source(rnd.IntN(2) == 0))
	neighbours := make([][]taskwait.Option, 80)
	for i := range neighbours {
		neighbours[i] = []taskwait.Option{taskwait.WithQueryTimeout(time.Duration(1+rnd.IntN(500)) * time.Millisecond)}
		if i%4 == 0 {
			neighbours[i] = randomOptions(rnd)
		}
	}
	var all sync.WaitGroup
	for i, opts := range neighbours {
		ctx := t.Context()
		if after := rnd.IntN(600); i%3 == 0 {
			ctx = cancelled(t, time.Duration(after)*time.Second)
		}
		all.Go(func() {
			defer func() { _ = recover() }() // of a progress callback
			_, _ = w.WaitForTask(ctx, id, opts...)
		})
	}
	time.Sleep(time.Duration(rnd.IntN(2000)) * time.Millisecond)
	if _, err := w.WaitForTask(t.Context(), id, tolerance); err != nil {
		t.Errorf("got %v, want success", err)
	}
	all.Wait()
}

// randomOptions are options that may end a wait too soon. There is always a timeout.
func randomOptions(rnd *rand.Rand) []taskwait.Option {
	some := func(n int) time.Duration { return time.Duration(1+rnd.IntN(n)) * time.Millisecond }
	short := some(30000)
	stops := func() backoff.BackOff { return backoff.WithMaxRetries(backoff.NewConstantBackOff(short), 3) }
	opts := []taskwait.Option{taskwait.WithTimeout(some(900000))}
	for range rnd.IntN(4) {
		pause := some(20000)
		all := []taskwait.Option{
			taskwait.WithQueryTimeout(some(3000)),
			taskwait.WithErrorTolerance(some(60000)),
			taskwait.WithNotFoundGrace(some(10000)),
			taskwait.WithStallTimeout(some(60000)),
			taskwait.WithInitialDelay(some(60000)),
			taskwait.WithInterval(pause, 2*pause),
			taskwait.WithBackOff(stops),
			taskwait.WithProgress(func(taskwait.Progress) { panic("a callback") }),
			confirmations(1 + rnd.IntN(5)),
			limit(1),
		}
		opts = append(opts, all[rnd.IntN(len(all))])
	}
	return opts
}
