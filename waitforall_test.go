package taskwait

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// errorsOf are the errors that WaitForAll has joined.
func errorsOf(t *testing.T, err error) (all []*WaitError) {
	t.Helper()
	if err == nil {
		return nil
	}
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %#v, want an error that joins those of the tasks", err)
	}
	for _, e := range j.Unwrap() {
		we, ok := e.(*WaitError)
		if !ok {
			t.Fatalf("got %#v in it, want a *WaitError", e)
		}
		all = append(all, we)
	}
	return all
}

func TestWaitForAll(t *testing.T) {
	const good, late, bad, invalid = "task-0", "task-1", "task-2", "a/b" // as fleet names them
	tests := []struct {
		name string
		ids  []string
		opts []Option
		want []string // the ids in the error, in its order
		text string   // before the text of the first of them
	}{
		{name: "no ids"},
		{name: "all succeed", ids: []string{late, good}},
		{name: "one id that has failed", ids: []string{bad}, want: []string{bad}},
		{name: "one id that is invalid", ids: []string{invalid}, want: []string{invalid}},
		{
			name: "the order of ids, not of their ends",
			ids:  []string{late, invalid, good, bad},
			opts: []Option{WithTimeout(20 * time.Second)},
			want: []string{late, invalid, bad},
			text: "taskwait: 3 of 4 tasks have not succeeded, the first: ",
		},
		{name: "an id that stands there twice", ids: []string{bad, good, bad, good}, want: []string{bad, bad},
			text: "taskwait: 2 of 4 tasks have not succeeded, the first: "},
		{
			name: "a bad option is every id's error",
			ids:  []string{good, bad},
			opts: []Option{WithTimeout(-1)},
			want: []string{good, bad},
			text: "taskwait: 2 of 2 tasks have not succeeded, the first: ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(100)
				f.add(3, func(i int) time.Duration { return []time.Duration{5, 30, 10}[i] * time.Second })
				f.tasks[bad].outcome = StatusFailed
				tasks, err := newWaiter(t, f.source()).WaitForAll(t.Context(), tt.ids, tt.opts...)
				for i, task := range tasks {
					if task.ID != tt.ids[i] {
						t.Errorf("task %d is %v, want that of %q", i, task, tt.ids[i])
					}
				}
				var got []string
				for _, e := range errorsOf(t, err) {
					got = append(got, e.ID)
				}
				if len(tasks) != len(tt.ids) || !slices.Equal(got, tt.want) {
					t.Errorf("%d tasks, errors of %q; want %d, %q", len(tasks), got, len(tt.ids), tt.want)
				}
				if err != nil && err.Error() != tt.text+errorsOf(t, err)[0].Error() {
					t.Errorf("text = %s", err)
				}
			})
		})
	}
}

// TestWaitForAllOfNone: a bad option is an error also where there are no ids.
func TestWaitForAllOfNone(t *testing.T) {
	tasks, err := newWaiter(t, always(StatusSuccess)).WaitForAll(t.Context(), nil, WithTimeout(-1))
	if len(tasks) != 0 || !errors.Is(err, ErrInvalidOption) {
		t.Errorf("%v, %v, want ErrInvalidOption", tasks, err)
	}
}
