package taskwait

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// plan is a schedule: the pause after the step-th answer (from 0), given what is known of the task, its age in the wait
// and a random number in [0, 1). backoff.Stop means: no more.
type plan func(step int, t *Task, age time.Duration, rnd float64) time.Duration

// minPause is the floor under a BackOff of the caller's own: some of them return 0 for ever once they have come to
// their end, and a wait must not spin.
const minPause = time.Millisecond

// maxReplay bounds how far a caller's BackOff is wound forward when a wait is resumed. Exponential ones have long
// reached their cap by then.
const maxReplay = 64

// exponential is the default schedule: its pauses before jitter, up to the cap, and the jitter on each side.
type exponential struct {
	lo, hi time.Duration
	steps  []time.Duration
	jitter float64
}

// newExponential builds the schedule from lo to hi. The jitter stays inside the two without clamping, which would put
// half of all pauses on the same value: the generator runs from lo/(1-jitter) to hi/(1+jitter). Where lo and hi are so
// close that these would cross, the jitter is what fits between them; lo == hi is a fixed pause.
func newExponential(lo, hi time.Duration) exponential {
	f := min(jitter, float64(hi-lo)/(float64(hi)+float64(lo)))
	gen := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Duration(float64(lo)/(1-f))),
		backoff.WithMaxInterval(time.Duration(float64(hi)/(1+f))),
		backoff.WithMultiplier(multiplier),
		backoff.WithRandomizationFactor(0), // decide's caller brings the randomness
		backoff.WithMaxElapsedTime(0),      // the generator's own limit of 15 minutes must not end a wait
	)
	e := exponential{lo: lo, hi: hi, jitter: f}
	for {
		d := gen.NextBackOff()
		e.steps = append(e.steps, d)
		if d >= gen.MaxInterval {
			return e
		}
	}
}

func (e *exponential) pause(step int, rnd float64) time.Duration {
	d := float64(e.steps[min(step, len(e.steps)-1)])
	return min(max(time.Duration(d*(1-e.jitter+2*e.jitter*rnd)), e.lo), e.hi) // only rounding is ever clamped
}

// stepAt is the step that a wait of this age has come to on this schedule alone, whoever else has asked for it meanwhile.
func (e *exponential) stepAt(age time.Duration) (step int) {
	for ; step < len(e.steps)-1 && age >= e.steps[step]; step++ {
		age -= e.steps[step]
	}
	return step
}

// fromBackOff adapts a caller's BackOff, which keeps its own step: a resumed wait winds a new one forward first.
func fromBackOff(b backoff.BackOff) plan {
	b.Reset() // an ExponentialBackOff that was written as a literal gives only zeros before
	drawn := 0
	return func(step int, _ *Task, _ time.Duration, _ float64) time.Duration {
		for ; drawn < min(step, maxReplay); drawn++ {
			b.NextBackOff()
		}
		drawn = max(drawn, step) + 1
		d := b.NextBackOff()
		if d == backoff.Stop {
			return d
		}
		return max(d, minPause)
	}
}
