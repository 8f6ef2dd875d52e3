package fakecloud

import (
	"fmt"
	"time"
)

// WithQuota lets in at most n requests, of whatever route, within any second: a sliding one. What comes beyond is answered
// by the gateway, 429 with a Retry-After of a second, takes no fault from the queue and does not count itself. Default 0:
// no quota. A negative n panics.
func WithQuota(n int) Option {
	if n < 0 {
		panic(fmt.Sprintf("fakecloud: WithQuota: %d requests, want 0 or more", n))
	}
	return func(c *Cloud) { c.quota = make([]time.Time, n) }
}

// fate is what befalls a request that arrives now.
func (c *Cloud) fate(r Route) Fault {
	if c.admit(time.Now()) {
		return c.nextFault(r)
	}
	return Throttle(time.Second)
}

// admit reports whether the quota has room for a request.
func (c *Cloud) admit(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.quota) == 0 {
		return true
	}
	oldest := &c.quota[c.admitted%len(c.quota)] // a ring of the last ones that were let in
	if now.Sub(*oldest) < time.Second {
		return false
	}
	*oldest = now
	c.admitted++
	return true
}
