package retry

import (
	"context"
	"log"
	"time"
)

// StateChangeConf waits for a state. It has the fields of HashiCorp's type, so that one converts to the other.
type StateChangeConf struct {
	// Delay is the pause before the first Refresh. Default 0: none.
	Delay time.Duration

	// Pending are the states in which the wait goes on. A state that is neither here nor in Target ends it. Empty:
	// every state is pending.
	Pending []string

	// Refresh reads the state. It is never called twice at a time. A call that hangs may still run after the wait.
	Refresh StateRefreshFunc

	// Target are the states that end the wait with success. Empty: a nil result does, which says that the resource is
	// gone.
	Target []string

	// Timeout bounds the wait, Delay included. Default 0: Refresh is called once, at once.
	Timeout time.Duration

	// MinTimeout is the least pause between two calls. The pauses double, from 200 ms to 10 s. Default 0: no other bound.
	MinTimeout time.Duration

	// PollInterval is a fixed pause between two calls. Default 0: the pauses double. They also do if it is 180 s or
	// more.
	PollInterval time.Duration

	// NotFoundChecks is how many nil results in a row are tolerated, unless Target is empty. Default 20; negative:
	// none.
	NotFoundChecks int

	// ContinuousTargetOccurence is how many times in a row Target must be seen. Default 1.
	ContinuousTargetOccurence int
}

// WaitForStateContext waits until Refresh reports a state of Target, and returns the result that came with it. conf is
// not changed: several goroutines may use it if they may call its Refresh at the same time.
//
// A state that ends the wait is an [*UnexpectedStateError]. Too many nil results are a [*NotFoundError]. An error of
// Refresh that ends the wait is returned as it is. Each comes with the result of that call. When Timeout has passed,
// Refresh is called once more; then the error is a [*TimeoutError]. When ctx is cancelled, the error is ctx.Err(), at
// once. If ctx reaches its deadline, Refresh is called shortly before, and the error is a *TimeoutError that unwraps to
// ctx.Err(). A panic in Refresh is raised here.
func (conf *StateChangeConf) WaitForStateContext(ctx context.Context) (any, error) {
	log.Printf("[DEBUG] Waiting for state to become: %s", conf.Target)
	end, _ := (&watch{StateChangeConf: *conf}).wait(ctx)
	return end.result, end.err
}

// WaitForState is WaitForStateContext without a context.
//
// Deprecated: use WaitForStateContext, so that the provider can be stopped.
func (conf *StateChangeConf) WaitForState() (any, error) {
	return conf.WaitForStateContext(context.Background())
}
