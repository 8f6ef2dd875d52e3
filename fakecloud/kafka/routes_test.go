package kafka_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestRoutes sends what no method of the SDK's client sends, and compares whole bodies.
func TestRoutes(t *testing.T) {
	const id, request = "8abfa7b272adc5b40172b73130065ae7", "b06aa45eb35423f988e36c022967b4c0"
	project, instance := "/v2/"+owner.project, "/instances/"+instanceID
	refusal := func(code, message string) string {
		return `{"error_msg":"` + message + `","error_code":"` + code + `"}`
	}
	list := func(row string) string { return `{"task_count":"` + row[:1] + `","tasks":[` + row[1:] + `]}` }
	row := `1{"id":"` + id +
		`","name":"kafkaInstanceExtend","user_name":"fake_user","user_id":"3df5acbc24a54fadb62a043c9000a307",` +
		`"params":"{}","status":"EXECUTING","created_at":"2000-01-01T00:00:00.000Z","updated_at":"2000-01-01T00:00:00.300Z"}`
	tests := []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"show", "GET", project + instance + "/tasks/" + id, "", 200, list(row)},
		{
			"show, a slash too many", "GET", project + instance + "/tasks/" + id + "/", "", 404,
			refusal("DMS.00404001", "The requested URL does not exist."),
		},
		{"show an unknown one", "GET", project + instance + "/tasks/unknown", "", 200, list("0")},
		{
			"show an id that is none", "GET", project + instance + "/tasks/a.b", "", 400,
			refusal("DMS.00400070", "Invalid task ID format."),
		},
		{
			"show a long id", "GET", project + instance + "/tasks/" + strings.Repeat("x", 65), "", 400,
			refusal("DMS.00400070", "Invalid task ID format."),
		},
		{"list", "GET", project + instance + "/tasks", "", 200, list(row)},
		{"list by an empty id", "GET", project + instance + "/tasks/", "", 200, list(row)},
		{
			"list, a limit that is no number", "GET", project + instance + "/tasks?limit=x", "", 400,
			refusal("DMS.00400062", "Invalid {0} parameter in the request."),
		},
		{
			"list, an empty limit", "GET", project + instance + "/tasks?limit=", "", 400,
			refusal("DMS.00400062", "Invalid {0} parameter in the request."),
		},
		{
			"list, a large offset", "GET", project + instance + "/tasks?offset=2147483647", "", 200,
			`{"task_count":"1","tasks":[]}`,
		},
		{
			"list, a time that is none", "GET", project + instance + "/tasks?end_time=2026", "", 400,
			refusal("DMS.00400062", "Invalid {0} parameter in the request."),
		},
		{
			"delete one that runs", "DELETE", project + instance + "/tasks/" + id, "", 400,
			refusal("DMS.00400026", "This operation is not allowed due to the instance status."),
		},
		{"delete an unknown one", "DELETE", project + instance + "/tasks/unknown", "", 204, ""},
		{
			"delete an id that is none", "DELETE", project + instance + "/tasks/a.b", "", 400,
			refusal("DMS.00400070", "Invalid task ID format."),
		},
		{
			"resize without a body", "POST", project + "/kafka" + instance + "/extend", "", 400,
			refusal("DMS.00400004", "The request body is empty."),
		},
		{
			"resize with rubbish", "POST", "/v2/kafka/" + owner.project + instance + "/extend", "[]", 400,
			refusal("DMS.00400005", "The message body is not in JSON format or contains invalid characters."),
		},
		{
			"resize", "POST", project + "/kafka/instances/idle/extend", "{}", 200,
			`{"job_id":"943be81e20336c53de2c8ab40991839c"}`,
		},
		{
			"resize a busy one", "POST", project + "/kafka" + instance + "/extend", "{}", 400,
			refusal("DMS.00400017", "This DMS instance job task is still running."),
		},
		{
			"resize another engine", "POST", "/v2/rabbitmq/" + owner.project + instance + "/extend", "{}", 404,
			refusal("DMS.00404001", "The requested URL does not exist."),
		},
		{
			"another method", "PUT", project + instance + "/tasks", "", 405,
			refusal("DMS.00405001", "This request method is not allowed."),
		},
		{"nothing", "GET", "/", "", 404, refusal("DMS.00404001", "The requested URL does not exist.")},
		{
			"another instance", "GET", project + "/instances/kafka-2/tasks", "", 404,
			refusal("DMS.00404022", "This instance does not exist."),
		},
		{
			"another project", "GET", "/v2/other" + instance + "/tasks", "", 401,
			refusal("DMS.10240104", "The project ID and token do not match."),
		},
		{
			"a query that is none", "GET", project + instance + "/tasks?%zz", "", 400,
			strings.Replace(refusal("APIGW.0201", "API request error."), "}", `,"request_id":"`+request+`"}`, 1),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				cloud.AddTask(instanceID, fakekafka.Script{ID: id})
				cloud.AddInstance("idle")
				time.Sleep(time.Second)
				r, err := http.NewRequestWithContext(t.Context(), tt.method, "https://kafka.fake"+tt.path,
					strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				sign(r, owner, tt.body)
				resp, err := cloud.Transport().RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = resp.Body.Close() }()
				got, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != tt.status || string(got) != tt.want {
					t.Errorf("got %d %s, %v\nwant %d %s", resp.StatusCode, got, err, tt.status, tt.want)
				}
				if id, date := resp.Header.Get("X-Request-Id"),
					resp.Header.Get("Date"); id != request || date != "Sat, 01 Jan 2000 00:00:01 GMT" {
					t.Errorf("X-Request-Id = %s, Date = %s", id, date)
				}
			})
		})
	}
}

