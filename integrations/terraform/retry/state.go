package retry

import (
	"context"
	"log"
	"time"
)

// StateChangeConf waits for a state. Its fields are those of HashiCorp's, so that one converts to the other.
type StateChangeConf struct {
	// Delay is the pause before the first Refresh. Default 0: none.
	Delay time.Duration

	// Pending are the states in which the wait goes on; one that is neither here nor in Target ends it. Empty: all are.
	Pending []string

	// Refresh reads the state. It is never called twice at a time. A call that hangs may still run after the wait.
	Refresh StateRefreshFunc

	// Target are the states that are waited for. Empty: a nil result, which says that the thing is gone.
	Target []string

	// Timeout bounds the wait, Delay included. Default 0: Refresh is called at once, and that is all.
	Timeout time.Duration

	// MinTimeout is the least pause between two calls. The pauses double, from 200 ms to 10 s. Default 0: no other bound.
	MinTimeout time.Duration

	// PollInterval is each pause between two calls. Default 0: they double. So they do if it is 180 s or more.
	PollInterval time.Duration

	// NotFoundChecks is how many nil results in a row are borne, unless Target is empty. Default 20; negative: none.
	NotFoundChecks int

	// ContinuousTargetOccurence is how often in a row Target is to be seen. Default 1.
	ContinuousTargetOccurence int
}

// WaitForStateContext waits until Refresh reports a state of Target, and returns the result that came with it. conf is
// not changed: several goroutines may use it if its Refresh can be called by several.
//
// A state that ends the wait is an [*UnexpectedStateError], and nil results are a [*NotFoundError]. An error of Refresh
// that ends it is returned as it is. Each comes with the result of that call. When Timeout has passed, Refresh is
// called once more; then the error is a [*TimeoutError]. When ctx is cancelled, the error is ctx.Err(), at once. If ctx
// reaches its deadline instead, the error is a [*TimeoutError] that unwraps to ctx.Err(), and Refresh is called shortly
// before. A panic in Refresh is raised here.
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
