package pacing

import (
	"testing"
	"time"
)

// TestExponentialNarrow: where the bounds are close the jitter is what fits between them, and reaches both.
func TestExponentialNarrow(t *testing.T) {
	e := NewExponential(10*time.Second, 11*time.Second)
	for step := range 3 {
		for rnd, want := range map[float64]time.Duration{0: e.Min(), 0.5: 10500 * time.Millisecond, almost: e.Max()} {
			if got := e.Pause(step, rnd); (got - want).Abs() > time.Microsecond {
				t.Errorf("Pause(%d, %v) = %v, want %v", step, rnd, got, want)
			}
		}
	}
}
