package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// Scheduled queries the scheduled tasks of one instance: operations that are scheduled for later, such as an upgrade in
// the next maintenance window. It is safe for concurrent use.
//
// Their ids are not those of background tasks. It is not documented whether the background task that comes of one has
// the same id. CREATED lasts until the scheduled time, for hours or days, so consider WithInterval with minutes.
// CANCELLED ends a wait with [taskwait.ErrTaskCancelled], but such a task can be armed again (UpdateScheduledTask):
// then wait again. [Scheduled.Cancel] cancels one.
//
// There is no request for a single scheduled task, so each poll reads the list: one request for each 100 tasks.
type Scheduled struct {
	tasks *Source
}

var _ taskwait.Source = (*Scheduled)(nil)

// NewScheduled returns a Source for the scheduled tasks of an instance. It treats client as [New] does.
func NewScheduled(client *kafka.KafkaClient, instanceID string) *Scheduled {
	return &Scheduled{New(client, instanceID)}
}

// Validate is [Source.Validate].
func (s *Scheduled) Validate() error {
	if s == nil {
		return (*Source)(nil).Validate()
	}
	return s.tasks.Validate()
}

// Task queries one scheduled task. The errors are those of [huawei.Query], and a [*taskwait.QueryError] for an answer
// without the task. Raw in the Task is a *model.ScheduledTaskEntity, whose Params may hold passwords.
func (s *Scheduled) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), checkID("task id", id)); err != nil {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	r := s.listing().reading()
	if err := s.tasks.finish(ctx, r, id); err != nil {
		return taskwait.Task{}, err
	}
	for i := range r.Rows {
		if r.Rows[i].ID == id {
			return r.Rows[i], nil
		}
	}
	return taskwait.Task{}, &taskwait.QueryError{
		Class: taskwait.ClassNotFound, Err: errors.New("the instance lists no scheduled task with this id"),
	}
}

// Cancel asks the service to cancel a scheduled task that has not begun, once. If the service accepts that, the task
// has not ended yet: wait for it. The errors are those of [huawei.Mutate].
func (s *Scheduled) Cancel(ctx context.Context, id string) error {
	if err := errors.Join(s.Validate(), checkID("task id", id)); err != nil {
		return &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	status := string(taskwait.StatusCancelled)
	request := &model.UpdateScheduledTaskRequest{InstanceId: s.tasks.instanceID, TaskId: id, Status: &status}
	_, err := huawei.Mutate(ctx, s.tasks.caller, "",
		func(c *core.HcHttpClient) (*model.UpdateScheduledTaskResponse, error) {
			return kafka.NewKafkaClient(c).UpdateScheduledTask(request)
		})
	return s.tasks.explain(err)
}

// listing is the list of the instance's scheduled tasks.
func (s *Scheduled) listing() *listing[taskwait.Task] {
	return &listing[taskwait.Task]{
		caller: s.tasks.caller,
		path:   "/v2/{project_id}/instances/{instance_id}/scheduled-tasks", rows: "jobs", count: "job_count",
		of: resource{InstanceId: s.tasks.instanceID}, limit: largestPage,
		from:   func(r *resource, offset *string) { r.Start = offset },
		decode: scheduledTask, id: taskID, explain: s.tasks.explain,
	}
}

// scheduledTask reads a row of a list of scheduled tasks.
func scheduledTask(text json.RawMessage, asOf time.Time) taskwait.Task {
	r := decodeRow(text)
	return r.task(asOf, &model.ScheduledTaskEntity{
		Id: r.ID.pointer(), Name: r.Name.pointer(), UserName: r.UserName.pointer(), UserId: r.UserID.pointer(),
		Params: r.Params.pointer(), Status: r.Status.pointer(),
		CreatedAt: r.CreatedAt.pointer(), UpdatedAt: r.UpdatedAt.pointer(), ScheduleAt: r.ScheduleAt.pointer(),
	})
}

// Format writes what a Scheduled is, whatever the verb, and nothing of the client that it holds.
func (s Scheduled) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "kafkatasks.Scheduled") }
