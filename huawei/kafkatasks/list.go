package kafkatasks

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	at, err := parsePlace(b.Page)
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

func taskID(t *taskwait.Task) string { return t.ID }

// place is where in a list to go on. The service's parameter for the offset has changed its name, whether it counts from 0
// or 1 is not documented, nor what task_count counts, and the list grows at its head meanwhile. So pages may overlap, repeat
// themselves or be refused; they end when one is short, or begins like the one before or the first.
type place struct {
	offset      int    // rows so far; -1: there are no more
	first, last string // the ids that the first page and the last one began with
}

func (p place) over() bool { return p.offset < 0 }

// String is the place as a [taskwait.Batch] carries it. Ids hold no spaces.
func (p place) String() string {
	if p.over() {
		return ""
	}
	return fmt.Sprintf("%d %s %s", p.offset, p.first, p.last)
}

func parsePlace(s string) (place, error) {
	if s == "" {
		return place{}, nil
	}
	parts := strings.Split(s, " ")
	offset, err := strconv.Atoi(parts[0])
	if err != nil || len(parts) != 3 || offset <= 0 {
		return place{}, fmt.Errorf("kafkatasks: page %q, want one that Tasks has returned", s)
	}
	return place{offset, parts[1], parts[2]}, nil
}

// after is the place after the page at p.
func after[T any](p place, page []T, id func(*T) string) place {
	if len(page) < largestPage || p.offset >= mostPages*largestPage {
		return place{offset: -1}
	}
	head := id(&page[0])
	if head == "" || strings.Contains(head, " ") || head == p.first || head == p.last {
		return place{offset: -1}
	}
	next := place{p.offset + len(page), p.first, head}
	if p.first == "" {
		next.first = head
	}
	return next
}

// collect fetches page after page until there are no more. Each row is kept once, by its id, as it was seen first.
func collect[T any](id func(*T) string, fetch func(offset int) ([]T, error)) ([]T, error) {
	var all []T
	known := map[string]bool{}
	for at := (place{}); !at.over(); {
		rows, err := fetch(at.offset)
		if at.offset > 0 && refusedBeyond(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if row := &rows[i]; !known[id(row)] {
				known[id(row)] = true
				all = append(all, *row)
			}
		}
		at = after(at, rows, id)
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
	resp, asOf, err := huawei.Ask(ctx, s.caller, "", func(c *core.HcHttpClient) (*model.ListBackgroundTasksResponse, error) {
		return kafka.NewKafkaClient(c).ListBackgroundTasks(req)
	})
	switch {
	case err != nil:
		return nil, asOf, err
	case resp.Tasks == nil: // {}, null, an empty body, 204, 302: to the SDK all of these are fine
		return nil, asOf, &taskwait.QueryError{Err: fmt.Errorf("the answer (status %d) has no tasks in it", resp.HttpStatusCode)}
	}
	tasks := make([]taskwait.Task, len(*resp.Tasks))
	for i := range tasks {
		tasks[i] = task(&(*resp.Tasks)[i], asOf)
	}
	return tasks, asOf, nil
}
