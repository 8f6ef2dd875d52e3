package taskwait

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCollectTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(100)
		ids := f.add(3, func(i int) time.Duration { return time.Duration(30-i) * time.Second })
		f.tasks[ids[1]].outcome = StatusFailed
		w := newWaiter(t, f.source())
		ids = append(ids, ids[1], "")
		results, err := w.CollectTasks(t.Context(), ids)
		for i, want := range []error{nil, ErrTaskFailed, nil, ErrTaskFailed, ErrInvalidID} {
			if r := results[i]; !errors.Is(r.Err, want) || (r.Err == nil) != (want == nil) || r.Task.ID != ids[i] {
				t.Errorf("result %d: %v with %v, want %v for %q", i, r.Err, r.Task, want, ids[i])
			}
		}
		var we *WaitError
		if !errors.Is(err, ErrTaskFailed) || !errors.Is(err, ErrInvalidID) || !errors.As(err, &we) || we.ID != ids[1] {
			t.Errorf("%v, want both errors in it", err)
		}
		want := `taskwait: 3 of 5 tasks have not succeeded, the first: ` + results[1].Err.Error()
		if err.Error() != want {
			t.Errorf("text = %s\nwant   %s", err, want)
		}
		if results, err := w.CollectTasks(t.Context(), ids[:1]); err != nil || len(results) != 1 {
			t.Errorf("%v, %v, want one success", results, err)
		}
		if results, err := w.CollectTasks(t.Context(), nil, WithTimeout(-1)); len(results) != 0 || !errors.Is(err, ErrInvalidOption) {
			t.Errorf("%v, %v, want ErrInvalidOption", results, err)
		}
	})
}
