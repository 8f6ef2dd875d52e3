package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

// TestListStarvesNothing: whatever a list does, its tasks are polled one by one meanwhile, and end when they would
// without it, but for a pause.
func TestListStarvesNothing(t *testing.T) {
	quota := []taskwait.Option{limit(9)}
	refusal := &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: errors.New("403 forbidden")}
	hangs := func(honours bool) func(context.Context, *service) error {
		return func(ctx context.Context, s *service) error { return s.hang(ctx, honours) }
	}
	tests := []struct {
		name string
		opts []taskwait.Option
		list func(ctx context.Context, s *service) error
		show func(rows []taskwait.Task) []taskwait.Task
	}{
		{name: "throttled for a minute, behind a limiter", opts: quota, list: fails(throttled(time.Minute))},
		{name: "throttled for a minute", list: fails(throttled(time.Minute))},
		{name: "throttled for an unknown time, behind a limiter", opts: quota, list: fails(throttled(0))},
		{name: "throttled for an unknown time", list: fails(throttled(0))},
		{name: "unavailable", list: fails(unavailable())},
		{name: "unavailable, come again in a minute", list: fails(&taskwait.QueryError{RetryAfter: time.Minute})},
		{name: "refused", list: fails(refusal)},
		{name: "hangs", list: hangs(true)},
		{name: "hangs and honours no context", list: hangs(false)},
		{name: "shows none of them", show: func([]taskwait.Task) []taskwait.Task { return nil }},
	}
	for _, tt := range tests {
		for _, way := range ways {
			virtually(t, way.name+"/"+tt.name, func(t *testing.T) {
				s := newService(t)
				s.show = tt.show
				s.fault = func(ctx context.Context, r request) error {
					if r.lists() && tt.list != nil {
						return tt.list(ctx, s)
					}
					return nil
				}
				ids := s.add("task", 5, always(3*time.Second))
				got := way.wait(within(t, time.Hour), newWaiter(t, s.source(true), tt.opts...), ids)
				// Polls at 0 and after the first pause, 4.9 s at most; each may be held a second for the list.
				succeeded(t, got, ids, 10*time.Second)
				if n := len(s.asked(true)); n > 10 {
					t.Errorf("got %d requests for the list, want 10 at most", n)
				}
			})
		}
	}
}

// fails is a list whose every page is this error.
func fails(err error) func(context.Context, *service) error {
	return func(context.Context, *service) error { return err }
}

// TestThrottleKeepsPages: a throttle in the middle of a list pass keeps what was read. The pass goes on with the page
// that was refused, and every page takes a permit.
func TestThrottleKeepsPages(t *testing.T) {
	for _, way := range ways {
		virtually(t, way.name, func(t *testing.T) {
			s, refused := newService(t), map[time.Time]bool{}
			s.fault = func(_ context.Context, r request) error {
				if r.lists() && r.n%4 == 0 {
					refused[r.at] = true
					return throttled(time.Second)
				}
				return nil
			}
			s.add("other", 1400, always(time.Hour))
			ids := s.add("task", 100, always(30*time.Second)) // on the last page
			got := way.wait(within(t, time.Hour), newWaiter(t, s.source(true), limit(20)), ids)
			succeeded(t, got, ids, time.Minute)
			if len(refused) == 0 {
				t.Error("got no throttled page, want some")
			}
			pages := s.asked(true)
			for i := 1; i < len(pages); i++ {
				last, want := pages[i-1], pages[i-1].from
				if !refused[last.at] {
					want = (last.from + s.pageSize) % len(s.order)
				}
				over := !refused[last.at] && pages[i].from == 0 // a pass ends early where it awaits nothing more
				if got := pages[i].from; got != want && !over {
					t.Errorf("got the page at row %d, want %d: the one before was at %d", got, want, last.from)
				}
				if gap := pages[i].at.Sub(last.at); gap < 49*time.Millisecond { // 20 a second
					t.Errorf("got pages %v apart, want a permit for each: 50ms", gap)
				}
			}
		})
	}
}

// TestPaceOfList: the pace of list passes is that of the schedule in force, whatever option sets it.
func TestPaceOfList(t *testing.T) {
	backOff := func(d time.Duration) taskwait.Option {
		return taskwait.WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(d) })
	}
	tests := []struct {
		name  string
		pause time.Duration
		opt   taskwait.Option
	}{
		{"WithInterval", 500 * time.Millisecond, every(500 * time.Millisecond)},
		{"WithBackOff", 500 * time.Millisecond, backOff(500 * time.Millisecond)},
		{"WithInterval, fast", 200 * time.Millisecond, every(200 * time.Millisecond)},
		{"WithBackOff, fast", 200 * time.Millisecond, backOff(200 * time.Millisecond)},
	}
	for _, tt := range tests {
		for _, way := range ways {
			virtually(t, fmt.Sprintf("%s/%s of %v", way.name, tt.name, tt.pause), func(t *testing.T) {
				const takes, most = 20 * time.Second, 3
				s := newService(t)
				ids := s.add("task", 100, always(takes))
				got := way.wait(within(t, time.Hour), newWaiter(t, s.source(true), tt.opt), ids)
				succeeded(t, got, ids, takes+2*time.Second)
				if n := len(s.asked(false)); n > len(ids) {
					t.Errorf("got %d single polls, want at most one for each of %d tasks", n, len(ids))
				}
				if n, want := len(s.asked(true)), most*int(takes/tt.pause)/2; n > want {
					t.Errorf("got %d requests for the list, want %d at most", n, want)
				}
			})
		}
	}
}
