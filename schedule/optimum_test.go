package schedule

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// queryTime is how long a query takes in these studies, in seconds: it is part of every delay.
const queryTime = 0.05

// optimum is the least cost c·queries + delay of watching a task whose chance to last longer than t is surv(t), in
// seconds, by looks at multiples of step that end at n·step, and those looks. The first look is free to be anywhere; one
// forced at zero costs c more, and changes nothing else.
//
// A look at t that is followed by one at u costs c + u − t in every case that outlives t, so that
//
//	W(t) = min over u > t of surv(t)·(c + u − t) + W(u),   W(end) = 0
//
// and the cost is W(0) − mean: the looks add up to the end of the wait, of which the task itself takes its mean.
// surv falls as t rises, so the lines u·s + W(u) are kept as a lower hull, and each minimum is one binary search.
func optimum(surv func(float64) float64, mean, step, c float64, n int) (cost float64, looks []float64) {
	w, next, hull := make([]float64, n+1), make([]int, n+1), []int{n}
	at := func(i int) float64 { return float64(i) * step }
	for i := n - 1; i >= 0; i-- {
		s := surv(at(i))
		next[i] = lowest(hull, func(j int) float64 { return at(j)*s + w[j] })
		w[i] = s*(c+at(next[i])-at(i)) + w[next[i]]
		for len(hull) > 1 {
			p, q := hull[len(hull)-2], hull[len(hull)-1]
			if (w[i]-w[q])*(at(p)-at(q)) > (w[q]-w[p])*(at(q)-at(i)) {
				break
			}
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, i)
	}
	for i := next[0]; ; i = next[i] {
		looks = append(looks, at(i))
		if i == n {
			return w[0] - mean + queryTime, looks
		}
	}
}

// lowest is the line of the hull that is lowest, where a hull falls to it and rises after it.
func lowest(hull []int, value func(int) float64) int {
	lo, hi := 0, len(hull)-1
	for lo < hi {
		if m := (lo + hi) / 2; value(hull[m]) > value(hull[m+1]) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return hull[lo]
}

// TestOptimum holds the dynamic programme against every set of looks there is, on small discrete laws.
func TestOptimum(t *testing.T) {
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
		got, _ := optimum(surv, mean, 1, c, n)
		if want := bruteForce(mass[:], c); math.Abs(got-want) > 1e-9 {
			t.Fatalf("trial %d, c %.3f: cost %.6f, want %.6f", trial, c, got, want)
		}
	}
}

// bruteForce tries every set of looks, counting queries and delay task by task, without the algebra of optimum.
func bruteForce(mass []float64, c float64) float64 {
	best, n := math.Inf(1), len(mass)-1
	for set := uint(1) << (n - 1); set < 1<<n; set++ { // bit i: a look at i+1; the last always
		cost := 0.0
		for end := 1; end <= n; end++ {
			found := end + bits.TrailingZeros(set>>(end-1))
			queries := bits.OnesCount(set & (1<<found - 1))
			cost += mass[end] * (c*float64(queries) + float64(found-end) + queryTime)
		}
		best = min(best, cost)
	}
	return best
}
