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
