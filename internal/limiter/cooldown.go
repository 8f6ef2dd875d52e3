package limiter

import (
	"math/rand/v2"
	"time"
)

const (
	// untoldCoolDown is how long all hold off after a throttled answer that does not say how long: quotas that do not
	// document their window mostly count by the second.
	untoldCoolDown = time.Second

	// coolDownJitter lengthens a hold-off by up to this part of it: other processes were told the same.
	coolDownJitter = 0.1

	// rampSpacing is the most that lies between two permits after a hold-off. Many waits come closer together: as many as
	// stand in the queue then spread over as long again as the hold-off has lasted.
	rampSpacing = 250 * time.Millisecond
)

// coolDown is the state after a throttled answer: first nobody gets a permit, then permits come one by one for a while.
type coolDown struct {
	blockedUntil time.Time
	rampUntil    time.Time
	last         time.Duration // how long the last hold-off was
	spacing      time.Duration // between two permits of the ramp; 0: not known yet
	sleeps       bool          // the serving goroutine sleeps until blockedUntil
}

func (c *coolDown) holds(now time.Time) bool { return now.Before(c.blockedUntil) }

// begin begins a hold-off of d, unless a longer one is under way.
func (c *coolDown) begin(now time.Time, d time.Duration) {
	if d <= 0 {
		d = untoldCoolDown
	}
	until := now.Add(d + time.Duration(rand.Float64()*coolDownJitter*float64(d)))
	if until.After(c.blockedUntil) {
		c.blockedUntil, c.rampUntil, c.last, c.spacing = until, until.Add(d), d, 0
	}
}

// granted keeps the next permit apart from the one that was granted now, while the ramp lasts; waiting are in the
// queue.
func (c *coolDown) granted(now time.Time, waiting int) {
	if !now.Before(c.rampUntil) {
		return
	}
	if c.spacing == 0 {
		c.spacing = min(c.last/time.Duration(waiting+1), rampSpacing)
	}
	c.blockedUntil = now.Add(c.spacing)
}
