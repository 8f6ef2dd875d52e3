package kafkatasks_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/sourcetest"
)

// situations are what sourcetest asks for, in the cloud's terms.
var situations = map[sourcetest.Situation]fakecloud.Fault{
	sourcetest.Created:      fakekafka.Status("CREATED"),
	sourcetest.Executing:    fakecloud.Serve(),
	sourcetest.Succeeded:    fakekafka.Status("SUCCESS"),
	sourcetest.Failed:       fakekafka.Status("FAILED"),
	sourcetest.Deleted:      fakekafka.Status("DELETED"),
	sourcetest.Cancelled:    fakekafka.Status("CANCELLED"),
	sourcetest.OddStatus:    fakekafka.Status(sourcetest.UnknownStatus),
	sourcetest.NoStatus:     fakekafka.Status(""),
	sourcetest.OtherTask:    fakekafka.WrongID(),
	sourcetest.SeveralTasks: fakekafka.SeveralRows(),
	sourcetest.EmptyList:    fakekafka.NotListed(),
	sourcetest.NoSuchTask:   fakecloud.Error(404, "DMS.00404033", "This task does not exist."),
	sourcetest.EmptyObject:  fakecloud.Respond(200, "{}"),
	sourcetest.Null:         fakecloud.Respond(200, "null"),
	sourcetest.EmptyBody:    fakecloud.Respond(200, ""),
	sourcetest.HTML:         fakecloud.HTML(200),
	sourcetest.Redirect:     fakecloud.Respond(302, "", "Location", "/login"),
	sourcetest.CutOff:       fakecloud.Truncate(),
	sourcetest.Dropped:      fakecloud.Drop(),
	sourcetest.Unavailable:  fakecloud.Unavailable(),
	sourcetest.Throttled:    fakecloud.Throttle(0),
	sourcetest.ThrottledFor: fakecloud.Throttle(sourcetest.RetryAfter),
	sourcetest.Unauthorized: fakecloud.Error(401, "APIGW.0301", "Incorrect IAM authentication information."),
	sourcetest.Forbidden:    fakecloud.Error(403, "DMS.00403002", "No permission."),
	sourcetest.Hanging:      fakecloud.Hang(),
	sourcetest.Stalled:      fakecloud.Stall(),
}

// counted counts requests as they set out.
type counted struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// subject puts kafkatasks to the test, with a cloud behind it.
func subject(t *testing.T, endpoint string, cloud *fakekafka.Cloud, wire http.RoundTripper) sourcetest.Subject {
	t.Helper()
	id := cloud.AddTask("kafka-1", fakekafka.Script{
		Params: `{"password":"` + sourcetest.Secret + `"}`, Steps: []fakekafka.Step{{Status: "EXECUTING"}},
	})
	count := &counted{RoundTripper: wire}
	hc, err := kafka.KafkaClientBuilder().WithEndpoint(endpoint).
		WithCredential(newClient(t, cloud).HcClient.GetCredential()).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(count)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return sourcetest.Subject{
		Source: kafkatasks.New(kafka.NewKafkaClient(hc), "kafka-1"), ID: id,
		Arrange: func(s sourcetest.Situation) error {
			fault, ok := situations[s]
			if !ok {
				return fmt.Errorf("nobody knows how to bring about %v", s)
			}
			cloud.Clear()
			for _, route := range []fakecloud.Route{fakekafka.RouteShowTask, fakekafka.RouteListTasks} {
				cloud.Inject(route, fault.For(24*time.Hour))
			}
			return nil
		},
		Queries: func() int { return int(count.n.Load()) },
	}
}

func TestSource(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Subject {
		cloud := fakekafka.New()
		return subject(t, "https://kafka.fake", cloud, cloud.Transport())
	})
}

func TestSourceLive(t *testing.T) {
	sourcetest.RunLive(t, func(t *testing.T) sourcetest.Subject {
		cloud := fakekafka.New()
		server, err := cloud.Start()
		if err != nil {
			t.Fatal(err)
		}
		wire := &http.Transport{}
		t.Cleanup(func() {
			wire.CloseIdleConnections()
			server.Close()
		})
		return subject(t, server.URL, cloud, wire)
	})
}
