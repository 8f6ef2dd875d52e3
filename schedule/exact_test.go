package schedule

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/optimum"
)

// close reports whether two figures agree but for rounding.
func close(got, want float64) bool {
	return math.Abs(got-want) <= 1e-9*max(1, math.Abs(got), math.Abs(want))
}

// mixed is a history with everything in it: ends, tasks that run, weights.
func mixed() []Sample {
	r := rand.New(rand.NewPCG(7, 7))
	s := samples(optimum.LogNormal("30 s", 30, 0.5, 300, 0.05), 40, r)
	for i := range s {
		s[i].Weight, s[i].Running = 0.5+r.Float64(), i%5 == 0
	}
	return s
}

func TestPolicyOrDefault(t *testing.T) {
	all := Policy{DefaultQueryCost, ShortestGap, LongestGap}
	for _, tt := range []struct {
		name      string
		got, want Policy
	}{
		{"zero", Policy{}, all},
		{"negative", Policy{-1, -1, -1}, all},
		{"set", Policy{1, 2, 3}, Policy{1, 2, 3}},
		{"the longest below the shortest", Policy{1, 3, 2}, Policy{1, 3, 3}},
	} {
		if got := tt.got.orDefault(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestTable holds the nodes: 0, then from 1/16 s in doublings of 24 cells to 2^20 s.
func TestTable(t *testing.T) {
	for i, want := range map[int]float64{0: 0, 1: 1. / 16, 25: 1. / 8, 1 + 24*4: 1, nodes - 1: 1 << 20} {
		if !close(ages[i], want) {
			t.Errorf("node %d: got the age %v, want %v", i, ages[i], want)
		}
	}
	for i := range nodes {
		if want := 1 / math.Pow(1+ages[i]/7.5, 0.75); !close(prior[i], want) {
			t.Errorf("node %d: got the prior %v, want %v", i, prior[i], want)
		}
		if i > 0 && !close(logs[i], math.Log(ages[i])) {
			t.Errorf("node %d: got the logarithm %v, want %v", i, logs[i], math.Log(ages[i]))
		}
	}
}

func TestCell(t *testing.T) {
	for i := range nodes - 1 {
		if got := cell(ages[i] * (1 + 1e-12)); got != i { // at ages[i] itself the logarithm may be rounded down
			t.Errorf("cell(just above ages[%d]): got %d", i, got)
		}
		if got := cell(math.Nextafter(ages[i+1], 0)); got != i {
			t.Errorf("cell(just below ages[%d]): got %d, want %d", i+1, got, i)
		}
	}
	for age, want := range map[float64]int{
		-1: 0, firstAge: 1, ages[nodes-1]: nodes - 2, 1e300: nodes - 2, math.Inf(1): nodes - 2,
	} {
		if got := cell(age); got != want {
			t.Errorf("cell(%v): got %d, want %d", age, got, want)
		}
	}
	if got := cell(math.NaN()); got != 0 {
		t.Errorf("cell(NaN): got %d, want 0", got)
	}
}

func TestSift(t *testing.T) {
	e := seconds(math.E)
	ends, running := sift([]Sample{
		{Age: e, Weight: 2},
		{Age: time.Second},
		{Age: 0, Weight: math.MaxFloat32},
		{Age: -1},
		{Age: time.Second, Weight: -1},
		{Age: time.Second, Weight: math.Inf(1)},
		{Age: time.Second, Weight: math.NaN()},
		{Age: time.Second, Weight: math.Nextafter(math.MaxFloat32, math.Inf(1))},
		{Age: math.MaxInt64, Weight: math.SmallestNonzeroFloat64},
		{Age: time.Second, Running: true, Weight: 3},
		{Age: -1, Running: true},
	})
	longest := math.Log(1 << 20)
	check := func(what string, got, want []point) {
		t.Helper()
		same := func(a, b point) bool { return math.Abs(a.log-b.log) < 1e-8 && a.weight == b.weight }
		if !slices.EqualFunc(got, want, same) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("ends", ends, []point{
		{math.Log(1. / 16), math.MaxFloat32}, {0, 1}, {1, 2}, {longest, math.SmallestNonzeroFloat64},
	})
	check("running", running, []point{{0, 3}})
}

func TestWidth(t *testing.T) {
	for _, tt := range []struct {
		name string
		ends []point
		i    int
		n    float64
		want float64
	}{
		{"one alone", []point{{0, 1}}, 0, 1, 0.5},
		{"one alone of less than a task", []point{{0, 0.1}}, 0, 0.1, 0.5},
		{"many at one age", []point{{0, 1e4}, {0, 1e4}}, 0, 1e4, 0.03},
		{"the doubt falls with their number", []point{{0, 4}}, 0, 4, 0.5 / 8},
		{"a neighbour above", []point{{0, 1}, {1, 1}}, 0, 2, math.Hypot(0.35, 0.5/math.Pow(2, 1.5))},
		{"a neighbour below", []point{{0, 1}, {1, 1}}, 1, 2, math.Hypot(0.35, 0.5/math.Pow(2, 1.5))},
		{"the nearer below is enough", []point{{0, 2}, {1, 1}, {3, 2}}, 1, 1, math.Hypot(0.35*1, 0.5)},
		{"the nearer above is enough", []point{{0, 2}, {2, 1}, {2.5, 2}}, 1, 1, math.Hypot(0.35*0.5, 0.5)},
		{"not enough below", []point{{0, 1.9}, {1, 1}, {3, 2}}, 1, 1, math.Hypot(0.35*2, 0.5)},
		{"not enough above", []point{{0, 2}, {2, 1}, {2.5, 1.9}}, 1, 1, math.Hypot(0.35*2, 0.5)},
		{"two below, then one above", []point{{0, 1}, {1, 1}, {2, 1}, {5, 9}}, 2, 4, math.Hypot(0.35*3, 0.5/8)},
		{"two above, none below", []point{{0, 1}, {1, 1}, {3, 1}}, 0, 1, math.Hypot(0.35*3, 0.5)},
	} {
		for _, shift := range []float64{0, -3, 5} { // only distances matter
			ends := slices.Clone(tt.ends)
			for i := range ends {
				ends[i].log += shift
			}
			if got := width(ends, tt.i, tt.n); !close(got, tt.want) {
				t.Errorf("%s, shifted by %v: got %v, want %v", tt.name, shift, got, tt.want)
			}
		}
	}
}

// TestSmear: the weight that is gone before each node is the logistic law's, and none is lost at the edges.
func TestSmear(t *testing.T) {
	for _, tt := range []struct {
		name  string
		p     point
		width float64
	}{
		{"in the middle", point{math.Log(30), 2}, 0.3},
		{"at the start", point{math.Log(firstAge), 1}, 0.5},
		{"at the end", point{math.Log(1 << 20), 1}, 0.5},
		{"as far from the node of one second as it reaches", point{-12 * (0.03 * math.Sqrt(3) / math.Pi), 1}, 0.03},
	} {
		var end [nodes]float64
		smear(&end, tt.p, tt.width)
		scale, gone := tt.width*math.Sqrt(3)/math.Pi, 0.0
		for i := range nodes - 2 {
			gone += end[i]
			want := tt.p.weight / (1 + math.Exp(-(logs[i+1]-tt.p.log)/scale))
			switch {
			case i < cell(math.Exp(tt.p.log-12*scale)):
				want = 0
			case logs[i+1]-tt.p.log >= 12*scale:
				want = tt.p.weight
			}
			if !close(gone, want) {
				t.Errorf("%s: before node %d: got %v gone, want %v", tt.name, i+1, gone, want)
			}
		}
		if gone += end[nodes-2]; !close(gone, tt.p.weight) || end[nodes-1] != 0 {
			t.Errorf("%s: got %v in all, %v beyond, want %v, 0", tt.name, gone, end[nodes-1], tt.p.weight)
		}
	}
}

// TestSurvive is the product-limit estimate by hand, for the first three cells.
func TestSurvive(t *testing.T) {
	var m Model
	m.survive(&[nodes]float64{3, 2, 0}, &[nodes]float64{4, 3, 1})
	const w = priorWeight
	want1 := (2 + 4 + w*prior[1]) / (3 + 4 + w)
	want2 := want1 * (0 + 3 + w*prior[2]) / (2 + 3 + w*prior[1])
	want3 := want2 * (0 + 1 + w*prior[3]) / (0 + 1 + w*prior[2])
	for i, want := range []float64{1, want1, want2, want3} {
		if !close(m.still[i], want) {
			t.Errorf("still[%d]: got %v, want %v", i, m.still[i], want)
		}
	}
	for i, want := range []float64{1, 6. / 7, 6. / 7 * 3 / 5, 6. / 7 * 3 / 5} {
		if !close(m.known[i], want) {
			t.Errorf("known[%d]: got %v, want %v", i, m.known[i], want)
		}
	}
	if got := m.known[nodes-1]; !close(got, 6./7*3/5) {
		t.Errorf("known at the end, where nothing is at risk: got %v, want what it was", got)
	}
}

// TestLearn does the sums of Learn in the plain way: for each node, over all samples.
func TestLearn(t *testing.T) {
	s := mixed()
	m := Learn(s)
	ends, running := sift(s)
	total := 0.0
	for _, p := range ends {
		total += p.weight
	}
	if !close(m.ended, total) {
		t.Errorf("got %v ended, want %v", m.ended, total)
	}
	var end, run [nodes]float64
	for i, p := range ends {
		var one [nodes]float64
		smear(&one, p, width(ends, i, total))
		for at := range nodes {
			for _, w := range one[at:] {
				end[at] += w
			}
		}
	}
	for at := range nodes {
		for _, p := range running {
			if cell(math.Exp(p.log)) >= at {
				run[at] += p.weight
			}
		}
	}
	want := Model{}
	want.survive(&end, &run)
	for i := range nodes {
		if !close(m.still[i], want.still[i]) || !close(m.known[i], want.known[i]) {
			t.Fatalf("node %d: got S %v, %v, want %v, %v", i, m.still[i], m.known[i], want.still[i], want.known[i])
		}
	}
}

// TestIntegrals compares R and L with sums over fine steps.
func TestIntegrals(t *testing.T) {
	m := Learn(mixed())
	const steps = 2000
	rest, polls := 0.0, 0.0
	for i := nodes - 2; i >= cell(1); i-- {
		size := ages[i+1] - ages[i]
		density := (m.still[i] - m.still[i+1]) / size
		half := cell((ages[i] + ages[i+1]) / 2)
		for k := range steps {
			if k == steps/2 {
				s, r, l := m.at(half, ages[i]+size/2)
				if want := (m.still[i] + m.still[i+1]) / 2; !close(s, want) || !near(r, rest) || !near(l, polls) {
					t.Fatalf("in the middle of cell %d: got %v, %v, %v, want %v, %v, %v", i, s, r, l, want, rest, polls)
				}
			}
			s := m.still[i+1] + density*size*(float64(k)+0.5)/steps
			rest += s * size / steps
			polls += math.Sqrt(2*density*s) * size / steps
		}
		if !near(m.rest[i], rest) || !near(m.polls[i], polls) {
			t.Fatalf("node %d: got %v, %v, want %v, %v", i, m.rest[i], m.polls[i], rest, polls)
		}
	}
	for i := range cell(1) {
		if _, r, l := m.at(i, ages[i]); m.rest[i] != r || m.polls[i] != l {
			t.Errorf("node %d: got %v, %v, want %v, %v", i, m.rest[i], m.polls[i], r, l)
		}
	}
	if _, _, l := (&Model{}).at(0, 0); l != 0 {
		t.Errorf("where nothing is left: got %v, want 0", l)
	}
	if s, r, l := m.at(nodes-2, ages[nodes-1]+1); s != m.still[nodes-1] || r != 0 || l != 0 {
		t.Errorf("beyond the table: got %v, %v, %v, want %v, 0, 0", s, r, l, m.still[nodes-1])
	}
}

// near is for what the steps of a sum make inexact.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-5*max(1e-6, math.Abs(want)) }

// TestGap: no other gap costs less, by the formula of its comment.
func TestGap(t *testing.T) {
	for name, m := range map[string]*Model{
		"mixed": Learn(mixed()), "one": Learn([]Sample{{Age: time.Minute}}),
		"short": Learn([]Sample{{Age: 100 * time.Millisecond, Weight: 1e6}}),
	} {
		for _, c := range []float64{0.01, 0.2, 1, 5} {
			for _, a := range []float64{0, 1, 20, 29.5, 100, 3000} {
				cost := func(u float64) float64 {
					here, _, _ := m.at(cell(a), a)
					s, rest, polls := m.at(cell(u), u)
					return here*(c+u-a) + rest + math.Sqrt(c)*polls + s*c/2
				}
				const longest = 300
				got := m.gap(a, c, longest)
				if got < 0 || got > longest {
					t.Errorf("%s, c=%v, age %v: got a gap of %v", name, c, a, got)
				}
				for gap := 0.0; gap <= longest; gap += 0.05 {
					if least := cost(a + gap); least < cost(a+got)*(1-1e-9) {
						t.Errorf("%s, c=%v, age %v: got %v, which costs %v; %v costs %v", name, c, a, got, cost(a+got), gap, least)
						break
					}
				}
			}
		}
	}
}

// TestDelay: the blend of the usual delay and the learned one, with n tasks seen, and its bounds.
func TestDelay(t *testing.T) {
	const usual = 20 * time.Second
	m := Learn([]Sample{{Age: time.Minute}, {Age: time.Minute}})
	for _, age := range []time.Duration{0, 10 * time.Second, time.Hour} {
		gap := m.gap(age.Seconds(), 1, 300)
		want := math.Pow(20, 1./5) * math.Pow(gap, 4./5)
		if got := m.Delay(age, usual, Policy{}); math.Abs(got.Seconds()-want) > 1e-8 {
			t.Errorf("at %v: got %v, want %v", age, got, want)
		}
	}
	for _, tt := range []struct {
		name       string
		model      *Model
		age, usual time.Duration
		policy     Policy
		want       time.Duration
	}{
		{"a negative age is 0", m, -time.Hour, usual, Policy{}, m.Delay(0, usual, Policy{})},
		{"nothing known, a short usual one", &Model{}, 0, 1, Policy{Shortest: 2, Longest: 9}, 2},
		{"nothing known, a long usual one", &Model{}, 0, 10, Policy{Shortest: 2, Longest: 9}, 9},
		{"a shorter one than the least", Learn([]Sample{{Weight: 1e6}}), 0, 0, Policy{}, 100 * time.Millisecond},
		{"the longest", m, 0, usual, Policy{Longest: 5 * time.Second}, 5 * time.Second},
		{"the shortest", m, 0, usual, Policy{Shortest: time.Hour, Longest: 2 * time.Hour}, time.Hour},
	} {
		if got := tt.model.Delay(tt.age, tt.usual, tt.policy); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestQuantile is done by hand: 8 in 10 outlive one second, 2 in 10 two, none four.
func TestQuantile(t *testing.T) {
	m := &Model{ended: 3}
	one, two, four := cell(1), cell(2), cell(4)
	for i := range nodes {
		switch {
		case i <= one:
			m.known[i] = 1 - 0.2*float64(i)/float64(one)
		case i <= two:
			m.known[i] = 0.8 - 0.6*float64(i-one)/float64(two-one)
		case i <= four:
			m.known[i] = 0.2 - 0.2*float64(i-two)/float64(four-two)
		}
	}
	at := func(i int, part float64) time.Duration { return seconds(ages[i] + part*(ages[i+1]-ages[i])) }
	check := func(what string, got, want time.Duration) {
		t.Helper()
		if (got - want).Abs() > time.Microsecond {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	e, _ := m.Estimate(0) // halfway between the cells of one second and of two, which are 24 apart
	check("the median after three tasks", e.Median, at(one+12, 0))
	got, ok := m.quantile(0.5 - 0.6/24/4) // a quarter into the next cell
	if check("a quarter into a cell", got, at(one+12, 0.25)); !ok {
		t.Error("got no quantile within the table")
	}
	m.ended = math.Nextafter(3, 0)
	if e, ok := m.Estimate(0); ok || e != (Estimate{}) {
		t.Errorf("with less than three tasks: got %+v, %v", e, ok)
	}
	m.ended = 3 / 0.8
	e, ok = m.Estimate(seconds(ages[one]))
	if check("half of the rest", e.RemainingP50, at(one+16, 0)-seconds(ages[one])); !ok { // where 0.4 outlive
		t.Error("got no remaining time where three tasks have lasted so long")
	}
	check("most of the rest", e.RemainingP90, at(two+14, 0.4)-seconds(ages[one])) // where 0.08 outlive
	if e, ok := m.Estimate(at(one, 0.01)); ok || e.RemainingP50 != 0 || e.RemainingP90 != 0 || e.Median == 0 {
		t.Errorf("where less than three have lasted so long: got %+v, %v, want the median alone", e, ok)
	}
	m.ended = 3 / (0.8 - 0.6/24/2)
	if _, _, ok := m.remaining(at(one, 0.499)); !ok {
		t.Error("got no remaining time in the middle of a cell, where three have lasted so long")
	}
	if _, _, ok := m.remaining(at(one, 0.501)); ok {
		t.Error("got a remaining time in the middle of a cell, where less than three have lasted so long")
	}
	if _, ok := (&Model{}).quantile(0.5); ok {
		t.Error("got a quantile where nothing ends")
	}
	m.ended = 1e9
	if half, most, ok := m.remaining(math.MaxInt64); ok {
		t.Errorf("beyond the table: got %v, %v", half, most)
	}
}

// TestRemainingNegativeAge: a negative age is 0.
func TestRemainingNegativeAge(t *testing.T) {
	m := Learn([]Sample{{Age: time.Minute}, {Age: time.Minute}, {Age: time.Minute}, {Age: time.Minute}})
	if _, _, ok := m.remaining(-time.Hour); !ok {
		t.Error("got nothing at a negative age, want what remains at 0")
	}
	young, _, _ := m.remaining(0)
	if got, _, _ := m.remaining(-time.Hour); got != young {
		t.Errorf("at a negative age: got %v, want %v as at 0", got, young)
	}
}

// TestQuantileAtNode: the part that is asked for is reached at a node, and nothing ends after it.
func TestQuantileAtNode(t *testing.T) {
	m := &Model{ended: 3}
	for i := range nodes {
		m.known[i] = 0.5
		if i <= cell(1) {
			m.known[i] = 1
		}
	}
	want := seconds(ages[cell(1)+1])
	if got, ok := m.quantile(0.5); !ok || (got-want).Abs() > time.Microsecond {
		t.Errorf("got %v, %v, want %v", got, ok, want)
	}
}

// TestRemainingUnknown: half may be known where nine in ten are not.
func TestRemainingUnknown(t *testing.T) {
	m := &Model{ended: 100}
	for i := range nodes {
		m.known[i] = 0.3
		if i <= cell(1) {
			m.known[i] = 1
		}
	}
	if half, most, ok := m.remaining(0); ok || half != 0 || most != 0 {
		t.Errorf("got %v, %v, %v, want nothing", half, most, ok)
	}
}
