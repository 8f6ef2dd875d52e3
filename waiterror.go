package taskwait

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
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

	Operation  string // the name of what [Waiter.Do] was to start; empty: it was not called
	Candidates []Task // the tasks that may be the operation's, where it is not known which one, or whether there is any

	start           error // ErrNotStarted or ErrOutcomeUnknown; nil: the operation was started, or there was none
	inStalePhase    bool  // the phase of WithStalePhase was never left
	ambiguous       bool  // Task may be another operation's
	kind            error // one of the sentinels; nil: the context ended
	ctxErr          error // the context's error, where it ended or the timeout passed
	cause           error // the context's cause
	finalPollFailed bool  // the final poll failed
}

// StillRunning reports whether the task may still run: true whenever the service has not reported a terminal status for
// what is certain to be that task, and an operation may have been started.
// Do not destroy or create anything then as if the task had failed; wait for it again.
func (e *WaitError) StillRunning() bool {
	return (e.ambiguous || !e.Task.Status.Terminal()) && !e.notStarted()
}

func (e *WaitError) notStarted() bool { return e.start == ErrNotStarted } //nolint:errorlint // a sentinel

// MarshalJSON gives what Error says, and the facts; elapsed is in nanoseconds.
func (e *WaitError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Error        string        `json:"error"`
		Operation    string        `json:"operation,omitempty"`
		ID           string        `json:"id"`
		Task         Task          `json:"task"`
		Polls        int           `json:"polls"`
		Errors       int           `json:"errors"`
		Elapsed      time.Duration `json:"elapsed"`
		StillRunning bool          `json:"stillRunning"`
		Candidates   []Task        `json:"candidates,omitempty"`
	}{e.Error(), e.Operation, e.ID, e.Task, e.Polls, e.Errors, e.Elapsed, e.StillRunning(), e.Candidates})
}

// Unwrap gives the sentinel and the context's error, as far as there are any.
func (e *WaitError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.kind, e.ctxErr, e.start} {
		if err != nil && !slices.Contains(errs, err) {
			errs = append(errs, err)
		}
	}
	return errs
}

// reserved are the errors that state how this wait ended, and so must not be found in what lies behind it.
var reserved = []error{
	ErrTaskFailed, ErrTaskDeleted, ErrTaskCancelled, ErrTimeout, ErrTaskNotFound, ErrQuery, ErrStalled, ErrBackOffStopped,
	ErrInvalidOption, ErrInvalidID, ErrNotStarted, ErrOutcomeUnknown, ErrAmbiguous, context.Canceled, context.DeadlineExceeded,
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
	if e.Polls == 0 && (e.kind == ErrInvalidID || e.kind == ErrInvalidOption) { //nolint:errorlint // sentinels
		return e.LastErr.Error() // it says all there is
	}
	var b strings.Builder
	subject := fmt.Sprintf("task %q", text.Clip(e.ID))
	if e.noTaskYet() {
		subject = "operation " + text.Clip(e.Operation)
	}
	fmt.Fprintf(&b, "taskwait: %s: %s after %v: %s", subject, e.what(), text.Round(e.Elapsed), e.lastSeen())
	fmt.Fprintf(&b, ", %s", text.Count(e.Polls, "poll"))
	if e.Errors > 0 {
		fmt.Fprintf(&b, ", %s", text.Count(e.Errors, "error"))
	}
	switch {
	case e.LastErr == nil:
	case e.finalPollFailed:
		fmt.Fprintf(&b, ", the final poll failed: %s", errorText(e.LastErr))
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
	case e.noTaskYet():
		return e.begun()
	case e.finalPollFailed && t.Status == "":
		return "it is not known whether the task has finished, never seen"
	case e.finalPollFailed && !t.Status.Terminal():
		return "it is not known whether the task has finished, last seen " + statusText(&t)
	case t.Status == "":
		return "never seen"
	case e.inStalePhase:
		return "still " + text.Clip(cmp.Or(t.Phase, string(t.Status))) + ", which it was never seen to leave"
	case !t.Status.Terminal() && (e.kind == ErrTimeout || e.kind == ErrBackOffStopped): //nolint:errorlint // sentinels
		return "still " + statusText(&t)
	case !t.Status.Terminal():
		return "last seen " + statusText(&t)
	case e.ambiguous:
		return statusText(&t) + ", which may be another operation's" + e.candidates("")
	}
	if why := failureText(&t); why != "" {
		return statusText(&t) + ": " + why
	}
	return statusText(&t)
}

// noTaskYet reports whether the wait ended before there was a task to wait for.
func (e *WaitError) noTaskYet() bool { return e.start != nil || e.ID == "" && e.Operation != "" }

// begun says what is known of an operation that has no id.
func (e *WaitError) begun() string {
	switch {
	case e.start == ErrNotStarted && e.kind == ErrNotStarted: //nolint:errorlint // sentinels
		return "it was refused"
	case e.start == ErrNotStarted: //nolint:errorlint // a sentinel
		return "it was not started"
	case e.start == nil:
		return "it was started" + e.candidates(", its task is not known")
	}
	return "it may have been started, do not send it again unseen" + e.candidates(", no task of it has been seen")
}

func (e *WaitError) candidates(none string) string {
	if len(e.Candidates) == 0 {
		return none
	}
	var all []string
	for _, t := range e.Candidates[:min(len(e.Candidates), 3)] {
		all = append(all, fmt.Sprintf("%q %s", text.Clip(t.ID), statusText(&t)))
	}
	if len(e.Candidates) > len(all) {
		all = append(all, "…")
	}
	return ", perhaps as " + strings.Join(all, " or ")
}

// errorText is an error's text, fit to be shown: our own errors have cut what is foreign in them.
func errorText(err error) string {
	switch err.(type) { //nolint:errorlint // these very types, not what they wrap
	case *QueryError, *WaitError:
		return err.Error()
	}
	return text.Clip(err.Error())
}
