package sourcetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/taskwait/taskwait"
)

// gives makes the rule that s is answered with the task that was asked for, in that status.
func gives(name string, s Situation, want taskwait.Status, why string) rule {
	return rule{name: name, why: why, check: func(t *trial) error {
		_, err := t.task(s, want)
		return err
	}}
}

// task arranges s, asks once and returns the Task if it is the one that was asked for, in that status.
func (t *trial) task(s Situation, want taskwait.Status) (taskwait.Task, error) {
	a, err := t.poll(s)
	if err != nil {
		return taskwait.Task{}, err
	}
	return a.task, t.wantTask(a, s, want)
}

func (t *trial) wantTask(a answer, s Situation, want taskwait.Status) error {
	switch {
	case a.err != nil:
		return fmt.Errorf("with %s: got %v; want a Task with the status %q", s, a, want)
	case a.task.ID != "" && a.task.ID != t.ID:
		return fmt.Errorf("with %s: got the id %q, want %q, or none", s, a.task.ID, t.ID)
	case a.task.Status != want:
		return fmt.Errorf("with %s: got the status %q, want %q", s, a.task.Status, want)
	case a.task.Percent != nil && (*a.task.Percent < 0 || *a.task.Percent > 100):
		return fmt.Errorf("with %s: got Percent %d, want 0 to 100, or nil for unknown", s, *a.task.Percent)
	case a.task.Remaining < 0:
		return fmt.Errorf("with %s: got Remaining %v, want none below 0, and 0 for unknown", s, a.task.Remaining)
	}
	return nil
}

// fails makes the rule that s is answered with an error of that class.
func fails(name string, s Situation, want taskwait.Class, why string) rule {
	return rule{name: name, why: why, check: func(t *trial) error {
		a, err := t.poll(s)
		if err != nil {
			return err
		}
		return wantError(a, s, want)
	}}
}

func wantError(a answer, s Situation, want taskwait.Class) error {
	if a.err == nil || classOf(a.err) != want {
		return fmt.Errorf("with %s: got %v; want %s", s, a, describe(want))
	}
	return nil
}

func keepsRetryAfter(t *trial) error {
	a, err := t.poll(ThrottledFor)
	if err != nil {
		return err
	}
	var q *taskwait.QueryError
	if !errors.As(a.err, &q) || q == nil {
		return fmt.Errorf("with %s: got %v; want a *taskwait.QueryError with RetryAfter %v", ThrottledFor, a, RetryAfter)
	}
	if q.RetryAfter != RetryAfter {
		return fmt.Errorf("with %s: got RetryAfter %v, want %v", ThrottledFor, q.RetryAfter, RetryAfter)
	}
	return nil
}

func asksOnce(s Situation) func(*trial) error {
	return func(t *trial) error {
		before, err := t.count()
		if err != nil {
			return err
		}
		if _, err := t.poll(s); err != nil {
			return err
		}
		if after, _ := t.count(); after != before+1 {
			return fmt.Errorf("with %s: got %d queries for one call, want 1", s, after-before)
		}
		return nil
	}
}

// sibling is an id of the same form as id, and another.
func sibling(id string) string {
	last := "0"
	if strings.HasSuffix(id, last) {
		last = "1"
	}
	return id[:len(id)-1] + last
}
