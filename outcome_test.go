package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

// sentinels are all errors that say how a wait has ended.
var sentinels = []error{
	taskwait.ErrTaskFailed, taskwait.ErrTaskDeleted, taskwait.ErrTaskCancelled, taskwait.ErrTimeout,
	taskwait.ErrTaskNotFound, taskwait.ErrQuery, taskwait.ErrStalled, taskwait.ErrBackOffStopped,
	taskwait.ErrInvalidOption, taskwait.ErrNotStarted, taskwait.ErrOutcomeUnknown, taskwait.ErrAmbiguous,
}

// TestSourceDecidesNoOutcome: an error of the Source's that wraps one of our sentinels is about something else, such as
// a wait of the Source's own. It does not become this wait's outcome.
func TestSourceDecidesNoOutcome(t *testing.T) {
	for _, foreign := range sentinels {
		for _, class := range []taskwait.Class{taskwait.ClassPermanent, taskwait.ClassTransient} {
			for _, way := range waitOne[:2] {
				virtually(t, fmt.Sprintf("%s/%v, %v", way.name, class, foreign), func(t *testing.T) {
					s := newService(t)
					s.fault = func(context.Context, request) error {
						return &taskwait.QueryError{Class: class, Err: fmt.Errorf("a wait of our own: %w", foreign)}
					}
					_, err := way.wait(t.Context(), newWaiter(t, s), s.add("task", 1, always(0))[0])
					onlyIs(t, err, taskwait.ErrQuery)
					if e := asWaitError(t, err); !e.StillRunning() {
						t.Errorf("got StillRunning false for %v, want true: nothing is known of the task", err)
					}
				})
			}
		}
	}
}

// onlyIs reports an error if err is another sentinel than one of want.
func onlyIs(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, s := range sentinels {
		if got, want := errors.Is(err, s), slices.Contains(want, s); got != want {
			t.Errorf("got errors.Is(err, %v) = %v for %v, want %v", s, got, err, want)
		}
	}
}

// TestStartDecidesByClass: the class of Start's error says what became of an operation, not what the error wraps.
func TestStartDecidesByClass(t *testing.T) {
	refusal := func(c taskwait.Class, err error) error { return &taskwait.QueryError{Class: c, Err: err} }
	cut := fmt.Errorf("cut: %w", taskwait.ErrNotStarted)
	tests := []struct {
		name string
		err  error
		want error
	}{
		{"a plain error that wraps ErrNotStarted", cut, taskwait.ErrOutcomeUnknown},
		{"a transient one", refusal(taskwait.ClassTransient, cut), taskwait.ErrOutcomeUnknown},
		{
			"a refusal that wraps ErrOutcomeUnknown",
			refusal(taskwait.ClassPermanent, taskwait.ErrOutcomeUnknown), taskwait.ErrNotStarted,
		},
		{
			"a refusal that wraps ErrAmbiguous",
			refusal(taskwait.ClassNotFound, taskwait.ErrAmbiguous), taskwait.ErrNotStarted,
		},
		{
			"a refusal that wraps ErrTaskFailed",
			refusal(taskwait.ClassPermanent, taskwait.ErrTaskFailed), taskwait.ErrNotStarted,
		},
	}
	for _, tt := range tests {
		virtually(t, tt.name, func(t *testing.T) {
			op := taskwait.Operation{Name: "resize", Start: func(context.Context, taskwait.Attempt) (string, error) {
				return "", tt.err
			}}
			_, err := newWaiter(t, newService(t)).Do(t.Context(), op)
			onlyIs(t, err, tt.want)
		})
	}
}

// TestTaskOfOperationDecidesNoOutcome: once an operation was started, its task's queries do not make it not started.
func TestTaskOfOperationDecidesNoOutcome(t *testing.T) {
	for _, foreign := range []error{taskwait.ErrNotStarted, taskwait.ErrOutcomeUnknown, taskwait.ErrAmbiguous} {
		virtually(t, foreign.Error(), func(t *testing.T) {
			s := newService(t)
			s.fault = func(context.Context, request) error {
				return &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: foreign}
			}
			_, err := newWaiter(t, s).Do(t.Context(), operation(s.add("task", 1, always(0))[0]))
			onlyIs(t, err, taskwait.ErrQuery)
			if e := asWaitError(t, err); !e.StillRunning() || e.ID != "task-0" {
				t.Errorf("got StillRunning %v, id %q, want true and task-0", e.StillRunning(), e.ID)
			}
		})
	}
}

// TestBackOffOfNil: a BackOff function that returns nil is refused, before anything is asked or sent.
func TestBackOffOfNil(t *testing.T) {
	of := taskwait.WithBackOff(func() backoff.BackOff { return nil })
	for _, way := range waitOne {
		synctest.Test(t, func(t *testing.T) {
			s := newService(t)
			_, err := way.wait(within(t, time.Hour), newWaiter(t, s), s.add("task", 1, always(0))[0], of)
			if n := len(s.requests); !errors.Is(err, taskwait.ErrInvalidOption) || n > 0 {
				t.Errorf("%s: got %v and %d requests, want ErrInvalidOption and none", way.name, err, n)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &sender{start: conflictFirst}
		_, err := newWaiter(t, newService(t)).Do(within(t, time.Hour), s.operation(), of)
		if sent, _ := s.count(); !errors.Is(err, taskwait.ErrInvalidOption) || sent > 0 {
			t.Errorf("got %v and %d starts, want ErrInvalidOption and none", err, sent)
		}
	})
}
