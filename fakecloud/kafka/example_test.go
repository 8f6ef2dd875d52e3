package kafka_test

import (
	"context"
	"fmt"
	"log"
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

// connect makes a client of the SDK, as you would for the real cloud.
func connect(endpoint string, cfg *config.HttpConfig) *kafka.KafkaClient {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		log.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint(endpoint).WithCredential(credential).WithHttpConfig(cfg).
		SafeBuild()
	if err != nil {
		log.Fatal(err)
	}
	return kafka.NewKafkaClient(client)
}

// inMemory is a client that needs no network.
func inMemory(cloud *fakekafka.Cloud) *kafka.KafkaClient {
	return connect("https://kafka.fake", config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport()))
}

func Example() {
	cloud := fakekafka.New()
	id := cloud.AddTask("kafka-1", fakekafka.Script{Name: "bindInstancePublicIp", Duration: 40 * time.Millisecond})
	cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Drop(), fakecloud.Unavailable())

	waiter, err := taskwait.New(kafkatasks.New(inMemory(cloud), "kafka-1"),
		taskwait.WithInterval(10*time.Millisecond, 20*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	task, err := waiter.WaitForTask(context.Background(), id)
	fmt.Println(task.Kind, task.Status, err)
	// Output: bindInstancePublicIp SUCCESS <nil>
}

func ExampleCloud_Transport() {
	cloud := fakekafka.New()
	id := cloud.AddTask("kafka-1", fakekafka.Script{})

	cfg := config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())
	client := connect("https://kafka.fake", cfg)
	resp, err := client.ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "kafka-1", TaskId: id})
	fmt.Println(*(*resp.Tasks)[0].Status, err)
	// Output: CREATED <nil>
}

func ExampleCloud_Start() {
	cloud := fakekafka.New()
	cloud.AddInstance("kafka-1")
	server, err := cloud.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client := connect(server.URL, config.DefaultHttpConfig())
	resp, err := client.ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: "kafka-1"})
	fmt.Println(*resp.TaskCount, err)
	// Output: 0 <nil>
}

func ExampleCloud_AddTask() {
	cloud := fakekafka.New()
	// A task that was started an hour ago, and was called off after ten minutes.
	id := cloud.AddTask("kafka-1", fakekafka.Script{
		Name:      "kafkaUpgrade",
		CreatedAt: time.Now().Add(-time.Hour),
		Steps: []fakekafka.Step{
			{After: 0, Status: taskwait.StatusCreated},
			{After: 10 * time.Minute, Status: taskwait.StatusCancelled},
		},
	})

	task, err := kafkatasks.New(inMemory(cloud), "kafka-1").Task(context.Background(), id)
	fmt.Println(task.Kind, task.Status, task.UpdatedAt.Sub(task.CreatedAt), err)
	// Output: kafkaUpgrade CANCELLED 10m0s <nil>
}

func ExampleCloud_OnResize() {
	cloud := fakekafka.New()
	cloud.AddInstance("kafka-1")
	cloud.OnResize(fakekafka.Script{ID: "job-1", Duration: 40 * time.Minute, Outcome: taskwait.StatusFailed})

	space := int32(600)
	resp, err := inMemory(cloud).ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
		InstanceId: "kafka-1",
		Body:       &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &space},
	})
	fmt.Println(*resp.JobId, err)
	// Output: job-1 <nil>
}

func ExampleCloud_Inject() {
	cloud := fakekafka.New()
	id := cloud.AddTask("kafka-1", fakekafka.Script{})
	cloud.Inject(fakekafka.RouteShowTask,
		fakecloud.Throttle(2*time.Second),
		fakecloud.Error(403, "DMS.00403003", "This role does not have the permissions to perform this operation."),
		fakecloud.Truncate(),
		fakekafka.Status("PAUSED"),
	)

	source := kafkatasks.New(inMemory(cloud), "kafka-1")
	for range 5 {
		task, err := source.Task(context.Background(), id)
		fmt.Println(task.Status, err != nil)
	}
	// Output:
	//  true
	//  true
	//  true
	// PAUSED false
	// CREATED false
}

func ExampleCloud_Requests() {
	cloud := fakekafka.New()
	id := cloud.AddTask("kafka-1", fakekafka.Script{ID: "8abfa7b272adc5b40172b73130065ae7"})
	cloud.Inject(fakecloud.AnyRoute, fakecloud.Unavailable().Times(2))

	client := inMemory(cloud)
	for range 3 {
		_, _ = client.ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "kafka-1", TaskId: id})
	}
	for _, r := range cloud.Requests() {
		fmt.Println(r.Route, r.Status)
	}
	// Output:
	// GET tasks/{task} 503
	// GET tasks/{task} 503
	// GET tasks/{task} 200
}

func ExampleWithUnknownTask() {
	// A guess: what the real service answers is not documented.
	cloud := fakekafka.New(fakekafka.WithUnknownTask(404, "DMS.00404000", "The task does not exist."))
	cloud.AddInstance("kafka-1")

	_, err := inMemory(cloud).ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "kafka-1",
		TaskId: "unknown"})
	fmt.Println(err != nil)
	// Output: true
}
