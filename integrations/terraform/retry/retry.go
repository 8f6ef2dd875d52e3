package retry

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
)

// These are HashiCorp's own types, so that code which looks for either finds both.
type (
	// StateRefreshFunc reads the state of a thing; a nil result says that there is no such thing.
	StateRefreshFunc = retry.StateRefreshFunc

	// RetryFunc is a function that is called again as long as its error says so.
	RetryFunc = retry.RetryFunc //nolint:revive // HashiCorp's name

	// RetryError is an error that says whether to call again.
	RetryError = retry.RetryError //nolint:revive // HashiCorp's name

	// NotFoundError is the error of a wait that has seen too many nil results.
	NotFoundError = retry.NotFoundError

	// UnexpectedStateError is the error of a wait that has seen a state which is neither of Pending nor of Target.
	UnexpectedStateError = retry.UnexpectedStateError

	// TimeoutError is the error of a wait whose time is over.
	TimeoutError = retry.TimeoutError
)

// RetryableError makes an error after which f is called again. A nil err makes one after which it is not.
func RetryableError(err error) *RetryError { return retry.RetryableError(err) }

// NonRetryableError makes an error that is returned at once.
func NonRetryableError(err error) *RetryError { return retry.NonRetryableError(err) }

// retryPause is the least pause between two calls of a RetryFunc, and HashiCorp's.
const retryPause = 500 * time.Millisecond

// RetryContext calls f until it returns nil or an error that is not retryable. The pauses double, from 0.5 s to 10 s.
// When timeout passes or ctx ends, it returns the last error of f, or else a [*TimeoutError] or ctx.Err(). Only f
// decides whether it is called again, whatever status its error shows.
//
// Because f may create something, it never begins after the timeout, nor at any time that is not the schedule's. A call
// that is under way at the timeout has 30 s. A call that takes longer, or that runs when ctx ends, is abandoned, and
// may succeed.
//
//nolint:revive // HashiCorp's name
func RetryContext(ctx context.Context, timeout time.Duration, f RetryFunc) error {
	w := &watch{retried: true, StateChangeConf: StateChangeConf{
		Target: []string{"success"}, Timeout: timeout, MinTimeout: retryPause,
		Refresh: func() (any, string, error) {
			switch e := f(); {
			case e == nil:
				return true, "success", nil
			case e.Retryable:
				return e, "retryableerror", nil
			default: // without an error it says nothing: a nil result
				return nil, "quit", e.Err
			}
		},
	}}
	end, last := w.wait(ctx)
	if e, ok := last.result.(*RetryError); ok && end.err != nil && e.Err != nil {
		return e.Err
	}
	return end.err
}

// Retry is RetryContext without a context.
//
// Deprecated: use RetryContext, so that the provider can be stopped.
func Retry(timeout time.Duration, f RetryFunc) error {
	return RetryContext(context.Background(), timeout, f)
}
