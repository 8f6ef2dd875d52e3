package grow

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/fakecloud/kafka/kafkatest"
	"github.com/taskwait/taskwait/sourcetest"
)

// TestFinish needs no cloud: sourcetest.Script says what the Source answers, and when.
func TestFinish(t *testing.T) {
	executing := sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting}}
	unavailable := sourcetest.Answer{Err: errors.New("503 Service Unavailable"), Times: 3}
	for _, tt := range []struct {
		name string
		ends taskwait.Status
		want error
	}{
		{"success", taskwait.StatusSuccess, nil},
		{"failure", taskwait.StatusFailed, taskwait.ErrTaskFailed},
		{"no end", taskwait.StatusExecuting, ErrKeepJob},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // virtual time: 40 minutes take milliseconds
				end := sourcetest.Answer{Task: taskwait.Task{Status: tt.ends}, After: 40 * time.Minute}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				err := finish(ctx, sourcetest.Script(executing, unavailable, executing, end), "job-1")
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
			})
		})
	}
}

// TestGrow tests the whole, through the SDK, with an embedded cloud that has a bad day.
func TestGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, client := kafkatest.Start(t)
		cloud.AddInstance("kafka-1")
		cloud.OnResize(fakekafka.Script{Duration: 40 * time.Minute})
		cloud.Inject(fakekafka.RouteShowTask,
			fakecloud.Serve(), fakecloud.Drop(), fakecloud.HTML(502), fakecloud.Throttle(0))
		start := time.Now()
		if err := Grow(t.Context(), client, "kafka-1", 600); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 40*time.Minute || took > 41*time.Minute {
			t.Errorf("took %v, want 40m and at most the longest pause", took)
		}
		if instance, _ := cloud.Instance("kafka-1"); instance.Storage != 600 {
			t.Errorf("storage = %d, want 600", instance.Storage)
		}
	})
}

// TestGrowKeepsTheJob is the case that deletes healthy clusters: we stop waiting, and the job goes on.
func TestGrowKeepsTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, client := kafkatest.Start(t)
		cloud.AddInstance("kafka-1")
		cloud.OnResize(fakekafka.Script{Duration: 40 * time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		err := Grow(ctx, client, "kafka-1", 600)
		if !errors.Is(err, ErrKeepJob) || !errors.Is(err, context.DeadlineExceeded) ||
			errors.Is(err, taskwait.ErrTaskFailed) {
			t.Errorf("error = %v, want it to say that the job may still run", err)
		}
	})
}

// TestGrowInterrupted presses Ctrl-C while a request hangs.
func TestGrowInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, client := kafkatest.Start(t)
		cloud.AddInstance("kafka-1")
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Hang())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		start := time.Now()
		err := Grow(ctx, client, "kafka-1", 600)
		if took := time.Since(start); took != 3*time.Second || !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v after %v, want context.Canceled after 3s", err, took)
		}
	})
}
