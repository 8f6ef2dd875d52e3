// Quickstart waits for Kafka background tasks on an embedded cloud, through the real SDK: one that succeeds past a 503 and
// a throttle, one that fails, one that is cancelled, and one that takes longer than we care to wait.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

const instanceID = "kafka-1"

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	server, err := cloud.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := connect(server.URL)
	if err != nil {
		return err
	}
	// The tasks here take seconds, not minutes, so we look more often than the default of 4 to 30 s.
	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), taskwait.WithInterval(400*time.Millisecond, 2*time.Second))
	if err != nil {
		return err
	}
	if err := succeed(ctx, cloud, client, waiter); err != nil {
		return err
	}
	endBadly(ctx, cloud, waiter)
	return nil
}

// succeed starts an operation and waits for its task.
func succeed(ctx context.Context, cloud *fakekafka.Cloud, client *kafka.KafkaClient, waiter *taskwait.Waiter) error {
	fmt.Println("1. A resize. On the way, the service is down once and throttles once.")
	cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable(), fakecloud.Throttle(time.Second))
	id, err := resize(client)
	if err != nil {
		return err
	}
	task, err := waiter.WaitForTask(ctx, id, taskwait.WithProgress(show))
	fmt.Printf("   => %v, error: %v\n\n", task.Status, err)
	return err
}

// endBadly shows what a wait looks like that does not end with SUCCESS.
func endBadly(ctx context.Context, cloud *fakekafka.Cloud, waiter *taskwait.Waiter) {
	fmt.Println("2. A task that fails.")
	explain(waiter.WaitForTask(ctx, cloud.AddTask(instanceID, fakekafka.Script{
		Name: "kafkaConfigModify", Duration: time.Second, Outcome: taskwait.StatusFailed,
	})))
	fmt.Println("3. A task that somebody cancels.")
	explain(waiter.WaitForTask(ctx, cloud.AddTask(instanceID, fakekafka.Script{
		Name: "kafkaUpgrade", Duration: time.Second, Outcome: taskwait.StatusCancelled,
	})))
	fmt.Println("4. A task that takes an hour, and we have two seconds.")
	explain(waiter.WaitForTask(ctx, cloud.AddTask(instanceID, fakekafka.Script{
		Name: "bindInstancePublicIp", Duration: time.Hour,
	}), taskwait.WithTimeout(2*time.Second)))
}

// connect makes a client of the SDK, as you would for the real cloud.
func connect(endpoint string) (*kafka.KafkaClient, error) {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint(endpoint).WithCredential(credential).SafeBuild()
	if err != nil {
		return nil, err
	}
	return kafka.NewKafkaClient(client), nil
}

// resize starts an operation, and returns the id of its task.
func resize(client *kafka.KafkaClient) (string, error) {
	space := int32(600)
	started, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
		InstanceId: instanceID,
		Body:       &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &space},
	})
	if err != nil {
		return "", err
	}
	if started.JobId == nil {
		return "", errors.New("the service has accepted the resize, but named no job")
	}
	return *started.JobId, nil
}

// show is the progress callback: a line for each change, and for each trouble.
func show(p taskwait.Progress) {
	switch {
	case p.Done:
	case p.Err != nil:
		fmt.Printf("   %4.1fs  %s\n          next look in %.1fs\n", p.Elapsed.Seconds(), p.Err, p.Next.Seconds())
	case p.Changed && p.Next > 0:
		fmt.Printf("   %4.1fs  %s, next look in %.1fs\n", p.Elapsed.Seconds(), p.Task.Status, p.Next.Seconds())
	case p.Changed:
		fmt.Printf("   %4.1fs  %s after %d polls\n", p.Elapsed.Seconds(), p.Task.Status, p.Polls)
	}
}

// explain says what an outcome means for the caller.
func explain(task taskwait.Task, err error) {
	var wait *taskwait.WaitError
	switch {
	case err == nil:
		fmt.Println("   => done:", task.Status)
	case errors.Is(err, taskwait.ErrTaskFailed), errors.Is(err, taskwait.ErrTaskCancelled), errors.Is(err, taskwait.ErrTaskDeleted):
		fmt.Println("   => it has ended, and not well: roll back, or tell somebody")
	case errors.As(err, &wait) && wait.StillRunning():
		fmt.Println("   => it may still run: keep the id, wait again later, destroy nothing")
	}
	fmt.Printf("      %v\n\n", err)
}
