package kafkatasks_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/footprint"
)

// BenchmarkTask is one poll through the SDK and fakecloud in memory, signature and all, beside the SDK's bare call.
func BenchmarkTask(b *testing.B) {
	cloud := fakecloud.New()
	id := cloud.AddTask("kafka-1", fakecloud.Script{})
	client := newClient(b, cloud)
	b.Run("bound", func(b *testing.B) {
		src := kafkatasks.New(client, "kafka-1")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := src.Task(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare-sdk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "kafka-1", TaskId: id}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSleepingWait measures what a wait through the SDK costs while it sleeps: one for a task of its own, and without the
// list, as it would otherwise share answers with all the others.
func BenchmarkSleepingWait(b *testing.B) {
	cloud := fakecloud.New()
	id := cloud.AddTask("kafka-1", fakecloud.Script{Duration: 24 * time.Hour})
	src := kafkatasks.New(newClient(b, cloud), "kafka-1")
	alone := taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
		task, err := src.Task(ctx, id)
		task.ID = "" // whatever was asked for
		return task, err
	})
	waiter, err := taskwait.New(alone, taskwait.WithInterval(time.Hour, time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	footprint.Measure(b, func(ctx context.Context, asleep func()) {
		_, _ = waiter.WaitForTask(ctx, strconv.FormatInt(n.Add(1), 36), taskwait.WithProgress(func(p taskwait.Progress) {
			if !p.Done {
				asleep()
			}
		}))
	})
}
