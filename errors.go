package taskwait

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

// sentinel is an error that says how a wait ended. No other package can make one, so none is found by accident in the
// errors of a Source.
type sentinel string

// Error gives the words.
func (s sentinel) Error() string { return string(s) }

// is reports whether err itself is the target, not what it wraps.
func is(err, target error) bool { return any(err) == any(target) }

// How the task ended. A [*WaitError] Is one of these only if the service has reported it for this id.
var (
	ErrTaskFailed    error = sentinel("task failed")
	ErrTaskDeleted   error = sentinel("task record deleted")
	ErrTaskCancelled error = sentinel("task cancelled")
)

// Why the wait ended without an end of the task. After any of these the task may still run.
var (
	ErrTimeout      error = sentinel("timed out")      // WithTimeout passed; also Is context.DeadlineExceeded
	ErrTaskNotFound error = sentinel("task not found") // the service did not know the id for longer than the grace
	// a refusal, or only errors for longer than tolerated
	ErrQuery          error = sentinel("could not query")
	ErrStalled        error = sentinel("stalled")           // no change for the time of WithStallTimeout
	ErrBackOffStopped error = sentinel("backoff said stop") // the BackOff of WithBackOff returned backoff.Stop
	ErrInvalidOption  error = sentinel("invalid option")    // nothing was sent
	ErrInvalidID      error = sentinel("invalid id")        // nothing was sent
)

// What happened to an operation of [Waiter.Do] whose task is not known.
var (
	ErrNotStarted error = sentinel("not started") // it was refused, or never sent
	// it was sent, and may have been carried out: list the tasks before you send it again
	ErrOutcomeUnknown error = sentinel("outcome unknown")
	// it was started, but more than one task may be its task; WaitError.Candidates has them
	ErrAmbiguous error = sentinel("ambiguous")
)

// Class says what a failed query means for the wait.
type Class int

// The zero Class is ClassTransient, so that a plain error is transient too.
const (
	ClassTransient Class = iota // poll again on schedule; only a long streak of these ends the wait
	ClassThrottled              // the service wants fewer queries; never ends the wait
	ClassNotFound               // the service does not know the id (yet); tolerated for the grace
	ClassPermanent              // another query cannot help: bad credentials, no permission, bad request
	ClassConflict               // something else runs: an [Operation] is sent again; of a query it never ends the wait
	ClassNotSent                // only for an [Operation]: it never left, and is sent again
)

// QueryError is an error of a [Source] that says more than a plain error does. [NotFound], [Permanent], [Throttled] and
// [CheckResponse] make one.
type QueryError struct {
	Class      Class
	StatusCode int           // the HTTP status of the answer; 0: none
	RetryAfter time.Duration // the service's wish, from now; 0: none. Honoured on every class, up to 5 min
	Code       string        // the service's error code, such as "DMS.00404022"; empty: none
	RequestID  string        // the service's request id, for its support; empty: none
	Err        error         `json:"-"` // what happened; its text must hold no secret
}

// Error gives what happened, cut if it is long, and the service's code and request id where Err does not show them
// already.
func (e *QueryError) Error() string {
	if e == nil {
		return "a nil *QueryError" // a Source's slip, not worth a panic
	}
	s := e.Class.String()
	if e.Err != nil {
		s = text.ClipError(e.Err)
	}
	var more []string
	if e.Code != "" && !strings.Contains(s, e.Code) {
		more = append(more, text.Clip(e.Code))
	}
	if e.RequestID != "" && !strings.Contains(s, e.RequestID) {
		more = append(more, "request id "+text.Clip(e.RequestID))
	}
	if more != nil {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}

// NotFound returns an error of ClassNotFound: the service does not know the id. It keeps the status, the code, the
// request id and RetryAfter of a [*QueryError] in err. err may be nil; the result never is.
func NotFound(err error) error { return classed(ClassNotFound, 0, err) }

// Permanent returns an error of ClassPermanent: another query cannot help. Otherwise it is like [NotFound].
func Permanent(err error) error { return classed(ClassPermanent, 0, err) }

// Throttled returns an error of ClassThrottled: the service wants fewer queries, and the next one after this time. If
// after is not positive, RetryAfter of a [*QueryError] in err holds. Otherwise it is like [NotFound].
func Throttled(after time.Duration, err error) error { return classed(ClassThrottled, after, err) }

func classed(class Class, after time.Duration, err error) error {
	made := &QueryError{Class: class, RetryAfter: max(after, 0), Err: err}
	q, ok := asQueryError(err)
	if !ok {
		return made
	}
	made.StatusCode, made.Code, made.RequestID = q.StatusCode, q.Code, q.RequestID
	if made.RetryAfter == 0 {
		made.RetryAfter = q.RetryAfter
	}
	if err == error(q) { //nolint:errorlint // this very error, not one around it: its class must not be read in the text
		made.Err = q.Err
	}
	return made
}

// Unwrap gives Err.
func (e *QueryError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// forWait is the class as a wait sees it: one that is not known, or that only an Operation can have, is transient.
func (c Class) forWait() Class {
	switch c {
	case ClassThrottled, ClassNotFound, ClassPermanent, ClassConflict:
		return c
	case ClassTransient, ClassNotSent:
	}
	return ClassTransient
}

// String names the class: "transient", "throttled", "not found", "permanent", "conflict" or "not sent".
func (c Class) String() string {
	switch c {
	case ClassTransient:
		return "transient"
	case ClassThrottled:
		return "throttled"
	case ClassNotFound:
		return "not found"
	case ClassPermanent:
		return "permanent"
	case ClassConflict:
		return "conflict"
	case ClassNotSent:
		return "not sent"
	}
	return "class " + strconv.Itoa(int(c))
}

// asQueryError is errors.As without its allocation for what a Source usually returns.
func asQueryError(err error) (*QueryError, bool) {
	if q, ok := err.(*QueryError); ok { //nolint:errorlint // the general case follows
		return q, q != nil
	}
	var q *QueryError
	return q, errors.As(err, &q) && q != nil
}
