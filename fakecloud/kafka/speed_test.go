package kafka_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestSpeed: what the service does is sixty times as fast; the times that it tells are those of the clock.
func TestSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakekafka.WithSpeed(60))
		client := newClient(t, owner, cloud.Transport())
		stages := []fakekafka.Stage{{Name: "a", Duration: time.Minute}, {Name: "b", Duration: time.Minute}}
		cloud.OnRestart(fakekafka.Change{Duration: 2 * time.Minute})
		ids := map[string]time.Duration{
			cloud.AddTask(instanceID,
				fakekafka.Script{}): 50 * time.Millisecond,
			// the default
			cloud.AddTask(instanceID,
				fakekafka.Script{Duration: 10 * time.Minute}): 10 * time.Second,
			cloud.AddTask(instanceID,
				fakekafka.Script{Stages: stages}): 2 * time.Second,
			cloud.AddTask(instanceID, fakekafka.Script{Steps: []fakekafka.Step{{0, "CREATED"},
				{time.Hour, "SUCCESS"}}}): time.Minute,
		}
		for id, took := range ids {
			for _, s := range cloud.Tasks(instanceID) {
				if s.ID == id && !s.CreatedAt.Equal(time.Now()) {
					t.Errorf("created at %v, want now", s.CreatedAt)
				}
			}
			time.AfterFunc(took-1, func() {
				if got := status(t, client, id); got == "SUCCESS" {
					t.Errorf("before %v: %s", took, got)
				}
			})
			time.AfterFunc(took, func() {
				if got := status(t, client, id); got != "SUCCESS" {
					t.Errorf("after %v: %s, want SUCCESS", took, got)
				}
			})
		}
		time.Sleep(time.Hour)
		made, err := create(client, "fast")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := watch(t, cloud, client, *made.InstanceId, time.Second), "0s CREATING, 5s RUNNING"; got != want {
			t.Errorf("creation: %s, want %s", got, want)
		}
		if _, err := act(client, "restart", instanceID); err != nil {
			t.Fatal(err)
		}
		if got, want := watch(t, cloud, client, instanceID, time.Second), "0s RESTARTING, 2s RUNNING"; got != want {
			t.Errorf("restart: %s, want %s", got, want)
		}
		if _, err := act(client, "restart", instanceID); err != nil { // which is not four times as fast as the script says
			t.Fatal(err)
		}
		if got, want := watch(t, cloud, client, instanceID, time.Second), "0s RESTARTING, 2s RUNNING"; got != want {
			t.Errorf("the second restart: %s, want %s", got, want)
		}
	})
}

// TestOnOperation sets the script of an operation by its route.
func TestOnOperation(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	cloud.OnOperation(fakekafka.RouteReassign, fakekafka.Script{ID: "r1", Name: "moving", Duration: time.Hour})
	if _, body := call(t, cloud, "POST", "/kafka/instances/"+instanceID+"/reassign",
		`{"reassignments":[]}`); body != `{"job_id":"r1"}` {
		t.Errorf("got %s, want r1", body)
	}
	if tasks := cloud.Tasks(instanceID); len(tasks) != 1 || tasks[0].Name != "moving" {
		t.Errorf("tasks = %v, want moving", tasks)
	}
	for route, name := range fakekafka.TaskNames() {
		if name == "" || !strings.Contains(fmt.Sprint(cloud.Routes()), string(route)) {
			t.Errorf("%s starts %q, want a route of the cloud and a name", route, name)
		}
	}
	for name, slip := range map[string]func(){
		"a route that starts no task": func() { cloud.OnOperation(fakekafka.RouteShowTask, fakekafka.Script{}) },
		"no speed":                    func() { fakekafka.WithSpeed(0) },
		"a speed without end":         func() { fakekafka.WithSpeed(math.Inf(1)) },
		"a speed that is no number":   func() { fakekafka.WithSpeed(math.NaN()) },
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

// TestWithoutConfigJobID leaves the id out.
func TestWithoutConfigJobID(t *testing.T) {
	for _, tt := range []struct {
		opts []fakecloud.Option
		want bool
	}{{nil, true}, {[]fakecloud.Option{fakekafka.WithoutConfigJobID()}, false}} {
		cloud := fakekafka.New(tt.opts...)
		cloud.AddInstance(instanceID)
		_, body := call(t, cloud, "PUT", "/instances/"+instanceID+"/configs", `{"kafka_configs":[{"name":"a","value":"b"}]}`)
		if got := strings.Contains(body, `"job_id"`); got != tt.want {
			t.Errorf("got %s, want an id: %v", body, tt.want)
		}
	}
}
