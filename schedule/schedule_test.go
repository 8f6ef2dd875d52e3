package schedule

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/optimum"
)

// FuzzDelay: whatever the history, sorted or not, a delay is finite and within the bounds, the same each time and
// whatever the order, and an estimate, if there is one, is in order.
func FuzzDelay(f *testing.F) {
	sample := func(age int64, weight float64, running byte) []byte {
		b := binary.LittleEndian.AppendUint64(nil, uint64(age))
		return append(binary.LittleEndian.AppendUint64(b, math.Float64bits(weight)), running)
	}
	f.Add([]byte{}, int64(0), int64(0), int64(0), int64(0), int64(0))
	for _, age := range []int64{0, 1, -1, 3e9, math.MaxInt64, math.MinInt64} {
		for _, w := range []float64{0, 1, -1, 1e-300, 1e300, math.NaN(), math.Inf(1)} {
			all := slices.Concat(sample(age, w, 0), sample(3e9, 1, 0), sample(age, 1, 1), sample(age/2, w, 0))
			f.Add(all, age, int64(4e9), int64(1e9), int64(0), int64(0))
			f.Add(all, int64(1e10), age, age, age, int64(5e9))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, age, usual, cost, shortest, longest int64) {
		var s []Sample
		for ; len(data) >= 17 && len(s) < 1000; data = data[17:] {
			w := math.Float64frombits(binary.LittleEndian.Uint64(data[8:]))
			s = append(s, Sample{time.Duration(binary.LittleEndian.Uint64(data)), data[16]%2 == 1, w})
		}
		p := Policy{time.Duration(cost), time.Duration(shortest), time.Duration(longest)}
		m := Learn(s)
		d := m.Delay(time.Duration(age), time.Duration(usual), p)
		if p = p.orDefault(); d < p.Shortest || d > p.Longest {
			t.Fatalf("a delay of %v, want %v–%v", d, p.Shortest, p.Longest)
		}
		if again := m.Delay(time.Duration(age), time.Duration(usual), p); again != d {
			t.Fatalf("a delay of %v, then of %v", d, again)
		}
		e, ok := m.Estimate(time.Duration(age))
		if e.Median < 0 || e.RemainingP50 < 0 || e.RemainingP90 < e.RemainingP50 || !ok && e.RemainingP90 != 0 {
			t.Fatalf("estimate %+v, %v", e, ok)
		}
	})
}

// TestNothingSeen: without a history, or with tasks that run only, the usual schedule stands.
func TestNothingSeen(t *testing.T) {
	for name, m := range map[string]*Model{
		"zero": {}, "none": Learn(nil), "running": Learn([]Sample{{Age: time.Hour, Running: true}}),
		"meaningless": Learn([]Sample{{Age: -1}, {Age: 1, Weight: math.NaN()}, {Age: 1, Weight: -1}}),
	} {
		if got := m.Delay(time.Minute, 7*time.Second, Policy{}); got != 7*time.Second {
			t.Errorf("%s: delay %v, want the usual 7s", name, got)
		}
		if e, ok := m.Estimate(0); ok || e != (Estimate{}) {
			t.Errorf("%s: estimate %+v, want none", name, e)
		}
	}
}

// TestNoJump: from nothing seen to one task, a history leads away from the usual schedule in small steps.
func TestNoJump(t *testing.T) {
	const usual = 4 * time.Second
	last := usual
	for w := 0.001; w < 1; w *= 1.05 {
		d := Learn([]Sample{{Age: time.Minute, Weight: w}}).Delay(0, usual, Policy{})
		if step := math.Abs(math.Log(d.Seconds() / last.Seconds())); step > 0.1 {
			t.Errorf("at weight %.3f the delay goes from %v to %v", w, last, d)
		}
		last = d
	}
}

// TestRunning: tasks that run are evidence of longer durations, not of ends.
func TestRunning(t *testing.T) {
	s := []Sample{{Age: 10 * time.Second}, {Age: 11 * time.Second}, {Age: 12 * time.Second}}
	before, _ := Learn(s).Estimate(0)
	for range 9 {
		s = append(s, Sample{Age: time.Minute, Running: true})
	}
	m := Learn(s)
	// half of them take more than a minute, and nobody knows how much more
	if after, _ := m.Estimate(0); after.Median != 0 {
		t.Errorf("median %v with nine that run for a minute, %v before; want none", after.Median, before.Median)
	}
	// A task of which nothing says when it ends: asked about now and then.
	if d := m.Delay(2*time.Minute, 28*time.Second, Policy{}); d < 5*time.Second || d > time.Minute {
		t.Errorf("beyond all ends a delay of %v", d)
	}
}

