//go:build !mutate

package schedule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/taskwait/taskwait/internal/optimum"
)

// TestChangedWorld plays tasks whose kind has become ten times slower, or faster, to histories of what it was. Recent
// tasks weigh more: each counts half as much as the one that ended thirty tasks later, which is the history's business.
func TestChangedWorld(t *testing.T) {
	const halfLife = 30
	for _, old := range []float64{3, 300} {
		was, is := optimum.LogNormal("was", old, 0.25, 0, 0), optimum.LogNormal("is", 30, 0.25, 300, 0.01)
		best := is.Best(1)
		for _, n := range []int{20, 200} {
			row := fmt.Sprintf("%v s seen %3d times, now 30 s; after", old, n)
			last := 0.0
			for _, k := range []int{0, 1, 2, 5, 10, 20} {
				last = 0
				for i := range draws {
					r := rand.New(rand.NewPCG(uint64(i), 9))
					s := append(samples(is, k, r), samples(was, n, r)...) // the latest first
					for j := range s {
						s[j].Weight = math.Exp2(-float64(j) / halfLife)
					}
					at := polls(Learn(s), 1, is.End)
					last += cost(is, at, 1) / best / draws
					for j := 1; j < len(at); j++ {
						if gap := at[j] - at[j-1]; gap > LongestGap.Seconds()+optimum.QueryTime {
							t.Fatalf("a gap of %.1f s at %.1f s", gap, at[j])
						}
					}
				}
				row += fmt.Sprintf("  %d: %.2f", k, last)
			}
			t.Log(row)
			if last > 1.6 {
				t.Errorf("after twenty tasks the cost is %.2f times the optimum", last)
			}
		}
	}
}
