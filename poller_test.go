package taskwait_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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

// TestWithoutSharing: where the answer depends on the context, as with a tenant in it, waits for one id get the answers
// of their own context.
func TestWithoutSharing(t *testing.T) {
	ends := map[any]time.Duration{"red": 4 * time.Second, "blue": time.Hour, "green": 10 * time.Minute}
	tests := []struct {
		name      string
		of        []taskwait.Option // of the Waiter
		each      []taskwait.Option // of each wait
		neighbour bool              // one more wait for the same id, which shares
	}{
		{name: "an option of the Waiter", of: []taskwait.Option{taskwait.WithoutSharing()}},
		{name: "an option of each wait", each: []taskwait.Option{taskwait.WithoutSharing()}},
		{name: "beside one that shares", each: []taskwait.Option{taskwait.WithoutSharing()}, neighbour: true},
	}
	for _, tt := range tests {
		virtually(t, tt.name, func(t *testing.T) {
			begun := time.Now()
			w := newWaiter(t, taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
				time.Sleep(50 * time.Millisecond)
				if took, known := ends[ctx.Value(tenant{})]; !known || time.Since(begun) < took {
					return taskwait.Task{ID: id, Status: taskwait.StatusExecuting}, nil
				}
				return taskwait.Task{ID: id, Status: taskwait.StatusSuccess}, nil
			}), tt.of...)
			wrong := make(chan error, len(ends))
			if tt.neighbour {
				go func() { _, _ = w.WaitForTask(t.Context(), "id", taskwait.WithTimeout(30*time.Minute)) }()
			}
			for name, took := range ends {
				go func() {
					ctx := context.WithValue(t.Context(), tenant{}, name)
					_, err := w.WaitForTask(ctx, "id", tt.each...)
					late := time.Since(begun) - took
					if err == nil && (late < 0 || late > time.Minute) {
						err = errors.New("success")
					}
					if err != nil {
						err = fmt.Errorf("%v: got %w after %v, want success soon after %v", name, err, time.Since(begun), took)
					}
					wrong <- err
				}()
			}
			for range ends {
				if err := <-wrong; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestWithoutSharingList: a wait that does not share gets nothing from the list, whose answer depends on a context too.
func TestWithoutSharingList(t *testing.T) {
	for _, way := range ways {
		virtually(t, way.name, func(t *testing.T) {
			s := newService(t)
			ids := s.add("task", 20, always(time.Minute))
			w := newWaiter(t, s.source(true), taskwait.WithoutSharing())
			succeeded(t, way.wait(t.Context(), w, ids), ids, 2*time.Minute)
			if n := len(s.asked(true)); way.name == "WaitForTask" && n > 0 {
				t.Errorf("got %d requests for the list, want none", n)
			}
		})
	}
}

type tenant struct{}

// TestContextValues: a poll, and a request for a page of the list, get the values of the context of a wait that they
// are made for.
func TestContextValues(t *testing.T) {
	for _, list := range []bool{false, true} {
		for _, way := range ways {
			name := way.name
			if list {
				name += " and a list"
			}
			virtually(t, name, func(t *testing.T) {
				s := newService(t)
				var without atomic.Int64
				s.fault = func(ctx context.Context, _ request) error {
					if ctx.Value(tenant{}) != "blue" {
						without.Add(1)
					}
					return nil
				}
				ids := s.add("task", 20, always(time.Minute))
				ctx := context.WithValue(t.Context(), tenant{}, "blue")
				succeeded(t, way.wait(ctx, newWaiter(t, s.source(list), limit(50)), ids), ids, 0)
				if n := without.Load(); n > 0 {
					t.Errorf("got %d of %d requests without the values of a context, want none", n, len(s.requests))
				}
			})
		}
	}
}

// TestContextValuesOfTheFirst: of two waits for one task the poll gets the values of the one that was due first.
func TestContextValuesOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, seen := newService(t), map[any]int{}
		s.fault = func(ctx context.Context, _ request) error {
			seen[ctx.Value(tenant{})]++
			return nil
		}
		id := s.add("task", 1, always(time.Minute))[0]
		w, done := newWaiter(t, s.source(false)), make(chan error)
		wait := func(tenantName string, pause time.Duration) {
			_, err := w.WaitForTask(context.WithValue(t.Context(), tenant{}, tenantName), id, every(pause))
			done <- err
		}
		go wait("eager", 5*time.Second)
		time.Sleep(time.Second)
		go wait("late", 50*time.Second)
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("got %v, want success", err)
			}
		}
		if eager, late := seen["eager"], seen["late"]; eager < 10 || late > 1 {
			t.Errorf("got %d polls for the eager one and %d for the late one, want 10 or more and 1 at most", eager, late)
		}
	})
}
