// Quickstart shows four waits for background tasks of Kafka, in an embedded cloud, through the real SDK: one that
// succeeds past a 503 and a throttle, one that fails, one that is cancelled, and one that takes longer than we care to
// wait.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/examples/internal/demo"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

const instanceID = "kafka-1"

func main() {
	if err := run(context.Background(), fakekafka.New(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, cloud *fakekafka.Cloud, out io.Writer) error {
	client, err := demo.Client(cloud)
	if err != nil {
		return err
	}
	// The tasks here take seconds, not minutes, so they are polled more often than by default.
	waiter, err := taskwait.New(kafkatasks.New(client, instanceID),
		taskwait.WithInterval(400*time.Millisecond, 2*time.Second))
	if err != nil {
		return err
	}

	fmt.Fprintln(out, "1. A resize. On the way, the service is down once and throttles once.")
	cloud.AddInstance(instanceID)
	cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable(), fakecloud.Throttle(time.Second))
	jobID, err := demo.Resize(instanceID, 600)(client)
	switch {
	case err != nil:
		return err
	case jobID == nil:
		return errors.New("the service has accepted the resize, but named no job")
	}
	task, err := waiter.WaitForTask(ctx, *jobID, taskwait.WithProgress(func(p taskwait.Progress) { show(out, p) }))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   => %v, error: %v\n\n", task.Status, err)

	fmt.Fprintln(out, "2. A task that fails.")
	id := cloud.AddTask(instanceID, fakekafka.Script{
		Name: "kafkaConfigModify", Duration: time.Second, Outcome: taskwait.StatusFailed,
	})
	_, err = waiter.WaitForTask(ctx, id)
	explain(out, err)

	fmt.Fprintln(out, "3. A task that somebody cancels.")
	id = cloud.AddTask(instanceID, fakekafka.Script{
		Name: "kafkaUpgrade", Duration: time.Second, Outcome: taskwait.StatusCancelled,
	})
	_, err = waiter.WaitForTask(ctx, id)
	explain(out, err)

	fmt.Fprintln(out, "4. A task that takes an hour, and we have two seconds.")
	id = cloud.AddTask(instanceID, fakekafka.Script{Name: "bindInstancePublicIp", Duration: time.Hour})
	_, err = waiter.WaitForTask(ctx, id, taskwait.WithTimeout(2*time.Second))
	explain(out, err)
	return nil
}

// show prints a line for each change, and for each error on the way.
func show(out io.Writer, p taskwait.Progress) {
	switch {
	case p.Done:
	case p.Err != nil:
		fmt.Fprintf(out, "   %4.1fs  %s\n          next poll in %.1fs\n", p.Elapsed.Seconds(), p.Err, p.Next.Seconds())
	case p.Changed && p.Next > 0:
		fmt.Fprintf(out, "   %4.1fs  %s, next poll in %.1fs\n", p.Elapsed.Seconds(), p.Task.Status, p.Next.Seconds())
	case p.Changed:
		fmt.Fprintf(out, "   %4.1fs  %s after %d polls\n", p.Elapsed.Seconds(), p.Task.Status, p.Polls)
	}
}

// explain says what an error means for the caller.
func explain(out io.Writer, err error) {
	var wait *taskwait.WaitError
	switch {
	case err == nil:
		fmt.Fprintln(out, "   => done")
	case errors.As(err, &wait) && wait.StillRunning():
		fmt.Fprintln(out, "   => it may still run: keep the id, wait again later, destroy nothing")
	default:
		fmt.Fprintln(out, "   => it has ended, and not well: roll back, or tell somebody")
	}
	fmt.Fprintf(out, "      %v\n\n", err)
}
