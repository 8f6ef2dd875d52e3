package kafkatasks

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// Scheduled asks for the scheduled tasks of one instance: operations that were planned for later, such as an upgrade in
// the next maintenance window. It is safe for concurrent use.
//
// They differ from background tasks in more than their list. Their ids are their own; whether the background task that
// comes of one has the same id is not documented. CREATED lasts until the time they are planned for, hours or days. And
// CANCELLED, which ends a wait with [taskwait.ErrTaskCancelled], need not be the end: such a task can be armed again
// (UpdateScheduledTask), and then be waited for anew. WithNotFoundGrace and a generous WithTimeout fit them as they fit others;
// consider WithInterval with minutes.
//
// There is no request for one of them, so that each look asks for the list: one request for each 100 tasks.
type Scheduled struct {
	tasks *Source
}

var _ taskwait.Source = (*Scheduled)(nil)

// NewScheduled returns a Source for the scheduled tasks of an instance. What [New] says of the client holds here too.
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

// Task asks for one scheduled task. The errors are those of [huawei.Query], and a [*taskwait.QueryError] for an answer without
// the task. Raw in the Task is a *model.ScheduledTaskEntity, whose Params may hold passwords.
func (s *Scheduled) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), taskwait.CheckID("task id", id)); err != nil {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	var asOf time.Time
	rows, err := collect(func(r *model.ScheduledTaskEntity) string { return value(r.Id) }, func(offset int) ([]model.ScheduledTaskEntity, error) {
		rows, at, err := s.page(ctx, offset)
		asOf = at
		return rows, err
	})
	if err != nil {
		return taskwait.Task{}, err
	}
	for i := range rows {
		if r := &rows[i]; value(r.Id) == id {
			return taskwait.Task{
				ID: id, Name: value(r.Name), Status: taskwait.Status(value(r.Status)),
				CreatedAt: parseTime(value(r.CreatedAt)), UpdatedAt: parseTime(value(r.UpdatedAt)), AsOf: asOf, Raw: r,
			}, nil
		}
	}
	return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("the instance lists no scheduled task with this id")}
}

// page asks for one page of the scheduled tasks.
func (s *Scheduled) page(ctx context.Context, offset int) ([]model.ScheduledTaskEntity, time.Time, error) {
	limit := strconv.Itoa(largestPage)
	req := &model.ListScheduledTasksRequest{InstanceId: s.tasks.instanceID, Limit: &limit}
	if offset > 0 {
		start := strconv.Itoa(offset)
		req.Start = &start
	}
	reply, err := huawei.Query(ctx, s.tasks.caller, "", func(c *core.HcHttpClient) (*model.ListScheduledTasksResponse, error) {
		return kafka.NewKafkaClient(c).ListScheduledTasks(req)
	})
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case reply.Value.Jobs == nil:
		return nil, time.Time{}, &taskwait.QueryError{
			Err: fmt.Errorf("the answer (status %d) has no jobs in it", reply.Value.HttpStatusCode),
		}
	}
	return *reply.Value.Jobs, reply.At, nil
}
