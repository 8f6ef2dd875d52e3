// Package schedule is the mathematics of learned polling: when to query a task, given how long tasks of its kind have
// taken so far.
//
// A query costs c, the seconds of delay that one query is worth. A task that has ended goes unnoticed until the next
// query. If tasks of age t end at the rate h(t), the hazard, the queries that cost least lie sqrt(2c/h(t)) apart:
// optimum checking (Barlow, Hunter and Proschan, "Optimum checking procedures", J. SIAM 11, 1963; Keller, "Optimum
// checking schedules for systems subject to random failure", Management Science 21, 1974).
//
// The package is pure: it has no clock, no randomness, and no state between polls. [Learn] makes a [Model] of the
// durations seen. [Model.Delay] plans the next query from the age of the task alone, so a resumed wait goes on where it
// was.
package schedule

import (
	"math"
	"time"
)

const (
	// DefaultQueryCost says that a query is worth a second of delay. Of tasks that take some 20 s, give or take a quarter,
	// each then costs 2.5 queries and 2 s of delay, and of tasks of 180 s 6.5 and 6 s; at 5 s 1.6 and 4 s, 3.3 and 13 s;
	// at 0.2 s 4.8 and 1 s, 14 and 3 s. Queries and delay go as the root of it.
	DefaultQueryCost = time.Second
	// ShortestGap is the least delay: it keeps a history of very short tasks from becoming a spin.
	ShortestGap = 100 * time.Millisecond
	// LongestGap is the greatest delay, however sure the history is: whatever has changed, it shows within five minutes.
	// On tasks of a quarter of an hour it costs up to 10 % more than the optimum (c = 5 s), and half of it up to 25 %.
	LongestGap = 5 * time.Minute
)

// Policy has the cost of a query, and bounds of the delay. The zero value is the defaults.
type Policy struct {
	QueryCost time.Duration // c: what one query is worth, as a delay; 0 or less means DefaultQueryCost
	Shortest  time.Duration // the least delay; 0 or less means ShortestGap
	Longest   time.Duration // the greatest delay; 0 or less means LongestGap; never less than Shortest
}

func (p Policy) orDefault() Policy {
	if p.QueryCost <= 0 {
		p.QueryCost = DefaultQueryCost
	}
	if p.Shortest <= 0 {
		p.Shortest = ShortestGap
	}
	if p.Longest <= 0 {
		p.Longest = LongestGap
	}
	p.Longest = max(p.Longest, p.Shortest)
	return p
}

// Delay returns how long to wait, from now, before the next query for a task of this age that has not ended. It is
// always within the bounds of p. usual is the delay of the schedule that holds if nothing is known. With each task
// seen, the result moves from usual to the learned delay, along usual^w · learned^(1−w) with w = 1/(1+n²) for n tasks:
// 1, 1/2, 1/5, … It takes at most some 10 µs.
func (m *Model) Delay(age, usual time.Duration, p Policy) time.Duration {
	p = p.orDefault()
	usual = min(max(usual, p.Shortest), p.Longest)
	if m.ended == 0 {
		return usual
	}
	gap := m.gap(max(0, age.Seconds()), p.QueryCost.Seconds(), p.Longest.Seconds())
	w := 1 / (1 + m.ended*m.ended)
	d := math.Pow(usual.Seconds(), w) * math.Pow(max(gap, p.Shortest.Seconds()), 1-w) * float64(time.Second)
	switch {
	case d >= float64(p.Longest):
		return p.Longest
	case d <= float64(p.Shortest):
		return p.Shortest
	}
	return time.Duration(d)
}

// gap is the time to the next poll, from a poll at age a, in seconds, at most longest. It is the u − a that minimises
// the cost of one gap and of all that follows,
//
//	S(a)·(c + u − a) + R(u) + √c·L(u) + S(u)·c/2
//
// where S is the chance to outlive an age, R(u) the time a task still spends after u, and √c·L(u) = ∫ S·sqrt(2ch) dt
// what Keller's polls after u cost, were they infinitely fine; as they are not, half a query more for every task that
// meets one. That is within half a per cent of the dynamic programme on smooth laws, and needs no table for each c.
//
// Where the density f of ends is constant, on a cell of the table, the cost is convex, and least where
// √S(u) = √S(a) − sqrt(c·f/2).
func (m *Model) gap(a, c, longest float64) float64 {
	first := cell(a)
	here, _, _ := m.at(first, a)
	end, best, least := a+longest, a+longest, math.Inf(1)
	for i := first; i < nodes-1 && max(a, ages[i]) < min(end, ages[i+1]); i++ {
		from, to := max(a, ages[i]), min(end, ages[i+1])
		if here*(c+from-a) >= least {
			break // the delay alone costs more
		}
		u := from
		if f := (m.still[i] - m.still[i+1]) / (ages[i+1] - ages[i]); f > 0 {
			root := max(0, math.Sqrt(here)-math.Sqrt(c*f/2))
			u = min(max(ages[i]+(m.still[i]-root*root)/f, from), to)
		}
		s, rest, polls := m.at(i, u)
		if cost := here*(c+u-a) + rest + math.Sqrt(c)*polls + s*c/2; cost < least {
			best, least = u, cost
		}
	}
	return best - a
}
