package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/taskwait/taskwait"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	rolloutTasks = 1000
	rolloutQuota = 10 // requests within any second
	rolloutPage  = 100
)

// rollout is 1,000 tasks started together, log-normal around 20 s with σ 1.2, behind a quota.
type rollout struct {
	ids     []string
	ends    map[string]time.Time
	limiter *rate.Limiter

	mu        sync.Mutex
	admitted  [rolloutQuota]time.Time // the last ones
	asked     int
	throttled int
	succeeded int
	delay     time.Duration // of those
}

func newRollout() *rollout {
	// A hair under the quota: at 10, what rounding makes 99.999999 ms would be one too many.
	r := &rollout{ends: map[string]time.Time{}, limiter: rate.NewLimiter(rolloutQuota-0.1, 1)}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range rolloutTasks {
		id := strconv.Itoa(i + 1)
		r.ids = append(r.ids, id)
		r.ends[id] = time.Now().Add(time.Duration(float64(20*time.Second) * math.Exp(1.2*rnd.NormFloat64())))
	}
	return r
}

// request is one request; false: it was answered with 429.
func (r *rollout) request(ctx context.Context) (admitted bool, err error) {
	admitted = r.admit()
	select {
	case <-time.After(queryTime):
		return admitted, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (r *rollout) admit() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	oldest := &r.admitted[(r.asked-r.throttled)%rolloutQuota]
	r.asked++
	if now.Sub(*oldest) < time.Second {
		r.throttled++
		return false
	}
	*oldest = now
	return true
}

func (r *rollout) ended(id string) bool { return !time.Now().Before(r.ends[id]) }

// done notes what became of a wait.
func (r *rollout) done(id string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.succeeded++
		r.delay += time.Since(r.ends[id])
	}
}

var errThrottled = errors.New("429 Too Many Requests")

// ask is one query for one task, as those have it who know nothing of throttles.
func (r *rollout) ask(ctx context.Context, id string) (bool, error) {
	admitted, err := r.request(ctx)
	if err == nil && !admitted {
		err = errThrottled
	}
	return err == nil && r.ended(id), err
}

// Task and Tasks make the rollout a Lister, with pages of 100, as the real list has them.

func (r *rollout) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := r.query(ctx); err != nil {
		return taskwait.Task{}, err
	}
	return r.task(id), nil
}

func (r *rollout) List(ctx context.Context, b taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	if err := r.query(ctx); err != nil {
		return nil, "", err
	}
	from, _ := strconv.Atoi(b.Page)
	to := min(from+rolloutPage, len(r.ids))
	for _, id := range r.ids[from:to] {
		tasks = append(tasks, r.task(id))
	}
	return tasks, strconv.Itoa(to), nil // as the real list, which ends with a page that is not full
}

func (r *rollout) query(ctx context.Context) error {
	admitted, err := r.request(ctx)
	if err == nil && !admitted {
		err = &taskwait.QueryError{Class: taskwait.ClassThrottled, RetryAfter: time.Second, Err: errThrottled}
	}
	return err
}

func (r *rollout) task(id string) taskwait.Task {
	t := taskwait.Task{ID: id, Status: taskwait.StatusExecuting}
	if r.ended(id) {
		t.Status = taskwait.StatusSuccess
	}
	return t
}

// RoundTrip serves hcloud-go's list of actions.
func (r *rollout) RoundTrip(req *http.Request) (*http.Response, error) {
	admitted, err := r.request(req.Context())
	if err != nil {
		return nil, err
	}
	if !admitted {
		return answer(req, http.StatusTooManyRequests,
			`{"error":{"code":"rate_limit_exceeded","message":"limit of 10 requests per second reached"}}`), nil
	}
	ids := req.URL.Query()["id"]
	var rows []string
	for _, id := range ids {
		status := "running"
		if r.ended(id) {
			status = "success"
		}
		rows = append(rows,
			fmt.Sprintf(`{"id":%s,"command":"resize","status":%q,"progress":50,"started":"2020-01-01T00:00:00Z","resources":[]}`,
				id, status))
	}
	const body = `{"actions":[%s],"meta":{"pagination":{"page":1,"per_page":50,"last_page":1,"total_entries":%d}}}`
	return answer(req, http.StatusOK, fmt.Sprintf(body, strings.Join(rows, ","), len(ids))), nil
}

func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// limited makes each request wait for its turn.
type limited struct{ *rollout }

func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.limiter.Wait(req.Context()); err != nil {
		return nil, err
	}
	return l.rollout.RoundTrip(req)
}

