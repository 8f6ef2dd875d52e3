package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/huawei/internal/changes"
	"github.com/taskwait/taskwait/internal/cursor"
	"github.com/taskwait/taskwait/internal/lenient"
)

const (
	// largestPage is the most rows that the service puts on one page (API page "Querying the Background Task List",
	// read 2026-11-23).
	largestPage = 100

	// timeLayout is that of begin_time and end_time. In which zone the service reads them is not documented.
	timeLayout = "20060102150405"

	// zones: a list from so long before the time that is meant has all that is wanted, whatever zone the service reads the
	// time in.
	zones = lenient.Zones

	// clocks is how far the clock of the service's gateway, which dates an answer, to the second, may be ahead of the
	// one that dates a task. Three seconds were reported.
	clocks = 10 * time.Second
)

// Recent queries, in one request, the last 100 tasks of the instance that have ended, the oldest first. Use them to
// fill a new [github.com/taskwait/taskwait/schedule.History]:
//
//	tasks, err := source.Recent(ctx)
//	for _, t := range tasks {
//		history.Add(t.Kind, t.Took())
//	}
//
// It needs the permission to list background tasks. The errors are those of [Source.Task].
func (s *Source) Recent(ctx context.Context) ([]taskwait.Task, error) {
	if err := s.Validate(); err != nil {
		return nil, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	page, err := s.listing(time.Time{}).page(ctx, 0)
	if err != nil {
		return nil, err
	}
	ended := slices.DeleteFunc(page.rows, func(t taskwait.Task) bool { return !t.Status.Terminal() })
	slices.SortStableFunc(ended, func(a, b taskwait.Task) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return ended, nil
}

// ListSince returns the tasks of the instance that began at or after a time, the latest first; the zero time: all that
// the service still lists. The time is by our clock, so it may return tasks that began up to ten seconds earlier.
//
// If the list is not complete, ListSince returns an error. It may take several requests. Each but the first takes a
// permit of the limiter that ctx has. If one after the first is throttled, ListSince waits and goes on there.
//
// It needs the permission to list background tasks. The errors are those of [Source.Task].
func (s *Source) ListSince(ctx context.Context, since time.Time) ([]taskwait.Task, error) {
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
	tasks = slices.DeleteFunc(
		tasks,
		func(t taskwait.Task) bool { return !t.CreatedAt.IsZero() && t.CreatedAt.Before(since) },
	)
	slices.SortStableFunc(tasks, func(a, b taskwait.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return tasks, nil
}

// List requests one page of the list of the instance, 100 tasks. The service takes no ids. The list begins a day before
// r.Since, because the service does not document in which zone it reads that time. A list that cannot be read to its
// end is an error, of the last page. It needs the permission to list background tasks. The errors are those of
// [Source.Task], but it is no error if a task is not in the list.
func (s *Source) List(ctx context.Context, r taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	at, err := cursor.Parse(r.Page)
	if err = errors.Join(s.Validate(), err); err != nil {
		return nil, "", &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	begin := r.Since
	if !begin.IsZero() {
		begin = begin.Add(-zones)
	}
	p, at, done, err := s.listing(begin).next(ctx, at)
	if err != nil {
		return nil, "", err
	}
	s.absence.seen(changes.IDs(p.rows)...)
	if done {
		return p.rows, "", nil
	}
	return p.rows, at.String(), nil
}

// list gives the instance's background tasks that began at or after a time, zero: all of them, and the service's time.
func (s *Source) list(ctx context.Context, begin time.Time) (tasks []taskwait.Task, asOf time.Time, err error) {
	if err := s.Validate(); err != nil {
		return nil, time.Time{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	r := s.listing(begin).reading()
	err = s.finish(ctx, r, "")
	return r.Rows, r.AsOf, err
}

// finish reads a list to its end, for one task in it, or "", for all of them.
func (s *Source) finish(ctx context.Context, r *changes.Reading[taskwait.Task], task string) error {
	sent := time.Now()
	if err := r.Finish(ctx); err != nil {
		return s.judge(ctx, task, sent, err)
	}
	s.absence.seen(changes.IDs(r.Rows)...)
	return nil
}

// listing is the list of the instance's background tasks that began at or after a time, zero: all of them.
func (s *Source) listing(begin time.Time) *listing[taskwait.Task] {
	l := &listing[taskwait.Task]{
		caller: s.caller, path: "/v2/{project_id}/instances/{instance_id}/tasks", rows: "tasks", count: "task_count",
		of: resource{InstanceId: s.instanceID}, limit: largestPage,
		decode: backgroundTask, id: taskID, explain: s.explain,
	}
	l.from = func(r *resource, offset *string) { r.Offset = offset }
	if !begin.IsZero() {
		text := begin.UTC().Format(timeLayout)
		l.of.BeginTime = &text
	}
	return l
}

func taskID(t *taskwait.Task) string { return t.ID }

// listing is a list of the service's, in pages.
type listing[T any] struct {
	caller      *huawei.Caller
	permission  string
	path        string
	rows, count string // where they are in the answer
	of          resource
	from        func(*resource, *string) // sets the offset
	limit       int
	decode      func(row json.RawMessage, asOf time.Time) T
	id          func(*T) string
	explain     func(error) error
}

// page is one page of a list.
type page[T any] struct {
	rows  []T
	total int // rows in the list; or cursor.Unknown
	asOf  time.Time
}

// page requests the page that begins at an offset, counted from 0.
func (l *listing[T]) page(ctx context.Context, offset int) (p page[T], err error) {
	r, limit := l.of, strconv.Itoa(l.limit)
	r.Limit = &limit
	if offset > 0 {
		text := strconv.Itoa(offset)
		l.from(&r, &text)
	}
	var body map[string]json.RawMessage
	reply, err := get(ctx, l.caller, l.permission, l.path, &r, &body)
	if err != nil {
		return p, l.explain(err)
	}
	var rows []json.RawMessage
	if json.Unmarshal(body[l.rows], &rows) != nil || rows == nil {
		return p, reply.Lacks(l.rows)
	}
	p = page[T]{make([]T, len(rows)), cursor.Unknown, reply.At}
	for i, text := range rows {
		p.rows[i] = l.decode(text, reply.At)
	}
	var count loose
	if text := body[l.count]; text != nil && json.Unmarshal(text, &count) == nil {
		p.total = count.count()
	}
	return p, nil
}

// next requests the page at a cursor, and moves the cursor on; done: there are no more.
func (l *listing[T]) next(ctx context.Context, at cursor.Cursor) (p page[T], next cursor.Cursor, done bool, err error) {
	p, err = l.page(ctx, at.Offset())
	switch {
	case beyondTheEnd(err) && at.Offset() > 0:
		next, done, err = at.Beyond()
		return p, next, done, err
	case err != nil:
		return p, at, false, err
	}
	ids := make([]string, len(p.rows))
	for i := range p.rows {
		ids[i] = l.id(&p.rows[i])
	}
	next, done, err = at.After(ids, p.total, l.limit)
	return p, next, done, err
}

// reading is the list, of which nothing was read yet.
func (l *listing[T]) reading() *changes.Reading[T] {
	return changes.Read(func(ctx context.Context, at string) ([]T, string, time.Time, error) {
		where, err := cursor.Parse(at)
		if err != nil {
			return nil, "", time.Time{}, err
		}
		p, where, done, err := l.next(ctx, where)
		if done || err != nil {
			return p.rows, "", p.asOf, err
		}
		return p.rows, where.String(), p.asOf, nil
	}, l.id)
}

// beyondTheEnd reports whether err is the refusal of an offset past the end, which another list of DMS answers with
// 400 DMS.40050010.
func beyondTheEnd(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassPermanent && q.Code == "DMS.40050010"
}
