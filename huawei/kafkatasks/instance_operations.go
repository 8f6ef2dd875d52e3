package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/huawei/internal/changes"
)

// seenTwice is how often RUNNING is to be seen after a change: the service's statuses flap.
const seenTwice = 2

// Create returns the creation of an instance, for Do of a waiter on [UntilRunning]. send makes the request, on the
// client that it is given, and returns the id of the new instance. name is the name of the new instance. If the answer
// gets lost, [taskwait.WaitError] has the instances of this name that were not there before as Candidates. RUNNING must
// be seen twice in a row.
func (s *Instances) Create(name string, send func(*kafka.KafkaClient) (id *string, err error)) taskwait.Operation {
	idle := func(context.Context) (string, error) { return "", nil } // a new instance has nothing to wait for
	return taskwait.Operation{
		Name: "create " + name, Confirmations: seenTwice,
		Before: func(ctx context.Context) (taskwait.Attempt, error) {
			there, err := s.named(ctx, name, nil)
			return taskwait.Attempt{Seen: changes.IDs(there)}, err
		},
		Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
			return changes.WhileBusy(ctx, func(ctx context.Context) (string, error) {
				return s.send(ctx, "dms:instance:create", send)
			}, idle)
		},
		Find: func(ctx context.Context, a taskwait.Attempt) ([]taskwait.Task, error) {
			return s.named(ctx, name, a.Seen)
		},
	}
}

// Restart returns the restart of an instance, for Do of a waiter on [UntilRunning]. The phase RUNNING is stale at
// first. Then it must be seen twice in a row. After a refusal Do waits until the instance is free, as with
// [Source.Operation].
func (s *Instances) Restart(id string) taskwait.Operation {
	op := s.change("restart", id, "dms:instance:modifyStatus", func(c *kafka.KafkaClient) error {
		resp, err := c.BatchRestartOrDeleteInstances(&model.BatchRestartOrDeleteInstancesRequest{
			Body: &model.BatchRestartOrDeleteInstanceReq{
				Instances: &[]string{id}, Action: model.GetBatchRestartOrDeleteInstanceReqActionEnum().RESTART,
			},
		})
		if err != nil {
			return err
		}
		return accepted(resp.Results, id)
	})
	op.StalePhase, op.Confirmations = statusRunning, seenTwice
	return op
}

// Delete returns the deletion of an instance, for Do of a waiter on [UntilDeleted]. An instance that does not exist
// counts as deleted. After a refusal Do waits until the instance is free, as with [Source.Operation].
func (s *Instances) Delete(id string) taskwait.Operation {
	return s.change("delete", id, "dms:instance:delete", func(c *kafka.KafkaClient) error {
		_, err := c.DeleteInstance(&model.DeleteInstanceRequest{InstanceId: id})
		return err
	})
}

// change is an operation on an instance that shows in its status alone.
func (s *Instances) change(verb, id, permission string, send func(*kafka.KafkaClient) error) taskwait.Operation {
	tasks := newSource(s.caller, id)
	start := func(ctx context.Context) (string, error) {
		if err := errors.Join(s.Validate(), checkID("instance id", id)); err != nil {
			return "", &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
		}
		_, err := s.send(ctx, permission, func(c *kafka.KafkaClient) (*string, error) { return nil, send(c) })
		if s.untilDeleted && isNoSuchInstance(err) {
			err = nil
		}
		return id, err
	}
	return taskwait.Operation{
		Name: verb + " " + id, Busy: tasks.Busy,
		Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
			return changes.WhileBusy(ctx, start, tasks.Busy)
		},
		Find: func(ctx context.Context, _ taskwait.Attempt) ([]taskwait.Task, error) { return s.changing(ctx, id) },
	}
}

func (s *Instances) send(
	ctx context.Context,
	permission string,
	send func(*kafka.KafkaClient) (*string, error),
) (id string, err error) {
	reply, err := huawei.Mutate(ctx, s.caller, permission, func(c *core.HcHttpClient) (*string, error) {
		return send(kafka.NewKafkaClient(c))
	})
	return value(reply.Value), err
}

// changing is the instance, if it shows that something was begun.
func (s *Instances) changing(ctx context.Context, id string) ([]taskwait.Task, error) {
	t, err := s.Task(ctx, id)
	if err != nil || inTransition[t.Phase] == "" && t.Phase != phaseGone {
		return nil, err
	}
	return []taskwait.Task{t}, nil
}

// largestInstancePage is the most instances that the service puts on one page.
const largestInstancePage = 50

// named lists the instances of a name, without those whose ids are in except.
func (s *Instances) named(ctx context.Context, name string, except []string) ([]taskwait.Task, error) {
	if err := s.Validate(); err != nil {
		return nil, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	engine, exact := "kafka", "true"
	r := (&listing[instance]{
		caller: s.caller, permission: "dms:instance:list",
		path: "/v2/{project_id}/instances", rows: "instances", count: "instance_num",
		of: resource{Engine: &engine, Name: &name, Exact: &exact}, limit: largestInstancePage,
		from:    func(r *resource, offset *string) { r.Offset = offset },
		decode:  func(text json.RawMessage, _ time.Time) (i instance) { _ = json.Unmarshal(text, &i); return i },
		id:      func(i *instance) string { return i.ID },
		explain: func(err error) error { return err },
	}).reading()
	if err := r.Finish(ctx); err != nil {
		return nil, err
	}
	var found []taskwait.Task
	for _, i := range r.Rows {
		if i.Name == name && !slices.Contains(except, i.ID) {
			found = append(found, i.task(false))
		}
	}
	return found, nil
}

// accepted reads what a batch of one answers: 200, also where it was refused.
func accepted(results *[]model.BatchRestartOrDeleteInstanceRespResults, id string) error {
	if results != nil {
		for _, r := range *results {
			if value(r.Instance) == id && value(r.Result) == "success" {
				return nil
			}
			if value(r.Instance) == id {
				return &taskwait.QueryError{
					Class: taskwait.ClassPermanent,
					Err:   fmt.Errorf("refused: the result is %q", value(r.Result)),
				}
			}
		}
	}
	return errors.New("the answer has no result for the instance")
}
