package pacing

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// FromBackOff returns the Schedule of a caller's BackOff. Reset is called once, here, and NextBackOff once for each
// call of the Schedule; a pause below [Floor] is raised to it.
func FromBackOff(b backoff.BackOff) Schedule {
	b.Reset() // an ExponentialBackOff that was written as a literal gives only zeros before
	return func(int, string, time.Duration, float64) time.Duration {
		d := b.NextBackOff()
		if d == Stop {
			return Stop
		}
		return max(d, Floor)
	}
}
