package kafkatasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

const (
	// largestPage is the most rows that the service puts on one page (API page "Querying the Background Task List", read
	// 2026-11-23).
	largestPage = 100

	// mostPages bounds a list that never ends.
	mostPages = 100

	// timeLayout is that of begin_time and end_time. In which zone the service reads them is not documented.
	timeLayout = "20060102150405"

	// zones is more than the clocks of any two zones differ by. A list from so long before the time that is meant has all
	// that is wanted, whatever zone the service reads the time in.
	zones = 24 * time.Hour
)

// Tasks asks for one page of the instance's list, 100 tasks, which is all that the service offers for many at once: it
// takes no ids. The list begins a day before b.Since, as it is not documented in which zone the service reads that. It
// needs the permission to list background tasks. The errors are those of [Source.Task]; but that a task is not in the list
// is none.
func (s *Source) Tasks(ctx context.Context, b taskwait.Batch) (tasks []taskwait.Task, next string, err error) {
	at, err := parseCursor(b.Page)
	if err = errors.Join(s.Validate(), err); err != nil {
		return nil, "", &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	begin := b.Since
	if !begin.IsZero() {
		begin = begin.Add(-zones)
	}
	tasks, _, err = s.page(ctx, begin, at.offset)
	if err != nil {
		return nil, "", err
	}
	return tasks, after(at, tasks, taskID).String(), nil
}

// list gives the instance's background tasks that began at or after a time, zero: all of them, and the service's time.
func (s *Source) list(ctx context.Context, begin time.Time) (tasks []taskwait.Task, asOf time.Time, err error) {
	if err := s.Validate(); err != nil {
		return nil, time.Time{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	tasks, err = collect(taskID, func(offset int) ([]taskwait.Task, error) {
		page, at, err := s.page(ctx, begin, offset)
		asOf = at
		return page, err
	})
	return tasks, asOf, err
}

// page asks for one page of the background tasks.
func (s *Source) page(ctx context.Context, begin time.Time, offset int) ([]taskwait.Task, time.Time, error) {
	limit := int32(largestPage)
	req := &model.ListBackgroundTasksRequest{InstanceId: s.instanceID, Limit: &limit}
	if offset > 0 {
		from := int32(offset) //nolint:gosec // at most mostPages pages
		req.Offset = &from
	}
	if !begin.IsZero() {
		text := begin.UTC().Format(timeLayout)
		req.BeginTime = &text
	}
	reply, err := huawei.Query(ctx, s.caller, "", func(c *core.HcHttpClient) (*model.ListBackgroundTasksResponse, error) {
		return kafka.NewKafkaClient(c).ListBackgroundTasks(req)
	})
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case reply.Value.Tasks == nil: // {}, null, an empty body, 204, 302: to the SDK all of these are fine
		return nil, time.Time{}, &taskwait.QueryError{
			Err: fmt.Errorf("the answer (status %d) has no tasks in it", reply.Value.HttpStatusCode),
		}
	}
	tasks := make([]taskwait.Task, len(*reply.Value.Tasks))
	for i := range tasks {
		tasks[i] = task(&(*reply.Value.Tasks)[i], reply.At)
	}
	return tasks, reply.At, nil
}
