package harness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

const instanceID = "kafka-1"

// newCloud is a cloud with one instance, whose resizes take 40 minutes, and a client of the real SDK for it.
func newCloud(t *testing.T, outcome taskwait.Status) (*fakekafka.Cloud, *kafka.KafkaClient) {
	t.Helper()
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	cloud.OnResize(fakekafka.Script{Duration: 40 * time.Minute, Outcome: outcome})
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().
		WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).
		SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return cloud, kafka.NewKafkaClient(client)
}

func TestGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // 40 minutes, in milliseconds
		cloud, client := newCloud(t, taskwait.StatusSuccess)
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Drop(), fakecloud.HTML(502), fakecloud.Throttle(0))
		start := time.Now()
		if err := Grow(t.Context(), client, instanceID, 600); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 40*time.Minute || took > 40*time.Minute+30*time.Second {
			t.Errorf("took %v, want 40m and at most a pause", took)
		}
	})
}

func TestGrowFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t, taskwait.StatusFailed)
		err := Grow(t.Context(), client, instanceID, 600)
		if !errors.Is(err, taskwait.ErrTaskFailed) || errors.Is(err, ErrKeepJob) {
			t.Errorf("error = %v, want the task's failure", err)
		}
	})
}

// TestGrowKeepsTheJob is the case that deletes healthy clusters: we stop waiting, and the job goes on.
func TestGrowKeepsTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t, taskwait.StatusSuccess)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		err := Grow(ctx, client, instanceID, 600)
		if !errors.Is(err, ErrKeepJob) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, taskwait.ErrTaskFailed) {
			t.Errorf("error = %v, want it to say that the job may still run", err)
		}
	})
}

func TestGrowHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t, taskwait.StatusSuccess)
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Hang())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel) // Ctrl-C, while a request hangs
		start := time.Now()
		err := Grow(ctx, client, instanceID, 600)
		if took := time.Since(start); took != 3*time.Second || !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v after %v, want context.Canceled after 3s", err, took)
		}
	})
}
