// Operations shows Waiter.Do: it leads a Kafka instance through its whole life, in an embedded cloud. It creates it,
// resizes it, binds a public IP, changes its configuration, restarts and deletes it. Some of these answer with the id
// of a task, some with none, and some show in the instance's status alone. Whatever goes wrong, the instance that was
// created is deleted, and no other.
//
//	go run ./examples/operations
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/examples/internal/demo"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, newCloud(), os.Stdout)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, in cloud, out io.Writer) error {
	client, err := demo.Client(in.Cloud)
	if err != nil {
		return err
	}
	return (&life{client: client, out: out, before: in.before}).run(ctx)
}

// life is that of one instance.
type life struct {
	client *kafka.KafkaClient
	out    io.Writer
	before func(step, instanceID string) // what happens meanwhile
	steps  int
}

func (l *life) run(ctx context.Context) (err error) {
	running, deleted := kafkatasks.UntilRunning(l.client), kafkatasks.UntilDeleted(l.client)
	id, err := l.do(ctx, "create", "", running, running.Create("demo", demo.Create("demo")))
	if id == "" {
		return err // if it may exist all the same, the error says how to find it: it is not ours to guess, and to delete
	}
	defer func() {
		_, e := l.do(context.WithoutCancel(ctx), "delete", id, deleted, deleted.Delete(id))
		if e != nil {
			fmt.Fprintf(l.out, "   instance %s is still there, or may be: delete it yourself\n", id)
		}
		err = errors.Join(err, e)
	}()
	if err != nil {
		return err
	}
	tasks := kafkatasks.New(l.client, id)
	if _, err := l.do(ctx, "resize", id, tasks, tasks.Operation("resize", demo.Resize(id, 600))); err != nil {
		return err
	}
	bind := tasks.OperationNamed("bindInstancePublicIp", demo.BindPublicIP(id, "ip-1"))
	if _, err := l.do(ctx, "bind a public IP", id, tasks, bind); err != nil {
		return err
	}
	configure := tasks.OperationNamed("kafkaConfigModify", demo.Configure(id, "log.retention.hours", "48"))
	if _, err := l.do(ctx, "configure", id, tasks, configure); err != nil {
		return err
	}
	_, err = l.do(ctx, "restart", id, running, running.Restart(id))
	return err
}

// do makes one step, and says how it ended. It returns the id of the task; empty: there is none.
func (l *life) do(ctx context.Context, name, id string, on taskwait.Source, op taskwait.Operation) (string, error) {
	l.steps++
	fmt.Fprintf(l.out, "%d. %s\n", l.steps, name)
	l.before(name, id)
	waiter, err := taskwait.New(on, taskwait.WithTimeout(time.Minute),
		taskwait.WithInterval(400*time.Millisecond, time.Second)) // nothing here takes long
	if err != nil {
		return "", err
	}
	var last taskwait.Progress
	shown := line{out: l.out}
	task, err := waiter.Do(ctx, op, taskwait.WithProgress(func(p taskwait.Progress) {
		last = p
		shown.show(&p)
	}))
	var wait *taskwait.WaitError
	switch {
	case err == nil:
		fmt.Fprintf(l.out, "   => done after %v, %d polls\n", last.Elapsed.Round(100*time.Millisecond), last.Polls)
	case errors.As(err, &wait) && wait.StillRunning():
		fmt.Fprintf(l.out, "   => it may still run: %v\n", err)
	default:
		fmt.Fprintf(l.out, "   => %v\n", err)
	}
	return task.ID, err
}
