// Package optimum knows how well a task can be watched at best: the distributions of durations that schedules are
// measured on, and for each of them the optimal looks, by dynamic programming. It is for tests and benchmarks.
package optimum

// QueryTime is how long a query takes in these studies, in seconds: it is part of every delay.
const QueryTime = 0.05

// Solve gives the least cost c·queries + delay of watching a task whose chance to last longer than t is surv(t), in
// seconds, by looks at multiples of step that end at n·step, and those looks. The first look is free to be anywhere;
// one forced at zero costs c more, and changes nothing else.
//
// A look at t that is followed by one at u costs c + u − t in every case that outlives t, so that
//
//	W(t) = min over u > t of surv(t)·(c + u − t) + W(u),   W(end) = 0
//
// and the cost is W(0) − mean: the looks add up to the end of the wait, of which the task itself takes its mean.
// surv falls as t rises, so the lines u·s + W(u) are kept as a lower hull, and each minimum is one binary search.
func Solve(surv func(float64) float64, mean, step, c float64, n int) (cost float64, looks []float64) {
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
			return w[0] - mean + QueryTime, looks
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
