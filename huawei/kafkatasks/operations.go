package kafkatasks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// Operation is a change of the instance whose request answers with the id of its task, for [taskwait.Waiter.Do]:
//
//	resize := source.Operation("resize", func(c *kafka.KafkaClient) (*string, error) {
//		resp, err := c.ResizeKafkaInstance(request)
//		if err != nil {
//			return nil, err
//		}
//		return resp.JobId, nil
//	})
//	task, err := waiter.Do(ctx, resize)
//
// send must make its one request on the client that it is given, and on no other. name is for messages. Should the
// answer have no id all the same (a job_id may be missing; that of a scheduled operation is), the task is found as
// the only one that was not there before, whatever its name.
//
// A refusal with DMS.00400017, "another task is running", or DMS.00400026, "not allowed in this status", waits until
// the instance is free, see [Source.Busy]. DMS.00400026 also stands for states that never allow the operation.
// Therefore it is tried again only while something is seen to run; refused twice with nothing running, it is refused
// for good.
func (s *Source) Operation(name string, send func(*kafka.KafkaClient) (id *string, err error)) taskwait.Operation {
	return s.operation(name, "", send, nil)
}

// OperationNamed is a change of the instance whose request does not answer with an id. Its task is found by its name,
// such as bindInstancePublicIp, unbindInstancePublicIp, kafkaConfigModify or kafkaResetConsumerOffset, and as one
// that was not there before: whose id was not listed before the request was sent. fits narrows it further, should the
// same operation be started by others at the same time; of the Task that it is given Raw is a
// *model.ListBackgroundTasksRespTasks, whose Params say what the task is about. If more than one task is left, Do
// returns [taskwait.ErrAmbiguous].
//
// For the rest it is like [Source.Operation].
func (s *Source) OperationNamed(
	name string,
	send func(*kafka.KafkaClient) error,
	fits ...func(taskwait.Task) bool,
) taskwait.Operation {
	fits = append([]func(taskwait.Task) bool{func(t taskwait.Task) bool { return t.Kind == name }}, fits...)
	return s.operation(name, name, func(c *kafka.KafkaClient) (*string, error) { return nil, send(c) }, fits)
}

func (s *Source) operation(
	name, kind string,
	send func(*kafka.KafkaClient) (*string, error),
	fits []func(taskwait.Task) bool,
) taskwait.Operation {
	kept := &readings{}
	start := func(ctx context.Context) (string, error) {
		reply, err := huawei.Mutate(ctx, s.caller, "", func(c *core.HcHttpClient) (*string, error) {
			return send(kafka.NewKafkaClient(c))
		})
		return value(reply.Value), err
	}
	return taskwait.Operation{
		Name: name, Kind: kind, Busy: s.Busy,
		Before: func(ctx context.Context) (taskwait.Attempt, error) { return s.before(ctx, kept) },
		Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
			return whileBusy(ctx, start, s.Busy)
		},
		Find: func(ctx context.Context, a taskwait.Attempt) ([]taskwait.Task, error) { return s.since(ctx, a, fits) },
	}
}

// passing are the codes of refusals that pass: another task runs, the instance is being unsubscribed. Others, because
// of the instance's status (DMS.00400026) or without a reason that is known here, may pass or not.
var passing = map[string]bool{"DMS.00400017": true, "CBC.99003651": true}

// whileBusy is start, but a refusal that may pass or not is a conflict only if something is seen to run.
// What ran may have ended since the refusal; so the operation is sent once more before that is taken for final.
func whileBusy(
	ctx context.Context,
	start func(context.Context) (string, error),
	busy func(context.Context) (string, error),
) (string, error) {
	for again := true; ; again = false {
		id, err := start(ctx)
		var q *taskwait.QueryError
		if !errors.As(err, &q) || q.Class != taskwait.ClassConflict || passing[q.Code] {
			return id, err
		}
		what, failed := "", anotherRequest(ctx)
		if failed == nil {
			what, failed = busy(ctx)
		}
		if failed == nil && what == "" && again {
			failed = anotherRequest(ctx)
		}
		switch {
		case failed != nil:
			return id, notSent(failed)
		case what != "":
			return id, err
		case !again:
			refused := *q
			refused.Class = taskwait.ClassPermanent
			return id, &refused
		}
	}
}

