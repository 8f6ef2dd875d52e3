package kafkatasks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/schedule"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		id := cloud.AddTask("kafka-1", fakekafka.Script{
			Name: "bindInstancePublicIp", Params: `{"password":"` + password + `"}`,
		})
		created := time.Now()
		cloud.Inject(fakekafka.RouteShowTask, fakekafka.SeveralRows())
		time.Sleep(time.Second)
		task, err := kafkatasks.New(newClient(t, cloud), "kafka-1").Task(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if task.ID != id || task.Kind != "bindInstancePublicIp" || task.Status != taskwait.StatusExecuting ||
			!task.CreatedAt.Equal(created) || !task.UpdatedAt.Equal(created.Add(300*time.Millisecond)) {
			t.Errorf("task = %v, created %v, updated %v", task, task.CreatedAt, task.UpdatedAt)
		}
		if raw, ok := task.Raw.(*model.ListBackgroundTasksRespTasks); !ok || !strings.Contains(*raw.Params, password) {
			t.Errorf("Raw = %T, want the SDK's row, with all that is in it", task.Raw)
		}
		line, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{}).
			EncodeEntry(zapcore.Entry{}, []zap.Field{zap.Any("task", task)})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(task)
		if err != nil {
			t.Fatal(err)
		}
		shown := line.String() + string(text)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			shown += fmt.Sprintf(verb, task) + fmt.Sprintf(verb, &task) + fmt.Sprintf(verb, struct{ t taskwait.Task }{task})
		}
		if strings.Contains(shown, password) || strings.Contains(shown, fmt.Sprintf("%x", password)) {
			t.Errorf("the password is in %s", shown)
		}
	})
}

// TestTaskTimes: a time that cannot be read, or cannot be true, is unknown.
func TestTaskTimes(t *testing.T) {
	none := time.Time{}.String()
	for _, tt := range []struct{ created, want string }{
		{"2020-06-15T08:55:53.606Z", "2020-06-15 08:55:53.606 +0000 UTC"},
		{"2020-06-15T10:55:53+02:00", "2020-06-15 08:55:53 +0000 UTC"},
		{"2020-06-15 08:55:53", "2020-06-15 08:55:53 +0000 UTC"},
		{"1763350067752", "2025-11-17 03:27:47.752 +0000 UTC"},
		{"1763350067", "2025-11-17 03:27:47 +0000 UTC"},
		{"", none},
		{"0", none},
		{"-1", none},
		{"1e300", none},
		{"0001-01-01T00:00:00Z", none},
		{"1970-01-01T00:00:00Z", none},
		{"1980-01-01T00:00:00Z", none},
		{"1998-12-31T23:59:59Z", none},
		{"2199-01-01T00:00:00Z", none},
		{"9999-12-31T23:59:59Z", none},
		{strconv.FormatInt(time.Now().Add(72*time.Hour).UnixMilli(), 10), none},
		{"9223372036854775807", none},
	} {
		cloud := fakekafka.New()
		cloud.Inject(fakekafka.RouteShowTask,
			fakecloud.Respond(200, `{"tasks":[{"id":"t","status":"X","created_at":"`+tt.created+`"}]}`))
		task, err := kafkatasks.New(newClient(t, cloud), "kafka-1").Task(t.Context(), "t")
		if got := task.CreatedAt.UTC().String(); err != nil || got != tt.want {
			t.Errorf("created_at %q: %v, %v; want %v", tt.created, got, err, tt.want)
		}
	}
}

