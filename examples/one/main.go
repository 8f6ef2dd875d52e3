// One waits for one Kafka background task: the program that README.md shows. It ends with 1 if the task did not
// succeed, or if it could not find out. The endpoint and the instance come from the environment, and so do the keys,
// where the SDK looks for them. Without an account, see docs/serve-fake.md.
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
	client := must(kafka.KafkaClientBuilder().WithEndpoint(os.Getenv("TASKWAIT_ENDPOINT")).SafeBuild())
	waiter := must(taskwait.New(kafkatasks.New(kafka.NewKafkaClient(client), os.Getenv("TASKWAIT_INSTANCE"))))
	log.Print(must(waiter.WaitForTask(context.Background(), os.Args[1], taskwait.WithTimeout(30*time.Minute))))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
