package schedule

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	perDoubling = 24       // nodes of the table to a doubling of age: cells of 3 %
	doublings   = 24       // from the first age to the last: 62 ms to twelve days
	firstAge    = 1.0 / 16 // the age of the first node after 0, in seconds
	nodes       = perDoubling*doublings + 2
)

const (
	// priorWeight is how many tasks' worth of evidence stands against the history, whatever it says: a task may fail at
	// any age, and may outlast everything that was seen. Its law is Lomax's, S(t) = (1 + t/priorScale)^−priorShape: with a
	// c of one second its polls resemble the default exponential's, 4.5 s apart at first and 20 s at three minutes.
	priorWeight = 0.15
	priorShape  = 0.75
	priorScale  = 7.5 // seconds
)

const (
	loneWidth  = 0.5  // the width of a single duration: within a factor of 1.6, mostly; it falls with n^1.5
	nearWidth  = 0.35 // the width as a part of the distance to the neighbours
	leastWidth = 0.03 // of identical durations: the services' clocks and our polls are no finer
)

// Sample is how long one task took, or has run so far.
type Sample struct {
	Age     time.Duration // from its creation to its end, however it ended, or so far; a negative one is ignored
	Running bool          // it has not ended: its duration is more than Age
	Weight  float64       // how much it counts beside the others; 0 means 1; one that is negative or not finite is ignored
}

// Model is an estimate of how long tasks of one kind last. The zero value knows nothing. A Model is never changed: it
// is safe for concurrent use.
type Model struct {
	ended float64        // the weight of the tasks that ended
	still [nodes]float64 // S: the chance to outlive each age
	rest  [nodes]float64 // R: ∫ S dt, from each age
	polls [nodes]float64 // L: ∫ sqrt(2·f·S) dt, from each age
	known [nodes]float64 // S without the prior, for estimates that are shown
}

// The ages of the nodes, in seconds, their logarithms, and the part of the prior that outlasts them: never changed.
var ages, logs, prior = func() (t, l, w [nodes]float64) {
	for i := range nodes {
		if i > 0 {
			t[i] = firstAge * math.Exp2(float64(i-1)/perDoubling)
		}
		l[i] = math.Log(t[i])
		w[i] = math.Pow(1+t[i]/priorScale, -priorShape)
	}
	return t, l, w
}()

// cell is the i for which ages[i] ≤ age < ages[i+1]; the last one for all that is older.
func cell(age float64) int {
	if !(age >= firstAge) {
		return 0
	}
	i := min(1+int(min(math.Log2(age/firstAge), doublings)*perDoubling), nodes-2)
	for ages[i] > age { // rounding
		i--
	}
	return i
}

// Learn estimates how long tasks last from those seen so far, in any order. It takes time in proportion to their
// number, some 0.2 ms for 200, and keeps no reference to samples.
//
// The ends are smoothed over the logarithm of age by logistic kernels, whose tails are a power of the age. The width of
// each is a part of its distance to its neighbours (Loftsgaarden and Quesenberry 1965; Breiman, Meisel and Purcell
// 1977): narrow where durations crowd, wide around an outlier. Smoothed ends over tasks at risk, those that run
// included, give the hazard of each cell, and their product S (Kaplan and Meier 1958).
func Learn(samples []Sample) *Model {
	ends, running := sift(samples)
	m := &Model{}
	for _, p := range ends {
		m.ended += p.weight
	}
	if m.ended == 0 {
		return m
	}
	var end, run [nodes]float64 // the weight that outlasts each node
	for i, p := range ends {
		smear(&end, p, width(ends, i, m.ended))
	}
	for _, p := range running {
		run[cell(math.Exp(p.log))] += p.weight
	}
	for i := nodes - 2; i >= 0; i-- {
		end[i] += end[i+1]
		run[i] += run[i+1]
	}
	m.survive(&end, &run)
	m.integrate()
	return m
}

// point is a sample with its age as a logarithm.
type point struct{ log, weight float64 }

// sift parts the samples that ended, ordered by age, from those that run, and drops what means nothing.
func sift(samples []Sample) (ends, running []point) {
	for _, s := range samples {
		p := point{math.Log(min(max(s.Age.Seconds(), firstAge), ages[nodes-1])), s.Weight}
		if p.weight == 0 {
			p.weight = 1
		}
		switch ok := s.Age >= 0 && p.weight > 0 && p.weight <= math.MaxFloat32; {
		case ok && s.Running:
			running = append(running, p)
		case ok:
			ends = append(ends, p)
		}
	}
	slices.SortFunc(ends, func(a, b point) int { return cmp.Compare(a.log, b.log) })
	return ends, running
}

// width is the standard deviation of the kernel of ends[i], among n of them: a part of the distance within which 2√n of
// the others lie, but never less than the doubt about so few.
func width(ends []point, i int, n float64) float64 {
	lo, hi, far := i, i, 0.0
	for near := 0.0; near < 2*math.Sqrt(n) && (lo > 0 || hi < len(ends)-1); {
		if hi == len(ends)-1 || lo > 0 && ends[i].log-ends[lo-1].log <= ends[hi+1].log-ends[i].log {
			lo--
			far = ends[i].log - ends[lo].log
			near += ends[lo].weight
		} else {
			hi++
			far = ends[hi].log - ends[i].log
			near += ends[hi].weight
		}
	}
	return max(leastWidth, math.Hypot(nearWidth*far, loneWidth*math.Pow(max(1, n), -1.5)))
}

// smear spreads an end over the differences of end by a logistic kernel: its weight that is gone before each node.
func smear(end *[nodes]float64, p point, width float64) {
	const reach = 12 // beyond it e^−12 of the weight, which is put at the edge
	scale := width * math.Sqrt(3) / math.Pi
	before, i := 0.0, cell(math.Exp(p.log-reach*scale))
	for ; i < nodes-2 && logs[i+1]-p.log < reach*scale; i++ {
		gone := p.weight / (1 + math.Exp((p.log-logs[i+1])/scale))
		end[i] += gone - before
		before = gone
	}
	end[i] += p.weight - before
}

// survive is the product-limit estimate: of what is at risk at a node, the part that outlasts the cell after it.
func (m *Model) survive(end, run *[nodes]float64) {
	m.still[0], m.known[0] = 1, 1
	for i := range nodes - 1 {
		m.still[i+1] = m.still[i] * (end[i+1] + run[i] + priorWeight*prior[i+1]) / (end[i] + run[i] + priorWeight*prior[i])
		m.known[i+1] = m.known[i]
		if end[i] > 0 {
			m.known[i+1] *= (end[i+1] + run[i]) / (end[i] + run[i])
		}
	}
}

// integrate fills rest and polls, from the end of the table to its start.
func (m *Model) integrate() {
	for i := nodes - 2; i >= 0; i-- {
		_, m.rest[i], m.polls[i] = m.at(i, ages[i])
	}
}

// at is S, R and L at an age within cell i, or beyond the table.
func (m *Model) at(i int, age float64) (still, rest, polls float64) {
	left := max(0, ages[i+1]-age)
	next := m.still[i+1]
	still = next + (m.still[i]-next)*left/(ages[i+1]-ages[i])
	// ∫ sqrt(2·f·S) dt over the rest of the cell, where f is constant, in terms of the roots of S at its ends.
	if a, b := math.Sqrt(still), math.Sqrt(next); a > b {
		polls = math.Sqrt(2*left*(a-b)/(a+b)) * (a*a + a*b + b*b) * 2 / 3
	}
	return still, m.rest[i+1] + left*(still+next)/2, m.polls[i+1] + polls
}
