package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// life is that of one instance.
type life struct {
	client *kafka.KafkaClient
	plan   plan
	out    io.Writer
	before func(step, instanceID string) // what happens meanwhile; nil: nothing
	steps  int
	last   string // line
}

// run is the whole life.
func (l *life) run(ctx context.Context) (err error) {
	running, gone := kafkatasks.UntilRunning(l.client), kafkatasks.UntilDeleted(l.client)
	status, err := taskwait.New(running, l.plan.options()...)
	if err != nil {
		return err
	}
	created, err := l.do(ctx, "create", status, running.Create(l.plan.name, l.plan.create), taskwait.WithConfirmations(2))
	if created.ID == "" {
		return err // if it may exist all the same, the error says how it can be found: it is not ours to guess, and to delete
	}
	defer func() { err = errors.Join(err, l.remove(context.WithoutCancel(ctx), gone, created.ID)) }()
	if err != nil {
		return err
	}
	if err := l.change(ctx, created.ID); err != nil {
		return err
	}
	_, err = l.do(ctx, "restart", status, running.Restart(created.ID), taskwait.WithStalePhase("RUNNING"), taskwait.WithConfirmations(2))
	return err
}

// remove deletes the instance that run has created.
func (l *life) remove(ctx context.Context, gone *kafkatasks.Instances, id string) error {
	end, err := taskwait.New(gone, l.plan.options()...)
	if err == nil {
		_, err = l.do(ctx, "delete", end, gone.Delete(id))
	}
	if err != nil {
		fmt.Fprintf(l.out, "   instance %s is still there, or may be: delete it yourself\n", id)
	}
	return err
}

// change makes those changes that run as background tasks.
func (l *life) change(ctx context.Context, id string) error {
	source := kafkatasks.New(l.client, id)
	tasks, err := taskwait.New(source, l.plan.options()...)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		op   taskwait.Operation
	}{
		{"resize", source.Operation("resize", l.plan.resize(id))},
		{"bind a public IP", source.OperationNamed("bindInstancePublicIp", l.plan.bind(id))},
		{"configure", source.OperationNamed("kafkaConfigModify", l.plan.configure(id))},
	}
	for _, s := range steps {
		if s.name == "bind a public IP" && l.plan.publicIP == "" {
			continue
		}
		if _, err := l.do(ctx, s.name, tasks, s.op); err != nil {
			return err
		}
	}
	return nil
}

// do makes one step, and gives an account of it.
func (l *life) do(ctx context.Context, name string, w *taskwait.Waiter, op taskwait.Operation, opts ...taskwait.Option) (taskwait.Task, error) {
	l.steps++
	l.last = ""
	fmt.Fprintf(l.out, "%d. %s\n", l.steps, name)
	if l.before != nil {
		l.before(name, l.plan.name)
	}
	start, polls := time.Now(), 0
	task, err := w.Do(ctx, op, append(opts, taskwait.WithProgress(func(p taskwait.Progress) {
		polls = p.Polls
		l.show(&p)
	}))...)
	var wait *taskwait.WaitError
	switch {
	case err == nil:
		fmt.Fprintf(l.out, "   => done after %v, %d polls\n", time.Since(start).Round(100*time.Millisecond), polls)
	case errors.As(err, &wait) && wait.StillRunning():
		fmt.Fprintf(l.out, "   => it may still run: %v\n", err)
	default:
		fmt.Fprintf(l.out, "   => %v\n", err)
	}
	if wait != nil && task.ID == "" {
		task.ID = wait.ID
	}
	return task, err
}

// show prints a line for each change, and for each new trouble.
func (l *life) show(p *taskwait.Progress) {
	what := p.Task.Phase // an instance's own word
	if what == "" {
		what = fmt.Sprintf("%v (%s)", p.Task.Status, p.Task.Kind)
	}
	for _, s := range p.Task.Steps {
		if s.Status == "IN_PROGRESS" {
			what = "step " + s.Name
		}
	}
	switch {
	case p.Err != nil:
		what = p.Err.Error()
	case p.Confirmed == 2:
		what += ", and again"
	}
	if p.Done || what == l.last {
		return
	}
	l.last = what
	fmt.Fprintf(l.out, "   %5.1fs  %s\n", p.Elapsed.Seconds(), what)
}
