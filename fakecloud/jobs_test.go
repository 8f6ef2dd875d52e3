package fakecloud_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/taskwait/taskwait/fakecloud"
)

// jobs is a second service, as small as one can be: its jobs take a minute. It proves that the gateway needs nothing of
// DMS for Kafka, and the gateway's own tests are made with it.
type jobs struct {
	mu      sync.Mutex
	started []time.Time
}

const (
	routeStart  fakecloud.Route = "POST jobs"
	routeShow   fakecloud.Route = "GET jobs/{job}"
	routeForget fakecloud.Route = "DELETE jobs/{job}"
)

func (j *jobs) Endpoints() []fakecloud.Endpoint {
	return []fakecloud.Endpoint{
		{Route: routeStart, Method: http.MethodPost, Path: "/v1/{project}/jobs", Serve: j.start},
		{Route: routeShow, Method: http.MethodGet, Path: "/v1/{project}/jobs/{job}", Serve: j.show},
		{Route: routeForget, Method: http.MethodDelete, Path: "/v1/{project}/jobs/{job}", Serve: j.forget},
	}
}

func (*jobs) NoEndpoint(e *fakecloud.Exchange, methodAlone bool) {
	status := http.StatusNotFound
	if methodAlone {
		status = http.StatusMethodNotAllowed
	}
	e.Fail(status, "Jobs.0001", "no such route")
}

func (j *jobs) start(e *fakecloud.Exchange) {
	var asked struct{ Name string }
	if err := json.Unmarshal(e.Body, &asked); err != nil || asked.Name == "" {
		e.Fail(http.StatusBadRequest, "Jobs.0002", "no name")
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.started = append(j.started, e.Now)
	e.Payload = map[string]string{"job_id": strconv.Itoa(len(j.started))}
}

func (j *jobs) show(e *fakecloud.Exchange) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, err := strconv.Atoi(e.Vars["job"])
	if err != nil || n < 1 || n > len(j.started) {
		e.Fail(http.StatusNotFound, "Jobs.0003", "no such job")
		return
	}
	status := "RUNNING"
	if e.Now.Sub(j.started[n-1]) >= time.Minute {
		status = "SUCCESS"
	}
	e.Payload = map[string]string{"status": status, "begin_time": e.Clock(j.started[n-1]).Format(time.RFC3339)}
}

// forget answers without a body, and does nothing else.
func (*jobs) forget(e *fakecloud.Exchange) { e.Status = http.StatusNoContent }

// newJobs is a gateway before the jobs.
func newJobs(opts ...fakecloud.Option) *fakecloud.Gateway { return fakecloud.New(&jobs{}, opts...) }

const jobsPath = "/v1/" + fakecloud.DefaultProject + "/jobs"

