package kafka_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

func configs(pairs ...string) *model.ModifyInstanceConfigsReq {
	var all []model.ModifyInstanceConfig
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, model.ModifyInstanceConfig{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return &model.ModifyInstanceConfigsReq{KafkaConfigs: &all}
}

// everyRoute asks for everything that the SDK's client can ask for here. A task is t1, a scheduled one s1.
var everyRoute = []struct {
	name     fakecloud.Route
	mutating bool
	ask      func(client *kafka.KafkaClient, id string) error
}{
	{fakekafka.RouteShowTask, false, func(c *kafka.KafkaClient, id string) error {
		_, err := show(c, id, "t1")
		return err
	}},
	{fakekafka.RouteListTasks, false, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: id})
		return err
	}},
	{fakekafka.RouteProgress, false, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ShowBackgroundTaskProgress(&model.ShowBackgroundTaskProgressRequest{InstanceId: id, TaskId: "t1"})
		return err
	}},
	{fakekafka.RouteDeleteTask, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.DeleteBackgroundTask(&model.DeleteBackgroundTaskRequest{InstanceId: id, TaskId: "t1"})
		return err
	}},
	{fakekafka.RouteListScheduled, false, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ListScheduledTasks(&model.ListScheduledTasksRequest{InstanceId: id})
		return err
	}},
	{fakekafka.RouteUpdateScheduled, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.UpdateScheduledTask(&model.UpdateScheduledTaskRequest{InstanceId: id, TaskId: "s1", Status: pointer("CANCELLED")})
		return err
	}},
	{fakekafka.RouteDeleteScheduled, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.DeleteScheduledTask(&model.DeleteScheduledTaskRequest{InstanceId: id, TaskId: "s2"})
		return err
	}},
	{fakekafka.RouteListInstances, false, func(c *kafka.KafkaClient, _ string) error {
		_, err := c.ListInstances(&model.ListInstancesRequest{Engine: model.GetListInstancesRequestEngineEnum().KAFKA})
		return err
	}},
	{fakekafka.RouteShowInstance, false, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ShowInstance(&model.ShowInstanceRequest{InstanceId: id})
		return err
	}},
	{fakekafka.RouteShowConfigs, false, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ShowInstanceConfigs(&model.ShowInstanceConfigsRequest{InstanceId: id})
		return err
	}},
	{fakekafka.RouteModifyConfigs, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ModifyInstanceConfigs(&model.ModifyInstanceConfigsRequest{InstanceId: id, Body: configs("a", "b")})
		return err
	}},
	{fakekafka.RouteResize, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{InstanceId: id, Body: &model.ResizeEngineInstanceReq{OperType: "horizontal", NewBrokerNum: pointer(int32(5))}})
		return err
	}},
	{fakekafka.RoutePublicIP, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ModifyKafkaPublicIpAccessSwitch(&model.ModifyKafkaPublicIpAccessSwitchRequest{InstanceId: id, Body: &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: pointer("ip")}})
		return err
	}},
	{fakekafka.RouteResetOffset, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ResetMessageOffsetWithEngine(&model.ResetMessageOffsetWithEngineRequest{InstanceId: id, Group: "g", Body: offset()})
		return err
	}},
	{fakekafka.RouteResetOffset, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.ResetMessageOffset(&model.ResetMessageOffsetRequest{InstanceId: id, Group: "g", Body: offset()})
		return err
	}},
	{fakekafka.RouteAction, true, func(c *kafka.KafkaClient, id string) error {
		_, err := act(c, "restart", id)
		return err
	}},
	{fakekafka.RouteDeleteInstance, true, func(c *kafka.KafkaClient, id string) error {
		_, err := c.DeleteInstance(&model.DeleteInstanceRequest{InstanceId: id})
		return err
	}},
	{fakekafka.RouteCreateInstance, true, func(c *kafka.KafkaClient, _ string) error {
		_, err := create(c, "another")
		return err
	}},
	{fakekafka.RouteCreateInstance, true, func(c *kafka.KafkaClient, _ string) error {
		_, err := c.CreateInstanceByEngine(&model.CreateInstanceByEngineRequest{Engine: model.GetCreateInstanceByEngineRequestEngineEnum().KAFKA, Body: creation("another")})
		return err
	}},
}

func offset() *model.ResetMessageOffsetReq {
	return &model.ResetMessageOffsetReq{Topic: "t", Partition: -1, MessageOffset: pointer(int64(0))}
}

// TestEveryRouteFaults lets each fault befall each route: the client is told of it, and what changes something is
// carried out once, or not at all.
func TestEveryRouteFaults(t *testing.T) {
	faults := []struct {
		name    string
		fault   fakecloud.Fault
		ok      bool // for the client
		carries bool
	}{
		{"none", fakecloud.Serve(), true, true},
		{"slow", fakecloud.Slow(time.Minute), true, true},
		{"skewed", fakecloud.ClockSkew(time.Minute), true, true},
		{"lost before", fakecloud.Drop(), false, false},
		{"lost after", fakecloud.DropAnswer(), false, true},
		{"cut", fakecloud.Truncate(), false, true},
		{"silent", fakecloud.Stall(), false, true},
		{"hanging", fakecloud.Hang(), false, false},
		{"throttled", fakecloud.Throttle(0), false, false},
		{"throttled as 404", fakekafka.ThrottleAs404(), false, false},
		{"page", fakecloud.HTML(502), false, false},
		{"down", fakecloud.Unavailable(), false, false},
	}
	for _, f := range faults {
		for n, r := range everyRoute {
			t.Run(f.name+"/"+string(r.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud := fakekafka.New()
					cloud.AddTask(instanceID, fakekafka.Script{ID: "t1"})
					cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s1", At: time.Now().Add(24 * time.Hour)})
					cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s2", Status: "CANCELLED"})
					time.Sleep(time.Minute) // t1 has ended
					cloud.Inject(r.name, f.fault)
					start := time.Now()
					err := r.ask(newClient(t, owner, cloud.Transport()), instanceID)
					if (err == nil) != f.ok {
						t.Errorf("route %d: error = %v, want one: %v", n, err, !f.ok)
					}
					var got []fakecloud.Route
					for _, o := range cloud.Operations() {
						got = append(got, o.Route)
						if o.Time.Before(start) || o.Time.After(time.Now()) {
							t.Errorf("%+v is not of this time", o)
						}
					}
					var want []fakecloud.Route
					if r.mutating && f.carries {
						want = append(want, r.name)
					}
					if !slices.Equal(got, want) {
						t.Errorf("carried out: %q, want %q", got, want)
					}
				})
			})
		}
	}
}

// TestEveryRoute asks by the right name, and from another project.
func TestEveryRoute(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	client := newClient(t, owner, cloud.Transport())
	for n, r := range everyRoute {
		_ = r.ask(client, instanceID) // some are refused
		if got := cloud.Requests()[n].Route; got != r.name {
			t.Errorf("%s was asked by another name: %s", r.name, got)
		}
	}
	elsewhere := owner
	elsewhere.project = "other"
	stranger := newClient(t, elsewhere, cloud.Transport())
	for _, r := range everyRoute {
		wantRefusal(t, r.ask(stranger, instanceID), 401, "DMS.10240104")
	}
}
