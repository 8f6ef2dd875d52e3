package kafka

import (
	"fmt"
	"math"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// WithSpeed makes all that takes time in the service so many times as fast: tasks and their stages, and changes of
// instances, also by their defaults. The clock stays, and so do the Date of an answer, created_at and the time at
// which a scheduled task starts: signatures depend on the clock. What a client sleeps stays too. Default 1. A factor
// that is not positive and finite panics.
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
