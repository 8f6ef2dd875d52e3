package kafkatest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/fakecloud/kafka/kafkatest"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// grow is the code under test: it gives an instance more storage, and waits until that is done.
func grow(ctx context.Context, client *sdk.KafkaClient, instanceID string, gigabytes int32) error {
	resp, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
		InstanceId: instanceID, Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &gigabytes},
	})
	if err != nil {
		return err
	}
	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), taskwait.WithTimeout(2*time.Hour))
	if err != nil {
		return err
	}
	_, err = waiter.WaitForTask(ctx, *resp.JobId)
	return err
}

// growTest is its test. Call it TestGrow in a file of your own.
func growTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // an hour takes milliseconds in here
		cloud, client := kafkatest.Start(t)
		cloud.AddInstance("kafka-1")

		// It takes an hour, in which the service is throttled once, down twice, and silent for a while.
		cloud.OnResize(kafka.Script{Duration: time.Hour})
		cloud.Inject(kafka.RouteShowTask, fakecloud.Throttle(0), fakecloud.Unavailable().Times(2),
			fakecloud.Slow(time.Minute))
		start := time.Now()
		if err := grow(t.Context(), client, "kafka-1", 600); err != nil {
			t.Errorf("grow: %v", err)
		}
		if took := time.Since(start); took < time.Hour {
			t.Errorf("done after %v, want an hour at least", took)
		}
		if instance, _ := cloud.Instance("kafka-1"); instance.Storage != 600 {
			t.Errorf("storage = %d, want 600", instance.Storage)
		}

		// The next one fails.
		cloud.OnResize(kafka.Script{Outcome: taskwait.StatusFailed})
		if err := grow(t.Context(), client, "kafka-1", 900); !errors.Is(err, taskwait.ErrTaskFailed) {
			t.Errorf("grow: %v, want %v", err, taskwait.ErrTaskFailed)
		}
		if instance, _ := cloud.Instance("kafka-1"); instance.Storage != 600 {
			t.Errorf("storage = %d, want 600 still", instance.Storage)
		}
	})
}

// A whole test of code that grows an instance: an hour, a throttle, an outage and a failure.
func Example() {
	tests := []testing.InternalTest{{Name: "TestGrow", F: growTest}} // go test makes such a list
	fmt.Println(tests[0].Name)
	// Output: TestGrow
}
