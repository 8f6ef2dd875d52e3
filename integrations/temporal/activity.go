// Package temporalwait lets workflows of Temporal wait for tasks. Each attempt of an activity makes one poll, fails,
// and is retried when the next poll is due. So a wait outlives its process and its machine, holds no goroutine
// meanwhile, and leaves as few events in the history as a single attempt. The README has a whole program.
package temporalwait

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// ActivityName is the name that [Register] gives the activity.
const ActivityName = "taskwait.Wait"

// Args say which task to wait for.
type Args struct {
	Source string `json:"source,omitempty"` // which Waiter waits, in the words of Register; may be empty
	TaskID string `json:"taskID"`           // the id of the task there

	// Timeout bounds the whole wait, from its first poll, in place of the Waiter's [taskwait.WithTimeout]. Nanoseconds
	// in JSON. 0: that of the Waiter.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Registry is the part of a worker, or of a test environment, that [Register] needs.
type Registry interface {
	RegisterActivityWithOptions(activity any, options activity.RegisterOptions)
}

// Register lets a worker wait for tasks:
//
//	temporalwait.Register(worker, temporalwait.ByName(map[string]*taskwait.Waiter{"kafka": waiter}))
//
// waiter returns the Waiter for Args.Source. It must return the same one each time, because polls that run at the same
// time on one Waiter share requests, and hold off together. After an error, or nil, the attempt is made again, perhaps
// by a worker that knows the source. waiter is called for each poll, from many goroutines at once.
func Register(r Registry, waiter func(source string) (*taskwait.Waiter, error)) {
	poll := func(ctx context.Context, a Args) (taskwait.Task, error) { return attempt(ctx, a, waiter) }
	r.RegisterActivityWithOptions(poll, activity.RegisterOptions{Name: ActivityName})
}

// ByName finds a Waiter in a map, which must not be changed any more.
func ByName(waiters map[string]*taskwait.Waiter) func(source string) (*taskwait.Waiter, error) {
	return func(source string) (*taskwait.Waiter, error) { return waiters[source], nil }
}

const (
	// leastPause is for a poll that is due at once: to the server a delay of 0 means that of the retry policy.
	leastPause = time.Millisecond

	// troublePause is between attempts that cannot poll, or whose queries have failed for longer than tolerated. It is
	// the library's longest pause by default.
	troublePause = 30 * time.Second

	// interruptedPause is before the poll is tried again that an attempt was not able to make.
	interruptedPause = time.Second
)

// attempt makes the next poll of a wait, if it is due.
func attempt(ctx context.Context, a Args, find func(string) (*taskwait.Waiter, error)) (taskwait.Task, error) {
	waiter, err := find(a.Source)
	if err != nil || waiter == nil {
		return taskwait.Task{}, retryable(TypeNoWaiter, fmt.Sprintf("no Waiter for source %q: %v", a.Source, err), nil)
	}
	wait := &taskwait.Wait{ID: a.TaskID}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, wait); err != nil {
			return taskwait.Task{}, retryable(TypeUnreadableWait, err.Error(), nil)
		}
	}
	p, err := poll(ctx, waiter, wait, a)
	if p.Done && err == nil {
		return p.Task, nil
	}
	if err == nil || errors.Is(err, taskwait.ErrQuery) { // there will be another attempt
		activity.RecordHeartbeat(ctx, wait)
	}
	switch cause := context.Cause(ctx); {
	case p.Done:
		return taskwait.Task{}, failure(&p, err)
	case temporal.IsCanceledError(cause): // perhaps the heartbeat has brought this
		return taskwait.Task{}, ctx.Err()
	case err != nil:
		return taskwait.Task{}, notPolled(&p, cause)
	}
	return taskwait.Task{}, notDone(&p)
}

// poll leaves a tenth of the attempt's time for the answer to the server, so that a poll which gets no permit in time
// ends in an attempt that fails, not in one that times out.
func poll(
	ctx context.Context, waiter *taskwait.Waiter, wait *taskwait.Wait, a Args,
) (taskwait.Progress, error) {
	if end, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-time.Until(end)/10))
		defer cancel()
	}
	var opts []taskwait.Option
	if a.Timeout != 0 {
		opts = append(opts, taskwait.WithTimeout(a.Timeout))
	}
	return waiter.Poll(ctx, wait, opts...)
}
