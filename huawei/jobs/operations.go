package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/huawei/internal/changes"
)

// Operation returns a change whose request answers with the id of its job, for [taskwait.Waiter.Do] of a waiter on
// source:
//
//	resize := jobs.Operation(client.HcClient, source, "resize", func(c *core.HcHttpClient) (*string, error) {
//		resp, err := rds.NewRdsClient(c).StartResizeFlavorAction(request)
//		if err != nil {
//			return nil, err
//		}
//		return resp.JobId, nil
//	})
//	task, err := waiter.Do(ctx, resize)
//
// send must make one request, on the client that it is given. name is for messages. If source has a list, and the
// answer has no id after all, the job is found as the only one that was not there before. A refusal because something
// else may run is tried again while a job is seen to run, see [huawei.Mutate]. Without a list, an answer without an id
// is [taskwait.ErrOutcomeUnknown].
func Operation(
	client *core.HcHttpClient, source *httptasks.Source, name string,
	send func(*core.HcHttpClient) (id *string, err error),
) taskwait.Operation {
	return operation(client, source, taskwait.Operation{Name: name}, send, nil)
}

// OperationNamed returns a change whose request does not answer with an id, of a service whose source has a list, such
// as RabbitMQ and RocketMQ. Its job is found by its kind, such as bindInstancePublicIp, and because it was not there
// before. fits narrows the search, if others may start the same operation at the same time. If more than one job fits,
// Do returns [taskwait.ErrAmbiguous]. Otherwise it is like [Operation].
func OperationNamed(
	client *core.HcHttpClient, source *httptasks.Source, kind string,
	send func(*core.HcHttpClient) error, fits ...func(taskwait.Task) bool,
) taskwait.Operation {
	fits = append([]func(taskwait.Task) bool{func(t taskwait.Task) bool { return t.Kind == kind }}, fits...)
	return operation(client, source, taskwait.Operation{Name: kind, Kind: kind},
		func(c *core.HcHttpClient) (*string, error) { return nil, send(c) }, fits)
}

func operation(
	client *core.HcHttpClient, source *httptasks.Source, op taskwait.Operation,
	send func(*core.HcHttpClient) (*string, error), fits []func(taskwait.Task) bool,
) taskwait.Operation {
	caller := huawei.NewCaller(client)
	start := func(ctx context.Context) (id string, err error) {
		reply, err := huawei.Mutate(ctx, caller, "", send)
		if reply.Value != nil {
			id = *reply.Value
		}
		return id, err
	}
	if source.CanList() {
		all := tasks{source}
		return changes.Tasks{Validate: source.Validate, List: all.since, Finish: finish, Busy: all.busy}.Operation(
			op.Name, op.Kind, start, fits)
	}
	op.Start = func(ctx context.Context, _ taskwait.Attempt) (string, error) { return start(ctx) }
	return op
}

// tasks are the jobs that a source lists.
type tasks struct{ source *httptasks.Source }

// since is the list of those that began since a time, and a day before.
func (s tasks) since(since time.Time) *changes.Reading[taskwait.Task] {
	return changes.Read(func(ctx context.Context, at string) ([]taskwait.Task, string, time.Time, error) {
		rows, next, err := s.source.List(ctx, taskwait.ListRequest{Since: since, Page: at})
		var asOf time.Time
		if len(rows) > 0 {
			asOf = rows[0].AsOf
		}
		return rows, next, asOf, err
	}, func(t *taskwait.Task) string { return t.ID })
}

func finish(ctx context.Context, r *changes.Reading[taskwait.Task]) error { return r.Finish(ctx) }

// clocks is by how much our clock and a service's may differ.
const clocks = 10 * time.Second

// ListSince returns the jobs of a source with a list that began at or after a time by our clock, the latest first; the
// zero time: all that the service still lists. It may return some that began up to ten seconds earlier. If the list is
// not complete, the error says why. It may take several requests, as [taskwait.Lister] does.
func ListSince(ctx context.Context, source *httptasks.Source, since time.Time) ([]taskwait.Task, error) {
	r := tasks{source}.since(since)
	if err := r.Finish(ctx); err != nil {
		return nil, err
	}
	if !since.IsZero() {
		since = since.Add(-clocks)
	}
	rows := slices.DeleteFunc(r.Rows, func(t taskwait.Task) bool {
		return !t.CreatedAt.IsZero() && t.CreatedAt.Before(since)
	})
	slices.SortStableFunc(rows, func(a, b taskwait.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return rows, nil
}

// busy says which job runs; "": none.
func (s tasks) busy(ctx context.Context) (string, error) {
	r := s.since(time.Time{})
	if err := r.Finish(ctx); err != nil {
		return "", err
	}
	for i := range r.Rows {
		if !r.Rows[i].Status.Terminal() {
			return r.Rows[i].String(), nil
		}
	}
	return "", nil
}
