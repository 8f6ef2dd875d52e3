package schedule

import "time"

// fewest is how many tasks must have ended for an estimate that people are shown, and how many must have lasted as long as
// the one that is asked about: nobody should set their clock by the tail of a kernel.
const fewest = 3

// Typical is the duration that half of the tasks of this kind exceed. It is unknown, and ok false, with fewer than three
// tasks that ended, or while too many still run.
func (m *Model) Typical() (d time.Duration, ok bool) {
	if m.ended < fewest {
		return 0, false
	}
	return m.quantile(0.5)
}

// Remaining is how much longer a task of this age takes: half of those that reach it take at most half, nine in ten at
// most most. It is unknown, and ok false, where fewer than three tasks of the history, by weight, have lasted so long.
func (m *Model) Remaining(age time.Duration) (half, most time.Duration, ok bool) {
	age = max(age, 0)
	i, a := cell(age.Seconds()), min(age.Seconds(), ages[nodes-1])
	reach := m.known[i] + (m.known[i+1]-m.known[i])*(a-ages[i])/(ages[i+1]-ages[i])
	if m.ended*reach < fewest {
		return 0, 0, false
	}
	half, _ = m.quantile(0.5 * reach)
	if most, ok = m.quantile(0.1 * reach); !ok {
		return 0, 0, false
	}
	return max(0, half-age), max(0, most-age), true
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
