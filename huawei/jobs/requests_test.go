package jobs_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// service answers every request with one body, and records the last request.
type service struct {
	status                   int
	body                     string
	method, uri, sent, reqID string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.method, s.uri, s.sent = r.Method, r.URL.RequestURI(), string(body)
	s.reqID = r.Header.Get("Client-Request-Id")
	if s.status != 0 {
		w.WriteHeader(s.status)
	}
	_, _ = io.WriteString(w, s.body)
}

// start starts the service, and returns a client of the SDK for it.
func (s *service) start(t *testing.T) *core.HcHttpClient {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return client(t, server.URL)
}

// TestCancel sends each kind of request that cancels through the SDK.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                string
		source              func(*core.HcHttpClient) *httptasks.Source
		method, uri, wanted string
	}{
		{
			"a scheduled task of RabbitMQ",
			func(c *core.HcHttpClient) *httptasks.Source { return jobs.RabbitMQScheduled(c, "i1") },
			http.MethodPut, "/v2/p1/instances/i1/scheduled-tasks/j1?status=CANCELLED", "",
		},
		{
			"a job of MRS", func(c *core.HcHttpClient) *httptasks.Source { return jobs.MRSJobs(c, "c1") },
			http.MethodPost, "/v2/p1/clusters/c1/job-executions/j1/kill", "",
		},
		{"a scheduled job of DDS", jobs.DDSScheduled, http.MethodDelete, "/v3/p1/scheduled-jobs/j1", ""},
		{"a scheduled job of TaurusDB", jobs.GaussDBScheduled, http.MethodDelete, "/v3/p1/scheduled-jobs",
			`{"job_ids":["j1"]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := service{status: http.StatusNoContent}
			source := tt.source(s.start(t))
			if err := source.Cancel(t.Context(), "j1"); err != nil || !source.CanCancel() {
				t.Fatalf("%v, and CanCancel: %v", err, source.CanCancel())
			}
			if s.method != tt.method || s.uri != tt.uri || s.sent != tt.wanted {
				t.Errorf("sent %s %s %q, want %s %s %q", s.method, s.uri, s.sent, tt.method, tt.uri, tt.wanted)
			}
		})
	}
}

func TestCannotBeCancelled(t *testing.T) {
	t.Parallel()
	s := service{}
	source := jobs.ECS(s.start(t))
	if err := source.Cancel(t.Context(), "j1"); !errors.Is(err, errors.ErrUnsupported) || s.method != "" {
		t.Errorf("got %v after %q, want an error that Is %v, and no request", err, s.method, errors.ErrUnsupported)
	}
}

func TestStackWantsARequestID(t *testing.T) {
	t.Parallel()
	s := service{body: `{"stack_name":"s1","status":"DEPLOYMENT_COMPLETE"}`}
	task, err := jobs.RFSStacks(s.start(t)).Task(t.Context(), "s1")
	if err != nil || !task.Status.Succeeded() || s.uri != "/v1/p1/stacks/s1/metadata" || len(s.reqID) != 36 {
		t.Errorf("got %v, %v of %s with the request id %q", task, err, s.uri, s.reqID)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := service{body: `{"task_count":"1","tasks":[{"id":"t1","job_id":"j1","name":"EXTEND","status":"EXECUTING",` +
		`"created_at":"2020-06-17T07:38:42.503Z"}]}`}
	since := time.Date(2020, 6, 17, 7, 38, 42, 0, time.UTC)
	tasks, next, err := jobs.DCS(s.start(t)).List(t.Context(), taskwait.ListRequest{Since: since})
	if err != nil || next != "" || len(tasks) != 1 || tasks[0].ID != "j1" || tasks[0].Status != executing {
		t.Errorf("got %v, %q, %v; want j1, the end, no error", tasks, next, err)
	}
	if want := "/v2/p1/tasks?limit=1000&start_time=20200616073842"; s.uri != want {
		t.Errorf("requested %s, want %s", s.uri, want)
	}
}

// TestUntilDeleted waits for the end of things that are shown by a list, and by a request of their own.
func TestUntilDeleted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		source func(*core.HcHttpClient) *httptasks.Source
		status int
		body   string
		want   taskwait.Status
	}{
		{"RDS: listed", jobs.RDSInstances, 0, `{"instances":[{"id":"i1","status":"FAILED"}]}`, executing},
		{"RDS: not listed", jobs.RDSInstances, 0, `{"instances":[],"total_count":0}`, success},
		{"DCS: there", jobs.DCSInstances, 0, `{"instance_id":"i1","status":"RUNNING"}`, executing},
		{"DCS: gone", jobs.DCSInstances, http.StatusNotFound, `{"error_code":"DCS.4922","error_msg":"none"}`, success},
		{"ECS: a server that says so", jobs.ECSServers, 0, `{"server":{"id":"i1","status":"DELETED"}}`, success},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := service{status: tt.status, body: tt.body}
			task, err := tt.source(s.start(t)).UntilDeleted().Task(t.Context(), "i1")
			if err != nil || task.Status != tt.want {
				t.Errorf("got %v, %v; want %s", task, err, tt.want)
			}
		})
	}
}

// TestDetails reads how far a task of RocketMQ is, as the documented example has it: numbers for the times.
func TestDetails(t *testing.T) {
	t.Parallel()
	s := service{body: `{"progress_percentage":40,"remain_time":1124,"step_list":[` +
		`{"name":"pre_check","statue":"COMPLETED","start_time":1763350067752,"end_time":1763350072382},` +
		`{"name":"scale","statue":"IN_PROGRESS","start_time":1763350072382,"end_time":null}]}`}
	got, err := jobs.RocketMQ(s.start(t), "i1").Details(t.Context(), taskwait.Task{ID: "j1"})
	if err != nil || got.Percent == nil || *got.Percent != 40 || got.Remaining != 1124*time.Second || len(got.Steps) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	if last := got.Steps[1]; last.Name != "scale" || last.Status != "IN_PROGRESS" || !last.EndedAt.IsZero() {
		t.Errorf("the last step is %+v", last)
	}
}