// TestUnknownTask is the other thing that the service may do.
func TestUnknownTask(t *testing.T) {
	cloud := newCloud(fakekafka.WithUnknownTask(404, "DMS.1", "There is no such task."))
	client := newClient(t, owner, cloud.Transport())
	_, err := show(client, instanceID, "t2")
	wantRefusal(t, err, 404, "DMS.1")
	_, err = client.DeleteBackgroundTask(&model.DeleteBackgroundTaskRequest{InstanceId: instanceID, TaskId: "t2"})
	wantRefusal(t, err, 404, "DMS.1")
	if got := status(t, client, "t1"); got != "CREATED" {
		t.Errorf("the task that there is: %q, want CREATED", got)
	}
}

// TestPast lists tasks that were started before their test, by a cloud whose clock is wrong.
func TestPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakecloud.WithClockSkew(time.Minute))
		for i, ago := range []time.Duration{0, time.Hour, 2 * time.Hour, time.Hour} {
			cloud.AddTask(instanceID, fakekafka.Script{ID: strconv.Itoa(i), CreatedAt: time.Now().Add(-ago)})
		}
		begin := "19991231230100" // an hour ago, on the cloud's clock
		resp, err := newClient(t, owner, cloud.Transport()).
			ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: instanceID, BeginTime: &begin})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range *resp.Tasks {
			got = append(got, *r.Id+" "+*r.Status+" "+*r.CreatedAt+" "+*r.UpdatedAt)
		}
		want := "0 CREATED 2000-01-01T00:01:00.000Z 2000-01-01T00:01:00.000Z\n" +
			"3 SUCCESS 1999-12-31T23:01:00.000Z 1999-12-31T23:01:03.000Z\n" + // the later of the two at that instant
			"1 SUCCESS 1999-12-31T23:01:00.000Z 1999-12-31T23:01:03.000Z"
		if g := strings.Join(got, "\n"); g != want {
			t.Errorf("got\n%s\nwant\n%s", g, want)
		}
	})
}

// TestScriptIsCopied changes the steps of a script that is in use.
func TestScriptIsCopied(t *testing.T) {
	cloud := fakekafka.New()
	steps := []fakekafka.Step{{Status: taskwait.StatusExecuting}}
	id := cloud.AddTask(instanceID, fakekafka.Script{Steps: steps})
	steps[0].Status = taskwait.StatusFailed
	if got := status(t, newClient(t, owner, cloud.Transport()), id); got != "EXECUTING" {
		t.Errorf("status = %s, want EXECUTING", got)
	}
}

// BenchmarkTransport is one look at a task: the SDK, its signature, the verification and the answer.
func BenchmarkTransport(b *testing.B) {
	client := newClient(b, owner, newCloud().Transport())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := show(client, instanceID, "t1"); err != nil {
			b.Fatal(err)
		}
	}
}
