package retry

import (
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// The pauses are HashiCorp's, and so is it that a PollInterval from maxPollInterval on counts for nothing: dozens of
// providers multiply a timeout by ten there, and would wait for all of it.
const (
	firstPause      = 100 * time.Millisecond // doubled before it is made
	maxPause        = 10 * time.Second
	maxPollInterval = 180 * time.Second
)

// pace is the schedule of one wait.
type pace struct {
	least, fixed time.Duration
	last         time.Duration // 0: none yet
	again        *atomic.Bool  // Target was seen, and is to be seen again: the pause stays as it is
}

var _ backoff.BackOff = (*pace)(nil)

// Reset makes the next pause the first one.
func (p *pace) Reset() { p.last = 0 }

// NextBackOff returns the pause before the next call.
func (p *pace) NextBackOff() time.Duration {
	if 0 < p.fixed && p.fixed < maxPollInterval {
		return p.fixed
	}
	pause := max(p.last, firstPause)
	if !p.again.Load() {
		pause *= 2
	}
	p.last = max(min(pause, maxPause), p.least)
	return p.last
}
