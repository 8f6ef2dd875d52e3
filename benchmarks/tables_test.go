package benchmarks

import (
	"fmt"
	"io"
	"log"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

const tasks = 2000

// few is how many tasks those get who ask so often that they would take minutes: their figures vary by some per cent.
const few = 200

func (p player) tasks() int {
	if strings.Contains(p.name, "500 ms") {
		return few
	}
	return tasks
}

// TestTables prints how everybody does on every workload, and holds taskwait to its figures.
func TestTables(t *testing.T) {
	log.SetOutput(io.Discard) // StateChangeConf writes a line for each poll
	groups := map[string]ratios{}
	var mu sync.Mutex
	t.Run("workload", func(t *testing.T) {
		for i, w := range workloads() {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				t.Logf("%-34s queries  delay, s   99 %%, s   cost / optimum at c = 0.2, 1, 5 s", w.name)
				group := w.name
				if i < 3 {
					group = "first three"
				}
				table := w.table(t)
				mu.Lock()
				defer mu.Unlock()
				for name, r := range table {
					groups[name+", "+group] = append(groups[name+", "+group], r...)
				}
			})
		}
	})
	for _, limit := range []struct {
		name        string
		mean, worst float64 // to be reached; 0: only told
	}{
		{"default, first three", 1.70, 2.5},
		{"5 seen, first three", 0, 0},
		{"20 seen, first three", 1.15, 1.35},
		{"200 seen, first three", 1.08, 1.25},
		{"20 seen, five kinds", 0, 0},
		{"200 seen, five kinds", 0, 0},
		{"20 seen, no limit, five kinds", 1.15, 1.35},
		{"200 seen, no limit, five kinds", 0, 0},
	} {
		got := groups[limit.name]
		t.Logf("%-32s %v", limit.name, got)
		if limit.mean > 0 && (got.mean() > limit.mean || slices.Max(got) > limit.worst) {
			t.Errorf("%s: %v, want at most %.2f, %.2f", limit.name, got, limit.mean, limit.worst)
		}
	}
}

// table prints the rows of one workload, and returns taskwait's costs as multiples of the optimum.
func (w workload) table(t *testing.T) map[string]ratios {
	all, best := map[string]ratios{}, map[float64]float64{}
	for _, c := range queryCosts {
		best[c] = w.best(c)
	}
	for _, p := range peers() {
		s, row := w.play(t, p, p.tasks()), ""
		for _, c := range queryCosts {
			row += fmt.Sprintf("  %5.2f", s.cost(c)/best[c])
			if p.name == "taskwait, default" {
				all["default"] = append(all["default"], s.cost(c)/best[c])
			}
		}
		t.Logf("  %-32s %s %s", p.name, s, row)
	}
	for _, n := range []int{5, 20, 200} {
		for j, c := range queryCosts {
			for name, p := range map[string]player{
				fmt.Sprintf("%d seen", n):           learned(w.history(n), seconds(c)),
				fmt.Sprintf("%d seen, no limit", n): patient(w, n, seconds(c)),
			} {
				if len(w.kinds) == 1 && strings.HasSuffix(name, "limit") {
					continue // only slow kinds meet it
				}
				s := w.play(t, p, tasks)
				t.Logf("  %-32s %s %s%5.2f", fmt.Sprintf("%s, c = %v s", name, c), s, strings.Repeat(" ", 2+7*j), s.cost(c)/best[c])
				all[name] = append(all[name], s.cost(c)/best[c])
			}
		}
	}
	return all
}

// point is how often somebody asks, and how late he is.
type point struct {
	name           string
	queries, delay float64
}

// curve is what learning from 20 tasks of each kind gives, for a query that is worth less and less.
func curve(t *testing.T, w workload) (all []point) {
	t.Helper()
	for c := 200.0; c > 0.005; c /= 2 {
		s := w.play(t, learned(w.history(20), seconds(c)), tasks/2)
		all = append(all, point{fmt.Sprintf("c = %.3g s", c), s.queries, s.delay()})
	}
	return all
}

// at is the curve's delay at so many queries, between its points by their logarithms; ok is false beyond its ends.
func at(curve []point, queries float64) (delay float64, ok bool) {
	for i := 1; i < len(curve); i++ {
		a, b := curve[i-1], curve[i]
		if a.queries <= queries && queries <= b.queries && b.queries > a.queries {
			f := math.Log(queries/a.queries) / math.Log(b.queries/a.queries)
			return math.Exp(math.Log(a.delay) + f*math.Log(b.delay/a.delay)), true
		}
	}
	return 0, false
}

// TestSameQueries compares the delay at each peer's own number of queries, on the five kinds.
func TestSameQueries(t *testing.T) {
	log.SetOutput(io.Discard)
	w := workloads()[3]
	ours := curve(t, w)
	for _, p := range peers() {
		s := w.play(t, p, p.tasks())
		delay, ok := at(ours, s.queries)
		switch {
		case !ok:
			t.Logf("%-32s %6.1f queries, %7.2f s: no setting of ours asks so often or so seldom", p.name, s.queries, s.delay())
		case delay > s.delay()/2:
			t.Errorf("%-32s %6.1f queries, %7.2f s: ours %.2f s, want half of that", p.name, s.queries, s.delay(), delay)
		default:
			t.Logf("%-32s %6.1f queries, %7.2f s: ours %.2f s, 1/%.1f", p.name, s.queries, s.delay(), delay, s.delay()/delay)
		}
	}
}
