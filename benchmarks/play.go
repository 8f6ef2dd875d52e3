package benchmarks

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// queryCosts are what a query may be worth, in seconds of delay.
var queryCosts = []float64{0.2, 1, 5}

// score is how somebody did: queries and delays of the tasks played.
type score struct {
	queries float64
	delays  []time.Duration // sorted
}

// play lets p wait for n tasks of w, one after the other, the same ones for everybody.
func (w workload) play(t *testing.T, p player, n int) (s score) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const test = 2
		r := rand.New(rand.NewPCG(test, test))
		for range n {
			l := w.kinds[r.IntN(len(w.kinds))]
			one := &task{kind: l.Name, created: time.Now(), ends: time.Now().Add(seconds(l.Draw(r)))}
			if err := p.wait(context.Background(), one); err != nil {
				t.Fatalf("%s, %s: %v", w.name, p.name, err)
			}
			s.queries += float64(one.queries) / float64(n)
			s.delays = append(s.delays, time.Since(one.ends))
		}
	})
	slices.Sort(s.delays)
	return s
}

// delay is the mean, in seconds.
func (s score) delay() (mean float64) {
	for _, d := range s.delays {
		mean += d.Seconds() / float64(len(s.delays))
	}
	return mean
}

// cost is that of a query and its delay, in seconds.
func (s score) cost(c float64) float64 { return c*s.queries + s.delay() }

func (s score) String() string {
	return fmt.Sprintf("%7.1f %9.2f %9.2f", s.queries, s.delay(), s.delays[len(s.delays)*99/100].Seconds())
}

// ratios collects costs as multiples of the optimum.
type ratios []float64

func (r ratios) mean() float64 {
	sum := 0.0
	for _, x := range r {
		sum += math.Log(x) / float64(len(r))
	}
	return math.Exp(sum)
}

func (r ratios) String() string { return fmt.Sprintf("mean %.3f, worst %.3f", r.mean(), slices.Max(r)) }
