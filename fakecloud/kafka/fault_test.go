package kafka_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// looks shows the task n times, and tells the status codes, "-" for an error that is none.
func looks(client *kafka.KafkaClient, n int, pause time.Duration) string {
	var all []string
	for i := range n {
		if i > 0 {
			time.Sleep(pause)
		}
		resp, err := show(client, instanceID, "t1")
		var refused *sdkerr.ServiceResponseError
		switch {
		case err == nil:
			all = append(all, http.StatusText(resp.HttpStatusCode))
		case errors.As(err, &refused):
			all = append(all, http.StatusText(refused.StatusCode))
		default:
			all = append(all, "-")
		}
	}
	return strings.Join(all, ", ")
}

func TestInject(t *testing.T) {
	teapot := fakecloud.Respond(418, "{}")
	tests := []struct {
		name   string
		inject func(*fakekafka.Cloud)
		pause  time.Duration
		want   string // of four looks
	}{
		{"none", func(*fakekafka.Cloud) {}, 0, "OK, OK, OK, OK"},
		{"in order, one each", func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteShowTask, fakecloud.Unavailable(), fakecloud.Serve(), fakecloud.Drop())
		}, 0, "Service Unavailable, OK, -, OK"},
		{"queued one after the other", func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteShowTask, fakecloud.Unavailable())
			c.Inject(fakekafka.RouteShowTask, teapot)
		}, 0, "Service Unavailable, I'm a teapot, OK, OK"},
		{"those of the route first", func(c *fakekafka.Cloud) {
			c.Inject(fakecloud.AnyRoute, teapot)
			c.Inject(fakekafka.RouteShowTask, fakecloud.Unavailable())
		}, 0, "Service Unavailable, I'm a teapot, OK, OK"},
		{"for another route", func(c *fakekafka.Cloud) { c.Inject(fakekafka.RouteListTasks, teapot) }, 0, "OK, OK, OK, OK"},
		{"times", func(c *fakekafka.Cloud) { c.Inject(fakekafka.RouteShowTask, teapot.Times(2)) }, 0, "I'm a teapot, I'm a teapot, OK, OK"},
		{"no times", func(c *fakekafka.Cloud) { c.Inject(fakekafka.RouteShowTask, teapot.Times(-1)) }, 0, "OK, OK, OK, OK"},
		{"for a while, from the first look on", func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteShowTask, teapot.For(3*time.Second), fakecloud.Unavailable())
		}, time.Second, "I'm a teapot, I'm a teapot, I'm a teapot, Service Unavailable"},
		{"for no time", func(c *fakekafka.Cloud) { c.Inject(fakekafka.RouteShowTask, teapot.For(0)) }, 0, "I'm a teapot, OK, OK, OK"},
		{"cleared", func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteShowTask, teapot)
			c.Clear()
		}, 0, "OK, OK, OK, OK"},
		{"the zero fault", func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteShowTask, fakecloud.Fault{}, fakecloud.Fault{}.After(time.Second), teapot)
		}, 0, "OK, OK, I'm a teapot, OK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newCloud()
				tt.inject(cloud)
				time.Sleep(time.Hour) // what is queued does not age
				if got := looks(newClient(t, owner, cloud.Transport()), 4, tt.pause); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// TestFaultIsAValue uses one fault in two clouds, and twice in one.
func TestFaultIsAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fakecloud.Unavailable().For(time.Minute)
		first, second := newCloud(), newCloud()
		first.Inject(fakekafka.RouteShowTask, down)
		if got, want := looks(newClient(t, owner, first.Transport()), 2, time.Minute), "Service Unavailable, OK"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		time.Sleep(time.Hour)
		for _, cloud := range []*fakekafka.Cloud{first, second} {
			cloud.Inject(fakekafka.RouteShowTask, down)
			if got, want := looks(newClient(t, owner, cloud.Transport()), 2, time.Minute), "Service Unavailable, OK"; got != want {
				t.Errorf("again: got %s, want %s", got, want)
			}
		}
	})
}

// TestRows looks at what the faults make of a list of one.
func TestRows(t *testing.T) {
	cloud := newCloud()
	client := newClient(t, owner, cloud.Transport())
	cloud.Inject(fakekafka.RouteShowTask, fakekafka.WrongID(), fakekafka.SeveralRows(), fakekafka.Status("PAUSED"), fakekafka.NotListed())
	wrong, several, paused, none := rows(t, client), rows(t, client), rows(t, client), rows(t, client)
	if len(wrong) != 1 || *wrong[0].Id == "t1" {
		t.Errorf("wrong id: %v", wrong)
	}
	if len(several) != 3 || *several[0].Id == "t1" || *several[1].Id != "t1" || *several[2].Id == "t1" || *several[0].Status != "FAILED" {
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
		_, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{InstanceId: instanceID, Body: &model.ResizeEngineInstanceReq{OperType: "storage"}})
		if err == nil {
			t.Errorf("%d: no error, want one", i)
		}
		list, err := client.ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: instanceID})
		if err != nil || *list.TaskCount != want {
			t.Errorf("%d: %v, %v, want %s tasks", i, list, err, want)
		}
	}
}

// TestSlips are mistakes in a test, which are to be found at once.
func TestSlips(t *testing.T) {
	half := []string{"Retry-After"}
	tests := []struct {
		name, want string
		slip       func()
	}{
		{"no status", "fakecloud: Respond: status 0, want one from 200 to 599", func() { fakecloud.Respond(0, "") }},
		{"an interim status", "fakecloud: Error: status 100, want one from 200 to 599", func() { fakecloud.Error(100, "", "") }},
		{"not a status", "fakecloud: WithUnknownTask: status 600, want one from 200 to 599", func() { fakekafka.WithUnknownTask(600, "", "") }},
		{"half a header", `fakecloud: Respond: headers ["Retry-After"], want pairs of name and value`, func() { fakecloud.Respond(503, "", half...) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("panic = %v, want %v", got, tt.want)
				}
			}()
			tt.slip()
		})
	}
}
