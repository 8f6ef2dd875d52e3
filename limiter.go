package taskwait

import (
	"context"

	"github.com/taskwait/taskwait/internal/limiter"
)

// Limiter keeps any number of Waiters to one quota. Each request behind it waits for a permit, and the poll that has
// been due for longest comes first. A throttled query of any of them makes all hold off. Make it with [NewLimiter], and
// give it to the Waiters with [WithLimiter]. It is safe for concurrent use.
type Limiter struct {
	queue *limiter.Limiter
}

// NewLimiter returns a Limiter over inner, such as a *rate.Limiter of golang.org/x/time. Its Wait is called for each
// request, one call at a time, on a goroutine that ends when nobody waits any more. If inner is nil there is no quota,
// but after a throttled answer all hold off.
//
// Wait gets a context of its own, without the values and the deadline of the wait's context. Its error counts as a
// failed query. If inner has a method Burst() int that returns 0 or less, there will never be a permit, and an error
// ends the wait at once with [ErrQuery].
func NewLimiter(inner interface {
	Wait(ctx context.Context) error
}) *Limiter {
	return &Limiter{queue: limiter.New(inner)}
}

// Wait waits for a permit for a request of your own, in the same queue. A Source that makes several requests in one
// call uses it for all but the first. The error is that of ctx if ctx ends first, or that of the quota. A nil Limiter
// has no quota.
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
