package taskwait

import (
	"context"

	"github.com/taskwait/taskwait/internal/limiter"
)

// Limiter keeps any number of Waiters to one quota: each request behind it waits for its permit, the one whose poll has
// been due for longest comes first, and a throttled answer to any of them makes all hold off. Give it to each of them
// with [WithLimiter]. Make it with [NewLimiter]. It is safe for concurrent use.
type Limiter struct {
	queue *limiter.Limiter
}

// NewLimiter returns a Limiter over inner, such as a *rate.Limiter of golang.org/x/time: its Wait is called for each
// request, one call at a time, on a goroutine that ends when nobody waits any more. With inner nil there is no quota,
// but the hold-off after a throttled answer is everybody's all the same.
//
// Wait gets a context of its own, without the values and without the deadline of the wait's. An error that it returns
// counts as a failed query, and it ends the wait at once with [ErrQuery] if inner has a method Burst() int that says 0
// or less: there will never be a permit.
func NewLimiter(inner interface {
	Wait(ctx context.Context) error
}) *Limiter {
	return &Limiter{queue: limiter.New(inner)}
}

// Wait waits for the permit of a request of your own, in the same queue: also for the further requests of a Source that
// makes several in one call. The error is ctx's if ctx ends before, or that of the quota. A nil Limiter has no quota.
func (l *Limiter) Wait(ctx context.Context) error {
	if l == nil {
		return ctx.Err()
	}
	return l.queue.Wait(ctx)
}

// permits is the queue of permits; nil: there is none.
func (l *Limiter) permits() *limiter.Limiter {
	if l == nil {
		return nil
	}
	return l.queue
}
