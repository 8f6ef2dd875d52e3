// Package kafkatasks asks Huawei Cloud DMS for Kafka for its background tasks: a job id from a resize, a change of
// configuration or a reassignment goes in, a [taskwait.Task] comes out.
//
//	waiter, err := taskwait.New(kafkatasks.New(client, instanceID))
//	task, err := waiter.WaitForTask(ctx, jobID)
//
// It needs the permission dms:instance:getBackgroundTask (API page "Querying a Background Task", read 2026-11-23).
package kafkatasks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

const permission = "dms:instance:getBackgroundTask"

// Source asks for the background tasks of one Kafka instance. It is safe for concurrent use.
type Source struct {
	caller     *huawei.Caller // nil: there is no client
	instanceID string
}

var _ taskwait.BatchSource = (*Source)(nil)

// New returns a Source for the tasks of an instance. It uses client as it is, never changes it, and sends nothing yet. Of a
// client with several endpoints it uses the one that is in use at the first query; [huawei.Caller] says more.
// [Source.Validate], which [taskwait.New] calls, tells of a nil client and of an instance id that cannot be one.
func New(client *kafka.KafkaClient, instanceID string) *Source {
	if client == nil || client.HcClient == nil {
		return &Source{instanceID: instanceID}
	}
	return &Source{caller: huawei.NewCaller(client.HcClient), instanceID: instanceID}
}

// Validate returns an error that Is [taskwait.ErrInvalidID] if the instance id cannot be one, and one that Is
// [taskwait.ErrInvalidOption] if there is no client. Nothing is sent.
func (s *Source) Validate() error {
	if s == nil || s.caller == nil {
		return fmt.Errorf("kafkatasks: %w: the client is nil", taskwait.ErrInvalidOption)
	}
	return taskwait.CheckID("instance id", s.instanceID)
}

// Task asks for one task. The errors are those of [huawei.Do], and a [*taskwait.QueryError] for an answer without the
// task. Raw in the Task is a *model.ListBackgroundTasksRespTasks, whose Params may hold passwords.
func (s *Source) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), taskwait.CheckID("task id", id)); err != nil {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	resp, asOf, err := huawei.Ask(ctx, s.caller, permission, func(c *core.HcHttpClient) (*model.ShowBackgroundTaskResponse, error) {
		return kafka.NewKafkaClient(c).ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: s.instanceID, TaskId: id})
	})
	switch {
	case err != nil:
		return taskwait.Task{}, err
	case resp.Tasks == nil: // {}, null, an empty body, 204, 302: to the SDK all of these are fine
		return taskwait.Task{}, &taskwait.QueryError{Err: fmt.Errorf("the answer (status %d) has no tasks in it", resp.HttpStatusCode)}
	}
	return pick(*resp.Tasks, id, asOf)
}

// Recent asks, in one request, for the last 100 tasks of the instance that have ended, the oldest first: what a
// [taskwait.History] is seeded with.
//
//	tasks, err := source.Recent(ctx)
//	for _, t := range tasks {
//		history.Add(t.Name, t.Took())
//	}
//
// It needs the permission to list background tasks. The errors are those of [Source.Task].
func (s *Source) Recent(ctx context.Context) ([]taskwait.Task, error) {
	if err := s.Validate(); err != nil {
		return nil, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	tasks, _, err := s.page(ctx, time.Time{}, 0)
	if err != nil {
		return nil, err
	}
	ended := slices.DeleteFunc(tasks, func(t taskwait.Task) bool { return !t.Status.Terminal() })
	slices.SortStableFunc(ended, func(a, b taskwait.Task) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return ended, nil
}

// List asks for the instance's tasks that began at or after a time by our clock, the latest first; the zero time: for all
// that the service still lists. Where our clock and the service's differ, the time is taken to be meant by ours; it may
// list tasks that began up to two seconds earlier, as the service tells its time to the second.
//
// It needs the permission to list background tasks. The errors are those of [Source.Task].
func (s *Source) List(ctx context.Context, since time.Time) ([]taskwait.Task, error) {
	begin := since
	if !begin.IsZero() {
		begin = begin.Add(-zones)
	}
	tasks, asOf, err := s.list(ctx, begin)
	if err != nil {
		return nil, err
	}
	if !since.IsZero() && !asOf.IsZero() {
		since = since.Add(time.Until(asOf) - clocks)
	}
	tasks = slices.DeleteFunc(tasks, func(t taskwait.Task) bool { return !t.CreatedAt.IsZero() && t.CreatedAt.Before(since) })
	slices.SortStableFunc(tasks, func(a, b taskwait.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return tasks, nil
}

// pick finds the row with our id. The answer is a list, and its first row need not be ours.
func pick(rows []model.ListBackgroundTasksRespTasks, id string, asOf time.Time) (taskwait.Task, error) {
	for i := range rows {
		if row := &rows[i]; value(row.Id) == id {
			return task(row, asOf), nil
		}
	}
	return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("the instance lists no task with this id")}
}

func task(row *model.ListBackgroundTasksRespTasks, asOf time.Time) taskwait.Task {
	return taskwait.Task{
		ID: value(row.Id), Name: value(row.Name), Status: taskwait.Status(value(row.Status)),
		CreatedAt: parseTime(value(row.CreatedAt)), UpdatedAt: parseTime(value(row.UpdatedAt)),
		AsOf: asOf, Raw: row,
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// parseTime reads the service's times, such as 2020-06-15T08:55:53.606Z. One that cannot be read is unknown, not an error.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
