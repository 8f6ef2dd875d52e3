package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
)

// TestDeadlinePollIsKept: the poll that is planned shortly before the context's deadline is made, whatever answers come
// from other waits before it.
func TestDeadlinePollIsKept(t *testing.T) {
	const deadline, ends = time.Minute, 58500 * time.Millisecond // the poll is planned for 59s
	virtually(t, "a neighbour for each task, with pauses of its own", func(t *testing.T) {
		s := newService(t)
		ids := s.add("task", 50, always(ends))
		w, ctx, soon := newWaiter(t, s.source(false)), within(t, time.Hour), within(t, deadline)
		var neighbours sync.WaitGroup
		for i, id := range ids {
			pause := 3*time.Second + time.Duration(i)*300*time.Millisecond
			neighbours.Go(func() { _, _ = w.WaitForTask(ctx, id, every(pause)) })
		}
		succeeded(t, waitForEach(soon, w, ids, every(20*time.Second)), ids, deadline-time.Millisecond)
		neighbours.Wait()
	})
	for _, pause := range []time.Duration{5 * time.Second, 20 * time.Second, 40 * time.Second} {
		for _, list := range []bool{true, false} {
			for _, way := range ways {
				name := fmt.Sprintf("%s/50 tasks, pauses of %v, a list: %v", way.name, pause, list)
				virtually(t, name, func(t *testing.T) {
					s := newService(t)
					ids := s.add("task", 50, always(ends))
					got := way.wait(within(t, deadline), newWaiter(t, s.source(list), every(pause)), ids)
					succeeded(t, got, ids, deadline-time.Millisecond)
				})
			}
		}
	}
}

// TestDeadlinePollOnce: the deadline poll comes a second before the deadline, or a tenth of the time that is left.
func TestDeadlinePollOnce(t *testing.T) {
	tests := []struct {
		name           string
		deadline, want time.Duration
	}{
		{"a minute", time.Minute, 59 * time.Second},
		{"five seconds", 5 * time.Second, 4500*time.Millisecond + 5*time.Millisecond}, // after an answer at 50ms
	}
	for _, tt := range tests {
		virtually(t, tt.name, func(t *testing.T) {
			s, begun := newService(t), time.Now()
			id := s.add("task", 1, always(time.Hour))[0]
			_, err := newWaiter(t, s, every(10*time.Minute)).WaitForTask(within(t, tt.deadline), id)
			if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != tt.deadline {
				t.Errorf("got %v after %v, want DeadlineExceeded after %v", err, took, tt.deadline)
			}
			polls := s.asked(false)
			if last := polls[len(polls)-1].at.Sub(begun); len(polls) != 2 || last != tt.want {
				t.Errorf("got %d polls, the last after %v, want 2 and %v", len(polls), last, tt.want)
			}
		})
	}
}

// TestFirstPollIsKept: nothing is asked before the instant that is planned for the first poll, by a list neither.
func TestFirstPollIsKept(t *testing.T) {
	history := &schedule.History{}
	for range 100 {
		history.Add("resize", 2*time.Minute)
	}
	tests := []struct {
		name string
		opts []taskwait.Option
		want time.Duration // at least
		most time.Duration
	}{
		{
			name: "WithInitialDelay", want: 10 * time.Second, most: 11 * time.Second,
			opts: []taskwait.Option{taskwait.WithInitialDelay(10 * time.Second)},
		},
		{
			name: "WithInitialDelay, and pauses that are shorter", want: time.Minute, most: 61 * time.Second,
			opts: []taskwait.Option{taskwait.WithInitialDelay(time.Minute), every(time.Second)},
		},
		{ // which is polled first after 30s at the latest
			name: "a kind that is known to take two minutes", want: 20 * time.Second, most: 31 * time.Second,
			opts: []taskwait.Option{taskwait.WithHistory(history), taskwait.WithKind("resize")},
		},
	}
	for _, tt := range tests {
		for _, list := range []bool{false, true} {
			for _, way := range ways {
				name := way.name + "/" + tt.name
				if list {
					name += "/with a list"
				}
				virtually(t, name, func(t *testing.T) {
					s, begun := newService(t), time.Now()
					ids := s.add("task", 50, always(2*time.Minute))
					got := way.wait(t.Context(), newWaiter(t, s.source(list), tt.opts...), ids)
					succeeded(t, got, ids, 0)
					if first := s.requests[0].at.Sub(begun); first < tt.want || first > tt.most {
						t.Errorf("got the first request after %v, want it between %v and %v", first, tt.want, tt.most)
					}
				})
			}
		}
	}
}
