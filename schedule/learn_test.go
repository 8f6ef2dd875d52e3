//go:build !mutate

package schedule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/taskwait/taskwait/internal/optimum"
)

var queryCosts = []float64{0.2, 1, 5}

const draws = 20 // histories over which each ratio is a mean

// played is the mean cost of a schedule learned from n tasks, over many histories. The tasks that are then waited for
// are the law itself: exact expectations, and no task in common with the history.
func played(l optimum.Law, n int, c float64) (sum float64) {
	for i := range draws {
		m := Learn(samples(l, n, rand.New(rand.NewPCG(uint64(i), 5))))
		sum += cost(l, polls(m, c, l.End), c) / draws
	}
	return sum
}

// solved is a law with the cost of its optimum for each of the queryCosts.
type solved struct {
	optimum.Law
	best []float64
}

// solve finds the optimum of each law.
func solve(laws ...optimum.Law) (all []solved) {
	for _, l := range laws {
		s := solved{Law: l}
		for _, c := range queryCosts {
			s.best = append(s.best, l.Best(c))
		}
		all = append(all, s)
	}
	return all
}

// table prints the costs of some laws as multiples of the optimum, and returns their geometric mean, the worst, and
// that of a mix of the laws, where the kind of each task is known.
func table(t *testing.T, n int, laws []solved) (mean, worst, mixed float64) {
	total, least := make([]float64, len(queryCosts)), make([]float64, len(queryCosts))
	for _, l := range laws {
		row := fmt.Sprintf("%-22s %3d seen:", l.Name, n)
		for i, c := range queryCosts {
			cost, best := played(l.Law, n, c), l.best[i]
			row += fmt.Sprintf("  c=%v %.3f", c, cost/best)
			mean += math.Log(cost/best) / float64(len(laws)*len(queryCosts))
			worst = max(worst, cost/best)
			total[i] += cost
			least[i] += best
		}
		t.Log(row)
	}
	for i := range queryCosts {
		mixed += math.Log(total[i]/least[i]) / float64(len(queryCosts))
	}
	t.Logf("%-22s %3d seen:  mean %.3f, worst %.3f; mixed %.3f", "", n, math.Exp(mean), worst, math.Exp(mixed))
	return math.Exp(mean), worst, math.Exp(mixed)
}

// TestRatios measures what learning is worth, and holds it to the figures of a side study.
func TestRatios(t *testing.T) {
	workloads, kinds, heldOut := solve(optimum.Workloads()...), solve(optimum.Kinds()...), solve(optimum.Weibull())
	for _, tt := range []struct {
		seen               int
		mean, worst, kinds float64 // at most
	}{
		{1, 1.40, 1.60, 1.70},
		{5, 1.25, 1.55, 1.20},
		{20, 1.15, 1.35, 1.15},
		{200, 1.08, 1.25, 1.05},
	} {
		if mean, worst, _ := table(t, tt.seen, workloads); mean > tt.mean || worst > tt.worst {
			t.Errorf("%d seen: mean %.3f, worst %.3f; want at most %.2f, %.2f", tt.seen, mean, worst, tt.mean, tt.worst)
		}
		if mean, _, mixed := table(t, tt.seen, kinds); max(mean, mixed) > tt.kinds {
			t.Errorf("%d seen of each kind: mean %.3f, mixed %.3f; want at most %.2f", tt.seen, mean, mixed, tt.kinds)
		}
		table(t, tt.seen, heldOut) // printed, not judged
	}
}

// TestFixed: the API page's own example, a task of 3 s, after five of them: one or two queries, found within 0.3 s.
func TestFixed(t *testing.T) {
	for _, spread := range []float64{0, 0.01} {
		var s []Sample
		for i := range 5 {
			s = append(s, Sample{Age: seconds(3 + spread*float64(i-2))})
		}
		at := polls(Learn(s), 1, 10)
		if found := at[0] + optimum.QueryTime; at[0] < 3 || found > 3.3 {
			t.Errorf("spread %v: polls at %.2f, want the first at 3–3.25 s", spread, at)
		}
	}
}
