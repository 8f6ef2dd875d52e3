package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// inMemory is a client of the SDK for an embedded cloud.
func inMemory(t testing.TB, wire http.RoundTripper) *core.HcHttpClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).
		WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	c, err := core.NewHcHttpClientBuilder().WithEndpoint("https://dms.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bindTo is a request that starts a job, of which the answer says nothing; refusals are what it is answered with first.
func bindTo(cloud *fakejobs.Cloud, s fakejobs.Script, refusals ...error) func(*core.HcHttpClient) error {
	type anything struct {
		HttpStatusCode int //nolint:revive,staticcheck // the SDK sets the field of this name
	}
	return func(c *core.HcHttpClient) error {
		d := def.NewHttpRequestDefBuilder().WithMethod(http.MethodGet).WithPath("/v2/{project_id}/instances/i1/tasks").
			WithResponse(new(anything)).Build()
		_, _ = c.Sync(&struct{}{}, d) // it is sent
		if len(refusals) > 0 {
			err := refusals[0]
			refusals = refusals[1:]
			return err
		}
		cloud.AddJob(fakejobs.DMS, s)
		return nil
	}
}

// TestOperationNamed finds the job of an operation without an id, of RabbitMQ and RocketMQ.
func TestOperationNamed(t *testing.T) {
	t.Parallel()
	const kind = "bindInstancePublicIp"
	conflict := &taskwait.QueryError{
		Class:      taskwait.ClassConflict,
		StatusCode: http.StatusBadRequest,
		Code:       "DMS.00400026",
	}
	twice := []error{conflict, conflict}
	for _, tt := range []struct {
		name     string
		older    []fakejobs.Script
		script   fakejobs.Script
		refusals []error
		want     error
	}{
		{name: "the only one"},
		{name: "older ones of the same kind", older: []fakejobs.Script{{Outcome: "FAILED"}, {}}},
		{name: "another kind beside it", older: []fakejobs.Script{{Name: "rollback", Duration: time.Hour}}},
		{name: "it fails", script: fakejobs.Script{Outcome: "FAILED"}, want: taskwait.ErrTaskFailed},
		{name: "it appears later", script: fakejobs.Script{ListedAfter: 12 * time.Second, Duration: time.Minute}},
		{name: "something else runs", older: []fakejobs.Script{{Duration: time.Minute}}, refusals: twice},
		{name: "refused, and nothing runs", refusals: twice, want: taskwait.ErrNotStarted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud := fakejobs.New()
				for _, s := range tt.older {
					s.Instance = "i1"
					if s.Name == "" {
						s.Name = kind
					}
					cloud.AddJob(fakejobs.DMS, s)
				}
				time.Sleep(5 * time.Second)
				client := inMemory(t, cloud.Transport())
				source := jobs.RabbitMQ(client, "i1")
				w, err := taskwait.New(source)
				if err != nil {
					t.Fatal(err)
				}
				tt.script.Name, tt.script.Instance = kind, "i1"
				op := jobs.OperationNamed(client, source, kind, bindTo(cloud, tt.script, tt.refusals...))
				task, err := w.Do(t.Context(), op)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Fatalf("%v, %v; want %v", task, err, tt.want)
				}
				if err == nil && (task.Kind != kind || !task.Status.Succeeded()) {
					t.Errorf("%v, want the success of %s", task, kind)
				}
			})
		})
	}
}

// TestListSince: more than a page of jobs, of which the later ones are wanted, the latest first.
func TestListSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := fakejobs.New()
		for range 250 {
			cloud.AddJob(fakejobs.DMS, fakejobs.Script{Instance: "i1", CreatedAt: time.Now().Add(-time.Hour)})
		}
		first := cloud.AddJob(fakejobs.DMS, fakejobs.Script{Instance: "i1"})
		time.Sleep(time.Minute)
		second := cloud.AddJob(fakejobs.DMS, fakejobs.Script{Instance: "i1"})
		source := jobs.RabbitMQ(inMemory(t, cloud.Transport()), "i1")
		tasks, err := jobs.ListSince(t.Context(), source, time.Now().Add(-time.Minute))
		if err != nil || len(tasks) != 2 || tasks[0].ID != second || tasks[1].ID != first {
			t.Errorf("got %v, %v, want %s and %s", tasks, err, second, first)
		}
		if all, err := jobs.ListSince(t.Context(), source, time.Time{}); err != nil || len(all) != 252 {
			t.Errorf("got %d tasks, %v, want all 252", len(all), err)
		}
		if _, err := jobs.ListSince(t.Context(), jobs.ECS(inMemory(t, cloud.Transport())), time.Time{}); err == nil {
			t.Error("got no error of a source without a list")
		}
	})
}

// send is the request of an operation.
type send func(*core.HcHttpClient) (*string, error)

// TestOperation waits for the job whose id is in the answer, with and without a list behind it.
func TestOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := fakejobs.New()
		client := inMemory(t, cloud.Transport())
		for _, tt := range []struct {
			name  string
			shape fakejobs.Shape
			op    func(send) (*taskwait.Waiter, taskwait.Operation)
		}{
			{"ECS", fakejobs.V1, func(send send) (*taskwait.Waiter, taskwait.Operation) {
				w, err := taskwait.New(jobs.ECS(client))
				if err != nil {
					t.Fatal(err)
				}
				return w, jobs.Operation(client, jobs.ECS(client), "create", send)
			}},
			{"RocketMQ", fakejobs.DMS, func(send send) (*taskwait.Waiter, taskwait.Operation) {
				source := jobs.RocketMQ(client, "i1")
				w, err := taskwait.New(source)
				if err != nil {
					t.Fatal(err)
				}
				return w, jobs.Operation(client, source, "create", send)
			}},
		} {
			w, op := tt.op(func(*core.HcHttpClient) (*string, error) {
				id := cloud.AddJob(tt.shape, fakejobs.Script{Duration: time.Minute, Instance: "i1"})
				return &id, nil
			})
			if task, err := w.Do(t.Context(), op); err != nil || !task.Status.Succeeded() {
				t.Errorf("%s: %v, %v; want success", tt.name, task, err)
			}
			w, op = tt.op(func(*core.HcHttpClient) (*string, error) { return nil, context.DeadlineExceeded })
			if task, err := w.Do(t.Context(), op, taskwait.WithTimeout(time.Minute)); err == nil {
				t.Errorf("%s, refused: %v", tt.name, task)
			}
		}
	})
}
