package temporalwait

import (
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
	"go.temporal.io/sdk/temporal"
)

// The types of the application errors of the activity: what has become of the task, and why the wait was given up. They
// are not retried. A promise: they do not change.
const (
	TypeTaskFailed     = "TaskFailed"     // as taskwait.ErrTaskFailed
	TypeTaskDeleted    = "TaskDeleted"    // as taskwait.ErrTaskDeleted
	TypeTaskCancelled  = "TaskCancelled"  // as taskwait.ErrTaskCancelled
	TypeTimeout        = "Timeout"        // as taskwait.ErrTimeout
	TypeNotFound       = "NotFound"       // as taskwait.ErrTaskNotFound
	TypeStalled        = "Stalled"        // as taskwait.ErrStalled
	TypeBackOffStopped = "BackOffStopped" // as taskwait.ErrBackOffStopped
	TypeInvalidID      = "InvalidID"      // as taskwait.ErrInvalidID
	TypeInvalidOption  = "InvalidOption"  // as taskwait.ErrInvalidOption
)

// The types of those that are retried, by the activity's own pauses.
const (
	// TypeNotDone is that of an attempt that has found the task running. It is benign: neither logged nor counted as
	// an error. Its message says how the task is.
	TypeNotDone = "NotDone"

	// TypeCouldNotQuery is as taskwait.ErrQuery: the service has refused the query, or only errors came for longer
	// than tolerated. It is retried every 30 s until the timeout of the wait, because somebody may repair that
	// meanwhile. Put it into RetryPolicy.NonRetryableErrorTypes to give up at once.
	TypeCouldNotQuery = "CouldNotQuery"

	TypeNoWaiter       = "NoWaiter"       // this worker has no Waiter for Args.Source
	TypeUnreadableWait = "UnreadableWait" // a later version of the library has stored the wait
)

// types has the type for each reason of a wait's end.
var types = map[error]string{
	taskwait.ErrTaskFailed:     TypeTaskFailed,
	taskwait.ErrTaskDeleted:    TypeTaskDeleted,
	taskwait.ErrTaskCancelled:  TypeTaskCancelled,
	taskwait.ErrTimeout:        TypeTimeout,
	taskwait.ErrTaskNotFound:   TypeNotFound,
	taskwait.ErrStalled:        TypeStalled,
	taskwait.ErrBackOffStopped: TypeBackOffStopped,
	taskwait.ErrInvalidID:      TypeInvalidID,
	taskwait.ErrInvalidOption:  TypeInvalidOption,
	taskwait.ErrQuery:          TypeCouldNotQuery,
}

// ours has the types of errors with a Failure in their details.
var ours = func() map[string]bool {
	all := map[string]bool{}
	for _, kind := range types {
		all[kind] = true
	}
	return all
}()

// Failure is why a wait did not end with SUCCESS. It is in the details of the activity's error.
type Failure struct {
	Type         string        `json:"-"`    // one of the types above; empty: the error is none of the activity's own
	Task         taskwait.Task `json:"task"` // the last one seen; only its ID is set if none was
	StillRunning bool          `json:"stillRunning"`
	Polls        int           `json:"polls"`
	Errors       int           `json:"errors"`  // how often an error came instead of a task
	Elapsed      time.Duration `json:"elapsed"` // since the first poll, in nanoseconds
}

// FailureOf returns the failure in an error of the activity, as Wait or Get of its Future has returned it. If
// StillRunning is true, do not destroy or create anything as if the task had failed. It is also true for every other
// error: the workflow was cancelled, or the activity has run out of time.
func FailureOf(err error) Failure {
	f := Failure{StillRunning: true}
	var e *temporal.ApplicationError
	if !errors.As(err, &e) || !ours[e.Type()] || e.Details(&f) != nil {
		return Failure{StillRunning: true}
	}
	f.Type = e.Type()
	return f
}

// failure is the application error of a wait that is over.
func failure(p *taskwait.Progress, err error) error {
	f := Failure{Task: p.Task, StillRunning: true, Polls: p.Polls, Errors: p.Errors, Elapsed: p.Elapsed}
	var e *taskwait.WaitError
	if !errors.As(err, &e) {
		return err
	}
	f.StillRunning = e.StillRunning()
	kind := types[e.Reason]
	if kind == TypeCouldNotQuery {
		return retryable(kind, err.Error(), f)
	}
	return temporal.NewNonRetryableApplicationError(err.Error(), kind, nil, f)
}

// notDone is the application error of an attempt that has found the task running.
func notDone(p *taskwait.Progress) error {
	message := p.Task.String()
	if p.Err != nil {
		message += ": " + p.Err.Error()
	}
	return benign(message, max(p.Next, leastPause))
}

// notPolled is the application error of an attempt that has ended before there was an answer. cause is nil where it was
// the attempt's time that ran out.
func notPolled(p *taskwait.Progress, cause error) error {
	if cause == nil {
		cause = errors.New("no answer, or no permit, in time")
	}
	return benign(fmt.Sprintf("%v: not polled: %v", p.Task, cause), interruptedPause)
}

func benign(message string, pause time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(message, TypeNotDone, temporal.ApplicationErrorOptions{
		NextRetryDelay: pause, Category: temporal.ApplicationErrorCategoryBenign,
	})
}

// retryable is the application error of what somebody must repair.
func retryable(kind, message string, details any) error {
	o := temporal.ApplicationErrorOptions{NextRetryDelay: troublePause}
	if details != nil {
		o.Details = []any{details}
	}
	return temporal.NewApplicationErrorWithOptions(message, kind, o)
}
