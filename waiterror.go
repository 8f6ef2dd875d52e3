package taskwait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// WaitError is what WaitForTask returns when the wait did not end with SUCCESS.
//
// [errors.Is] and [errors.As] tell the truth about this very wait: it Is one of the sentinels, and the context's error
// where the context ended or the timeout passed. They also reach LastErr and the context's cause, but never find one of
// our sentinels, context.Canceled or context.DeadlineExceeded in there: an http.Client's own timeout is a
// DeadlineExceeded too, and in an errgroup the cause is the error of a sibling, whose task may have failed while this one runs.
type WaitError struct {
	ID      string
	Task    Task          // the last one seen; its ID is empty if none was
	Polls   int           // queries made
	Errors  int           // how often an error came instead of a task
	Elapsed time.Duration // from the call of WaitForTask to its end
	LastErr error         // the last error that came instead of a task, recovered from or not; nil: none

	kind   error // one of the sentinels; nil: the context ended
	ctxErr error // the context's error, where it ended or the timeout passed
	cause  error // the context's cause
	blind  bool  // the last look failed
}

// StillRunning reports whether the task may still run: true whenever the service has not reported a terminal status.
// Do not destroy or create anything then as if the task had failed; wait for it again.
func (e *WaitError) StillRunning() bool { return !e.Task.Status.Terminal() }

// MarshalJSON gives what Error says, and the facts; elapsed is in nanoseconds.
func (e *WaitError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Error        string        `json:"error"`
		ID           string        `json:"id"`
		Task         Task          `json:"task"`
		Polls        int           `json:"polls"`
		Errors       int           `json:"errors"`
		Elapsed      time.Duration `json:"elapsed"`
		StillRunning bool          `json:"stillRunning"`
	}{e.Error(), e.ID, e.Task, e.Polls, e.Errors, e.Elapsed, e.StillRunning()})
}

// Unwrap gives the sentinel and the context's error, as far as there are any.
func (e *WaitError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.kind, e.ctxErr} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// reserved are the errors that state how this wait ended, and so must not be found in what lies behind it.
var reserved = []error{
	ErrTaskFailed, ErrTaskDeleted, ErrTaskCancelled, ErrTimeout, ErrTaskNotFound, ErrQuery, ErrBackOffStopped,
	ErrInvalidOption, ErrInvalidID, context.Canceled, context.DeadlineExceeded,
}

// Is finds target in LastErr and in the context's cause, unless it is an error that states how a wait ended.
func (e *WaitError) Is(target error) bool {
	for _, r := range reserved {
		if target == r {
			return false
		}
	}
	return errors.Is(e.LastErr, target) || errors.Is(e.cause, target)
}

// As finds a target in LastErr and in the context's cause. A [*QueryError] is looked for in LastErr alone: in the cause
// it would be about another wait.
func (e *WaitError) As(target any) bool {
	if errors.As(e.LastErr, target) {
		return true
	}
	if _, ours := target.(**QueryError); ours {
		return false
	}
	return errors.As(e.cause, target)
}

// Error says which task, what happened, what was seen last, how often was asked, and the last error.
func (e *WaitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "taskwait: task %q: %s after %v: %s", clip(e.ID), e.what(), round(e.Elapsed), e.lastSeen())
	fmt.Fprintf(&b, ", %s", count(e.Polls, "poll"))
	if e.Errors > 0 {
		fmt.Fprintf(&b, ", %s", count(e.Errors, "error"))
	}
	switch {
	case e.LastErr == nil:
	case e.blind:
		fmt.Fprintf(&b, ", the last look failed: %s", errorText(e.LastErr))
	default:
		fmt.Fprintf(&b, ", last: %s", errorText(e.LastErr))
	}
	return b.String()
}

func (e *WaitError) what() string {
	switch {
	case e.kind != nil:
		return e.kind.Error()
	case e.ctxErr == nil:
		return "stopped waiting"
	case e.cause == nil || e.cause.Error() == e.ctxErr.Error():
		return e.ctxErr.Error()
	}
	return fmt.Sprintf("%v (%s)", e.ctxErr, errorText(e.cause))
}

func (e *WaitError) lastSeen() string {
	t := e.Task
	switch {
	case t.ID == "":
		return "never seen"
	case !t.Status.Terminal() && !e.blind && (e.kind == ErrTimeout || e.kind == ErrBackOffStopped): //nolint:errorlint // sentinels
		return "still " + statusText(t)
	case !t.Status.Terminal():
		return "last seen " + statusText(t)
	case t.Failure != Failure{}:
		return statusText(t) + ": " + failureText(t.Failure)
	}
	return statusText(t)
}

// round makes a duration readable: to the second from ten seconds on, else to the millisecond.
func round(d time.Duration) time.Duration {
	if d >= 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