// TestTwoModes: nothing is asked in the desert between them, and the end of the first mode is.
func TestTwoModes(t *testing.T) {
	var s []Sample
	for i := range 20 {
		s = append(s, Sample{Age: 3*time.Second + time.Duration(i)*10*time.Millisecond}, Sample{
			Age: 200*time.Second + time.Duration(i)*time.Second,
		})
	}
	at := polls(Learn(s), 1, 250)
	first, desert := 0, 0
	for _, a := range at {
		if a > 3 && a < 4 {
			first++
		}
		if a > 4 && a < 190 {
			desert++
		}
	}
	if first == 0 || desert > 2 {
		t.Errorf("%d polls at the first mode, %d in the desert: %.4v", first, desert, at)
	}
}

// TestOutlier: one task of an hour among fifty of half a minute changes the polls at the rest by little.
func TestOutlier(t *testing.T) {
	l := optimum.LogNormal("30 s", 30, 0.25, 300, 0.01)
	s := samples(l, 50, rand.New(rand.NewPCG(1, 1)))
	with := append(slices.Clone(s), Sample{Age: time.Hour})
	plain, odd := cost(l, polls(Learn(s), 1, 300), 1), cost(l, polls(Learn(with), 1, 300), 1)
	if odd > 1.05*plain {
		t.Errorf("cost %.2f s with the outlier, %.2f s without", odd, plain)
	}
}

// TestUnseenTail: a task that outlives everything is asked about ever less often, and for ever.
func TestUnseenTail(t *testing.T) {
	l := optimum.LogNormal("30 s", 30, 0.25, 300, 0.01)
	m := Learn(samples(l, 20, rand.New(rand.NewPCG(1, 1))))
	for _, tt := range []struct{ age, least, most time.Duration }{
		{3 * time.Minute, 5 * time.Second, time.Minute},
		{time.Hour, 30 * time.Second, LongestGap},
		{24 * time.Hour, time.Minute, LongestGap},
		{math.MaxInt64, 4 * time.Minute, LongestGap},
	} {
		if d := m.Delay(tt.age, 40*time.Second, Policy{}); d < tt.least || d > tt.most {
			t.Errorf("at %v a delay of %v, want %v–%v", tt.age, d, tt.least, tt.most)
		}
	}
}

func TestEstimate(t *testing.T) {
	l := optimum.LogNormal("60 s", 60, 0.25, 0, 0)
	m := Learn(samples(l, 200, rand.New(rand.NewPCG(4, 4))))
	near := func(what string, got time.Duration, want float64) {
		if math.Abs(got.Seconds()-want) > 0.12*want+1 {
			t.Errorf("%s: %v, want about %.1f s", what, got, want)
		}
	}
	e, _ := m.Estimate(0)
	near("median", e.Median, 60)
	near("p50", e.RemainingP50, 60)
	near("p90", e.RemainingP90, 60*math.Exp(1.2816*0.25))
	e, _ = m.Estimate(time.Minute) // of those that take longer than the median: their 50 % and 90 % points
	near("p50 at 60 s", e.RemainingP50, 60*math.Exp(0.6745*0.25)-60)
	near("p90 at 60 s", e.RemainingP90, 60*math.Exp(1.6449*0.25)-60)
	if e, ok := m.Estimate(4 * time.Minute); ok || e.RemainingP90 != 0 || e.Median == 0 {
		t.Errorf("at an age that none has reached: %+v, %v; want the median alone", e, ok)
	}
	if e, ok := Learn(samples(l, 2, rand.New(rand.NewPCG(4, 4)))).Estimate(0); ok || e != (Estimate{}) {
		t.Errorf("after two tasks: %+v", e)
	}
}

func BenchmarkDelay(b *testing.B) {
	for _, l := range append(optimum.Workloads(), optimum.Kinds()...) {
		m := Learn(samples(l, 200, rand.New(rand.NewPCG(1, 1))))
		b.Run(l.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Delay(0, 4*time.Second, Policy{}) // at age 0 the search is longest
			}
		})
	}
}

func BenchmarkLearn(b *testing.B) {
	for _, n := range []int{5, 20, 200, 500} {
		s := samples(optimum.Workloads()[0], n, rand.New(rand.NewPCG(1, 1)))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Learn(s)
			}
		})
	}
}
