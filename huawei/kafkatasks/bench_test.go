package kafkatasks_test

import (
	"context"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/footprint"
)

// BenchmarkTask is one poll through the SDK and fakecloud in memory, signature and all, beside the SDK's bare call.
func BenchmarkTask(b *testing.B) {
	cloud := fakekafka.New()
	id := cloud.AddTask("kafka-1", fakekafka.Script{})
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
			if _, err := client.ShowBackgroundTask(&model.ShowBackgroundTaskRequest{
				InstanceId: "kafka-1", TaskId: id,
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// canned answers every request with the same task. Unlike the cloud it remembers nothing of it, which would be counted.
type canned struct{}

func (canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"task_count":"1","tasks":[{"id":"` + path.Base(r.URL.Path) + `","name":"bindInstancePublicIp",` +
		`"user_name":"u","user_id":"i","params":"{}","status":"EXECUTING","created_at":"2020-06-15T08:55:53.606Z",` +
		`"updated_at":"2020-06-15T08:55:56.600Z"}]}`
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}, nil
}

// BenchmarkSleepingWait measures what a wait through the SDK costs while it sleeps: one that has nothing to share with
// others, and one of many on the same instance.
func BenchmarkSleepingWait(b *testing.B) {
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
		WithCredential(newClient(b, fakekafka.New()).HcClient.GetCredential()).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(canned{})).SafeBuild()
	if err != nil {
		b.Fatal(err)
	}
	src := kafkatasks.New(kafka.NewKafkaClient(client), "kafka-1")
	for _, s := range []struct {
		name   string
		source taskwait.Source
	}{
		{"alone", struct{ taskwait.Detailer }{src}}, // no Lister
		{"shared", src},
	} {
		b.Run(s.name, func(b *testing.B) {
			var n atomic.Int64
			waiter := waiterOn(b, s.source, taskwait.WithInterval(time.Hour, time.Hour))
			footprint.Measure(b, func(ctx context.Context, asleep func()) {
				once := sync.OnceFunc(asleep)
				_, _ = waiter.WaitForTask(ctx, strconv.FormatInt(n.Add(1), 36),
					taskwait.WithProgress(func(taskwait.Progress) { once() }))
			})
		})
	}
}
