// Package pacing says how long a wait pauses before its next poll. It has three schedules: the default exponential one,
// a BackOff of the caller's own, and one learned from a history. It knows no clock and draws no random numbers: the
// caller brings both.
package pacing

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Schedule returns the pause after the answer number step, counted from 0. kind is the kind of task that the service
// has named, empty if it has named none; age is that of the task; rnd is a random number in [0, 1). [Stop] ends the
// wait.
//
// A Schedule belongs to one wait: it need not be safe for concurrent use.
type Schedule func(step int, kind string, age time.Duration, rnd float64) time.Duration

const (
	// Stop is returned by a Schedule where there is no further poll.
	Stop time.Duration = backoff.Stop

	// Floor is the least pause of a Schedule. Some BackOffs return 0 for ever once they have come to their end, and a
	// wait must not spin.
	Floor = time.Millisecond
)

// spread moves d by up to the fraction f of it, either way.
func spread(d time.Duration, f, rnd float64) time.Duration {
	return time.Duration(float64(d) * (1 - f + 2*f*rnd))
}
