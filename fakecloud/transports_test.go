package fakecloud_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// answer is all that a client sees of one request.
type answer struct {
	status int
	text   string
	header string
	length int64
	body   string
	sent   string // kind of the error instead of an answer
	read   string // kind of the error while reading
}

var errPatience = errors.New("patience is over") // the cause of a client that gives up

func kind(err error) string {
	for _, k := range []error{nil, errPatience, context.Canceled, io.ErrUnexpectedEOF} {
		if errors.Is(err, k) {
			if err == nil {
				return ""
			}
			return k.Error()
		}
	}
	return "other: " + err.Error()
}

var timestamp = regexp.MustCompile(`\d{8}T\d{6}Z`)

// ask sends one request, and gives up after some time. All that differs from one run to the next is left out.
func ask(t *testing.T, rt http.RoundTripper, method, url, body string) (got answer) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	defer time.AfterFunc(300*time.Millisecond, func() { cancel(errPatience) }).Stop()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(req, owner, body)
	resp, err := rt.RoundTrip(req)
	if got.sent = kind(err); err != nil {
		return got
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	got.status, got.text, got.length, got.body, got.read = resp.StatusCode, resp.Status, resp.ContentLength,
		timestamp.ReplaceAllString(string(text), "now"), kind(err)
	if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
		t.Errorf("Date: %v", err)
	}
	resp.Header.Del("Date")
	for _, key := range slices.Sorted(maps.Keys(resp.Header)) {
		got.header += key + ": " + strings.Join(resp.Header[key], ", ") + "\n"
	}
	return got
}

