// Package harness is somebody's provisioning code, small but real: it grows a Kafka instance's storage and waits until that
// is done. Its test shows how to test such code with fakecloud, in virtual time.
package harness

import (
	"context"
	"errors"
	"fmt"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// ErrKeepJob means that the storage may still be growing. The error that wraps it names the job, to be waited for again.
var ErrKeepJob = errors.New("the job may still run")

// Grow grows the storage of an instance to so many GB, and returns when that is done.
func Grow(ctx context.Context, client *kafka.KafkaClient, instanceID string, gigabytes int32, opts ...taskwait.Option) error {
	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), opts...)
	if err != nil {
		return err
	}
	started, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
		InstanceId: instanceID,
		Body:       &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &gigabytes},
	})
	switch {
	case err != nil:
		return fmt.Errorf("resize of %s refused: %w", instanceID, err)
	case started.JobId == nil:
		return fmt.Errorf("resize of %s: the service named no job", instanceID)
	}
	_, err = waiter.WaitForTask(ctx, *started.JobId)
	var wait *taskwait.WaitError
	if errors.As(err, &wait) && wait.StillRunning() {
		return fmt.Errorf("resize of %s: %w: job %s: %w", instanceID, ErrKeepJob, *started.JobId, err)
	}
	return err
}
