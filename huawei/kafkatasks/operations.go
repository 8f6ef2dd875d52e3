package kafkatasks

import (
	"context"
	"fmt"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/huawei/internal/changes"
	"github.com/taskwait/taskwait/internal/limiter"
)

// Operation returns a change of the instance whose request answers with the id of its task, for [taskwait.Waiter.Do]:
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
// send must make one request, on the client that it is given. name is for messages. If the answer has no id after all
// (a job_id may be missing; that of a scheduled operation is), the task is found as the only one that was not there
// before, whatever its name.
//
// After a refusal with DMS.00400017, "another task is running", or DMS.00400026, "not allowed in this status", Do waits
// until the instance is free, see [Source.Busy]. DMS.00400026 also stands for states that never allow the operation. So
// it is tried again only while something is seen to run. Refused twice with nothing running, it is refused for good.
func (s *Source) Operation(name string, send func(*kafka.KafkaClient) (id *string, err error)) taskwait.Operation {
	return s.changes().Operation(name, "", s.start(send), nil)
}

// OperationNamed returns a change of the instance whose request does not answer with an id. Its task is found by its
// name, such as bindInstancePublicIp, unbindInstancePublicIp, kafkaConfigModify or kafkaResetConsumerOffset, and
// because its id was not listed before the request was sent. fits narrows the search, if others may start the same
// operation at the same time. Raw of its Task is a *model.ListBackgroundTasksRespTasks, whose Params say what the task
// is about. If more than one task fits, Do returns [taskwait.ErrAmbiguous].
//
// Otherwise it is like [Source.Operation].
func (s *Source) OperationNamed(
	name string,
	send func(*kafka.KafkaClient) error,
	fits ...func(taskwait.Task) bool,
) taskwait.Operation {
	fits = append([]func(taskwait.Task) bool{func(t taskwait.Task) bool { return t.Kind == name }}, fits...)
	start := s.start(func(c *kafka.KafkaClient) (*string, error) { return nil, send(c) })
	return s.changes().Operation(name, name, start, fits)
}

// start makes the request of a change.
func (s *Source) start(send func(*kafka.KafkaClient) (*string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		reply, err := huawei.Mutate(ctx, s.caller, "", func(c *core.HcHttpClient) (*string, error) {
			return send(kafka.NewKafkaClient(c))
		})
		return value(reply.Value), err
	}
}

// changes are the tasks among which that of an operation is found.
func (s *Source) changes() changes.Tasks {
	return changes.Tasks{
		Validate: s.Validate, Busy: s.Busy,
		List:   func(since time.Time) *changes.Reading[taskwait.Task] { return s.listing(since.Add(-zones)).reading() },
		Finish: func(ctx context.Context, r *changes.Reading[taskwait.Task]) error { return s.finish(ctx, r, "") },
	}
}

// Busy says in a few words what the instance is busy with: a background task, or a change of its status. "": nothing.
// It makes two queries, or more if the list of tasks is long, and needs the permission dms:instance:get.
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
	if err := limiter.Acquire(ctx); err != nil {
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
