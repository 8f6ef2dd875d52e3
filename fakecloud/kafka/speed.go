package kafka

import (
	"fmt"
	"math"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// WithSpeed makes everything that takes time in the service faster by this factor: tasks and their stages, and changes
// of instances, with their defaults. It does not change the clock, because signatures depend on it, nor the Date of an
// answer, created_at, the time at which a scheduled task starts, or the pauses of a client. Default 1. A factor that is
// not positive and finite panics.
func WithSpeed(factor float64) fakecloud.Option {
	if !(factor > 0) || math.IsInf(factor, 1) {
		panic(fmt.Sprintf("fakecloud: WithSpeed: %v, want a positive number", factor))
	}
	return option(func(c *Cloud) { c.speed = factor })
}

func faster(d time.Duration, speed float64) time.Duration { return time.Duration(float64(d) / speed) }

// accelerate makes a script so many times as fast. It owns its steps and stages.
func (s *Script) accelerate(speed float64) {
	s.Duration, s.ListedAfter = faster(s.Duration, speed), faster(s.ListedAfter, speed)
	for n := range s.Steps {
		s.Steps[n].After = faster(s.Steps[n].After, speed)
	}
	for n := range s.Stages {
		s.Stages[n].Duration = faster(s.Stages[n].Duration, speed)
	}
}
