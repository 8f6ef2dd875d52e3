package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// The statuses of an instance: those by which the service's list can be narrowed (ListInstancesRequestStatus in the
// SDK, v0.1.207), and PENDING and CONNECTOR_DELETING, which the official Terraform provider knows besides. One that
// is not here is passed on as it is.
const statusRunning = "RUNNING"

var (
	inTransition = map[string]taskwait.Status{
		"CREATING": taskwait.StatusCreated, "PENDING": taskwait.StatusCreated,
		"RESTARTING": taskwait.StatusExecuting, "EXTENDING": taskwait.StatusExecuting, "SHRINKING": taskwait.StatusExecuting,
		"CONFIGURING": taskwait.StatusExecuting, "VOLUMETYPECHANGING": taskwait.StatusExecuting,
		"ROLLBACK": taskwait.StatusExecuting, "FREEZING": taskwait.StatusExecuting,
		"DELETING": taskwait.StatusExecuting, "CONNECTOR_DELETING": taskwait.StatusExecuting,
	}
	failed = map[string]bool{
		"ERROR":          true,
		"CREATEFAILED":   true,
		"EXTENDEDFAILED": true,
		"ROLLBACKFAILED": true,
		"FROZEN":         true,
	}
)

// noSuchInstance is the one code that says that there is no such instance. A 404 without it says nothing: it may be a
// throttle, a wrong route, or a proxy.
const noSuchInstance = "DMS.00404022"

func isNoSuchInstance(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassNotFound && q.Code == noSuchInstance
}

// phaseGone is our own word for what has no status any more.
const phaseGone = "GONE"

// instance is what the service says of an instance, as far as it matters here.
type instance struct {
	ID     string
	Name   string
	Status string
}

// UnmarshalJSON reads an instance, whatever JSON types the service uses.
func (i *instance) UnmarshalJSON(text []byte) error {
	var row struct {
		ID     *loose `json:"instance_id"`
		Name   *loose `json:"name"`
		Status *loose `json:"status"`
	}
	err := json.Unmarshal(text, &row)
	*i = instance{row.ID.trimmed(), row.Name.trimmed(), row.Status.trimmed()}
	return err
}

func (i *instance) changing() bool { return inTransition[i.Status] != "" }

// Instances queries the status of an instance, with the id of the instance as the id of the task, because creation,
// restart and deletion have no background task. It is safe for concurrent use.
//
// Status is a translation of the instance's status, and Phase is the service's own word. The service's statuses flap,
// and after the request for a restart the instance still shows RUNNING. Create and Restart allow for that. A wait
// without them needs [taskwait.WithConfirmations] and [taskwait.WithStalePhase].
type Instances struct {
	caller       *huawei.Caller // nil: there is no client
	untilDeleted bool           // else until it runs
}

var _ taskwait.Source = (*Instances)(nil)

// UntilRunning returns a Source for instances that are to be RUNNING, which is SUCCESS. ERROR, CREATEFAILED,
// EXTENDEDFAILED, ROLLBACKFAILED and FROZEN are FAILED, with that word as FailureCode. CREATING is CREATED. RESTARTING,
// EXTENDING, DELETING and similar words are EXECUTING. An instance that does not exist is "not found".
func UntilRunning(client *kafka.KafkaClient) *Instances { return newInstances(client, false) }

// UntilDeleted returns a Source for instances that are to be gone. SUCCESS is the service's own "This instance does not
// exist", DMS.00404022, and nothing else: not a throttle with the status 404, not a wrong route, not any other 404.
// Every status is EXECUTING, ERROR too, because a deletion may begin there.
//
// The service gives the same answer for an instance that never existed, or that belongs to another project or region.
func UntilDeleted(client *kafka.KafkaClient) *Instances { return newInstances(client, true) }

func newInstances(client *kafka.KafkaClient, untilDeleted bool) *Instances {
	if client == nil || client.HcClient == nil {
		return &Instances{untilDeleted: untilDeleted}
	}
	return &Instances{caller: huawei.NewCaller(client.HcClient), untilDeleted: untilDeleted}
}

// Validate returns an error that Is [taskwait.ErrInvalidOption] if there is no client. Nothing is sent.
func (s *Instances) Validate() error {
	if s == nil || s.caller == nil {
		return fmt.Errorf("kafkatasks: %w: the client is nil", taskwait.ErrInvalidOption)
	}
	return nil
}

// Task queries one instance. The errors are those of [huawei.Query], and a [*taskwait.QueryError] for an answer without
// the instance. It needs the permission dms:instance:get.
func (s *Instances) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), checkID("instance id", id)); err != nil {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	i, err := showInstance(ctx, s.caller, id)
	switch {
	case s.untilDeleted && isNoSuchInstance(err):
		return taskwait.Task{ID: id, Status: taskwait.StatusSuccess, Phase: phaseGone}, nil
	case err != nil:
		return taskwait.Task{}, err
	}
	return i.task(s.untilDeleted), nil
}

func showInstance(ctx context.Context, c *huawei.Caller, id string) (*instance, error) {
	var i instance
	reply, err := get(
		ctx,
		c,
		"dms:instance:get",
		"/v2/{project_id}/instances/{instance_id}",
		&resource{InstanceId: id},
		&i,
	)
	switch {
	case err != nil:
		return nil, err
	case i.ID == "":
		return nil, reply.Lacks("instance")
	case i.ID != id:
		return nil, &taskwait.QueryError{
			Class: taskwait.ClassNotFound,
			Err:   errors.New("the service answered for another instance"),
		}
	}
	return &i, nil
}

// task is the instance in a waiter's terms.
func (i *instance) task(untilDeleted bool) taskwait.Task {
	t := taskwait.Task{ID: i.ID, Phase: i.Status, Status: taskwait.Status(i.Status)}
	switch {
	case i.Status == "":
	case untilDeleted:
		t.Status = taskwait.StatusExecuting
	case i.Status == statusRunning:
		t.Status = taskwait.StatusSuccess
	case failed[i.Status]:
		t.Status, t.FailureCode = taskwait.StatusFailed, i.Status
	case i.changing():
		t.Status = inTransition[i.Status]
	}
	return t
}

// Format writes what an Instances is, whatever the verb, and nothing of the client that it holds.
func (s Instances) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "kafkatasks.Instances") }
