package kafka_test

import (
	"testing"
	"testing/synctest"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

func pointer[T any](v T) *T { return &v }

func create(client *kafka.KafkaClient, name string) (*model.CreatePostPaidKafkaInstanceResponse, error) {
	return client.CreatePostPaidKafkaInstance(&model.CreatePostPaidKafkaInstanceRequest{Body: creation(name)})
}

func creation(name string) *model.CreateInstanceByEngineReq {
	return &model.CreateInstanceByEngineReq{
		Name: name, Engine: model.GetCreateInstanceByEngineReqEngineEnum().KAFKA, EngineVersion: "2.7", BrokerNum: 3,
		StorageSpace: 300,
		Password:     pointer("hush"), AvailableZones: []string{"z1"}, ProductId: "c6.2u4g.cluster", VpcId: "v1",
		SubnetId: "n1", SecurityGroupId: "g1",
		StorageSpecCode: model.GetCreateInstanceByEngineReqStorageSpecCodeEnum().DMS_PHYSICAL_STORAGE_HIGH_V2,
	}
}

func showInstance(t testing.TB, client *kafka.KafkaClient, id string) *model.ShowInstanceResponse {
	t.Helper()
	resp, err := client.ShowInstance(&model.ShowInstanceRequest{InstanceId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestWholeLife creates an instance, resizes it, binds a public IP, configures it, resets an offset, restarts and
// deletes it, and looks at it from all sides before, during and after each step.
func TestWholeLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		client := newClient(t, owner, cloud.Transport())
		made, err := create(client, "whole")
		if err != nil {
			t.Fatal(err)
		}
		id := *made.InstanceId
		look := func(when, status string, ip bool, brokers int32) {
			t.Helper()
			i := showInstance(t, client, id)
			if *i.Status != status || *i.EnablePublicip != ip || *i.BrokerNum != brokers {
				t.Errorf("%s: %s, public IP %v, %d brokers, want %s, %v, %d", when, *i.Status, *i.EnablePublicip, *i.BrokerNum,
					status, ip, brokers)
			}
			state, _ := cloud.Instance(id)
			if state.Status != status || state.PublicIP != ip || int32(state.Brokers) != brokers {
				t.Errorf("%s: state %+v, want %s, %v, %d", when, state, status, ip, brokers)
			}
		}
		must := func(_ any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		look("created", "CREATING", false, 3)
		time.Sleep(5*time.Minute - time.Millisecond)
		look("nearly there", "CREATING", false, 3)
		time.Sleep(time.Millisecond)
		look("there", "RUNNING", false, 3)

		must(client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{InstanceId: id,
			Body: &model.ResizeEngineInstanceReq{
				OperType: "horizontal", NewBrokerNum: pointer(int32(5)), NewStorageSpace: pointer(int32(500)),
			}}))
		look("resizing", "EXTENDING", false, 3)
		time.Sleep(3 * time.Second)
		look("resized", "RUNNING", false, 5)

		must(client.ModifyKafkaPublicIpAccessSwitch(&model.ModifyKafkaPublicIpAccessSwitchRequest{InstanceId: id,
			Body: &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: pointer("ip-1")}}))
		look("binding", "RUNNING", false, 5)
		time.Sleep(3 * time.Second)
		look("bound", "RUNNING", true, 5)

		must(client.ModifyInstanceConfigs(&model.ModifyInstanceConfigsRequest{InstanceId: id,
			Body: &model.ModifyInstanceConfigsReq{
				KafkaConfigs: &[]model.ModifyInstanceConfig{{Name: pointer("log.retention.hours"), Value: pointer("66")}},
			}}))
		time.Sleep(3 * time.Second)
		must(client.ResetMessageOffsetWithEngine(&model.ResetMessageOffsetWithEngineRequest{InstanceId: id, Group: "g",
			Body: &model.ResetMessageOffsetReq{Partition: -1, Timestamp: pointer(int64(0))}}))
		time.Sleep(3 * time.Second)
		must(client.ModifyKafkaPublicIpAccessSwitch(&model.ModifyKafkaPublicIpAccessSwitchRequest{InstanceId: id,
			Body: &model.ModifyKafkaPublicIpAccessSwitchReq{}}))
		time.Sleep(3 * time.Second)
		look("unbound", "RUNNING", false, 5)

		action := func(a model.BatchRestartOrDeleteInstanceReqAction) {
			t.Helper()
			resp, err := client.BatchRestartOrDeleteInstances(
				&model.BatchRestartOrDeleteInstancesRequest{Body: &model.BatchRestartOrDeleteInstanceReq{Action: a,
					Instances: &[]string{id}}})
			if err != nil || *(*resp.Results)[0].Result != "success" {
				t.Fatal(resp, err)
			}
		}
		action(model.GetBatchRestartOrDeleteInstanceReqActionEnum().RESTART)
		look("restarting", "RESTARTING", false, 5)
		time.Sleep(90 * time.Second)
		look("restarted", "RUNNING", false, 5)
		must(client.DeleteInstance(&model.DeleteInstanceRequest{InstanceId: id}))
		look("deleting", "DELETING", false, 5)
		time.Sleep(time.Minute)
		_, err = client.ShowInstance(&model.ShowInstanceRequest{InstanceId: id})
		wantRefusal(t, err, 404, "DMS.00404022")
		if _, ok := cloud.Instance(id); ok {
			t.Error("the instance is still there")
		}
		var got, want = "", "POST instances:false POST extend:true POST public-boundwidth:true PUT configs:true " +
			"PUT reset-message-offset:true " +
			"POST public-boundwidth:true POST instances/action:false DELETE instances/{instance}:false "
		for _, o := range cloud.Operations() {
			got += string(o.Route) + ":" + map[bool]string{true: "true", false: "false"}[o.TaskID != ""] + " "
			if o.InstanceID != id {
				t.Errorf("%+v, want instance %s", o, id)
			}
		}
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		names := ""
		for _, task := range cloud.Tasks(id) {
			names += task.Name + " " + string(task.Status) + " "
		}
		if want := "kafkaInstanceExtend SUCCESS bindInstancePublicIp SUCCESS kafkaConfigModify SUCCESS " +
			"kafkaResetConsumerOffset SUCCESS unbindInstancePublicIp SUCCESS "; names != want {
			t.Errorf("tasks = %s, want %s", names, want)
		}
	})
}
