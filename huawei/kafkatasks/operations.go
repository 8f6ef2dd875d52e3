package kafkatasks

import (
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
	return s.operation(name, send, nil)
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
	return s.operation(name, func(c *kafka.KafkaClient) (*string, error) { return nil, send(c) }, fits)
}

func (s *Source) operation(
	name string,
	send func(*kafka.KafkaClient) (*string, error),
	fits []func(taskwait.Task) bool,
) taskwait.Operation {
	kept := &preparations{}
	start := func(ctx context.Context) (taskwait.Started, error) {
		p := kept.take()
		if p.mark == nil {
			err := s.prepare(ctx, p)
			if err == nil {
				err = anotherRequest(ctx)
			}
			if err != nil {
				kept.keep(p)
				return taskwait.Started{}, notSent(err)
			}
		}
		reply, err := huawei.Mutate(ctx, s.caller, "", func(c *core.HcHttpClient) (*string, error) {
			return send(kafka.NewKafkaClient(c))
		})
		if throttledOrNotSent(err) {
			kept.keep(p)
		}
		find := func(ctx context.Context) ([]taskwait.Task, error) { return s.since(ctx, p.mark, fits) }
		return taskwait.Started{ID: value(reply.Value), Find: find}, err
	}
	return taskwait.Operation{
		Name: name, Busy: s.Busy,
		Start: func(ctx context.Context) (taskwait.Started, error) { return whileBusy(ctx, start, s.Busy) },
	}
}

// passing are the codes of refusals that pass: another task runs, the instance is being unsubscribed. Others, because
// of the instance's status (DMS.00400026) or without a reason that is known here, may pass or not.
var passing = map[string]bool{"DMS.00400017": true, "CBC.99003651": true}

// whileBusy is start, but a refusal that may pass or not is a conflict only if something is seen to run.
// What ran may have ended since the refusal; so the operation is sent once more before that is taken for final.
func whileBusy(
	ctx context.Context,
	start func(context.Context) (taskwait.Started, error),
	busy func(context.Context) (string, error),
) (taskwait.Started, error) {
	for again := true; ; again = false {
		started, err := start(ctx)
		var q *taskwait.QueryError
		if !errors.As(err, &q) || q.Class != taskwait.ClassConflict || passing[q.Code] {
			return started, err
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
			return started, notSent(failed)
		case what != "":
			return started, err
		case !again:
			refused := *q
			refused.Class = taskwait.ClassPermanent
			return started, &refused
		}
	}
}

// notSent is the error of a query that comes before the operation, and keeps it from being sent.
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

// longBefore is by how much a task began before the mark if it cannot be the operation's, whatever the clocks: a list
// may have hidden it. The service refuses requests of a client whose clock differs by as much.
const longBefore = 15 * time.Minute

// mark is what the instance's tasks were before an operation was sent.
type mark struct {
	at    time.Time // by the service's clock, or by ours if the service did not say
	tasks []taskwait.Task
}

// window is the part of the list in which an operation's task is looked for: what began since. What began earlier, as
// far as the clocks of service and client can tell, is not the operation's, and need not be read.
func (m *mark) window() time.Time { return m.at.Add(-zones) }

// prepare reads what is there before an operation is sent: at least all that the window of the mark shows. An id that
// is shown there later and was not there is new, also with an earlier date: the clock that dates an answer may be
// ahead of the one that dates a task.
func (s *Source) prepare(ctx context.Context, p *preparation) error {
	if err := s.Validate(); err != nil {
		return &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	if p.reading == nil {
		p.reading = newReading(s.listing(time.Now().Add(-zones - zones/2)))
	}
	if err := s.finish(ctx, p.reading, ""); err != nil {
		return err
	}
	m := &mark{p.reading.asOf, p.reading.rows}
	if m.at.IsZero() {
		m.at = time.Now()
	}
	if m.window().Before(p.reading.list.begin) { // our clock is far ahead of the service's
		if err := anotherRequest(ctx); err != nil {
			return err
		}
		p.reading = newReading(s.listing(m.window()))
		if err := s.finish(ctx, p.reading, ""); err != nil {
			return err
		}
		m.tasks = p.reading.rows
	}
	p.mark = m
	return nil
}

// since lists the tasks that were not there at the mark, and fit.
func (s *Source) since(ctx context.Context, m *mark, fits []func(taskwait.Task) bool) ([]taskwait.Task, error) {
	tasks, _, err := s.list(ctx, m.window())
	if err != nil {
		return nil, err
	}
	var found []taskwait.Task
	for _, t := range tasks {
		older := !t.CreatedAt.IsZero() && t.CreatedAt.Before(m.at.Add(-longBefore))
		if !older && !contains(m.tasks, t.ID) && fitsAll(t, fits) {
			found = append(found, t)
		}
	}
	return found, nil
}

// keptFor is how long a preparation is worth keeping: longer than the minute that the gateway throttles for, and too
// short for other operations to come and go.
const keptFor = 2 * time.Minute

// preparation is what was read for an operation before it is sent.
type preparation struct {
	reading *reading[taskwait.Task] // nil: not begun
	mark    *mark                   // nil: the list is not finished
}

// preparations keeps the preparation of an operation that could not be sent in one call, so that the next call goes on
// there and does not begin the list anew.
type preparations struct {
	mu   sync.Mutex
	kept *preparation
	at   time.Time
}

func (p *preparations) take() *preparation {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.kept
	p.kept = nil
	if kept == nil || time.Since(p.at) >= keptFor {
		return &preparation{}
	}
	return kept
}

func (p *preparations) keep(kept *preparation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept, p.at = kept, time.Now()
}

func throttledOrNotSent(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && (q.Class == taskwait.ClassThrottled || q.Class == taskwait.ClassNotSent)
}

func contains(tasks []taskwait.Task, id string) bool {
	return slices.ContainsFunc(tasks, func(t taskwait.Task) bool { return t.ID == id })
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
