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
	// largestPage is the most rows that the service puts on one page.
	largestPage = 100

	// mostPages bounds a list that never ends.
	mostPages = 100

	// timeLayout is that of begin_time and end_time. In which zone the service reads them is not documented.
	timeLayout = "20060102150405"

	// zones is more than the clocks of any two zones differ by. A list from so long before the time that is meant has all
	// that is wanted, whatever zone the service reads the time in.
	zones = 24 * time.Hour
)

// collect fetches page after page, from offset 0, until there is nothing new. The service's parameter for the offset has
// changed its name, and whether it counts from 0 or 1 is not documented: so pages may overlap or repeat themselves, and a
// page beyond the end may be refused; nor is it said what task_count counts. Each row is kept once, by its id, as it was seen first.
func collect[T any](id func(*T) string, fetch func(offset int) ([]T, error)) ([]T, error) {
	var all []T
	known := map[string]bool{}
	for n := range mostPages {
		rows, err := fetch(n * largestPage)
		if refusedBeyond(err) && n > 0 {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		before := len(all)
		for i := range rows {
			if row := &rows[i]; !known[id(row)] {
				known[id(row)] = true
				all = append(all, *row)
			}
		}
		if len(rows) < largestPage || len(all) == before {
			return all, nil
		}
	}
	return all, nil
}

// refusedBeyond reports whether err may be the refusal of an offset past the end, which another list of DMS answers with
// 400 DMS.40050010.
func refusedBeyond(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassPermanent
}

// list gives the instance's background tasks that began at or after a time, zero: all of them, and the service's time.
func (s *Source) list(ctx context.Context, begin time.Time) ([]taskwait.Task, time.Time, error) {
	if err := s.Validate(); err != nil {
		return nil, time.Time{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	var asOf time.Time
	rows, err := collect(func(r *model.ListBackgroundTasksRespTasks) string { return value(r.Id) },
		func(offset int) ([]model.ListBackgroundTasksRespTasks, error) {
			rows, at, err := s.page(ctx, begin, offset)
			asOf = at
			return rows, err
		})
	if err != nil {
		return nil, asOf, err
	}
	tasks := make([]taskwait.Task, len(rows))
	for i := range rows {
		tasks[i] = task(&rows[i], asOf)
	}
	return tasks, asOf, nil
}

// page asks for one page of the background tasks.
func (s *Source) page(ctx context.Context, begin time.Time, offset int) ([]model.ListBackgroundTasksRespTasks, time.Time, error) {
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
	resp, asOf, err := huawei.Ask(ctx, s.caller, "", func(c *core.HcHttpClient) (*model.ListBackgroundTasksResponse, error) {
		return kafka.NewKafkaClient(c).ListBackgroundTasks(req)
	})
	switch {
	case err != nil:
		return nil, asOf, err
	case resp.Tasks == nil: // {}, null, an empty body, 204, 302: to the SDK all of these are fine
		return nil, asOf, &taskwait.QueryError{Err: fmt.Errorf("the answer (status %d) has no tasks in it", resp.HttpStatusCode)}
	}
	return *resp.Tasks, asOf, nil
}
