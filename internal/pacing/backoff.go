package pacing

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// maxReplay bounds the pauses that a schedule is asked for again: after as many, BackOffs have come to their last one.
const maxReplay = 64

// After returns the schedule of a wait that has made as many pauses as step says, for a caller's BackOff, which counts
// them itself. It is asked for them once more, 64 at most; if there were more, the last of those stands from then on.
func (s Schedule) After(step int) Schedule {
	var last time.Duration
	for range min(step, maxReplay) {
		last = s(0, "", 0, 0)
	}
	if step <= maxReplay {
		return s
	}
	return func(int, string, time.Duration, float64) time.Duration { return last }
}

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
