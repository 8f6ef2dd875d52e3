// Package grow shows how to test code that waits. Grow is somebody's code, small but real: it gives a Kafka instance
// more storage, and waits until that is done. Its tests need no account and no time: a task of 40 minutes takes
// milliseconds.
//
//	go test -v ./examples/testing
package grow

import (
	"context"
	"errors"
	"fmt"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// ErrKeepJob means that the storage may still be growing. The error that wraps it names the job, to be waited for
// again.
var ErrKeepJob = errors.New("the job may still run")

// Grow gives an instance so many GB of storage, and returns when that is done.
func Grow(ctx context.Context, client *kafka.KafkaClient, instanceID string, gigabytes int32) error {
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
	return finish(ctx, kafkatasks.New(client, instanceID), *started.JobId)
}

// finish waits for the job. It takes any Source, so that a test can do without the SDK.
func finish(ctx context.Context, source taskwait.Source, jobID string) error {
	waiter, err := taskwait.New(source)
	if err != nil {
		return err
	}
	_, err = waiter.WaitForTask(ctx, jobID)
	var wait *taskwait.WaitError
	if errors.As(err, &wait) && wait.StillRunning() {
		return fmt.Errorf("%w: job %s: %w", ErrKeepJob, jobID, err)
	}
	return err
}
