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

// WaitError is the error of every method of a [Waiter] whose wait did not end with SUCCESS. A test can make one from
// its exported fields.
//
// [errors.Is] finds Reason, and context.DeadlineExceeded for ErrTimeout. If the last answer was an error, errors.Is and
// [errors.As] find that too. An error that the wait has recovered from is in LastErr alone. If the context ended, they
// find its cause.
//
// They never find an error of this package, context.Canceled or context.DeadlineExceeded in the last answer or in the
// cause: the timeout of an http.Client is a DeadlineExceeded too, and in an errgroup the cause is the error of a
// sibling, whose task may have failed while this one runs.
type WaitError struct {
	ID      string
	Task    Task          // the last one seen; only its ID is set if none was
	Reason  error         // one of the sentinels, or the context's error, for a switch; nil: unknown
	Polls   int           // queries made
	Errors  int           // how often an error came instead of a task
	Elapsed time.Duration // from the call of WaitForTask to its end
	LastErr error         // the last error that came instead of a task, recovered from or not; nil: none

	// FinalPollFailed is set where the timeout passed and the last polls failed: it is not known whether the task has
	// finished.
	FinalPollFailed bool

	// Wait is what [Waiter.Resume] goes on with; nil: the wait never began.
	Wait *Wait

	Operation  string    // the name of what [Waiter.Do] was to start; empty: it was not called
	SentAt     time.Time // when the operation was sent last, by our clock, unless it was refused; zero: it was not
	Candidates []Task    // the tasks that may be the operation's, where it is not known which one, or whether there is any

	outcome outcome
}

// outcome is what a text says of a wait's end beside the fields, and what a cause adds to them.
type outcome struct {
	ended        error // what ended the wait, where Reason is about the operation instead; nil: Reason did
	cause        error // the context's, where it ended
	sighting           // of Task
	inStalePhase bool  // the phase of WithStalePhase was never left
	searched     bool  // the operation's tasks were looked for
	ambiguous    bool  // Task may be another operation's
}

// endedBy makes err what ended the wait, and its Reason.
func (e *WaitError) endedBy(err error) { e.Reason, e.outcome.ended = err, err }

// ended is what ended the wait: the sentinel or the context's error; nil: unknown.
func (e *WaitError) ended() error { return cmp.Or(e.outcome.ended, e.Reason) }

// StillRunning reports whether the task may still run. It is true unless the service has reported a terminal status of
// what is certain to be this task, or the operation was never started. If it is true, do not destroy or create anything
// as if the task had failed: wait for it again.
func (e *WaitError) StillRunning() bool {
	ambiguous := e.outcome.ambiguous || is(e.Reason, ErrAmbiguous)
	return (ambiguous || !e.Task.Status.Terminal()) && !is(e.Reason, ErrNotStarted)
}

// MarshalJSON gives what Error says, and the facts; elapsed is in nanoseconds.
func (e *WaitError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Error        string        `json:"error"`
		Reason       string        `json:"reason,omitempty"`
		Operation    string        `json:"operation,omitempty"`
		ID           string        `json:"id"`
		Task         Task          `json:"task"`
		Polls        int           `json:"polls"`
		Errors       int           `json:"errors"`
		Elapsed      time.Duration `json:"elapsed"`
		StillRunning bool          `json:"stillRunning"`
		NotKnown     bool          `json:"finalPollFailed,omitempty"`
		Candidates   []Task        `json:"candidates,omitempty"`
	}{
		e.Error(), reasonText(e.Reason), e.Operation, e.ID, e.Task, e.Polls, e.Errors, e.Elapsed, e.StillRunning(),
		e.FinalPollFailed, e.Candidates,
	})
}

func reasonText(reason error) string {
	if reason == nil {
		return ""
	}
	return errorText(reason)
}

// Unwrap gives Reason, and beside ErrNotStarted and its like what ended the wait.
func (e *WaitError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Reason, e.outcome.ended} {
		if err != nil && !slices.Contains(errs, err) {
			errs = append(errs, err)
		}
	}
	return errs
}

// endedByAnswer are the reasons that a query's error, or that of a call of an operation, brings about.
var endedByAnswer = []error{
	ErrQuery, ErrTaskNotFound, ErrInvalidID, ErrInvalidOption, ErrNotStarted, ErrOutcomeUnknown, ErrAmbiguous,
}

// Is finds context.DeadlineExceeded in a timeout, and other targets in LastErr and the context's cause as the type
// says.
func (e *WaitError) Is(target error) bool {
	switch target.(type) {
	case nil, sentinel:
		return false
	}
	if target == context.Canceled || target == context.DeadlineExceeded {
		return target == context.DeadlineExceeded && (is(e.Reason, ErrTimeout) || is(e.ended(), ErrTimeout))
	}
	return e.endedInTrouble() && errors.Is(e.LastErr, target) || errors.Is(e.outcome.cause, target)
}

