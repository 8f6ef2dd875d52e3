// Package kafkatasks queries the background tasks of Huawei Cloud DMS for Kafka. A job id from a resize, a change of
// configuration or a reassignment goes in, and a [taskwait.Task] comes out.
//
//	waiter, err := taskwait.New(kafkatasks.New(client, instanceID))
//	task, err := waiter.WaitForTask(ctx, jobID)
//
// It needs the permission dms:instance:getBackgroundTask (API page "Querying a Background Task", read 2026-11-23).
package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

const permission = "dms:instance:getBackgroundTask"

// Source queries the background tasks of one Kafka instance. It is safe for concurrent use.
type Source struct {
	caller     *huawei.Caller // nil: there is no client
	instanceID string
	absence    *absence
}

var _ taskwait.Lister = (*Source)(nil)

// New returns a Source for the tasks of an instance. It uses client as it is, never changes it, and sends nothing yet;
// see [huawei.Caller]. [Source.Validate], which [taskwait.New] calls, reports a nil client and an invalid instance id.
func New(client *kafka.KafkaClient, instanceID string) *Source {
	if client == nil || client.HcClient == nil {
		return newSource(nil, instanceID)
	}
	return newSource(huawei.NewCaller(client.HcClient), instanceID)
}

func newSource(caller *huawei.Caller, instanceID string) *Source {
	return &Source{caller: caller, instanceID: instanceID, absence: &absence{}}
}

// Validate returns an error that Is [taskwait.ErrInvalidID] if the instance id is invalid, and one that Is
// [taskwait.ErrInvalidOption] if there is no client. Nothing is sent.
func (s *Source) Validate() error {
	if s == nil || s.caller == nil {
		return fmt.Errorf("kafkatasks: %w: the client is nil", taskwait.ErrInvalidOption)
	}
	return checkID("instance id", s.instanceID)
}

// Task queries one task. The errors are those of [huawei.Query], and a [*taskwait.QueryError] for an answer without the
// task. Raw in the Task is a *model.ListBackgroundTasksRespTasks, whose Params may hold passwords.
//
// If the instance does not exist (DMS.00404022), the error is "not found" the first time. It is permanent if the next
// query for the task within ten seconds gets the same answer. After a 403 that lasts after good answers, one query is
// made for the instance itself, and the error says whether that is gone.
func (s *Source) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), checkID("task id", id)); err != nil {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	sent := time.Now()
	var list struct {
		Tasks []json.RawMessage `json:"tasks"`
	}
	reply, err := get(ctx, s.caller, permission, "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}",
		&resource{InstanceId: s.instanceID, TaskId: id}, &list)
	switch {
	case err != nil:
		return taskwait.Task{}, s.judge(ctx, id, sent, s.explain(err))
	case list.Tasks == nil:
		return taskwait.Task{}, reply.Lacks("tasks")
	}
	for _, text := range list.Tasks { // the first row need not be ours
		if t := backgroundTask(text, reply.At); t.ID == id {
			s.absence.seen(id)
			t.RetryAfter = reply.RetryAfter
			return t, nil
		}
	}
	s.absence.seen()
	return taskwait.Task{}, &taskwait.QueryError{
		Class: taskwait.ClassNotFound, Err: errors.New("the instance lists no task with this id"),
	}
}

// explain says of an error that it is about the instance, not about a task of it.
func (s *Source) explain(err error) error {
	var q *taskwait.QueryError
	if errors.As(err, &q) && isNoSuchInstance(err) {
		q.Err = fmt.Errorf("instance %q does not exist: %w", s.instanceID, q.Err)
	}
	return err
}

// backgroundTask reads a row of a list of background tasks.
func backgroundTask(text json.RawMessage, asOf time.Time) taskwait.Task {
	r := decodeRow(text)
	return r.task(asOf, &model.ListBackgroundTasksRespTasks{
		Id: r.ID.pointer(), Name: r.Name.pointer(), UserName: r.UserName.pointer(), UserId: r.UserID.pointer(),
		Params: r.Params.pointer(), Status: r.Status.pointer(),
		CreatedAt: r.CreatedAt.pointer(), UpdatedAt: r.UpdatedAt.pointer(),
	})
}

// Format writes what a Source is, whatever the verb, and nothing of the client that it holds.
func (s Source) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "kafkatasks.Source(%q)", s.instanceID)
}
