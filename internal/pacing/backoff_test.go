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

// TestAfter: a BackOff is asked again for the pauses that were made, 64 at most; then the last of those stands.
func TestAfter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		step  int
		stops int // after so many pauses; 0: never
		asked int
		want  []time.Duration // in nanoseconds above the floor: the n-th pause is n
	}{
		{"none was made", 0, 0, 0, []time.Duration{1, 2}},
		{"one", 1, 0, 1, []time.Duration{2, 3}},
		{"as many as are replayed", 64, 0, 64, []time.Duration{65, 66}},
		{"one more", 65, 0, 64, []time.Duration{64, 64}},
		{"a million more", 1000000, 0, 64, []time.Duration{64, 64}},
		{"it stops next", 3, 3, 3, []time.Duration{Stop, Stop}},
		{"it stops in the replay", 5, 3, 5, []time.Duration{Stop, Stop}},
		{"it stops in the replay of many", 1000, 3, 64, []time.Duration{Stop, Stop}},
		{"it would stop later, and its last pause stands", 65, 70, 64, []time.Duration{64, 64}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			s := Schedule(func(int, string, time.Duration, float64) time.Duration {
				if asked++; tt.stops > 0 && asked > tt.stops {
					return Stop
				}
				return time.Duration(asked)
			}).After(tt.step)
			if asked != tt.asked {
				t.Errorf("got %d calls, want %d", asked, tt.asked)
			}
			for i, want := range tt.want {
				if got := s(7, "kind", time.Hour, 0.5); got != want {
					t.Errorf("pause %d: got %v, want %v", i, got, want)
				}
			}
		})
	}
}
