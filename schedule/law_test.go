package schedule

import (
	"math/rand/v2"
	"time"

	"github.com/taskwait/taskwait/internal/optimum"
)

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// samples are n tasks of the law that ended.
func samples(l optimum.Law, n int, r *rand.Rand) []Sample {
	s := make([]Sample, n)
	for i := range s {
		s[i].Age = seconds(l.Draw(r))
	}
	return s
}

// usual is the default exponential as a function of age, without its jitter: 4 s·1.1/(1−0.1)… ×1.2, up to 40 s.
func usual(age float64) time.Duration { return seconds(min(4.44+age/5, 38)) }

// polls are the ages at which a task that does not end is looked at, the kind told beforehand, up to an age.
func polls(m *Model, c, until float64) (at []float64) {
	for age := 0.0; age < until; {
		age += m.Delay(seconds(age), usual(age), Policy{QueryCost: seconds(c)}).Seconds()
		at = append(at, age)
		age += optimum.QueryTime
	}
	return at
}

// cost is the mean of c·queries + delay over a million tasks or so that were drawn evenly: the law itself.
func cost(l optimum.Law, polls []float64, c float64) float64 {
	total, last := optimum.QueryTime-l.Mean, 0.0
	for _, at := range polls {
		total += l.Survival(last) * (c + at - last)
		last = at
	}
	return total
}