// hetznerBatch is hcloud-go's waiter for many, 25 ids per request.
func hetznerBatch(exponential, behindLimiter bool) func(context.Context, *rollout) {
	return func(ctx context.Context, r *rollout) {
		transport := http.RoundTripper(r)
		if behindLimiter {
			transport = limited{r}
		}
		opts := []hcloud.ClientOption{
			hcloud.WithToken("token"), hcloud.WithEndpoint("https://hetzner.fake/v1"),
			hcloud.WithHTTPClient(&http.Client{Transport: transport}),
		}
		if exponential {
			backoff := hcloud.ExponentialBackoffOpts{Base: time.Second, Multiplier: 2, Cap: 60 * time.Second}
			poll := hcloud.PollOpts{BackoffFunc: hcloud.ExponentialBackoffWithOpts(backoff)}
			opts = append(opts, hcloud.WithPollOpts(poll))
		}
		var actions []*hcloud.Action
		for _, id := range r.ids {
			n, _ := strconv.ParseInt(id, 10, 64)
			actions = append(actions, &hcloud.Action{ID: n, Status: hcloud.ActionStatusRunning})
		}
		_ = hcloud.NewClient(opts...).Action.WaitForFunc(ctx, func(a *hcloud.Action) error {
			if a.Status == hcloud.ActionStatusSuccess {
				r.done(strconv.FormatInt(a.ID, 10), nil)
			}
			return nil
		}, actions...)
	}
}

// apart waits for each task on a goroutine of its own.
func apart(wait func(ctx context.Context, r *rollout, id string) error) func(context.Context, *rollout) {
	return func(ctx context.Context, r *rollout) {
		var all sync.WaitGroup
		for _, id := range r.ids {
			all.Go(func() { r.done(id, wait(ctx, r, id)) })
		}
		all.Wait()
	}
}

// queued is ask behind the limiter.
func queued(ask func(context.Context, string) (bool, error),
	l *rate.Limiter) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, id string) (bool, error) {
		if err := l.Wait(ctx); err != nil {
			return false, err
		}
		return ask(ctx, id)
	}
}

func (r *rollout) waiter() *taskwait.Waiter {
	w, err := taskwait.New(r, taskwait.WithLimiter(taskwait.NewLimiter(r.limiter)))
	if err != nil {
		panic(err)
	}
	return w
}

var rollouts = []struct {
	name string
	wait func(ctx context.Context, r *rollout)
}{
	{"taskwait, WaitForTasks", func(ctx context.Context, r *rollout) {
		for task, err := range r.waiter().WaitForTasks(ctx, r.ids) {
			r.done(task.ID, err)
		}
	}},
	{"taskwait, 1,000 × WaitForTask", func(ctx context.Context, r *rollout) {
		w := r.waiter()
		apart(func(ctx context.Context, _ *rollout, id string) error {
			_, err := w.WaitForTask(ctx, id)
			return err
		})(ctx, r)
	}},
	{"hcloud-go, exponential, behind the limiter", hetznerBatch(true, true)},
	{"hcloud-go, 500 ms, behind the limiter", hetznerBatch(false, true)},
	{"hcloud-go, exponential", hetznerBatch(true, false)},
	{"hcloud-go, 500 ms", hetznerBatch(false, false)},
	{"StateChangeConf, default, behind the limiter", apart(func(ctx context.Context, r *rollout, id string) error {
		return stateChangeOf(ctx, queued(r.ask, r.limiter), id)
	})},
	{
		"StateChangeConf, default",
		apart(func(ctx context.Context, r *rollout, id string) error { return stateChangeOf(ctx, r.ask, id) }),
	},
	{"k8s wait, every 5 s", apart(func(ctx context.Context, r *rollout, id string) error {
		return wait.PollUntilContextCancel(ctx, 5*time.Second, true, func(ctx context.Context) (bool, error) {
			return r.ask(ctx, id)
		})
	})},
	{"backoff/v4, without its limit", apart(func(ctx context.Context, r *rollout, id string) error {
		return backoff.Retry(func() error {
			ended, err := r.ask(ctx, id)
			if err == nil && !ended {
				err = errNotYet
			}
			return err
		}, backoff.WithContext(backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(0)), ctx))
	})},
}

func stateChangeOf(ctx context.Context, ask func(context.Context, string) (bool, error), id string) error {
	c := retry.StateChangeConf{Pending: []string{"EXECUTING"}, Target: []string{"SUCCESS"}, Timeout: forever}
	c.Refresh = func() (any, string, error) {
		if ended, err := ask(ctx, id); err != nil || ended {
			return id, "SUCCESS", err
		}
		return id, "EXECUTING", nil
	}
	_, err := c.WaitForStateContext(ctx)
	return err
}

// TestRollout prints what a rollout costs everybody, and holds taskwait to its figures: at most 1.0 requests a task and
// a mean delay of 1.2 s, twice that with a goroutine for each, and no throttle.
//
// hcloud-go's is another API, as it comes: v2.52.0 asks for 25 ids in one request, where taskwait's list shows 100
// tasks, ended ones too, and cannot be asked for ids.
func TestRollout(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Logf("%-46s requests a task, mean delay, 429s, succeeded", "")
	for i, p := range rollouts {
		synctest.Test(t, func(t *testing.T) {
			r := newRollout()
			p.wait(t.Context(), r)
			requests, delay := float64(r.asked)/rolloutTasks, r.delay.Seconds()/float64(max(r.succeeded, 1))
			t.Logf("%-46s %5.2f %7.2f s %6d %5d", p.name, requests, delay, r.throttled, r.succeeded)
			limit := float64(i + 1)
			if i < 2 && (requests > limit || delay > 1.2*limit || r.throttled > 0 || r.succeeded < rolloutTasks) {
				t.Errorf("%s: want at most %.1f requests and %.1f s, no 429, and all to succeed", p.name, limit, 1.2*limit)
			}
		})
	}
}
