package kafkatasks_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// TestScheduled waits for operations that are planned for later.
func TestScheduled(t *testing.T) {
	for _, tt := range []struct {
		name   string
		task   fakekafka.Scheduled
		others int
		want   error
		takes  time.Duration
	}{
		{name: "well", task: fakekafka.Scheduled{Duration: time.Minute}, takes: 61 * time.Minute},
		{
			name: "badly", task: fakekafka.Scheduled{Duration: time.Minute, Outcome: "FAILED"}, want: taskwait.ErrTaskFailed,
			takes: 61 * time.Minute,
		},
		{name: "cancelled", task: fakekafka.Scheduled{Status: "CANCELLED"}, want: taskwait.ErrTaskCancelled},
		{name: "on the third page", task: fakekafka.Scheduled{Duration: time.Minute}, others: 250, takes: 61 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				tt.task.At = time.Now().Add(time.Hour)
				id := cloud.AddScheduled("kafka-1", tt.task)
				time.Sleep(time.Second)
				for n := range tt.others {
					cloud.AddScheduled("kafka-1", fakekafka.Scheduled{ID: fmt.Sprint("other-", n), At: time.Now().Add(24 * time.Hour)})
				}
				w := waiterOn(t, kafkatasks.NewScheduled(newClient(t, cloud), "kafka-1"),
					taskwait.WithInterval(time.Minute, time.Minute))
				start := time.Now()
				task, err := w.WaitForTask(t.Context(), id)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || task.ID != id || task.Kind != "kafkaUpgrade" {
					t.Errorf("%v, %v; want %v", task, err, tt.want)
				}
				if took := time.Since(start); took < tt.takes-2*time.Second || took > tt.takes+2*time.Minute {
					t.Errorf("it took %v, want %v and a little", took, tt.takes)
				}
			})
		})
	}
}

// TestArmedAgain: CANCELLED ends a wait, and need not be the end of the task.
func TestArmedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		client := newClient(t, cloud)
		id := cloud.AddScheduled("kafka-1", fakekafka.Scheduled{Status: "CANCELLED"})
		w := waiterOn(t, kafkatasks.NewScheduled(client, "kafka-1"))
		if _, err := w.WaitForTask(t.Context(), id); !errors.Is(err, taskwait.ErrTaskCancelled) {
			t.Fatal(err)
		}
		if _, err := client.UpdateScheduledTask(&model.UpdateScheduledTaskRequest{
			InstanceId: "kafka-1", TaskId: id,
		}); err != nil {
			t.Fatal(err)
		}
		if task, err := w.WaitForTask(t.Context(), id); err != nil || !task.Status.Succeeded() {
			t.Errorf("%v, %v; want it done", task, err)
		}
	})
}

// TestCancelScheduled cancels a task before its time. One that is not there is refused, and nothing else is sent.
func TestCancelScheduled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		id := cloud.AddScheduled("kafka-1", fakekafka.Scheduled{At: time.Now().Add(time.Hour)})
		source := kafkatasks.NewScheduled(newClient(t, cloud), "kafka-1")
		if err := source.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := waiterOn(t, source).WaitForTask(t.Context(), id); !errors.Is(err, taskwait.ErrTaskCancelled) {
			t.Errorf("after the cancellation: %v, want %v", err, taskwait.ErrTaskCancelled)
		}
		var q *taskwait.QueryError
		if err := source.Cancel(t.Context(), "another"); !errors.As(err, &q) || q.Class != taskwait.ClassPermanent {
			t.Errorf("a task that is not there: %v, want a permanent error", err)
		}
		if err := source.Cancel(t.Context(), "a/b"); !errors.Is(err, taskwait.ErrInvalidID) {
			t.Errorf("an id that cannot be one: %v, want %v", err, taskwait.ErrInvalidID)
		}
	})
}
