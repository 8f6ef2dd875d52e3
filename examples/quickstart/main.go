// Quickstart waits for Kafka background tasks on an embedded cloud, through the real SDK: one that succeeds past a 503 and
// a throttle, one that fails, one that is cancelled, and one that takes longer than we care to wait.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
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

const instanceID = "kafka-1"

func main() {
	cloud := fakekafka.New()
	server, err := cloud.Start()
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), os.Stdout, cloud, server.URL, nil)
	server.Close()
	if err != nil {
		log.Fatal(err)
	}
}

// demo is what the four waits have in common.
type demo struct {
	out    io.Writer
	cloud  *fakekafka.Cloud
	client *kafka.KafkaClient
	waiter *taskwait.Waiter
}

// run shows four waits. transport carries the requests to the endpoint; nil: the SDK's own.
func run(ctx context.Context, out io.Writer, cloud *fakekafka.Cloud, endpoint string, transport http.RoundTripper) error {
	cloud.AddInstance(instanceID)
	client, err := connect(endpoint, transport)
	if err != nil {
		return err
	}
	// The tasks here take seconds, not minutes, so we look more often than the default of 4 to 30 s.
	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), taskwait.WithInterval(400*time.Millisecond, 2*time.Second))
	if err != nil {
		return err
	}
	d := &demo{out: out, cloud: cloud, client: client, waiter: waiter}
	if err := d.succeed(ctx); err != nil {
		return err
	}
	d.endBadly(ctx)
	return nil
}

// succeed starts an operation and waits for its task.
func (d *demo) succeed(ctx context.Context) error {
	fmt.Fprintln(d.out, "1. A resize. On the way, the service is down once and throttles once.")
	d.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable(), fakecloud.Throttle(time.Second))
	id, err := resize(d.client)
	if err != nil {
		return err
	}
	task, err := d.waiter.WaitForTask(ctx, id, taskwait.WithProgress(d.show))
	fmt.Fprintf(d.out, "   => %v, error: %v\n\n", task.Status, err)
	return err
}

// endBadly shows what a wait looks like that does not end with SUCCESS.
func (d *demo) endBadly(ctx context.Context) {
	fmt.Fprintln(d.out, "2. A task that fails.")
	d.explain(d.waiter.WaitForTask(ctx, d.cloud.AddTask(instanceID, fakekafka.Script{
		Name: "kafkaConfigModify", Duration: time.Second, Outcome: taskwait.StatusFailed,
	})))
	fmt.Fprintln(d.out, "3. A task that somebody cancels.")
	d.explain(d.waiter.WaitForTask(ctx, d.cloud.AddTask(instanceID, fakekafka.Script{
		Name: "kafkaUpgrade", Duration: time.Second, Outcome: taskwait.StatusCancelled,
	})))
	fmt.Fprintln(d.out, "4. A task that takes an hour, and we have two seconds.")
	d.explain(d.waiter.WaitForTask(ctx, d.cloud.AddTask(instanceID, fakekafka.Script{
		Name: "bindInstancePublicIp", Duration: time.Hour,
	}), taskwait.WithTimeout(2*time.Second)))
}

// connect makes a client of the SDK, as you would for the real cloud.
func connect(endpoint string, transport http.RoundTripper) (*kafka.KafkaClient, error) {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	settings := config.DefaultHttpConfig()
	if transport != nil {
		settings = settings.WithHttpRoundTripper(transport)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint(endpoint).WithCredential(credential).WithHttpConfig(settings).SafeBuild()
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
func (d *demo) show(p taskwait.Progress) {
	switch {
	case p.Done:
	case p.Err != nil:
		fmt.Fprintf(d.out, "   %4.1fs  %s\n          next look in %.1fs\n", p.Elapsed.Seconds(), p.Err, p.Next.Seconds())
	case p.Changed && p.Next > 0:
		fmt.Fprintf(d.out, "   %4.1fs  %s, next look in %.1fs\n", p.Elapsed.Seconds(), p.Task.Status, p.Next.Seconds())
	case p.Changed:
		fmt.Fprintf(d.out, "   %4.1fs  %s after %d polls\n", p.Elapsed.Seconds(), p.Task.Status, p.Polls)
	}
}

// explain says what an outcome means for the caller.
func (d *demo) explain(task taskwait.Task, err error) {
	var wait *taskwait.WaitError
	switch {
	case err == nil:
		fmt.Fprintln(d.out, "   => done:", task.Status)
	case errors.Is(err, taskwait.ErrTaskFailed), errors.Is(err, taskwait.ErrTaskCancelled), errors.Is(err, taskwait.ErrTaskDeleted):
		fmt.Fprintln(d.out, "   => it has ended, and not well: roll back, or tell somebody")
	case errors.As(err, &wait) && wait.StillRunning():
		fmt.Fprintln(d.out, "   => it may still run: keep the id, wait again later, destroy nothing")
	}
	fmt.Fprintf(d.out, "      %v\n\n", err)
}
