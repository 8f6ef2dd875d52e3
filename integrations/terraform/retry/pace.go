package retry

import (
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
	*watch
	pause time.Duration // the one before; 0: none was made yet
}

var _ backoff.BackOff = (*pace)(nil)

// Reset makes the next pause the first one.
func (p *pace) Reset() { p.pause = 0 }

// NextBackOff returns the pause before the next call. It stays as it is where Target was seen, and is to be seen again.
func (p *pace) NextBackOff() time.Duration {
	if p.gone.Load() {
		return backoff.Stop
	}
	if 0 < p.PollInterval && p.PollInterval < maxPollInterval {
		return p.PollInterval
	}
	p.pause = max(p.pause, firstPause)
	if !p.atTarget.Load() {
		p.pause *= 2
	}
	p.pause = max(min(p.pause, maxPause), p.MinTimeout)
	if p.retried { // there is no call at the timeout; it is only noticed
		return min(p.pause, max(time.Until(p.end), 0)) // below 0 may be backoff.Stop
	}
	return p.pause
}
