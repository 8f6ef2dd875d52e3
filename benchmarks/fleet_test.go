package benchmarks

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"golang.org/x/time/rate"
)

const (
	fleetTasks = 1000
	fleetQuota = 10 // requests in any second
)

// fleet is many tasks that start together on one instance, with durations log-normal around 20 s, σ 1.2.
type fleet []time.Duration

func newFleet(seed uint64) fleet {
	rnd := rand.New(rand.NewPCG(seed, seed))
	f := make(fleet, fleetTasks)
	for i := range f {
		f[i] = time.Duration(20 * math.Exp(1.2*rnd.NormFloat64()) * float64(time.Second))
	}
	return f
}

// fleetScore is what waiting for a fleet has cost.
type fleetScore struct {
	requests, throttled, succeeded int
	late                           time.Duration // the sum
}

func (s fleetScore) String() string {
	return fmt.Sprintf("%5.2f requests a task, mean delay %7.2f s, %d throttled, %d of %d succeeded", float64(s.requests)/fleetTasks,
		s.late.Seconds()/float64(max(s.succeeded, 1)), s.throttled, s.succeeded, fleetTasks)
}

// paced waits for its turn before each request, which is what a caller of a peer without a limiter can do about a quota.
// With a nil limiter it does not.
type paced struct {
	http.RoundTripper
	limiter *rate.Limiter
}

// RoundTrip makes one request.
func (p paced) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.limiter != nil {
		if err := p.limiter.Wait(req.Context()); err != nil {
			return nil, err
		}
	}
	return p.RoundTripper.RoundTrip(req)
}

func newLimiter() *rate.Limiter { return rate.NewLimiter(fleetQuota-0.1, 1) }

// taskwaits is WaitForTasks through the Huawei SDK and fakecloud.
func (f fleet) taskwaits(t *testing.T) (s fleetScore) {
	cloud := fakecloud.New(fakecloud.WithLatency(queryTime), fakecloud.WithQuota(fleetQuota))
	start, takes, ids := time.Now(), map[string]time.Duration{}, make([]string, len(f))
	for i, d := range f {
		ids[i] = cloud.AddTask("kafka-1", fakecloud.Script{Duration: d})
		takes[ids[i]] = d
	}
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).
		WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	w, err := taskwait.New(kafkatasks.New(kafka.NewKafkaClient(client), "kafka-1"), taskwait.WithLimiter(taskwait.NewLimiter(newLimiter())))
	if err != nil {
		t.Fatal(err)
	}
	for task, err := range w.WaitForTasks(t.Context(), ids) {
		if err == nil {
			s.succeeded++
			s.late += time.Since(start) - takes[task.ID]
		}
	}
	for _, r := range cloud.Requests() {
		s.requests++
		if r.Status == http.StatusTooManyRequests {
			s.throttled++
		}
	}
	return s
}

// hetznerFleet is Hetzner's list of actions, with a fleet on it, and a quota as fakecloud has it. The id of an action is
// its place in the fleet, counted from 1.
type hetznerFleet struct {
	f     fleet
	start time.Time

	mu        sync.Mutex
	recent    []time.Time
	requests  int
	throttled int
}

// admitted counts a request in, or refuses it.
func (h *hetznerFleet) admitted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests++
	now := time.Now()
	for len(h.recent) > 0 && now.Sub(h.recent[0]) >= time.Second {
		h.recent = h.recent[1:]
	}
	if len(h.recent) >= fleetQuota {
		h.throttled++
		return false
	}
	h.recent = append(h.recent, now)
	return true
}

// RoundTrip serves one request.
func (h *hetznerFleet) RoundTrip(req *http.Request) (*http.Response, error) {
	status, body := http.StatusTooManyRequests, `{"error":{"code":"rate_limit_exceeded","message":"limit of 10 requests per second reached"}}`
	if h.admitted() {
		status, body = http.StatusOK, h.list(req.URL.Query()["id"])
	}
	timer := time.NewTimer(queryTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (h *hetznerFleet) list(ids []string) string {
	var rows []string
	for _, id := range ids {
		n, err := strconv.Atoi(id)
		if err != nil {
			continue
		}
		status := "running"
		if time.Since(h.start) >= h.f[n-1] {
			status = "success"
		}
		rows = append(rows, fmt.Sprintf(`{"id":%d,"command":"resize","status":%q,"progress":50,"started":"2020-01-01T00:00:00Z","resources":[]}`, n, status))
	}
	return fmt.Sprintf(`{"actions":[%s],"meta":{"pagination":{"page":1,"per_page":25,"last_page":1,"total_entries":%d}}}`, strings.Join(rows, ","), len(rows))
}

// hetzner is hcloud-go's batch waiter, which puts 25 ids into a request.
func (f fleet) hetzner(t *testing.T, limiter *rate.Limiter) (s fleetScore) {
	service := &hetznerFleet{f: f, start: time.Now()}
	client := hcloud.NewClient(hcloud.WithToken("token"), hcloud.WithEndpoint("https://hetzner.fake/v1"),
		hcloud.WithHTTPClient(&http.Client{Transport: paced{service, limiter}}))
	var actions []*hcloud.Action
	for i := range f {
		actions = append(actions, &hcloud.Action{ID: int64(i + 1), Status: hcloud.ActionStatusRunning})
	}
	done := map[int64]bool{}
	err := client.Action.WaitForFunc(context.Background(), func(a *hcloud.Action) error {
		if a.Status == hcloud.ActionStatusSuccess && !done[a.ID] {
			done[a.ID] = true
			s.succeeded++
			s.late += time.Since(service.start) - f[a.ID-1]
		}
		return nil
	}, actions...)
	if err != nil {
		t.Log("hcloud-go: ", err)
	}
	s.requests, s.throttled = service.requests, service.throttled
	return s
}

// TestFleet prints what 1,000 tasks at once cost taskwait and the best peer that can ask for several at once, within a
// quota of 10 requests a second, and holds taskwait to being the better in both.
func TestFleet(t *testing.T) {
	for seed := range uint64(3) {
		f := newFleet(seed + 1)
		play := func(name string, wait func(*testing.T) fleetScore) (s fleetScore) {
			synctest.Test(t, func(t *testing.T) { s = wait(t) })
			t.Logf("%-36s %v", name, s)
			return s
		}
		ours := play("taskwait, WaitForTasks", f.taskwaits)
		theirs := play("hcloud-go, behind the same limiter", func(t *testing.T) fleetScore { return f.hetzner(t, newLimiter()) })
		play("hcloud-go, as it comes", func(t *testing.T) fleetScore { return f.hetzner(t, nil) })
		if ours.succeeded != fleetTasks || ours.throttled > 0 || ours.requests > theirs.requests || ours.late > theirs.late {
			t.Errorf("got %v; want at most what the peer needs, none throttled, and all to succeed", ours)
		}
	}
}
