package schedule

import (
	"math"
	"math/rand/v2"
	"time"
)

// law is a distribution of durations, in seconds.
type law struct {
	name      string
	surv      func(t float64) float64 // the chance to last longer than t
	draw      func(*rand.Rand) float64
	mean      float64
	end, step float64 // of the grid on which its optimum is sought
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func logNormal(name string, median, sigma, end, step float64) law {
	return law{
		name: name, mean: median * math.Exp(sigma*sigma/2), end: end, step: step,
		surv: func(t float64) float64 { return math.Erfc(math.Log(t/median)/sigma/math.Sqrt2) / 2 },
		draw: func(r *rand.Rand) float64 { return median * math.Exp(sigma*r.NormFloat64()) },
	}
}

// uniforms is a mixture of uniform laws, each {weight, from, to}.
func uniforms(name string, step float64, parts ...[3]float64) law {
	l := law{name: name, step: step}
	for _, p := range parts {
		l.mean += p[0] * (p[1] + p[2]) / 2
		l.end = max(l.end, p[2])
	}
	l.surv = func(t float64) (s float64) {
		for _, p := range parts {
			s += p[0] * min(1, max(0, (p[2]-t)/(p[2]-p[1])))
		}
		return s
	}
	l.draw = func(r *rand.Rand) float64 {
		i, x := 0, r.Float64()
		for ; i < len(parts)-1 && x >= parts[i][0]; i++ {
			x -= parts[i][0]
		}
		return parts[i][1] + (parts[i][2]-parts[i][1])*r.Float64()
	}
	return l
}

// The constants of this package were chosen on these workloads.
func workloads() []law {
	return []law{
		logNormal("log-normal 20 s σ 1.2", 20, 1.2, 12000, 0.02),
		uniforms("uniform 1–10 s", 0.002, [3]float64{1, 1, 10}),
		uniforms("provisioning mix", 0.02, [3]float64{0.3, 2.5, 3.5}, [3]float64{0.5, 120, 600}, [3]float64{0.2, 900, 2400}),
	}
}

// kinds are five names of the same service.
func kinds() []law {
	return []law{
		logNormal("3 s", 3, 0.25, 15, 0.001),
		logNormal("20 s", 20, 0.25, 100, 0.005),
		logNormal("60 s", 60, 0.25, 300, 0.01),
		logNormal("180 s", 180, 0.25, 900, 0.02),
		logNormal("900 s", 900, 0.25, 4500, 0.05),
	}
}

// weibull was held out: nothing was chosen on it.
func weibull() law {
	return law{
		name: "Weibull 0.7, 40 s", mean: 40 * math.Gamma(1+1/0.7), end: 3000, step: 0.02,
		surv: func(t float64) float64 { return math.Exp(-math.Pow(t/40, 0.7)) },
		draw: func(r *rand.Rand) float64 { return 40 * math.Pow(r.ExpFloat64(), 1/0.7) },
	}
}

// samples are n tasks of the law that ended.
func (l law) samples(n int, r *rand.Rand) []Sample {
	s := make([]Sample, n)
	for i := range s {
		s[i].Age = seconds(l.draw(r))
	}
	return s
}

// best is the cost of the optimum.
func (l law) best(c float64) float64 {
	cost, _ := optimum(l.surv, l.mean, l.step, c, int(l.end/l.step))
	return cost
}

// usual is the default exponential as a function of age, without its jitter: 4 s·1.1/(1−0.1)… ×1.2, up to 40 s.
func usual(age float64) time.Duration { return seconds(min(4.44+age/5, 38)) }

// looks are the ages at which a task that does not end is looked at, the kind told beforehand, up to an age.
func looks(m *Model, c, until float64) (at []float64) {
	for age := 0.0; age < until; {
		age += m.Delay(seconds(age), usual(age), Policy{QueryCost: seconds(c)}).Seconds()
		at = append(at, age)
		age += queryTime
	}
	return at
}

// cost is the mean of c·queries + delay over a million tasks or so that were drawn evenly: the law itself.
func (l law) cost(looks []float64, c float64) float64 {
	total, last := queryTime-l.mean, 0.0
	for _, at := range looks {
		total += l.surv(last) * (c + at - last)
		last = at
	}
	return total
}
