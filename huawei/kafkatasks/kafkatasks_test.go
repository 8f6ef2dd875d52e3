package kafkatasks_test

import (
	"encoding/json"
	"errors"
	"fmt"
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
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		id := cloud.AddTask("kafka-1", fakekafka.Script{Name: "bindInstancePublicIp", Params: `{"password":"` + password + `"}`})
		created := time.Now()
		cloud.Inject(fakekafka.RouteShowTask, fakekafka.SeveralRows())
		time.Sleep(time.Second)
		task, err := kafkatasks.New(newClient(t, cloud), "kafka-1").Task(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if task.ID != id || task.Name != "bindInstancePublicIp" || task.Status != taskwait.StatusExecuting ||
			!task.CreatedAt.Equal(created) || !task.UpdatedAt.Equal(created.Add(300*time.Millisecond)) {
			t.Errorf("task = %v, created %v, updated %v", task, task.CreatedAt, task.UpdatedAt)
		}
		if raw, ok := task.Raw.(*model.ListBackgroundTasksRespTasks); !ok || !strings.Contains(*raw.Params, password) {
			t.Errorf("Raw = %T, want the SDK's row, with all that is in it", task.Raw)
		}
		line, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{}).EncodeEntry(zapcore.Entry{}, []zap.Field{zap.Any("task", task)})
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

func TestTaskTimes(t *testing.T) {
	for _, tt := range []struct{ created, want string }{
		{"2020-06-15T08:55:53.606Z", "2020-06-15 08:55:53.606 +0000 UTC"},
		{"2020-06-15T10:55:53+02:00", "2020-06-15 08:55:53 +0000 UTC"},
		{"2020-06-15 08:55:53", time.Time{}.String()},
		{"1763350067752", time.Time{}.String()},
		{"", time.Time{}.String()},
	} {
		cloud := fakekafka.New()
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Respond(200, `{"tasks":[{"id":"t","status":"X","created_at":"`+tt.created+`"}]}`))
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
	for _, bad := range []string{"", ".", "..", "../other", "a/b", "{instance_id}", "a b", "a%2f", "a?b", "a#b", `a\b`, strings.Repeat("a", 257)} {
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
		if _, err := kafkatasks.New(client, "kafka-1").Task(t.Context(), "task"); err == nil || !strings.Contains(err.Error(), "the client is nil") {
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
		history := taskwait.NewHistory()
		for _, t := range tasks {
			history.Add(t.Name, t.Took())
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
		if err != nil || took > 3*time.Minute+20*time.Second || queries > 6 { // one of them for the progress that there is none of
			t.Errorf("%v after %v and %d queries, want success 3 minutes on, after a handful", err, took, queries)
		}
		if e := first.Estimate; e == nil || e.RemainingP50 < 170*time.Second || e.RemainingP50 > 190*time.Second || e.Median < 470*time.Second {
			t.Errorf("estimate = %+v, want 8 minutes, of which 3 remain", e)
		}
	})
}