// notSent is the error of a query that keeps the operation from being sent again.
func notSent(err error) error {
	var q *taskwait.QueryError
	if errors.As(err, &q) && q.Class != taskwait.ClassTransient {
		return q // throttled, or for good
	}
	n := &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: err}
	if q != nil {
		n.Code, n.RequestID, n.RetryAfter = q.Code, q.RequestID, q.RetryAfter
	}
	return n
}

// longBefore is by how much a task began before the attempt if it cannot be the operation's, whatever the clocks: a
// list may have hidden it. The service refuses requests of a client whose clock differs by as much.
const longBefore = 15 * time.Minute

// window is the part of the list in which an operation's task is looked for: what began since. What began earlier, as
// far as the clocks of service and client can tell, is not the operation's, and need not be read.
func window(at time.Time) time.Time { return at.Add(-zones) }

// before reads what is there before an operation is sent: at least all that the window of the attempt shows. An id that
// is shown there later and was not there is new, also with an earlier date: the clock that dates an answer may be
// ahead of the one that dates a task. A reading that does not come to its end is kept in kept, for the next call.
func (s *Source) before(ctx context.Context, kept *readings) (taskwait.Attempt, error) {
	if err := s.Validate(); err != nil {
		return taskwait.Attempt{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	r := kept.take()
	if r == nil {
		r = newReading(s.listing(time.Now().Add(-zones - zones/2)))
	}
	if err := s.finish(ctx, r, ""); err != nil {
		kept.keep(r)
		return taskwait.Attempt{}, err
	}
	a := taskwait.Attempt{At: cmp.Or(r.asOf, time.Now())}
	if window(a.At).Before(r.list.begin) { // our clock is far ahead of the service's
		if err := anotherRequest(ctx); err != nil {
			return taskwait.Attempt{}, err
		}
		r = newReading(s.listing(window(a.At)))
		if err := s.finish(ctx, r, ""); err != nil {
			kept.keep(r)
			return taskwait.Attempt{}, err
		}
	}
	a.Seen = idsOf(r.rows)
	return a, nil
}

func idsOf(tasks []taskwait.Task) []string {
	all := make([]string, len(tasks))
	for i := range tasks {
		all[i] = tasks[i].ID
	}
	return all
}

// since lists the tasks that were not there before the attempt, and fit.
func (s *Source) since(
	ctx context.Context,
	a taskwait.Attempt,
	fits []func(taskwait.Task) bool,
) ([]taskwait.Task, error) {
	tasks, _, err := s.list(ctx, window(a.At))
	if err != nil {
		return nil, err
	}
	var found []taskwait.Task
	for _, t := range tasks {
		older := !t.CreatedAt.IsZero() && t.CreatedAt.Before(a.At.Add(-longBefore))
		if !older && !slices.Contains(a.Seen, t.ID) && fitsAll(t, fits) {
			found = append(found, t)
		}
	}
	return found, nil
}

// keptFor is how long a reading that was interrupted is worth keeping: longer than the minute that the gateway
// throttles for, and too short for other operations to come and go.
const keptFor = 2 * time.Minute

// readings keeps a list that could not be read to its end in one call, so that the next call goes on there and does not
// begin it anew.
type readings struct {
	mu   sync.Mutex
	kept *reading[taskwait.Task]
	at   time.Time
}

// take returns what is kept, once; nil: nothing.
func (p *readings) take() *reading[taskwait.Task] {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.kept
	p.kept = nil
	if time.Since(p.at) >= keptFor {
		return nil
	}
	return kept
}

func (p *readings) keep(r *reading[taskwait.Task]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept, p.at = r, time.Now()
}

func fitsAll(t taskwait.Task, fits []func(taskwait.Task) bool) bool {
	for _, f := range fits {
		if !f(t) {
			return false
		}
	}
	return true
}

// Busy says in a few words what the instance is busy with: a background task, or a change of its status; "": nothing.
// It makes two queries, or more if the list of tasks is long, and needs the permission to show the instance.
func (s *Source) Busy(ctx context.Context) (string, error) {
	tasks, _, err := s.list(ctx, time.Time{})
	if err != nil {
		return "", err
	}
	for i := range tasks {
		if !tasks[i].Status.Terminal() {
			return tasks[i].String(), nil
		}
	}
	if err := anotherRequest(ctx); err != nil {
		return "", err
	}
	i, err := showInstance(ctx, s.caller, s.instanceID)
	if err != nil {
		return "", err
	}
	if i.changing() {
		return fmt.Sprintf("instance %q: %s", s.instanceID, i.Status), nil
	}
	return "", nil
}
