package sdktest

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// played are the services whose jobs fakecloud/jobs plays, with a URL and a type of answer that are theirs.
var played = map[string]fakejobs.Shape{
	"ecs": fakejobs.V1, "bms": fakejobs.V1, "evs": fakejobs.V1, "ims": fakejobs.V1, "sdrs": fakejobs.V1,
	"eip": fakejobs.V1,
	"rds": fakejobs.Database, "gaussdb": fakejobs.Database, "opengauss": fakejobs.Database, "dds": fakejobs.Database,
	"cce": fakejobs.CCE, "elb": fakejobs.ELB, "rabbitmq": fakejobs.DMS, "rocketmq": fakejobs.DMS,
	"dcs-instances": fakejobs.Resource,
}

// TestFake follows a job of each service that the fake cloud plays, through the SDK's own client and through the table.
func TestFake(t *testing.T) {
	table, left := services(), len(played)
	for _, a := range asks {
		shape, ok := played[a.service]
		if !ok {
			continue
		}
		left--
		for _, outcome := range []taskwait.Status{taskwait.StatusSuccess, taskwait.StatusFailed} {
			t.Run(a.service+"/"+string(outcome), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { follow(t, a.job, table[a.service], shape, outcome) })
			})
		}
	}
	if left != 0 {
		t.Errorf("%d services that nobody asks for", left)
	}
}

func follow(t *testing.T, ask ask, s jobs.Service, shape fakejobs.Shape, outcome taskwait.Status) {
	cloud := fakejobs.New()
	id := cloud.AddJob(shape, fakejobs.Script{
		Instance: parent, Duration: time.Minute, Outcome: outcome, Code: "Code.1", Reason: "no room",
	})
	client := newClient(t, cloud.Gateway)
	source := s.Source(client, parent)
	for _, want := range []taskwait.Status{taskwait.StatusCreated, taskwait.StatusExecuting, outcome} {
		v, err := ask(client, parent, id)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if word := `"` + shape.Word(want) + `"`; !strings.Contains(string(text), word) {
			t.Errorf("the SDK's client got %s, want the status %s", text, word)
		}
		task, err := source.Task(t.Context(), id)
		same := shape.Word(task.Status) == shape.Word(want) // a shape may have one word for two statuses
		if err != nil || !same || task.Status.Terminal() != want.Terminal() {
			t.Errorf("got %v, error %v, want %s", task, err, want)
		}
		time.Sleep(30 * time.Second)
	}
}
