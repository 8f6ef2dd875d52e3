package kafka_test

import (
	"testing"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestRows looks at what the faults make of a list of one.
func TestRows(t *testing.T) {
	cloud := newCloud()
	client := newClient(t, owner, cloud.Transport())
	cloud.Inject(fakekafka.RouteShowTask, fakekafka.WrongID(), fakekafka.SeveralRows(), fakekafka.Status("PAUSED"),
		fakekafka.NotListed())
	wrong, several, paused, none := rows(t, client), rows(t, client), rows(t, client), rows(t, client)
	if len(wrong) != 1 || *wrong[0].Id == "t1" {
		t.Errorf("wrong id: %v", wrong)
	}
	if len(several) != 3 || *several[0].Id == "t1" || *several[1].Id != "t1" || *several[2].Id == "t1" ||
		*several[0].Status != "FAILED" {
		t.Errorf("several rows: %v", several)
	}
	if len(paused) != 1 || *paused[0].Status != "PAUSED" || *paused[0].Id != "t1" {
		t.Errorf("unknown status: %v", paused)
	}
	if len(none) != 0 {
		t.Errorf("not listed: %v", none)
	}
}

func rows(t *testing.T, client *kafka.KafkaClient) []model.ListBackgroundTasksRespTasks {
	t.Helper()
	resp, err := show(client, instanceID, "t1")
	if err != nil {
		t.Fatal(err)
	}
	return *resp.Tasks
}

// TestDropAnswer starts a task that nobody hears of.
func TestDropAnswer(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	cloud.Inject(fakekafka.RouteResize, fakecloud.Drop(), fakecloud.DropAnswer())
	client := newClient(t, owner, cloud.Transport())
	for i, want := range []string{"0", "1"} {
		_, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{InstanceId: instanceID,
			Body: &model.ResizeEngineInstanceReq{OperType: "storage"}})
		if err == nil {
			t.Errorf("%d: no error, want one", i)
		}
		list, err := client.ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: instanceID})
		if err != nil || *list.TaskCount != want {
			t.Errorf("%d: %v, %v, want %s tasks", i, list, err, want)
		}
	}
}

// TestUnknownStatus is a slip in a test, which is to be found at once.
func TestUnknownStatus(t *testing.T) {
	defer func() {
		if got, want := recover(), "fakecloud: WithUnknownTask: status 600, want one from 200 to 599"; got != want {
			t.Errorf("panic = %v, want %v", got, want)
		}
	}()
	fakekafka.WithUnknownTask(600, "", "")
}
