package kafkatasks_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/chaos"
	"golang.org/x/time/rate"
)

var (
	rolloutRuns  = flag.Int("rollouts", 1, "how many rollouts TestRollout plays for each way to wait")
	rolloutTasks = flag.Int("rollout.tasks", 200, "how many tasks each of them has, some hundreds")
)

// rollout is many tasks started together, behind a quota of one request a second for each 100 of them. A request takes
// 50 ms.
type rollout struct {
	cloud     *fakekafka.Cloud
	limiter   *taskwait.Limiter
	instances map[string][]string // the ids of the tasks on it
	ends      map[string]time.Time
}

// newRollout has durations log-normal around 20 s, σ 1.2.
func newRollout(seed uint64, tasks, instances int) *rollout {
	const median, sigma = float64(20 * time.Second), 1.2
	quota := tasks / 100
	r := &rollout{
		cloud: fakekafka.New(fakecloud.WithLatency(50*time.Millisecond), fakecloud.WithQuota(quota)),
		// at the quota itself, a pause that rounding makes a nanosecond shorter would be one request too many
		limiter:   taskwait.NewLimiter(rate.NewLimiter(0.99*rate.Limit(quota), 1)),
		instances: map[string][]string{}, ends: map[string]time.Time{},
	}
	rnd := rand.New(rand.NewPCG(seed, seed))
	for i := range tasks {
		takes := time.Duration(median * math.Exp(sigma*rnd.NormFloat64()))
		instance := fmt.Sprintf("kafka-%d", i%instances)
		id := r.cloud.AddTask(instance, fakekafka.Script{Duration: takes})
		r.instances[instance] = append(r.instances[instance], id)
		r.ends[id] = time.Now().Add(takes)
	}
	return r
}

// figures are what waiting for a rollout has cost.
type figures struct {
	requests  float64       // for each task
	delay     time.Duration // from the end of a task to its result, the mean
	throttled int
	succeeded int
}

func (f figures) String() string {
	return fmt.Sprintf("%.2f requests a task, mean delay %v, %d throttled, %d succeeded", f.requests,
		f.delay.Round(time.Millisecond), f.throttled, f.succeeded)
}

// waitForEach is how to wait for all tasks of an instance, telling of each as it comes.
type waitForEach func(ctx context.Context, w *taskwait.Waiter, ids []string, tell func(id string, err error))

func waitForTasks(ctx context.Context, w *taskwait.Waiter, ids []string, tell func(string, error)) {
	for task, err := range w.WaitForTasks(ctx, ids) {
		tell(task.ID, err)
	}
}

// concurrently is what a program does that has a goroutine for each task.
func concurrently(ctx context.Context, w *taskwait.Waiter, ids []string, tell func(string, error)) {
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			_, err := w.WaitForTask(ctx, id)
			tell(id, err)
		})
	}
	all.Wait()
}

// polled is what an engine does that stores a Wait for each task between two polls, with so many workers.
func polled(workers int) waitForEach {
	return func(ctx context.Context, w *taskwait.Waiter, ids []string, tell func(string, error)) {
		var all sync.WaitGroup
		places := make(chan struct{}, workers)
		for _, id := range ids {
			all.Go(func() {
				wait, err := &taskwait.Wait{ID: id}, error(nil)
				for p := (taskwait.Progress{}); err == nil && !p.Done; time.Sleep(p.Next) {
					places <- struct{}{}
					if p, err = w.Poll(ctx, wait); err == nil {
						wait, err = chaos.Stored(wait)
					}
					<-places
				}
				tell(id, err)
			})
		}
		all.Wait()
	}
}

// play waits for all tasks, with a Waiter for each instance.
func (r *rollout) play(t testing.TB, wait waitForEach) (f figures) {
	t.Helper()
	client := newClient(t, r.cloud)
	var mu sync.Mutex
	var all sync.WaitGroup
	for instance, ids := range r.instances {
		w, err := taskwait.New(kafkatasks.New(client, instance), taskwait.WithLimiter(r.limiter))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			wait(t.Context(), w, ids, func(id string, err error) {
				mu.Lock()
				defer mu.Unlock()
				f.delay += time.Since(r.ends[id])
				if err == nil {
					f.succeeded++
				}
			})
		})
	}
	all.Wait()
	asked := r.cloud.Requests()
	for _, a := range asked {
		if a.Status == http.StatusTooManyRequests {
			f.throttled++
		}
	}
	f.requests = float64(len(asked)) / float64(len(r.ends))
	f.delay /= time.Duration(len(r.ends))
	return f
}

const wholeRollout = 1000

// rollouts are ways to wait for wholeRollout tasks, and the most that each may cost.
var rollouts = []struct {
	name     string
	on       int // tasks on an instance
	wait     waitForEach
	requests float64
	delay    time.Duration
}{
	{"WaitForTasks, 1 instance", wholeRollout, waitForTasks, 1.05, 1400 * time.Millisecond},
	{"WaitForTasks, 20 tasks on each instance", 20, waitForTasks, 2, 4 * time.Second},
	{"concurrent WaitForTask, 1 instance", wholeRollout, concurrently, 4, 2 * time.Second},
	{"concurrent WaitForTask, 20 tasks on each instance", 20, concurrently, 4, 8 * time.Second},
	{"Poll by 16 workers, 1 instance", wholeRollout, polled(16), 2, 40 * time.Second},
	{"Poll by 256 workers, 1 instance", wholeRollout, polled(256), 1.7, 10 * time.Second},
	{"Poll by 16 workers for each instance, 20 tasks on each", 20, polled(16), 1.7, 8 * time.Second},
}

// TestRollout holds what waiting for many tasks costs, in virtual time. The figures differ a little from run to run,
// as pauses are spread. A smaller rollout has a smaller quota in proportion: its figures are the same on average, and
// spread more, so each may be a quarter higher.
//
//	go test -v -run TestRollout ./huawei/kafkatasks -rollouts 3 -rollout.tasks 1000
func TestRollout(t *testing.T) {
	t.Parallel()
	tasks, slack := *rolloutTasks, 1.0
	if tasks < wholeRollout {
		slack = 1.25
	}
	for _, tt := range rollouts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			requests, delay := tt.requests*slack, time.Duration(float64(tt.delay)*slack)
			for seed := range uint64(*rolloutRuns) {
				synctest.Test(t, func(t *testing.T) {
					f := newRollout(seed+1, tasks, max(tasks/tt.on, 1)).play(t, tt.wait)
					t.Log(f)
					if f.succeeded != tasks || f.throttled > 0 || f.requests > requests || f.delay > delay {
						t.Errorf("got %v; want at most %v requests, %v, none throttled, and all to succeed", f, requests, delay)
					}
				})
			}
		})
	}
}
