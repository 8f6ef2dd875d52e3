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
