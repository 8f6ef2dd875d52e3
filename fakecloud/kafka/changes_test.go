package kafka_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// instanceStatus is what ShowInstance says, or the code of its error.
func instanceStatus(t testing.TB, client *kafka.KafkaClient, id string) string {
	t.Helper()
	resp, err := client.ShowInstance(&model.ShowInstanceRequest{InstanceId: id})
	var refused *sdkerr.ServiceResponseError
	switch {
	case err == nil:
		return *resp.Status
	case errors.As(err, &refused):
		return refused.ErrorCode
	}
	t.Fatal(err)
	return ""
}

// act restarts or deletes instances.
func act(client *kafka.KafkaClient, action string, ids ...string) (*model.BatchRestartOrDeleteInstancesResponse,
	error) {
	enum := model.GetBatchRestartOrDeleteInstanceReqActionEnum()
	a := map[string]model.BatchRestartOrDeleteInstanceReqAction{"restart": enum.RESTART, "delete": enum.DELETE}[action]
	return client.BatchRestartOrDeleteInstances(&model.BatchRestartOrDeleteInstancesRequest{
		Body: &model.BatchRestartOrDeleteInstanceReq{Action: a, Instances: &ids},
	})
}

func TestChange(t *testing.T) {
	type steps = []fakekafka.StatusStep
	const s = time.Second
	tests := []struct {
		name, action string
		change       *fakekafka.Change // nil: the default
		want         string            // the statuses, and since when
	}{
		{"creation", "create", nil, "0s CREATING, 5m0s RUNNING"},
		{
			"creation, slow", "create", &fakekafka.Change{Duration: 10 * time.Minute, FlipsAfter: time.Minute},
			"0s CREATING, 10m0s RUNNING",
		},
		{"creation, failed", "create", &fakekafka.Change{Outcome: "CREATEFAILED"}, "0s CREATING, 5m0s CREATEFAILED"},
		{
			"creation, flapping", "create", &fakekafka.Change{Statuses: steps{{0, "CREATING"}, {30 * s, "RUNNING"},
				{60 * s, "CREATING"}, {90 * s, "RUNNING"}}}, "0s CREATING, 30s RUNNING, 1m0s CREATING, 1m30s RUNNING",
		},
		{"restart", "restart", nil, "0s RESTARTING, 1m30s RUNNING"},
		{"restart, late", "restart", &fakekafka.Change{FlipsAfter: 10 * s}, "0s RUNNING, 10s RESTARTING, 1m30s RUNNING"},
		{"restart, bad", "restart", &fakekafka.Change{Duration: 20 * s, Outcome: "ERROR"}, "0s RESTARTING, 20s ERROR"},
		{
			"restart, flapping late", "restart", &fakekafka.Change{Statuses: steps{{30 * s, "RESTARTING"},
				{60 * s, "RUNNING"}}}, "0s RUNNING, 30s RESTARTING, 1m0s RUNNING",
		},
		{"deletion", "delete", nil, "0s DELETING, 1m0s DMS.00404022"},
		{
			"deletion, late", "delete", &fakekafka.Change{Duration: 20 * s, FlipsAfter: 10 * s},
			"0s RUNNING, 10s DELETING, 20s DMS.00404022",
		},
		{"deletion, failed", "delete", &fakekafka.Change{Outcome: "ERROR"}, "0s DELETING, 1m0s ERROR"},
		{
			"deletion, flapping", "delete", &fakekafka.Change{Statuses: steps{{0, "DELETING"}, {10 * s, ""},
				{20 * s, "DELETING"}, {30 * s, ""}}}, "0s DELETING, 10s DMS.00404022, 20s DELETING, 30s DMS.00404022",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				client := newClient(t, owner, cloud.Transport())
				if tt.change != nil {
					map[string]func(fakekafka.Change){"create": cloud.OnCreate, "restart": cloud.OnRestart,
						"delete": cloud.OnDelete}[tt.action](*tt.change)
				}
				id := instanceID
				if tt.action == "create" {
					made, err := create(client, "test")
					if err != nil {
						t.Fatal(err)
					}
					id = *made.InstanceId
				} else {
					cloud.AddInstance(id)
					if _, err := act(client, tt.action, id); err != nil {
						t.Fatal(err)
					}
				}
				if got := watch(t, cloud, client, id, 10*time.Second); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// watch shows an instance a hundred times, a step apart, from both sides.
func watch(t *testing.T, cloud *fakekafka.Cloud, client *kafka.KafkaClient, id string, step time.Duration) string {
	t.Helper()
	start, last := time.Now(), "-"
	var changes []string
	for range 100 {
		status := instanceStatus(t, client, id)
		if state, ok := cloud.Instance(id); ok != (status != "DMS.00404022") || ok && state.Status != status {
			t.Errorf("%+v, %v, but %s is shown", state, ok, status)
		}
		if status != last {
			changes, last = append(changes, fmt.Sprint(time.Since(start), " ", status)), status
		}
		time.Sleep(step)
	}
	return strings.Join(changes, ", ")
}

// TestGone asks every route for an instance that was deleted, and makes another by the same id.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		cloud.AddTask(instanceID, fakekafka.Script{ID: "t1"})
		cloud.SetStatus("forced", "FROZEN")
		client := newClient(t, owner, cloud.Transport())
		time.Sleep(time.Minute)
		if _, err := act(client, "delete", instanceID); err != nil {
			t.Fatal(err)
		}
		cloud.SetStatus(instanceID, "RUNNING") // does not call it back
		time.Sleep(time.Minute)
		for _, r := range everyRoute {
			if ofProject[r.name] {
				continue
			}
			wantRefusal(t, r.ask(client, instanceID), 404, "DMS.00404022")
		}
		list, err := client.ListInstances(&model.ListInstancesRequest{Engine: model.GetListInstancesRequestEngineEnum().
			KAFKA})
		if err != nil || *list.InstanceNum != 1 || *(*list.Instances)[0].Status != "FROZEN" {
			t.Errorf("list = %v, %v, want the other instance alone", list, err)
		}
		if tasks := cloud.Tasks(instanceID); len(tasks) != 1 || tasks[0].ID != "t1" {
			t.Errorf("tasks of the one that is gone = %v, want t1", tasks)
		}
		cloud.AddInstance(instanceID)
		if got := instanceStatus(t, client, instanceID); got != "RUNNING" || len(cloud.Tasks(instanceID)) != 0 {
			t.Errorf("a new one is %s with %v, want RUNNING without tasks", got, cloud.Tasks(instanceID))
		}
	})
}

