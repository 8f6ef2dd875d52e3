package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

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