// TestSecondService starts a job and follows it, with a fault of each kind of place on the way.
func TestSecondService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newJobs(fakecloud.WithClockSkew(time.Second))
		g.Inject(routeShow, fakecloud.Serve(), fakecloud.Unavailable(), fakecloud.DropAnswer())
		g.Inject(routeStart, fakecloud.Serve(), fakecloud.ServeThen(func(e *fakecloud.Exchange) { e.Payload = nil }))
		for _, tt := range []struct {
			method, path, body string
			want               string // status and body; "": none came
		}{
			{"POST", jobsPath, `{"name":"a"}`, `200 {"job_id":"1"}`},
			{"POST", jobsPath, `{"name":"b"}`, "200 "},
			{"POST", jobsPath, `{}`, `400 {"error_msg":"no name","error_code":"Jobs.0002"}`},
			{"GET", jobsPath + "/1", "", `200 {"begin_time":"2000-01-01T00:00:01Z","status":"RUNNING"}`},
			{
				"GET", jobsPath + "/1", "", `503 {"error_msg":"Backend unavailable.","error_code":"APIGW.0201","request_id":"` +
					fakecloud.HexID("request", 5) + `"}`,
			},
			{"GET", jobsPath + "/1", "", ""},
			{"GET", jobsPath + "/3", "", `404 {"error_msg":"no such job","error_code":"Jobs.0003"}`},
			{"GET", jobsPath + "/", "", `404 {"error_msg":"no such route","error_code":"Jobs.0001"}`},
			{"PUT", jobsPath, "", `405 {"error_msg":"no such route","error_code":"Jobs.0001"}`},
		} {
			if got := call(t, g, tt.method, tt.path, tt.body); got != tt.want {
				t.Errorf("%s %s: got %s, want %s", tt.method, tt.path, got, tt.want)
			}
		}
		time.Sleep(time.Minute)
		if got, want := call(t, g, "GET", jobsPath+"/2", ""),
			`200 {"begin_time":"2000-01-01T00:00:01Z","status":"SUCCESS"}`; got != want {
			t.Errorf("after a minute: got %s, want %s", got, want)
		}
		var routes []fakecloud.Route
		for _, r := range g.Requests() {
			routes = append(routes, r.Route)
		}
		if want := []fakecloud.Route{
			routeStart, routeStart, routeStart, routeShow, routeShow, routeShow, routeShow, fakecloud.RouteUnknown,
			fakecloud.RouteUnknown, routeShow,
		}; !slices.Equal(routes, want) {
			t.Errorf("log = %q, want %q", routes, want)
		}
		if got, want := g.Routes(), []fakecloud.Route{
			fakecloud.AnyRoute, routeStart, routeShow, routeForget, fakecloud.RouteListProjects, fakecloud.RouteListDomains,
			fakecloud.RouteUnknown,
		}; !slices.Equal(got, want) {
			t.Errorf("routes = %q, want %q", got, want)
		}
	})
}

// call sends one request, signed by the SDK's own signer, and gives the answer's status and body; "": none came.
func call(t *testing.T, g *fakecloud.Gateway, method, path, body string) string {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	builder := request.NewHttpRequestBuilder().WithEndpoint("https://jobs.fake").WithPath(path).WithMethod(method).
		AddHeaderParam("Host", "jobs.fake")
	if body != "" {
		builder.WithBody("", body)
	}
	if name, value, ok := strings.Cut(query, "="); ok {
		builder.AddQueryParam(name, reflect.ValueOf(value))
	}
	sdk := builder.Build()
	headers, err := signer.Sign(sdk, fakecloud.DefaultAccessKey, fakecloud.DefaultSecretKey)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sdk.ConvertRequest()
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	resp, err := g.Transport().RoundTrip(r)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, text)
}

// TestServiceOption: an option of another service is a slip in a test, which is to be found at once.
func TestServiceOption(t *testing.T) {
	if g := newJobs(fakecloud.ServiceOption(func(j *jobs) { j.started = []time.Time{{}} })); !strings.HasPrefix(call(t,
		g, "GET", jobsPath+"/1", ""), "200 ") {
		t.Error("the option has changed nothing")
	}
	defer func() {
		if got, want := recover(),
			"fakecloud: option of fakecloud_test.other for a gateway before *fakecloud_test.jobs"; got != want {
			t.Errorf("panic = %v, want %v", got, want)
		}
	}()
	newJobs(fakecloud.ServiceOption(func(other) {}))
}

// other is a service without endpoints.
type other struct{}

func (other) Endpoints() []fakecloud.Endpoint      { return nil }
func (other) NoEndpoint(*fakecloud.Exchange, bool) {}

// TestRequestString is what is printed of a request when a test fails.
func TestRequestString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newJobs(fakecloud.WithLatency(time.Second))
		g.Inject(routeShow, fakecloud.Serve(), fakecloud.Drop())
		call(t, g, "GET", jobsPath+"/1?limit=10", "")
		call(t, g, "GET", jobsPath+"/1", "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", "https://jobs.fake/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Transport().RoundTrip(r); err == nil {
			t.Error("no error, want one")
		}
		want := []string{
			"GET " + jobsPath + "/1?limit=10: 404 after 1s", "GET " + jobsPath + "/1: no answer after 1s",
			"GET /: the client went away after 1ms",
		}
		for n, r := range g.Requests() {
			if got := r.String(); got != want[n] {
				t.Errorf("got %s, want %s", got, want[n])
			}
		}
	})
}
