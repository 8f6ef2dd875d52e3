package taskwait

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestOneErrorIsNothing: one error that passes does not end a wait.
func TestOneErrorIsNothing(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		answers := repeat(19, running, success)
		answers[6] = answer{Err: &QueryError{Code: "DMS.00500000", Err: errors.New("503 Service Unavailable")}}
		if _, err, _ := d.waitFor(t.Context(), newWaiter(t, script(answers...))); err != nil {
			t.Error(err)
		}
	})
}

// TestErrorsDoNotAddUp: a good answer ends a run of errors.
func TestErrorsDoNotAddUp(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		var answers []answer
		for range 500 {
			answers = append(answers, reset, running)
		}
		c := script(append(answers, success)...)
		_, err, _ := d.waitFor(t.Context(), newWaiter(t, c, WithErrorTolerance(0)))
		if err != nil || len(c.asked) != 1001 {
			t.Errorf("%v after %d queries, want success after 1001", err, len(c.asked))
		}
	})
}

// TestPermanentErrorEndsTheWait: a refusal for good ends a wait at once, and is named.
func TestPermanentErrorEndsTheWait(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		refused := &QueryError{
			Class:     ClassPermanent,
			Code:      "DMS.00403002",
			RequestID: "7d1f",
			Err:       errors.New("403 Forbidden"),
		}
		c := script(answer{Err: refused})
		_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, c))
		var q *QueryError
		if !errors.Is(err, ErrQuery) || !errors.As(err, &q) || q != refused || elapsed != 0 || len(c.asked) != 1 {
			t.Errorf("after %v and %d queries: %v, want ErrQuery with the service's own at once", elapsed, len(c.asked), err)
		}
		for _, part := range []string{"DMS.00403002", "7d1f"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not name %s", err, part)
			}
		}
	})
}

// TestRowOfAnotherTask: the answer for another task is none.
func TestRowOfAnotherTask(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		task, err, _ := d.waitFor(
			t.Context(),
			newWaiter(t, script(answer{Value: Task{ID: "other", Status: StatusSuccess}})),
		)
		if !errors.Is(err, ErrTaskNotFound) || task.Status != "" {
			t.Errorf("%v with %v, want ErrTaskNotFound and no task", err, task)
		}
	})
}

// TestRetryAfterHonoured: a wish of the service is honoured up to its cap, and never lengthens the timeout.
func TestRetryAfterHonoured(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for _, tt := range []struct{ after, least, most time.Duration }{
			{24 * time.Hour, 5 * time.Minute, 330 * time.Second},
			{20 * time.Second, 20 * time.Second, 22 * time.Second},
			{-time.Hour, 4 * time.Second, 4 * time.Second},
			{0, 4 * time.Second, 4 * time.Second},
		} {
			c := script(failed(ClassThrottled, tt.after), success)
			_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, c, every(4*time.Second)))
			if err != nil || elapsed < tt.least || elapsed > tt.most {
				t.Errorf("Retry-After %v: %v after %v, want %v to %v", tt.after, err, elapsed, tt.least, tt.most)
			}
			_, err, elapsed = d.waitFor(
				t.Context(),
				newWaiter(t, script(failed(ClassThrottled, tt.after)), WithTimeout(time.Second)),
			)
			if !errors.Is(err, ErrTimeout) || elapsed < 5*time.Second || elapsed > 6*time.Second {
				t.Errorf(
					"Retry-After %v, timeout 1 s: %v after %v, want ErrTimeout when the final poll was repeated for 4 to 5 s",
					tt.after,
					err,
					elapsed,
				)
			}
		}
	})
}
