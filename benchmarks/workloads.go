package benchmarks

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/taskwait/taskwait/internal/optimum"
	"github.com/taskwait/taskwait/schedule"
)

// workload is what tasks there are: one or more kinds, equally often.
type workload struct {
	name  string
	kinds []optimum.Law
}

// The three that constants were chosen on; then two more; then two that were held out: nothing was chosen on them.
func workloads() []workload {
	var all []workload
	for _, l := range optimum.Workloads() {
		all = append(all, workload{l.Name, []optimum.Law{l}})
	}
	return append(all,
		workload{"five kinds", optimum.Kinds()},
		workload{"fixed 3 s", []optimum.Law{seen("fixed 3 s", 0.001, 3)}},
		workload{"Weibull 0.7, 40 s (held out)", []optimum.Law{optimum.Weibull()}},
		workload{"real durations (held out)", []optimum.Law{seen("real", 0.02, realDurations...)}},
	)
}

// realDurations are those of finished tasks that Huawei Cloud's documentation shows, in seconds, as far as they look
// real: DMS, DCS, ECS, EVS, SDRS, IMS, RDS and CCE, pages read 2026-11-23.
var realDurations = []float64{
	2.994, 4.659, 4.986, 121.6, 707.365, 3.509, 74.38, 14.461, 246.989, 213.737, 31.09, 24.794, 24.783, 15.05, 8.016,
	3.936, 3.93,
	221.96, 354.97, 476.92, 529.32, 6.15, 181.73, 1.4, 131.28, 598.22, 272, 119, 774.6, 0.757,
}

// seen is the law of a list of durations.
func seen(name string, step float64, durations ...float64) optimum.Law {
	n := float64(len(durations))
	l := optimum.Law{Name: name, End: slices.Max(durations) + 2*step, Step: step}
	for _, d := range durations {
		l.Mean += d / n
	}
	l.Survival = func(t float64) (s float64) {
		for _, d := range durations {
			if d > t+step/1e6 {
				s += 1 / n
			}
		}
		return s
	}
	l.Draw = func(r *rand.Rand) float64 { return durations[r.IntN(len(durations))] }
	return l
}

// best is the least cost there is, a query being worth c seconds.
func (w workload) best(c float64) (cost float64) {
	for _, l := range w.kinds {
		cost += l.Best(c) / float64(len(w.kinds))
	}
	return cost
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// took is how long n tasks of each kind have taken, drawn apart from those that are played.
func (w workload) took(n int) map[string][]time.Duration {
	const training = 1
	r := rand.New(rand.NewPCG(training, uint64(n)))
	took := map[string][]time.Duration{}
	for _, l := range w.kinds {
		for range n {
			took[l.Name] = append(took[l.Name], seconds(l.Draw(r)))
		}
	}
	return took
}

// history is what n tasks of each kind have taken.
func (w workload) history(n int) func() *schedule.History {
	took := w.took(n)
	return func() *schedule.History {
		h := &schedule.History{}
		for kind, all := range took {
			for _, d := range all {
				h.Add(kind, d)
			}
		}
		return h
	}
}
