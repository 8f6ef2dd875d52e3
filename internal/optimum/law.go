package optimum

import (
	"math"
	"math/rand/v2"
)

// Law is a distribution of durations, in seconds.
type Law struct {
	Name      string
	Survival  func(t float64) float64 // the chance to last longer than t
	Draw      func(*rand.Rand) float64
	Mean      float64
	End, Step float64 // of the grid on which its optimum is sought
}

// LogNormal has this median and this σ of the logarithm.
func LogNormal(name string, median, sigma, end, step float64) Law {
	return Law{
		Name: name, Mean: median * math.Exp(sigma*sigma/2), End: end, Step: step,
		Survival: func(t float64) float64 { return math.Erfc(math.Log(t/median)/sigma/math.Sqrt2) / 2 },
		Draw:     func(r *rand.Rand) float64 { return median * math.Exp(sigma*r.NormFloat64()) },
	}
}

// uniforms is a mixture of uniform laws, each {weight, from, to}.
func uniforms(name string, step float64, parts ...[3]float64) Law {
	l := Law{Name: name, Step: step}
	for _, p := range parts {
		l.Mean += p[0] * (p[1] + p[2]) / 2
		l.End = max(l.End, p[2])
	}
	l.Survival = func(t float64) (s float64) {
		for _, p := range parts {
			s += p[0] * min(1, max(0, (p[2]-t)/(p[2]-p[1])))
		}
		return s
	}
	l.Draw = func(r *rand.Rand) float64 {
		i, x := 0, r.Float64()
		for ; i < len(parts)-1 && x >= parts[i][0]; i++ {
			x -= parts[i][0]
		}
		return parts[i][1] + (parts[i][2]-parts[i][1])*r.Float64()
	}
	return l
}

// Workloads are what constants are chosen on.
func Workloads() []Law {
	return []Law{
		LogNormal("log-normal 20 s σ 1.2", 20, 1.2, 12000, 0.02),
		uniforms("uniform 1–10 s", 0.002, [3]float64{1, 1, 10}),
		uniforms("provisioning mix", 0.02, [3]float64{0.3, 2.5, 3.5}, [3]float64{0.5, 120, 600}, [3]float64{0.2, 900, 2400}),
	}
}

// Kinds are five names of the same service.
func Kinds() []Law {
	return []Law{
		LogNormal("3 s", 3, 0.25, 15, 0.001),
		LogNormal("20 s", 20, 0.25, 100, 0.005),
		LogNormal("60 s", 60, 0.25, 300, 0.01),
		LogNormal("180 s", 180, 0.25, 900, 0.02),
		LogNormal("900 s", 900, 0.25, 4500, 0.05),
	}
}

// Weibull is held out: nothing is chosen on it.
func Weibull() Law {
	return Law{
		Name: "Weibull 0.7, 40 s", Mean: 40 * math.Gamma(1+1/0.7), End: 3000, Step: 0.02,
		Survival: func(t float64) float64 { return math.Exp(-math.Pow(t/40, 0.7)) },
		Draw:     func(r *rand.Rand) float64 { return 40 * math.Pow(r.ExpFloat64(), 1/0.7) },
	}
}

// Best is the cost of the optimum, with a query worth c seconds of delay.
func (l Law) Best(c float64) float64 {
	cost, _ := Solve(l.Survival, l.Mean, l.Step, c, int(l.End/l.Step))
	return cost
}
