package jobs_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"golang.org/x/time/rate"
)

var rolloutJobs = flag.Int("rollout.jobs", 200, "how many jobs TestRollout waits for, some hundreds")

// TestRollout holds what waiting for many jobs costs, in virtual time: of RDS, whose jobs are listed, and of ECS, whose
// jobs are asked for one by one. They start together, take times log-normal around 20 s (σ 1.2), and are behind a
// quota of one request a second for each 100 of them. A request takes 50 ms.
//
//	go test -v -run TestRollout ./huawei/jobs -rollout.jobs 1000
func TestRollout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		shape fakejobs.Shape
		most  float64 // requests for each job
	}{
		{"RDS", fakejobs.Database, 1.5},
		{"ECS", fakejobs.V1, 2.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cost := rollout(t, tt.shape, *rolloutJobs)
				if cost > tt.most {
					t.Errorf("got %.2f requests a job, want at most %v", cost, tt.most)
				}
			})
		})
	}
}

// rollout waits for jobs of a shape, and returns how many requests each has taken.
func rollout(t *testing.T, shape fakejobs.Shape, jobs int) (cost float64) {
	t.Helper()
	quota := jobs / 100
	cloud := fakejobs.New(fakecloud.WithLatency(50*time.Millisecond), fakecloud.WithQuota(quota))
	rnd := rand.New(rand.NewPCG(1, 1))
	ids, ends := make([]string, jobs), map[string]time.Time{}
	for i := range ids {
		takes := time.Duration(float64(20*time.Second) * math.Exp(1.2*rnd.NormFloat64()))
		ids[i] = cloud.AddJob(shape, fakejobs.Script{Duration: takes})
		ends[ids[i]] = time.Now().Add(takes)
	}
	limiter := taskwait.NewLimiter(rate.NewLimiter(0.99*rate.Limit(quota), 1))
	w, err := taskwait.New(shapes[shape].source(clientOver(t, cloud.Transport())), taskwait.WithLimiter(limiter))
	if err != nil {
		t.Fatal(err)
	}
	var delay time.Duration
	for task, err := range w.WaitForTasks(t.Context(), ids) {
		if err != nil {
			t.Error(err)
		}
		delay += time.Since(ends[task.ID])
	}
	asked := cloud.Requests()
	for _, a := range asked {
		if a.Status == http.StatusTooManyRequests {
			t.Errorf("throttled: %v", a)
		}
	}
	cost = float64(len(asked)) / float64(jobs)
	t.Logf("%.2f requests a job, mean delay %v", cost, (delay / time.Duration(jobs)).Round(time.Millisecond))
	return cost
}
