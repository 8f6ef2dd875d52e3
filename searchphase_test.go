package taskwait_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// TestCandidateListedFirst: the service gives no id, and lists the operation's task only after a while. Another task
// that may be the operation's is listed at once, and ends first. Which one is the operation's is not guessed.
func TestCandidateListedFirst(t *testing.T) {
	tests := []struct {
		name   string
		listed time.Duration // when ours is listed
		other  time.Duration // when the other one ends; 0: there is none
		want   error
	}{
		{"ours alone, at once", 0, 0, nil},
		{"ours alone, late", 5 * time.Second, 0, nil},
		{"both at once", 0, 2 * time.Second, taskwait.ErrAmbiguous},
		{"ours late, the other has ended", 5 * time.Second, time.Second, taskwait.ErrAmbiguous},
		{"ours late, the other ends soon", 5 * time.Second, 3 * time.Second, taskwait.ErrAmbiguous},
		{"ours late, the other ends later", 5 * time.Second, 30 * time.Second, taskwait.ErrAmbiguous},
	}
	for _, tt := range tests {
		virtually(t, tt.name, func(t *testing.T) {
			s, begun := newService(t), time.Now()
			ours := s.add("ours", 1, always(2*time.Minute))[0]
			find := func(context.Context, taskwait.Attempt) (found []taskwait.Task, err error) {
				if tt.other > 0 {
					found = append(found, s.row("other-0"))
				}
				if time.Since(begun) >= tt.listed {
					found = append(found, s.row(ours))
				}
				return found, nil
			}
			if tt.other > 0 {
				s.add("other", 1, always(tt.other))
			}
			op := taskwait.Operation{Name: "resize", Find: find, Start: func(context.Context, taskwait.Attempt) (string, error) {
				return "", nil
			}}
			task, err := newWaiter(t, s).Do(within(t, time.Hour), op)
			switch {
			case tt.want == nil && (err != nil || task.ID != ours):
				t.Errorf("got task %q and %v, want %q and success", task.ID, err, ours)
			case tt.want != nil && !errors.Is(err, tt.want):
				t.Errorf("got task %q and %v, want %v", task.ID, err, tt.want)
			}
		})
	}
}

// TestCandidateInTheLag: where time is over before the list must show the operation's task, a candidate's verdict is
// not reported as that of the operation.
func TestCandidateInTheLag(t *testing.T) {
	for _, tt := range []struct {
		name string
		ctx  time.Duration
		opts []taskwait.Option
		want error
	}{
		{"a timeout", time.Hour, []taskwait.Option{taskwait.WithTimeout(8 * time.Second)}, taskwait.ErrTimeout},
		{"a context's deadline", 8 * time.Second, nil, context.DeadlineExceeded},
	} {
		virtually(t, tt.name, func(t *testing.T) {
			s, begun := newService(t), time.Now()
			other := s.add("other", 1, always(time.Second))[0]
			op := taskwait.Operation{
				Name:  "resize",
				Start: func(context.Context, taskwait.Attempt) (string, error) { return "", nil },
				Find: func(context.Context, taskwait.Attempt) ([]taskwait.Task, error) {
					return []taskwait.Task{s.row(other)}, nil
				},
			}
			_, err := newWaiter(t, s).Do(within(t, tt.ctx), op, tt.opts...)
			var e *taskwait.WaitError
			if !errors.As(err, &e) || !errors.Is(err, tt.want) || !e.StillRunning() || len(e.Candidates) != 1 {
				t.Errorf("got %v, want %v with the candidate", err, tt.want)
			}
			if after := time.Since(begun); after > 13*time.Second {
				t.Errorf("after %v, want no more than the time there was", after)
			}
		})
	}
}
