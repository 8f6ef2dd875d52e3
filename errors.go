package taskwait

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

// What became of the task. A [*WaitError] that Is one of these was told so by the service, for the id that was asked
// for.
var (
	ErrTaskFailed    = errors.New("task failed")
	ErrTaskDeleted   = errors.New("task record deleted")
	ErrTaskCancelled = errors.New("task cancelled")
)

// Why we stopped waiting. None of these says anything of the task: it may still run.
var (
	ErrTimeout        = errors.New("timed out")         // WithTimeout passed; also Is context.DeadlineExceeded
	ErrTaskNotFound   = errors.New("task not found")    // the service does not know the id, for longer than the grace
	ErrQuery          = errors.New("could not query")   // refused for good, or nothing but errors for longer than tolerated
	ErrStalled        = errors.New("stalled")           // no change for as long as WithStallTimeout allows
	ErrBackOffStopped = errors.New("backoff said stop") // the BackOff of WithBackOff returned backoff.Stop
	ErrInvalidOption  = errors.New("invalid option")    // nothing was asked
	ErrInvalidID      = errors.New("invalid id")        // nothing was asked
)

// What became of an operation that [Waiter.Do] was to start, where that is not known from its task.
var (
	ErrNotStarted     = errors.New("not started")     // it was refused, or never sent: nothing was begun
	ErrOutcomeUnknown = errors.New("outcome unknown") // it was sent, and may have been carried out: look before it is sent again
	ErrAmbiguous      = errors.New("ambiguous")       // it was started, but more than one task may be the one; WaitError.Candidates has them
)

// Class says what a failed query means for the wait.
type Class int

// The zero Class is ClassTransient, so that a plain error is transient too.
const (
	ClassTransient Class = iota // ask again on schedule; only a long unbroken run of these ends the wait
	ClassThrottled              // the service wants to be asked less often; never ends the wait
	ClassNotFound               // the service does not know the id (yet); tolerated for the grace
	ClassPermanent              // asking again cannot help: bad credentials, no permission, bad request
	ClassConflict               // something else runs; never ends the wait. For an [Operation]: it was not carried out for that reason
	ClassNotSent                // only for an [Operation]: it never left, so that it may be tried again
)

// QueryError is what a [Source] returns to say more of a failed query than "error".
type QueryError struct {
	Class      Class
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
		s = text.Clip(e.Err.Error())
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
