package guard

import (
	"context"
	"sync/atomic"
)

// Call is one call of foreign code that can be cancelled, and abandoned if it does not react. A Call can be used again
// once it has returned without having been abandoned; its context is made anew only where it was cancelled, so that a
// call costs no allocation. Begin, Cancel and Abandon are for one goroutine at a time; Run belongs to the call.
type Call struct {
	phase     atomic.Int32
	abandoned *atomic.Int64 // counts the abandoned calls that have not returned
	ctx       context.Context
	cancel    context.CancelFunc
}

// The phases of a call. One that is abandoned before it runs never runs.
const (
	begun int32 = iota
	running
	returned
	abandoned
)

// Begin makes c ready to run with the values of base, but neither its end nor its deadline: whoever began the call
// cancels it. A Call that is used again has its earlier base, unless it was cancelled since. counter counts calls that
// were abandoned and have not returned.
func (c *Call) Begin(base context.Context, counter *atomic.Int64) {
	if c.cancel == nil {
		c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(base))
	}
	c.abandoned = counter
	c.phase.Store(begun)
}

// Run calls f, unless the call was abandoned before; then it calls done with what became of f: nil, a *PanicError or
// ErrGoexit. late reports whether the call was abandoned meanwhile.
func (c *Call) Run(f func(context.Context), done func(err error, late bool)) {
	Run(func() {
		if c.phase.CompareAndSwap(begun, running) {
			f(c.ctx)
		}
	}, func(err error) {
		late := !c.phase.CompareAndSwap(running, returned)
		if late {
			c.abandoned.Add(-1)
		}
		done(err, late)
	})
}

// Cancel ends the context of the call.
func (c *Call) Cancel() {
	if c.cancel != nil {
		c.cancel()
		c.cancel = nil
	}
}

// Cancelled reports whether the context of the call was ended by Cancel.
func (c *Call) Cancelled() bool { return c.cancel == nil }

// Abandon cancels the call and leaves it to itself. It reports whether it did: false means that the call has returned,
// or was abandoned before.
func (c *Call) Abandon() bool {
	c.Cancel()
	c.abandoned.Add(1)
	if c.phase.CompareAndSwap(begun, abandoned) || c.phase.CompareAndSwap(running, abandoned) {
		return true
	}
	c.abandoned.Add(-1)
	return false
}
