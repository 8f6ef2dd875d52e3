package pacing

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

const (
	// DefaultMinPause is the least pause, jitter included. With a multiplier of 1.2, a jitter of a tenth and at most 30 s
	// it is near the best that one setting can do with a first poll at once. A query was priced at 0.2, 1 and 5 s of
	// delay, and the cost of query and delay compared with the optimum for the true distribution of durations: log-normal
	// around 20 s (σ 1.2), uniform 1 to 10 s, and a provisioning mix of 3 s, 2 to 10 min and 15 to 40 min. The geometric
	// mean over these nine is 1.64 times the optimum, the worst 2.36. The usual 1 s ×2 up to 30 s gives 2.03 and 2.90, and
	// 0.5 s ×1.5 up to 60 s 2.18 and 3.33: both poll often while nothing can be done yet, then leap past what takes half a
	// minute. A fixed 10 s gives 2.01 and 4.80.
	DefaultMinPause = 4 * time.Second
	// DefaultMaxPause is the greatest pause; DefaultMinPause has the reasons.
	DefaultMaxPause = 30 * time.Second

	// multiplier: the next poll comes after 4 s and about a fifth of the age.
	multiplier = 1.2
	// maxJitter, on each side, is enough to part a herd within a few rounds; each further tenth costs 2 to 3 per cent.
	maxJitter = 0.1
)

// Exponential is the default schedule: pauses that grow from a minimum to a maximum, with jitter. It is made by
// [NewExponential] and never changes: it is safe for concurrent use.
type Exponential struct {
	min, max time.Duration
	steps    []time.Duration // the pauses before jitter, up to the longest
	jitter   float64         // on each side
}

// NewExponential returns the schedule whose pauses lie between least and most, jitter included. least must be at least
// [Floor] and most at least that; equal, they make a fixed pause.
//
// The jitter stays inside the two without clamping, which would put half of all pauses on the same value: the pauses
// before jitter run from least/(1-jitter) to most/(1+jitter). Where the two are so close that these would cross, the
// jitter is what fits between them.
func NewExponential(least, most time.Duration) *Exponential {
	f := min(maxJitter, float64(most-least)/(float64(most)+float64(least)))
	gen := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Duration(float64(least)/(1-f))),
		backoff.WithMaxInterval(time.Duration(float64(most)/(1+f))),
		backoff.WithMultiplier(multiplier),
		backoff.WithRandomizationFactor(0), // Pause is given the randomness
		backoff.WithMaxElapsedTime(0),      // the generator's own limit of 15 minutes must not end a wait
	)
	e := &Exponential{min: least, max: most, jitter: f}
	for {
		d := gen.NextBackOff()
		e.steps = append(e.steps, d)
		if d >= gen.MaxInterval {
			return e
		}
	}
}

// Min returns the least pause.
func (e *Exponential) Min() time.Duration { return e.min }

// Max returns the greatest pause.
func (e *Exponential) Max() time.Duration { return e.max }

// Pause returns the pause after the answer number step, counted from 0; rnd is a random number in [0, 1).
func (e *Exponential) Pause(step int, rnd float64) time.Duration {
	return e.clamp(spread(e.steps[min(step, len(e.steps)-1)], e.jitter, rnd)) // only rounding is ever clamped
}

// StepAt returns the step that a wait of this age has come to by the schedule alone, whatever answers it got in between
// from polls of other waits.
func (e *Exponential) StepAt(age time.Duration) (step int) {
	for ; step < len(e.steps)-1 && age >= e.steps[step]; step++ {
		age -= e.steps[step]
	}
	return step
}

// Until returns the pause where the service itself says how much of the task remains: that long, spread a little, and
// within the bounds of the schedule.
func (e *Exponential) Until(remaining time.Duration, rnd float64) time.Duration {
	longest := time.Duration(float64(e.max) / (1 + learnedJitter))
	return e.clamp(spread(min(remaining, longest), learnedJitter, rnd))
}

func (e *Exponential) clamp(d time.Duration) time.Duration { return min(max(d, e.min), e.max) }
