package fakecloud

import (
	"fmt"
	"time"
)

// WithQuota allows at most n requests within any second, over all routes. The gateway answers further requests with 429
// and a Retry-After of a second. They take no fault from the queue, and do not count. Default 0: no quota. A negative n
// panics.
func WithQuota(n int) Option {
	if n < 0 {
		panic(fmt.Sprintf("fakecloud: WithQuota: %d requests, want 0 or more", n))
	}
	return func(g *Gateway) { g.quota = make([]time.Time, n) }
}

// nextFault is the fault of a request that arrives now.
func (g *Gateway) nextFault(r Route) Fault {
	if g.admit(time.Now()) {
		return g.takeFault(r)
	}
	return Throttle(time.Second)
}

// admit reports whether the quota has room for a request.
func (g *Gateway) admit(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.quota) == 0 {
		return true
	}
	oldest := &g.quota[g.admitted%len(g.quota)] // a ring of the last ones that were let in
	if now.Sub(*oldest) < time.Second {
		return false
	}
	*oldest = now
	g.admitted++
	return true
}
