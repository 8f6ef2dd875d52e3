//go:build !mutate

package schedule

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestDelayProperties walks whole waits over random histories: the polls are within the bounds, at any age.
func TestDelayProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		s := make([]Sample, r.IntN(50))
		for i := range s {
			s[i] = Sample{seconds(math.Exp(30*r.Float64() - 10)), r.IntN(4) == 0, r.ExpFloat64()}
		}
		m, p := Learn(s), Policy{QueryCost: seconds(math.Exp(10*r.Float64() - 5))}
		r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
		shuffled := Learn(s)
		for age, n := time.Duration(0), 0; n < 200; n++ {
			d := m.Delay(age, 4*time.Second, p)
			if d < ShortestGap || d > LongestGap {
				t.Fatalf("at %v a delay of %v", age, d)
			}
			if got := shuffled.Delay(age, 4*time.Second, p); math.Abs(float64(got-d)) > 1e-3*float64(d) {
				t.Fatalf("at %v a delay of %v, of %v in another order", age, d, got)
			}
			age += d
		}
	}
}