// As finds a target in LastErr and the context's cause as the type says. A [*QueryError] is never taken from the cause:
// there it would be about another wait.
func (e *WaitError) As(target any) bool {
	if e.endedInTrouble() && errors.As(e.LastErr, target) {
		return true
	}
	if _, ours := target.(**QueryError); ours {
		return false
	}
	return errors.As(e.outcome.cause, target)
}

// endedInTrouble reports whether LastErr was the last answer: what has ended the wait, or what it was still in.
func (e *WaitError) endedInTrouble() bool {
	return e.outcome.failing > 0 || slices.Contains(endedByAnswer, e.ended())
}

// Error says which task, what happened, what was seen last, how often was asked, and the last error.
func (e *WaitError) Error() string {
	if e.invalid() && e.Polls == 0 && e.LastErr != nil {
		return e.LastErr.Error() // it says all there is
	}
	var b strings.Builder
	subject := "task " + text.Quote(e.ID)
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
	case e.FinalPollFailed:
		fmt.Fprintf(&b, ", the final poll failed: %s", errorText(e.LastErr))
	default:
		fmt.Fprintf(&b, ", last: %s", errorText(e.LastErr))
	}
	return b.String()
}

// invalid reports whether the id or an option is what was wrong.
func (e *WaitError) invalid() bool {
	return is(e.ended(), ErrInvalidID) || is(e.ended(), ErrInvalidOption)
}

func (e *WaitError) what() string {
	ended, cause := e.ended(), e.outcome.cause
	switch {
	case ended == nil:
		return "stopped waiting"
	case cause == nil || cause.Error() == ended.Error():
		return errorText(ended)
	}
	return fmt.Sprintf("%s (%s)", errorText(ended), errorText(cause))
}

func (e *WaitError) lastSeen() string {
	t := e.Task
	switch {
	case e.noTaskYet():
		return e.begun()
	case e.Operation != "" && e.invalid():
		return "operation " + text.Clip(e.Operation) + " was started, and its task cannot be queried by this id"
	case e.outcome.ambiguous && t.Status.Terminal():
		return statusText(&t) + ", which may be another operation's" + e.candidates("")
	case t.Status.Terminal():
		return strings.TrimSuffix(statusText(&t)+": "+failureText(&t), ": ")
	case e.outcome.inStalePhase && t.Status != "" && e.outcome.failing == 0:
		return "still " + text.Clip(cmp.Or(t.Phase, string(t.Status))) + ", which it was never seen to leave"
	case e.FinalPollFailed:
		return "it is not known whether the task has finished, " + e.sighting().text(&t)
	}
	return e.sighting().text(&t)
}

// sighting is what was last seen, as far as the fields and the wait know.
func (e *WaitError) sighting() *sighting {
	g := e.outcome.sighting
	g.polls = e.Polls
	if q, ok := asQueryError(e.LastErr); ok && (q.Class == ClassNotFound || q.Class == ClassPermanent) {
		g.refused = true
	}
	return &g
}

// noTaskYet reports whether the wait ended before there was a task to wait for.
func (e *WaitError) noTaskYet() bool {
	return is(e.Reason, ErrNotStarted) || is(e.Reason, ErrOutcomeUnknown) || e.ID == "" && e.Operation != ""
}

// begun says what is known of an operation that has no id.
func (e *WaitError) begun() string {
	switch {
	case is(e.Reason, ErrNotStarted) && is(e.ended(), ErrNotStarted):
		return "it was refused"
	case is(e.Reason, ErrNotStarted):
		return "it was not started"
	case is(e.Reason, ErrOutcomeUnknown) && !e.outcome.searched && !e.SentAt.IsZero():
		return "it may have been started, do not send it again unseen, a task of it would have begun at " +
			e.SentAt.UTC().Format(time.RFC3339) + " or later"
	case is(e.Reason, ErrOutcomeUnknown):
		return "it may have been started, do not send it again unseen" + e.candidates(", no task of it has been seen")
	}
	return "it was started" + e.candidates(", its task is not known")
}

func (e *WaitError) candidates(none string) string {
	if len(e.Candidates) == 0 {
		return none
	}
	var all []string
	for _, t := range e.Candidates[:min(len(e.Candidates), 3)] {
		all = append(all, text.Quote(t.ID)+" "+statusText(&t))
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
	return text.ClipError(err)
}
