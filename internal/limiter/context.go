package limiter

import "context"

type contextKey struct{}

// NewContext returns a context for a call that holds a permit of l for one request, so that the further requests which
// the call makes can take a permit each, with Acquire.
func NewContext(ctx context.Context, l *Limiter) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// Acquire waits for a permit for one more request of the call that ctx belongs to. Without a limiter there is nothing
// to wait for. It returns an error if ctx ends before, or there is no permit to be had.
func Acquire(ctx context.Context) error {
	l, _ := ctx.Value(contextKey{}).(*Limiter)
	if l == nil {
		return ctx.Err()
	}
	return l.Wait(ctx)
}
