package kafkatasks_test

import (
	"context"
	"fmt"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func Example() {
	cloud := fakekafka.New() // instead of the real one
	jobID := cloud.AddTask("kafka-1", fakekafka.Script{Name: "bindInstancePublicIp", Duration: 10 * time.Millisecond})

	client, err := connect(cloud)
	if err != nil {
		fmt.Println(err)
		return
	}
	waiter, err := taskwait.New(kafkatasks.New(client, "kafka-1"),
		taskwait.WithInterval(time.Millisecond, 5*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), jobID)
	fmt.Println(task.Kind, task.Status, err)
	// Output: bindInstancePublicIp SUCCESS <nil>
}

// Binding a public IP answers with no id. The task is found in the instance's list, as one that was not there before.
// Ten seconds after the start the list is read once more, in case that another task has appeared by then.
func ExampleSource_OperationNamed() {
	cloud := fakekafka.New() // an embedded cloud, for examples and tests
	cloud.AddInstance("kafka-1")
	client, err := connect(cloud)
	if err != nil {
		fmt.Println(err)
		return
	}
	source := kafkatasks.New(client, "kafka-1")
	waiter, err := taskwait.New(source, taskwait.WithTimeout(30*time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	ip := "9fd8ac1e-5a15-4a26-8c1c-ea7ffed84e6b"
	request := &model.ModifyKafkaPublicIpAccessSwitchRequest{
		InstanceId: "kafka-1", Body: &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: &ip},
	}
	bind := source.OperationNamed("bindInstancePublicIp", func(c *kafka.KafkaClient) error {
		_, err := c.ModifyKafkaPublicIpAccessSwitch(request)
		return err
	})
	task, err := waiter.Do(context.Background(), bind)
	fmt.Println(task.Kind, task.Status, err) // prints: bindInstancePublicIp SUCCESS <nil>
}

// A deletion has no task: it is over when the service no longer knows the instance.
func ExampleUntilDeleted() {
	cloud := fakekafka.New() // an embedded cloud, for examples and tests
	cloud.AddInstance("kafka-1")
	cloud.OnDelete(fakekafka.Change{Duration: 5 * time.Millisecond})
	client, err := connect(cloud)
	if err != nil {
		fmt.Println(err)
		return
	}
	gone := kafkatasks.UntilDeleted(client)
	waiter, err := taskwait.New(gone, taskwait.WithInterval(time.Millisecond, 5*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.Do(context.Background(), gone.Delete("kafka-1"))
	fmt.Println(task.Phase, err)
	// Output: GONE <nil>
}

// connect makes a client of the SDK, as you would for the real cloud.
func connect(cloud *fakekafka.Cloud) (*kafka.KafkaClient, error) {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		return nil, err
	}
	return kafka.NewKafkaClient(hc), nil
}