// TestBadChanges: a slip in a test is told where it is made.
func TestBadChanges(t *testing.T) {
	cloud := fakekafka.New()
	for name, slip := range map[string]func(){
		"negative":            func() { cloud.OnRestart(fakekafka.Change{Duration: -1}) },
		"flips before":        func() { cloud.OnRestart(fakekafka.Change{FlipsAfter: -1}) },
		"flips after the end": func() { cloud.OnDelete(fakekafka.Change{FlipsAfter: time.Hour}) },
		"statuses out of order": func() {
			cloud.OnCreate(
				fakekafka.Change{Statuses: []fakekafka.StatusStep{{2, "A"}, {1, "B"}}})
		},
		"script of a resize": func() { cloud.OnResize(fakekafka.Script{Duration: -1}) },
		"negative stage":     func() { cloud.OnConfig(fakekafka.Script{Stages: []fakekafka.Stage{{"a", 5}, {"b", -1}}}) },
		"scheduled twice": func() {
			cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s"})
			cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s"})
		},
		"scheduled, no id":    func() { cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "a/b"}) },
		"scheduled, negative": func() { cloud.AddScheduled(instanceID, fakekafka.Scheduled{Duration: -1}) },
		"scheduled, and has started": func() {
			cloud.AddScheduled(instanceID,
				fakekafka.Scheduled{Status: taskwait.StatusSuccess})
		},
	} {
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.HasPrefix(v, "fakecloud: ") {
					t.Errorf("%s: panic = %s, want one of fakecloud's", name, v)
				}
			}()
			slip()
		}()
	}
}
