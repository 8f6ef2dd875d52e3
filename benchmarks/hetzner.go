package benchmarks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// hetzner is hcloud-go's waiter over HTTP in memory: every 500 ms, or exponentially from 1 s ×2 up to longest.
func hetzner(longest time.Duration) func(context.Context, *task) error {
	return func(ctx context.Context, t *task) error {
		opts := []hcloud.ClientOption{
			hcloud.WithToken("token"), hcloud.WithEndpoint("https://hetzner.fake/v1"),
			hcloud.WithHTTPClient(&http.Client{Transport: actions{t}}),
		}
		if longest > 0 {
			backoff := hcloud.ExponentialBackoffOpts{Base: time.Second, Multiplier: 2, Cap: longest}
			poll := hcloud.PollOpts{BackoffFunc: hcloud.ExponentialBackoffWithOpts(backoff)}
			opts = append(opts, hcloud.WithPollOpts(poll))
		}
		client := hcloud.NewClient(opts...)
		return client.Action.WaitFor(ctx, &hcloud.Action{ID: 1, Status: hcloud.ActionStatusRunning})
	}
}

// actions is Hetzner's list of actions, with one on it.
type actions struct{ t *task }

// RoundTrip serves one request.
func (a actions) RoundTrip(req *http.Request) (*http.Response, error) {
	ended, err := a.t.ask(req.Context())
	if err != nil {
		return nil, err
	}
	status := "running"
	if ended {
		status = "success"
	}
	body := fmt.Sprintf(`{"actions":[{"id":1,"command":"resize","status":%q,`+
		`"progress":50,"started":"2020-01-01T00:00:00Z","resources":[]}],`+
		`"meta":{"pagination":{"page":1,"per_page":25,"last_page":1,"total_entries":1}}}`, status)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}
