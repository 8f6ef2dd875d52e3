package pacing

import (
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// TestFromBackOff: written as a literal, an ExponentialBackOff gives only zeros until it is reset.
func TestFromBackOff(t *testing.T) {
	s := FromBackOff(&backoff.ExponentialBackOff{
		InitialInterval: time.Second, Multiplier: 2, MaxInterval: 4 * time.Second, Stop: backoff.Stop,
		Clock: backoff.SystemClock,
	})
	for step, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
		if got := s(step, "", 0, 0); got != want {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
}

func TestFromBackOffBounds(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    backoff.BackOff
		want time.Duration
	}{
		{"zero", &backoff.ZeroBackOff{}, Floor},
		{"negative", backoff.NewConstantBackOff(-time.Hour), Floor},
		{"stop", &backoff.StopBackOff{}, Stop},
		{"constant", backoff.NewConstantBackOff(time.Hour), time.Hour},
	} {
		if got := FromBackOff(tt.b)(0, "", 0, 0); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// counter is a BackOff whose pauses count from 1 s on, but for the 64th, which is Stop if it stops.
type counter struct {
	n     int
	stops bool
}

func (c *counter) Reset() { c.n = 0 }

func (c *counter) NextBackOff() time.Duration {
	if c.n++; c.stops && c.n == maxReplay {
		return Stop
	}
	return time.Duration(c.n) * time.Second
}

// TestAfter: a BackOff goes on where it was. After more pauses than it is asked for again, the last one stands, but for
// a Stop.
func TestAfter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		step  int
		stops bool
		want  []time.Duration
	}{
		{"none", 0, false, []time.Duration{time.Second, 2 * time.Second}},
		{"some", 3, false, []time.Duration{4 * time.Second, 5 * time.Second}},
		{"all but one", 63, false, []time.Duration{64 * time.Second, 65 * time.Second}},
		{"all", 64, false, []time.Duration{65 * time.Second, 66 * time.Second}},
		{"too many", 65, false, []time.Duration{64 * time.Second, 64 * time.Second}},
		{"far too many", 1000, false, []time.Duration{64 * time.Second, 64 * time.Second}},
		{"too many, and the last was Stop", 65, true, []time.Duration{65 * time.Second, 66 * time.Second}},
	} {
		s := FromBackOff(&counter{stops: tt.stops}).After(tt.step)
		for i, want := range tt.want {
			if got := s(0, "", 0, 0); got != want {
				t.Errorf("%s: pause %d: %v, want %v", tt.name, i, got, want)
			}
		}
	}
}
