package fakecloud_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/taskwait/taskwait/fakecloud"
)

// transports are both of them, by name; open opens one for a cloud.
var transports = []struct {
	name string
	open func(*testing.T, *fakecloud.Gateway) (http.RoundTripper, string)
}{
	{"in memory", func(_ *testing.T, c *fakecloud.Gateway) (http.RoundTripper, string) {
		return c.Transport(), "https://jobs.fake"
	}},
	{"loopback", start},
}

// queryRequest asks for the job, signed, with two headers of its own.
func queryRequest(ctx context.Context, t *testing.T, url, query string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		url+jobsPath+"/1?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-One", "1")
	req.Header.Set("X-Onf", "2") // sorts next to it
	sign(req, owner, "")
	return req
}

// TestSignatureTellsQueriesApart signs one query and sends another, made of the same letters.
func TestSignatureTellsQueriesApart(t *testing.T) {
	tests := []struct {
		name, signed, sent string
		status             int
	}{
		{"the same", "b=2&a=1", "b=2&a=1", 200},
		{"in another order", "b=2&a=1", "a=1&b=2", 200},
		{"a NUL in a name", "a%00b=c", "a%00b=c", 200},
		{"a NUL in a value", "a=b%00c", "a=b%00c", 200},
		{"a NUL moved into the name", "a=b%00c", "a%00b=c", 401},
		{"a NUL moved into the value", "a%00b=c", "a=b%00c", 401},
		{"an equals sign moved", "a%3Db=c", "a=b%3Dc", 401},
		{"an ampersand moved", "a=1%26b=2", "a=1&b=2", 401},
		{"a name less", "a=1&b=2", "a=1", 401},
		{"a name more", "a=1", "a=1&b=2", 401},
		{"a name twice", "a=1", "a=1&a=1", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := queryRequest(t.Context(), t, "https://jobs.fake", tt.signed)
			req.URL.RawQuery = tt.sent
			resp, err := newCloud().Transport().RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("signed %s, sent %s: status = %d, want %d", tt.signed, tt.sent, resp.StatusCode, tt.status)
			}
		})
	}
}

// TestHeaderForm changes how headers are written after they were signed: both transports take what net/http's
// transport sends, and refuse what it does not send. A line in a value would pass for the header that was signed
// after it.
func TestHeaderForm(t *testing.T) {
	tests := []struct {
		name   string
		change func(http.Header)
		status int // 0: not sent
	}{
		{"as it is", func(http.Header) {}, 200},
		{"names in lower case", func(h http.Header) {
			for k, v := range h.Clone() {
				delete(h, k)
				h[strings.ToLower(k)] = v
			}
		}, 200},
		{"space around a value", func(h http.Header) { h.Set("X-One", "\t1 ") }, 200},
		{"a line in a value", func(h http.Header) {
			h.Del("X-Onf")
			h.Set("X-One", "1\nx-onf:2")
		}, 0},
		{"a space in a name", func(h http.Header) { h["X Two"] = []string{"2"} }, 0},
		{"no name", func(h http.Header) { h[""] = []string{"2"} }, 0},
	}
	for _, tt := range tests {
		for _, transport := range transports {
			t.Run(tt.name+"/"+transport.name, func(t *testing.T) {
				cloud := newCloud()
				rt, url := transport.open(t, cloud)
				req := queryRequest(t.Context(), t, url, "")
				tt.change(req.Header)
				resp, err := rt.RoundTrip(req)
				got := 0
				if err == nil {
					got = resp.StatusCode
					_ = resp.Body.Close()
				}
				if got != tt.status {
					t.Errorf("status = %d, error %v, want %d", got, err, tt.status)
				}
				log := cloud.Requests()
				if tt.status == 0 && len(log) != 0 {
					t.Fatalf("log = %+v, want nothing", log)
				}
				if tt.status != 0 && log[0].Header.Get("X-One") != "1" {
					t.Errorf("X-One in the log = %q, want 1", log[0].Header.Get("X-One"))
				}
			})
		}
	}
}

// TestGoneUnread: a client leaves a body that stalls, without having read it.
func TestGoneUnread(t *testing.T) {
	tests := []struct {
		name  string
		leave func(*http.Response, context.CancelFunc)
	}{
		{"close", func(resp *http.Response, _ context.CancelFunc) { _ = resp.Body.Close() }},
		{"cancel", func(_ *http.Response, cancel context.CancelFunc) { cancel() }},
	}
	for _, tt := range tests {
		for _, transport := range transports {
			t.Run(tt.name+"/"+transport.name, func(t *testing.T) {
				cloud := newCloud()
				cloud.Inject(fakecloud.AnyRoute, fakecloud.Stall())
				rt, url := transport.open(t, cloud)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				resp, err := rt.RoundTrip(queryRequest(ctx, t, url, ""))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = resp.Body.Close() }()
				tt.leave(resp, cancel)
				eventually(t, cloud, func(log []fakecloud.Request) bool { return log[0].Disconnected })
			})
		}
	}
}
