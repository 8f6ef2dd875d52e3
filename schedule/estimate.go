package schedule

import "time"

// fewest is how many tasks must have ended for an estimate that people are shown, and how many must have lasted as long
// as the one that is asked about: nobody should set their clock by the tail of a kernel.
const fewest = 3

// Estimate is how long a task takes, and how much of it remains.
type Estimate struct {
	Median       time.Duration // half of the tasks of this kind take longer; 0: unknown
	RemainingP50 time.Duration // in half of the cases no more than this remains
	RemainingP90 time.Duration // in nine cases of ten no more than this remains
}

// Estimate returns what m knows of a task of this age. ok reports whether it knows how much remains: it does not if
// fewer than three tasks of the history, by weight, have lasted so long. The median is 0, unknown, if fewer than three
// tasks have ended, or while too many still run.
func (m *Model) Estimate(age time.Duration) (e Estimate, ok bool) {
	if m.ended < fewest {
		return Estimate{}, false
	}
	e.Median, _ = m.quantile(0.5)
	e.RemainingP50, e.RemainingP90, ok = m.remaining(age)
	return e, ok
}

// remaining is how much longer a task of this age takes: half of those that reach it take at most p50, nine in ten at
// most p90.
func (m *Model) remaining(age time.Duration) (p50, p90 time.Duration, ok bool) {
	age = max(age, 0)
	i, a := cell(age.Seconds()), min(age.Seconds(), ages[nodes-1])
	reach := m.known[i] + (m.known[i+1]-m.known[i])*(a-ages[i])/(ages[i+1]-ages[i])
	if m.ended*reach < fewest {
		return 0, 0, false
	}
	p50, _ = m.quantile(0.5 * reach)
	if p90, ok = m.quantile(0.1 * reach); !ok {
		return 0, 0, false
	}
	return max(0, p50-age), max(0, p90-age), true
}

// quantile is the age that a part s of all tasks outlive, without the prior; ok is false if it is not known.
func (m *Model) quantile(s float64) (age time.Duration, ok bool) {
	for i := range nodes - 1 {
		if from, to := m.known[i], m.known[i+1]; to <= s && to < from {
			t := ages[i] + (from-s)/(from-to)*(ages[i+1]-ages[i])
			return time.Duration(t * float64(time.Second)), true
		}
	}
	return 0, false
}
