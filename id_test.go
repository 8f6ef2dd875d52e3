package taskwait

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errNotARN = errors.New("want an\narn")

// arns is a Source whose ids are ARNs.
type arns struct{ *cloud }

func (a arns) CheckID(id string) error {
	if !strings.HasPrefix(id, "arn:") {
		return errNotARN
	}
	return nil
}

// TestSourceChecksID: a Source's own check stands in place of the default, in every method.
func TestSourceChecksID(t *testing.T) {
	const arn = "arn:cloud:task/1?x=#{y} z"
	tests := []struct {
		name, id, text string
		err            error // beside ErrInvalidID; nil: it is waited for
	}{
		{name: "an ARN", id: arn},
		{
			name: "no ARN", id: "8abf", err: errNotARN,
			text: `taskwait: invalid id: task id "8abf" is refused by the Source: want an\narn`,
		},
		{name: "empty", id: "", err: ErrInvalidID, text: `taskwait: invalid id: task id "" is empty`},
	}
	ways := map[string]func(context.Context, *Waiter, string) (Task, error){
		"WaitForTask": func(ctx context.Context, w *Waiter, id string) (Task, error) { return w.WaitForTask(ctx, id) },
		"WaitForAll": func(ctx context.Context, w *Waiter, id string) (Task, error) {
			tasks, err := w.WaitForAll(ctx, []string{id})
			return tasks[0], err
		},
	}
	for way, wait := range ways {
		for _, tt := range tests {
			t.Run(way+", "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					src := arns{script(seen(StatusSuccess))}
					task, err := wait(t.Context(), newWaiter(t, src), tt.id)
					if tt.err == nil {
						if err != nil || task.ID != tt.id || len(src.asked) != 1 {
							t.Errorf("%v, %v after %d queries; want SUCCESS after one", task, err, len(src.asked))
						}
						return
					}
					e := asWaitError(t, err)
					if !errors.Is(err, ErrInvalidID) || !errors.Is(err, tt.err) || e.ID != tt.id || !e.StillRunning() ||
						err.Error() != tt.text {
						t.Errorf("%v\nwant %s", err, tt.text)
					}
					if len(src.asked) != 0 {
						t.Errorf("%d queries were made, want none", len(src.asked))
					}
				})
			})
		}
	}
}

// TestStartedIDIsKept: an operation that was started is never lost for its id, and one whose id the Source takes is
// waited for.
func TestStartedIDIsKept(t *testing.T) {
	const id = "projects/p/operations/1"
	start := func(context.Context, Attempt) (string, error) { time.Sleep(2 * time.Second); return id, nil }
	op := Operation{Name: "resize", Start: start}
	synctest.Test(t, func(t *testing.T) {
		_, err := newWaiter(t, script(seen(StatusSuccess))).Do(t.Context(), op)
		e := asWaitError(t, err)
		const want = `taskwait: task "projects/p/operations/1": invalid id after 2s: operation resize was started, ` +
			`and its task cannot be queried by this id, 1 poll, last: taskwait: invalid id: ` +
			`task id "projects/p/operations/1" holds '/' at byte 8, ` +
			`want none of / \ ? # % { } nor white space or what does not print`
		if e.ID != id || !e.StillRunning() || e.Operation != "resize" || !errors.Is(err, ErrInvalidID) ||
			err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
		src := paths{script(seen(StatusSuccess))}
		if task, err := newWaiter(t, src).Do(t.Context(), op); err != nil || task.ID != id {
			t.Errorf("%v, %v; want SUCCESS", task, err)
		}
		asked := []string{}
		for task, err := range newWaiter(t, src).WaitForTasks(t.Context(), []string{id, id}) {
			if asked = append(asked, task.ID); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(asked, []string{id, id}) {
			t.Errorf("%d results, want 2", len(asked))
		}
	})
}

// paths is a Source that takes every id.
type paths struct{ *cloud }

func (paths) CheckID(string) error { return nil }
