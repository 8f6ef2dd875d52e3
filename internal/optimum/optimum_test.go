package optimum

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// TestSolve holds the dynamic programme against every set of looks there is, on small discrete laws.
func TestSolve(t *testing.T) {
	const n = 11
	rng := rand.New(rand.NewPCG(5, 1))
	for trial := range 300 {
		var mass [n + 1]float64 // mass[i]: the chance to end at i, of which mass[0] = 0
		total, mean := 0.0, 0.0
		for i := 1; i <= n; i++ {
			mass[i] = math.Pow(rng.Float64(), 4)
			total += mass[i]
		}
		for i := range mass {
			mass[i] /= total
			mean += float64(i) * mass[i]
		}
		c := math.Exp(4*rng.Float64() - 2)
		surv := func(t float64) float64 {
			s := 0.0
			for i := int(math.Round(t)) + 1; i <= n; i++ {
				s += mass[i]
			}
			return s
		}
		got, _ := Solve(surv, mean, 1, c, n)
		if want := bruteForce(mass[:], c); math.Abs(got-want) > 1e-9 {
			t.Fatalf("trial %d, c %.3f: cost %.6f, want %.6f", trial, c, got, want)
		}
	}
}

// bruteForce tries every set of looks, counting queries and delay task by task, without the algebra of Solve.
func bruteForce(mass []float64, c float64) float64 {
	best, n := math.Inf(1), len(mass)-1
	for set := uint(1) << (n - 1); set < 1<<n; set++ { // bit i: a look at i+1; the last always
		cost := 0.0
		for end := 1; end <= n; end++ {
			found := end + bits.TrailingZeros(set>>(end-1))
			queries := bits.OnesCount(set & (1<<found - 1))
			cost += mass[end] * (c*float64(queries) + float64(found-end) + QueryTime)
		}
		best = min(best, cost)
	}
	return best
}