// TestTransportsAgree proves that both transports behave alike: for every fault, and for what is refused. The
// loopback connection is used again where it can be.
func TestTransportsAgree(t *testing.T) {
	show, remove, begin := "/1", "/1", ""
	tests := []struct {
		name         string
		fault        fakecloud.Fault
		method, path string
		status       int    // 0: none came
		kind         string // of the error, wherever it came
	}{
		{"served", fakecloud.Serve(), "GET", show, 200, ""},
		{"the zero fault", fakecloud.Fault{}, "GET", show, 200, ""},
		{"with a query", fakecloud.Serve(), "GET", "/1?limit=5&offset=0", 200, ""},
		{"delete", fakecloud.Serve(), "DELETE", remove, 204, ""},
		{"start", fakecloud.Serve(), "POST", begin, 200, ""},
		{"no such route", fakecloud.Serve(), "GET", "/1/nothing", 404, ""},
		{"no such method", fakecloud.Serve(), "PATCH", show, 405, ""},
		{"head", fakecloud.Serve(), "HEAD", show, 405, ""},
		{"bad query", fakecloud.Serve(), "GET", "/1?limit=%zz", 400, ""},
		{"escaped slash", fakecloud.Serve(), "GET", "/a%2Fb", 404, ""},
		{"slow", fakecloud.Slow(20 * time.Millisecond), "GET", show, 200, ""},
		{"too slow", fakecloud.Slow(time.Hour), "GET", show, 0, errPatience.Error()},
		{"hang", fakecloud.Hang(), "GET", show, 0, errPatience.Error()},
		{"hang, with a body", fakecloud.Hang(), "POST", begin, 0, errPatience.Error()},
		{"drop", fakecloud.Drop(), "GET", show, 0, io.ErrUnexpectedEOF.Error()},
		{"drop, with a body", fakecloud.Drop(), "POST", begin, 0, io.ErrUnexpectedEOF.Error()},
		{"drop after", fakecloud.DropAnswer(), "POST", begin, 0, io.ErrUnexpectedEOF.Error()},
		{"truncate", fakecloud.Truncate(), "GET", show, 200, io.ErrUnexpectedEOF.Error()},
		{"truncate nothing", fakecloud.Truncate(), "DELETE", remove, 0, io.ErrUnexpectedEOF.Error()},
		{"stall", fakecloud.Stall(), "GET", show, 200, errPatience.Error()},
		{"stall nothing", fakecloud.Stall(), "DELETE", remove, 0, errPatience.Error()},
		{"503", fakecloud.Unavailable(), "GET", show, 503, ""},
		{
			"late 504", fakecloud.Error(504, "APIGW.0201", "Backend timeout.").After(20 * time.Millisecond), "GET", show, 504,
			"",
		},
		{"throttle", fakecloud.Throttle(0), "GET", show, 429, ""},
		{"throttle with Retry-After", fakecloud.Throttle(1500 * time.Millisecond), "GET", show, 429, ""},
		{"HTML", fakecloud.HTML(200), "GET", show, 200, ""},
		{"{}", fakecloud.Respond(200, "{}"), "GET", show, 200, ""},
		{"null", fakecloud.Respond(200, "null"), "GET", show, 200, ""},
		{"empty", fakecloud.Respond(200, ""), "GET", show, 200, ""},
		{"204", fakecloud.Respond(204, ""), "GET", show, 204, ""},
		{"204 with a body", fakecloud.Respond(204, "{}"), "GET", show, 204, ""},
		{"304 with a body", fakecloud.Respond(304, "{}", "Content-Type", "text/plain"), "GET", show, 304, ""},
		{"302", fakecloud.Respond(302, "", "Location", "/login"), "GET", show, 302, ""},
		{"a status without a name", fakecloud.Respond(494, "{}"), "GET", show, 494, ""},
		{"headers", fakecloud.Respond(200, "x", "x-one", "1", "X-One", "2", "X-Request-Id", "mine"), "GET", show, 200, ""},
		{"large", fakecloud.Respond(200, strings.Repeat("x", 1<<20)), "GET", show, 200, ""},
		{"clock", fakecloud.ClockSkew(-time.Hour), "GET", show, 401, ""},
		{"another answer", fakecloud.ServeThen(func(e *fakecloud.Exchange) { e.Payload = "x" }), "GET", show, 200, ""},
	}
	past := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // those that hang take their time
			gone := tt.kind == errPatience.Error()
			var answers []answer
			var logs []fakecloud.Request
			for _, loopback := range []bool{false, true} {
				cloud := fakecloud.New(&jobs{started: []time.Time{past}})
				cloud.Inject(fakecloud.AnyRoute, fakecloud.Serve(), tt.fault, fakecloud.Serve())
				rt, url := cloud.Transport(), "https://jobs.fake"
				if loopback {
					rt, url = start(t, cloud)
				}
				url += jobsPath
				ask(t, rt, "GET", url+show, "") // opens a connection
				body := ""
				if tt.method == "POST" {
					body = `{"name":"a"}`
				}
				answers = append(answers, ask(t, rt, tt.method, url+tt.path, body))
				answers = append(answers, ask(t, rt, "GET", url+show, "")) // nothing lingers
				logs = append(logs, eventually(t, cloud, func(log []fakecloud.Request) bool {
					return len(log) == 3 && log[2].Status == 200 && log[1].Disconnected == gone && log[1].Status == tt.status
				})[1])
			}
			if answers[0] != answers[2] || answers[1] != answers[3] {
				t.Errorf("in memory %+v\nthen      %+v\nloopback  %+v\nthen      %+v", answers[0], answers[1], answers[2],
					answers[3])
			}
			if got := answers[0]; got.status != tt.status || got.sent+got.read != tt.kind {
				t.Errorf("answer = %+v, want status %d and error %q", got, tt.status, tt.kind)
			}
			if a, b := logs[0], logs[1]; a.Route != b.Route || a.Method != b.Method || a.Path != b.Path ||
				a.Query.Encode() != b.Query.Encode() {
				t.Errorf("in memory %+v\nloopback  %+v", a, b)
			}
		})
	}
}

// start opens the loopback transport, with connections that are used again.
func start(t *testing.T, cloud *fakecloud.Gateway) (http.RoundTripper, string) {
	t.Helper()
	server, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return transport, server.URL
}

// eventually is the log once it is as it should be: a server notices later than its client who has gone.
func eventually(t *testing.T, cloud *fakecloud.Gateway, ok func([]fakecloud.Request) bool) []fakecloud.Request {
	t.Helper()
	for range 2000 {
		if log := cloud.Requests(); ok(log) {
			return log
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("log = %+v", cloud.Requests())
	return nil
}
