package taskwait_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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
