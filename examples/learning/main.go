// Learning shows how to wait by a history of earlier tasks: polls fall when an end is likely, and the program can say
// how long such a task usually takes.
//
//	go run ./examples/learning
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/examples/internal/demo"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/schedule"
)

const (
	instanceID = "kafka-1"
	kind       = "bindInstancePublicIp"
)

func main() {
	if err := run(context.Background(), fakekafka.New(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, cloud *fakekafka.Cloud, out io.Writer) error {
	for range 20 { // tasks that ended long ago
		cloud.AddTask(instanceID, fakekafka.Script{Name: kind, CreatedAt: time.Now().Add(-time.Hour)})
	}
	client, err := demo.Client(cloud)
	if err != nil {
		return err
	}
	source := kafkatasks.New(client, instanceID)

	history := &schedule.History{}    // it goes through JSON, to be kept between runs
	recent, err := source.Recent(ctx) // the service's own list of tasks that have ended, in one request
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
	jobID := cloud.AddTask(instanceID, fakekafka.Script{Name: kind})
	_, err = waiter.WaitForTask(ctx, jobID, taskwait.WithProgress(func(p taskwait.Progress) {
		switch e := p.Estimate; {
		case p.Done:
			fmt.Fprintf(out, "%s after %.1fs, %d polls\n", p.Task.Status, p.Elapsed.Seconds(), p.Polls)
		case e != nil && p.Polls == 1:
			fmt.Fprintf(out, "usually takes %.0fs; after %.0fs: %.1fs to %.1fs remain\n",
				e.Median.Seconds(), p.Elapsed.Seconds(), e.RemainingP50.Seconds(), e.RemainingP90.Seconds())
		}
	}))
	return err
}
