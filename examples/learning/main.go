// Learning waits by a history: it asks when an answer is likely, and says how long it usually takes.
//
//	go run ./examples/learning
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/schedule"
)

func main() {
	cloud := fakekafka.New()
	for range 20 { // which have ended long ago
		cloud.AddTask("kafka-1", fakekafka.Script{Name: "bindInstancePublicIp", CreatedAt: time.Now().Add(-time.Hour)})
	}
	client, err := connect(cloud)
	if err != nil {
		log.Fatal(err)
	}
	jobID := cloud.AddTask("kafka-1", fakekafka.Script{Name: "bindInstancePublicIp"})
	if err := run(context.Background(), kafkatasks.New(client, "kafka-1"), jobID); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, source *kafkatasks.Source, jobID string) error {
	history := &schedule.History{}    // goes through JSON, to be kept between runs
	recent, err := source.Recent(ctx) // the service's own list of finished tasks, in one request
	if err != nil {
		return err
	}
	for _, t := range recent {
		history.Add(t.Kind, t.Took())
	}
	waiter, err := taskwait.New(source, taskwait.WithHistory(history))
	if err != nil {
		return err
	}
	_, err = waiter.WaitForTask(ctx, jobID, taskwait.WithProgress(func(p taskwait.Progress) {
		switch e := p.Estimate; {
		case p.Done:
			fmt.Printf("%s after %.1fs, %d polls\n", p.Task.Status, p.Elapsed.Seconds(), p.Polls)
		case e != nil && p.Changed && p.Polls == 1:
			fmt.Printf("usually takes %.0fs; after %.0fs: %.1fs to %.1fs remain\n",
				e.Median.Seconds(), p.Elapsed.Seconds(), e.RemainingP50.Seconds(), e.RemainingP90.Seconds())
		}
	}))
	return err
}

func connect(cloud *fakekafka.Cloud) (*kafka.KafkaClient, error) {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	client, err := kafka.KafkaClientBuilder().
		WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	return kafka.NewKafkaClient(client), nil
}
