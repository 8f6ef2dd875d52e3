package taskwait

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/pacing"
)

// TestBackOffsBadPauses: whatever a BackOff returns, a wait does not spin.
func TestBackOffsBadPauses(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for name, b := range map[string]backoff.BackOff{
			"zero":     &backoff.ZeroBackOff{},
			"negative": backoff.NewConstantBackOff(-time.Hour),
			"literal": &backoff.ExponentialBackOff{
				InitialInterval: time.Second, Multiplier: 0, MaxInterval: time.Minute, Clock: backoff.SystemClock,
			},
			"not-a-number": backoff.NewExponentialBackOff(backoff.WithMultiplier(math.NaN()),
				backoff.WithRandomizationFactor(2), backoff.WithMaxElapsedTime(0)),
			"past its limit": &backoff.ExponentialBackOff{
				InitialInterval: time.Second, Multiplier: 2, MaxInterval: time.Minute, MaxElapsedTime: 1,
				Clock: backoff.SystemClock,
			},
		} {
			w := newWaiter(t, script(running), WithBackOff(func() backoff.BackOff { return b }))
			asks := 0
			_, _, elapsed := d.waitFor(cancelAfter(t, time.Second, nil), w, WithProgress(func(p Progress) {
				if asks++; !p.Done && p.Next < pacing.Floor {
					t.Errorf("%s: the next query comes after %v, want 1ms or more", name, p.Next)
				}
			}))
			if asks > 1002 || elapsed != time.Second {
				t.Errorf("%s: %d polls in %v", name, asks, elapsed)
			}
		}
	})
}

// TestFixedInterval: an interval is kept as it was given.
func TestFixedInterval(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(repeat(3, running, success)...)
		if _, err, _ := d.waitFor(t.Context(), newWaiter(t, c, every(5*time.Minute))); err != nil {
			t.Error(err)
		}
		if want := []float64{0, 300, 600, 900}; !reflect.DeepEqual(c.seconds(), want) {
			t.Errorf("asked at %v s, want %v s", c.seconds(), want)
		}
	})
}