// TestIDs: what is not an id is refused before anything is sent.
func TestIDs(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddTask("kafka-1", fakekafka.Script{})
	client := newClient(t, cloud)
	for _, bad := range []string{
		"", ".", "..", "../other", "a/b", "{instance_id}", "a b", "a%2f", "a?b", "a#b", `a\b`, strings.Repeat("a", 257),
	} {
		if _, err := taskwait.New(kafkatasks.New(client, bad)); !errors.Is(err, taskwait.ErrInvalidID) {
			t.Errorf("New with the instance id %q: %v, want ErrInvalidID", bad, err)
		}
		if _, err := kafkatasks.New(client, bad).Task(t.Context(), "task"); !errors.Is(err, taskwait.ErrInvalidID) {
			t.Errorf("instance id %q: %v, want ErrInvalidID", bad, err)
		}
		if _, err := kafkatasks.New(client, "kafka-1").Task(t.Context(), bad); !errors.Is(err, taskwait.ErrInvalidID) {
			t.Errorf("task id %q: %v, want ErrInvalidID", bad, err)
		}
		hidden, err := taskwait.New(taskwait.SourceFunc(kafkatasks.New(client, bad).Task)) // New cannot see that it validates
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hidden.WaitForTask(t.Context(), "task"); !errors.Is(err, taskwait.ErrInvalidID) {
			t.Errorf("a wait with the instance id %q: %v, want ErrInvalidID", bad, err)
		}
	}
	if n := len(cloud.Requests()); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestNilClient(t *testing.T) {
	for _, client := range []*kafka.KafkaClient{nil, {}} {
		if _, err := taskwait.New(kafkatasks.New(client, "kafka-1")); !errors.Is(err, taskwait.ErrInvalidOption) {
			t.Errorf("New = %v, want ErrInvalidOption", err)
		}
		if _, err := kafkatasks.New(client, "kafka-1").Task(t.Context(), "task"); err == nil ||
			!strings.Contains(err.Error(), "the client is nil") {
			t.Errorf("error = %v", err)
		}
	}
	var none *kafkatasks.Source
	if _, err := taskwait.New(none); err == nil {
		t.Error("a nil Source was taken")
	}
}

// TestHistory seeds a history from the service's own list, and waits by it, with clocks that are an hour apart.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakecloud.WithClockSkew(10 * time.Minute))
		for range 20 {
			cloud.AddTask("kafka-1", fakekafka.Script{Name: "resize", Duration: 8 * time.Minute})
		}
		cloud.AddTask("kafka-1", fakekafka.Script{Name: "resize", Duration: 24 * time.Hour}) // runs, and says nothing
		time.Sleep(time.Hour)
		src := kafkatasks.New(newClient(t, cloud), "kafka-1")
		tasks, err := src.Recent(t.Context())
		if err != nil || len(tasks) != 20 || len(cloud.Requests()) != 1 {
			t.Fatalf("%d tasks, %v, %d requests; want 20 in one", len(tasks), err, len(cloud.Requests()))
		}
		history := &schedule.History{}
		for _, t := range tasks {
			history.Add(t.Kind, t.Took())
		}
		id := cloud.AddTask("kafka-1", fakekafka.Script{Name: "resize", Duration: 8 * time.Minute})
		time.Sleep(5 * time.Minute) // the wait begins on a task that is old already
		waiter, err := taskwait.New(src, taskwait.WithHistory(history))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var first taskwait.Progress
		_, err = waiter.WaitForTask(t.Context(), id, taskwait.WithProgress(func(p taskwait.Progress) {
			if first.Polls == 0 {
				first = p
			}
		}))
		took, queries := time.Since(start), len(cloud.Requests())-1
		// one of them for the progress that there is none of
		if err != nil || took > 3*time.Minute+20*time.Second || queries > 6 {
			t.Errorf("%v after %v and %d queries, want success 3 minutes on, after a handful", err, took, queries)
		}
		if e := first.Estimate; e == nil || e.RemainingP50 < 170*time.Second || e.RemainingP50 > 190*time.Second ||
			e.Median < 470*time.Second {
			t.Errorf("estimate = %+v, want 8 minutes, of which 3 remain", e)
		}
	})
}

