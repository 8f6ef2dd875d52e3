// One waits for one Kafka background task: the program that README.md shows. The endpoint and the instance come from
// the environment, and so do the keys, where the SDK looks for them. Without an account, see docs/serve-fake.md.
//
//	go run ./examples/one TASK_ID
package main

import (
	"context"
	"log"
	"os"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func main() {
	client, err := kafka.KafkaClientBuilder().WithEndpoint(os.Getenv("TASKWAIT_ENDPOINT")).SafeBuild()
	if err != nil {
		log.Fatal(err)
	}
	waiter, err := taskwait.New(kafkatasks.New(kafka.NewKafkaClient(client), os.Getenv("TASKWAIT_INSTANCE")))
	if err != nil {
		log.Fatal(err)
	}
	task, err := waiter.WaitForTask(context.Background(), os.Args[1], taskwait.WithTimeout(30*time.Minute))
	log.Println(task, err)
}
