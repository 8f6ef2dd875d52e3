package benchmarks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/optimum"
	"github.com/taskwait/taskwait/schedule"
)

// TestChangedWorld prints what a history costs that is wrong by a factor of ten, until it has healed.
func TestChangedWorld(t *testing.T) {
	const rounds, columns = 40, 21
	is := optimum.LogNormal("resize", 30, 0.25, 300, 0.01)
	for _, was := range []float64{3, 300} {
		var queries, delay [columns]float64
		for round := range rounds {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(3, uint64(round)))
				h, old := &schedule.History{}, optimum.LogNormal("resize", was, 0.25, 0, 0)
				for range 100 {
					h.Add("resize", seconds(old.Draw(r)))
				}
				same := learned(func() *schedule.History { return h }, time.Second)
				for i := range columns {
					one := &task{kind: "resize", created: time.Now(), ends: time.Now().Add(seconds(is.Draw(r)))}
					if err := same.wait(context.Background(), one); err != nil {
						t.Fatal(err)
					}
					late := time.Since(one.ends)
					if late > schedule.LongestGap+schedule.LongestGap/20 {
						t.Errorf("found %v late", late)
					}
					queries[i] += float64(one.queries) / rounds
					delay[i] += late.Seconds() / rounds
				}
			})
		}
		row := ""
		for _, i := range []int{0, 1, 2, 5, 10, 20} {
			row += fmt.Sprintf("  after %d: %.1f, %.1f s (%.1f)", i, queries[i], delay[i], (queries[i]+delay[i])/is.Best(1))
		}
		t.Logf("100 tasks took %v s, now they take 30 s; queries, delay and cost / optimum%s", was, row)
		if got := (queries[20] + delay[20]) / is.Best(1); got > 2 {
			t.Errorf("after twenty tasks the cost is still %.2f times the optimum", got)
		}
	}
}
