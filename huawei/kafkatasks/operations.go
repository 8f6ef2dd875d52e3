package kafkatasks

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
// send must make its one request on the client that it is given, and on no other. name is for messages. Should the answer
// have no id all the same (a job_id may be missing; that of a scheduled operation is), the task is found as the only one
// that was not there before, whatever its name.
//
// A refusal with DMS.00400017, "another task is running", or DMS.00400026, "not allowed in this status", waits until the
// instance is free, see [Source.Busy]. DMS.00400026 also stands for states that never allow the operation. Therefore it
// is tried again only while something is seen to run; refused twice with nothing running, it is refused for good.
func (s *Source) Operation(name string, send func(*kafka.KafkaClient) (id *string, err error)) taskwait.Operation {
	return s.operation(name, send, nil)
}

// OperationNamed is a change of the instance whose request does not answer with an id. Its task is found by its name, such
// as bindInstancePublicIp, unbindInstancePublicIp, kafkaConfigModify or kafkaResetConsumerOffset, and as one that was
// not there before: neither an id that was listed before the request was sent, nor begun before that by the service's own
// clock. fits narrows it further, should the same operation be started by others at the same time; of the Task that it is
// given Raw is a *model.ListBackgroundTasksRespTasks, whose Params say what the task is about. If more than one task is
// left, Do returns [taskwait.ErrAmbiguous].
//
// For the rest it is like [Source.Operation].
func (s *Source) OperationNamed(name string, send func(*kafka.KafkaClient) error, fits ...func(taskwait.Task) bool) taskwait.Operation {
	fits = append([]func(taskwait.Task) bool{func(t taskwait.Task) bool { return t.Name == name }}, fits...)
	return s.operation(name, func(c *kafka.KafkaClient) (*string, error) { return nil, send(c) }, fits)
}

func (s *Source) operation(name string, send func(*kafka.KafkaClient) (*string, error), fits []func(taskwait.Task) bool) taskwait.Operation {
	start := func(ctx context.Context) (taskwait.Started, error) {
		m, err := s.mark(ctx)
		if err != nil {
			return taskwait.Started{}, notSent(err)
		}
		started := taskwait.Started{Find: func(ctx context.Context) ([]taskwait.Task, error) { return s.since(ctx, m, fits) }}
		reply, err := huawei.Mutate(ctx, s.caller, "", func(c *core.HcHttpClient) (*string, error) {
			return send(kafka.NewKafkaClient(c))
		})
		started.ID = value(reply.Value)
		return started, err
	}
	return taskwait.Operation{
		Name: name, Busy: s.Busy,
		Start: func(ctx context.Context) (taskwait.Started, error) { return whileBusy(ctx, start, s.Busy) },
	}
}

// forbidden is the code of a refusal because of the instance's status, which may be passing or not.
const forbidden = "DMS.00400026"

// whileBusy is start, but a refusal because of the instance's status is a conflict only if something is seen to run.
// What ran may have ended since the refusal; so the operation is sent once more before that is taken for final.
func whileBusy(
	ctx context.Context, start func(context.Context) (taskwait.Started, error), busy func(context.Context) (string, error),
) (taskwait.Started, error) {
	for again := true; ; again = false {
		started, err := start(ctx)
		var q *taskwait.QueryError
		if !errors.As(err, &q) || q.Class != taskwait.ClassConflict || q.Code != forbidden {
			return started, err
		}
		what, asked := busy(ctx)
		switch {
		case asked != nil:
			return started, notSent(asked)
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

// clocks is how far the clock of the service's gateway, which dates an answer, to the second, may be ahead of the one that
// dates a task.
const clocks = time.Second

// mark is what the instance's tasks were at a time.
type mark struct {
	at    time.Time // by the service's clock; zero: it did not say
	tasks []taskwait.Task
}

// mark looks at what is there before an operation is sent.
func (s *Source) mark(ctx context.Context) (*mark, error) {
	begin := time.Now().Add(-zones)
	tasks, at, err := s.list(ctx, begin)
	if err == nil && !at.IsZero() && at.Add(-zones/2).Before(begin) { // our clock is far ahead of the service's
		tasks, at, err = s.list(ctx, at.Add(-zones))
	}
	if err != nil {
		return nil, err
	}
	return &mark{at, tasks}, nil
}

// since lists the tasks that were not there at the mark, and fit.
func (s *Source) since(ctx context.Context, m *mark, fits []func(taskwait.Task) bool) ([]taskwait.Task, error) {
	begin := time.Time{}
	if !m.at.IsZero() {
		begin = m.at.Add(-zones)
	}
	tasks, _, err := s.list(ctx, begin)
	if err != nil {
		return nil, err
	}
	var found []taskwait.Task
	for _, t := range tasks {
		older := !m.at.IsZero() && !t.CreatedAt.IsZero() && t.CreatedAt.Before(m.at.Add(-clocks))
		if !older && !contains(m.tasks, t.ID) && fitsAll(t, fits) {
			found = append(found, t)
		}
	}
	return found, nil
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
// It makes one query, or two, and needs the permission to show the instance.
func (s *Source) Busy(ctx context.Context) (string, error) {
	if err := s.Validate(); err != nil {
		return "", &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	tasks, _, err := s.page(ctx, time.Time{}, 0)
	if err != nil {
		return "", err
	}
	for i := range tasks {
		if !tasks[i].Status.Terminal() {
			return tasks[i].String(), nil
		}
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