// TestLenientRows: whatever JSON types the service uses, what can be read of a row is read.
func TestLenientRows(t *testing.T) {
	const task = `"id":"t","name":"resize","status":"SUCCESS"`
	for _, tt := range []struct {
		name, body string
		params     string
	}{
		{"a number as the count", `{"task_count":1,"tasks":[{` + task + `}]}`, ""},
		{"an object as the count", `{"task_count":{},"tasks":[{` + task + `}]}`, ""},
		{"params are an object", `{"tasks":[{` + task + `,"params":{"a": [1]}}]}`, `{"a": [1]}`},
		{"params are text", `{"tasks":[{` + task + `,"params":"{\"a\":1}"}]}`, `{"a":1}`},
		{
			"numbers and truths",
			`{"tasks":[{` + task + `,"user_id":17,"user_name":true,"created_at":1763350067752,"updated_at":1.5}]}`, "",
		},
		{"null", `{"tasks":[{` + task + `,"user_id":null,"params":null,"created_at":null,"updated_at":null}]}`, ""},
		{"more than is documented", `{"tasks":[{` + task + `,"more":{"id":"x","status":"FAILED"}}],"more":[1]}`, ""},
		{"rows that are none", `{"tasks":[null,7,"t",[],{},{"id":null},{` + task + `}]}`, ""},
		{"a byte order mark", "\ufeff" + `{"tasks":[{` + task + `}]}`, ""},
		{"white space", "\n {\"tasks\":[{" + task + "}]} \n", ""},
		{"a number as the name", `{"tasks":[{"id":"t","name":7,"status":" SUCCESS "}]}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, list := range []bool{false, true} {
				cloud := fakekafka.New()
				cloud.AddInstance("kafka-1")
				src := kafkatasks.New(newClient(t, cloud), "kafka-1")
				cloud.Inject(fakekafka.RouteShowTask, fakecloud.Respond(200, tt.body))
				cloud.Inject(fakekafka.RouteListTasks, fakecloud.Respond(200, tt.body).Times(2))
				got, err := src.Task(t.Context(), "t")
				if list {
					got, err = listed(t, src, "t")
				}
				if err != nil || got.Status != taskwait.StatusSuccess {
					t.Fatalf("list %v: %v, %v; want SUCCESS", list, got, err)
				}
				raw := got.Raw.(*model.ListBackgroundTasksRespTasks)
				if params := raw.Params; (params == nil) != (tt.params == "") || params != nil && *params != tt.params {
					t.Errorf("list %v: params %v, want %q", list, params, tt.params)
				}
			}
		})
	}
	cloud := fakekafka.New()
	cloud.Inject(fakekafka.RouteShowTask, fakecloud.Respond(200, `{"tasks":[{"id":17,"status":"SUCCESS"}]}`))
	if got, err := kafkatasks.New(newClient(t, cloud), "kafka-1").Task(t.Context(), "17"); err != nil || got.ID != "17" {
		t.Errorf("a number as the id: %v, %v", got, err)
	}
}

// listed finds a task in the list.
func listed(t *testing.T, src *kafkatasks.Source, id string) (taskwait.Task, error) {
	t.Helper()
	tasks, err := src.ListSince(t.Context(), time.Time{})
	for _, task := range tasks {
		if task.ID == id {
			return task, err
		}
	}
	return taskwait.Task{}, err
}

// TestSourcesPrintNothing: a client's headers may be secret.
func TestSourcesPrintNothing(t *testing.T) {
	client := newClient(t, fakekafka.New())
	client.HcClient.WithExtraHeaders(map[string]string{"X-Auth-Token": password})
	source := kafkatasks.New(client, "kafka-1")
	if _, err := source.Task(t.Context(), "task"); err == nil {
		t.Fatal("the task is there")
	}
	for _, v := range []any{
		source, *source, kafkatasks.NewScheduled(client, "kafka-1"), kafkatasks.UntilRunning(client),
		kafkatasks.UntilDeleted(client), (*kafkatasks.Source)(nil),
		struct{ s *kafkatasks.Source }{source}, struct{ s kafkatasks.Source }{*source},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, password) || strings.Contains(got, "kafka.fake") {
				t.Errorf("%s of a %T is %s", verb, v, got)
			}
		}
	}
}
