package kafkatasks_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/sourcetest"
)

// other is a Source that is no Source of background tasks, put to the test.
type other struct {
	route      fakecloud.Route
	source     func(*kafka.KafkaClient) taskwait.Source
	prepare    func(t *testing.T, client *kafka.KafkaClient, cloud *fakekafka.Cloud) (id string)
	situations func(id string) map[sourcetest.Situation]fakecloud.Fault // those that differ from those of background tasks
	none       map[sourcetest.Situation]string                          // those that cannot be, and why
}

var (
	running = other{
		route:   fakekafka.RouteShowInstance,
		source:  func(c *kafka.KafkaClient) taskwait.Source { return kafkatasks.UntilRunning(c) },
		prepare: prepareInstance,
		situations: func(id string) map[sourcetest.Situation]fakecloud.Fault {
			return map[sourcetest.Situation]fakecloud.Fault{
				sourcetest.Created:   shows(id, "CREATING"),
				sourcetest.Succeeded: shows(id, "RUNNING"),
				sourcetest.Failed:    shows(id, "ERROR"),
				sourcetest.OddStatus: shows(id, sourcetest.UnknownStatus),
				sourcetest.NoStatus:  shows(id, ""),
				sourcetest.OtherTask: shows("another", "RUNNING"),
			}
		},
		none: map[sourcetest.Situation]string{
			sourcetest.Deleted:      "an instance that was deleted is not found",
			sourcetest.Cancelled:    "an instance is not cancelled",
			sourcetest.SeveralTasks: "an instance is shown by itself, not in a list",
			sourcetest.EmptyList:    "an instance is shown by itself, not in a list",
		},
	}
	gone = other{
		route:   fakekafka.RouteShowInstance,
		source:  func(c *kafka.KafkaClient) taskwait.Source { return kafkatasks.UntilDeleted(c) },
		prepare: prepareInstance,
		situations: func(id string) map[sourcetest.Situation]fakecloud.Fault {
			return map[sourcetest.Situation]fakecloud.Fault{
				sourcetest.Succeeded: fakecloud.Error(404, "DMS.00404022", "This instance does not exist."),
				sourcetest.NoStatus:  shows(id, ""),
			}
		},
		none: map[sourcetest.Situation]string{
			sourcetest.OtherTask:    "an id that the service does not know is the success; see TestGone",
			sourcetest.Created:      "whatever there is, is yet to go",
			sourcetest.Failed:       "whatever there is, is yet to go",
			sourcetest.OddStatus:    "whatever there is, is yet to go",
			sourcetest.Deleted:      "that is the success",
			sourcetest.NoSuchTask:   "that is the success",
			sourcetest.Cancelled:    "an instance is not cancelled",
			sourcetest.SeveralTasks: "an instance is shown by itself, not in a list",
			sourcetest.EmptyList:    "an instance is shown by itself, not in a list",
		},
	}
	scheduled = other{
		route:  fakekafka.RouteListScheduled,
		source: func(c *kafka.KafkaClient) taskwait.Source { return kafkatasks.NewScheduled(c, "kafka-1") },
		prepare: func(_ *testing.T, _ *kafka.KafkaClient, cloud *fakekafka.Cloud) string {
			return cloud.AddScheduled("kafka-1", fakekafka.Scheduled{
				ID: "scheduled-1", Params: `{"password":"` + sourcetest.Secret + `"}`, At: time.Now().Add(1000 * time.Hour),
			})
		},
		situations: func(id string) map[sourcetest.Situation]fakecloud.Fault {
			return map[sourcetest.Situation]fakecloud.Fault{
				sourcetest.Created:      jobs(job(id, "CREATED")),
				sourcetest.Executing:    jobs(job(id, "EXECUTING")),
				sourcetest.Succeeded:    jobs(job(id, "SUCCESS")),
				sourcetest.Failed:       jobs(job(id, "FAILED")),
				sourcetest.Deleted:      jobs(job(id, "DELETED")),
				sourcetest.Cancelled:    jobs(job(id, "CANCELLED")),
				sourcetest.OddStatus:    jobs(job(id, sourcetest.UnknownStatus)),
				sourcetest.NoStatus:     jobs(job(id, "")),
				sourcetest.OtherTask:    jobs(job("another", "SUCCESS")),
				sourcetest.SeveralTasks: jobs(job("another", "FAILED"), job(id, "EXECUTING")),
				sourcetest.EmptyList:    jobs(),
			}
		},
		none: map[sourcetest.Situation]string{
			sourcetest.NoSuchTask: "the list is of the instance: a task that is not there is in no list",
		},
	}
)

func prepareInstance(t *testing.T, client *kafka.KafkaClient, cloud *fakekafka.Cloud) string {
	t.Helper()
	cloud.OnCreate(fakekafka.Change{Statuses: []fakekafka.StatusStep{{Status: "EXTENDING"}}})
	id, err := creation("mine", sourcetest.Secret)(client)
	if err != nil {
		t.Fatal(err)
	}
	return *id
}

func shows(id, status string) fakecloud.Fault {
	return fakecloud.Respond(200,
		fmt.Sprintf(`{"instance_id":%q,"status":%q,"description":%q}`, id, status, sourcetest.Secret))
}

func job(id, status string) string {
	return fmt.Sprintf(`{"id":%q,"name":"kafkaUpgrade","status":%q,"params":"{\"password\":\"%s\"}"}`, id, status,
		sourcetest.Secret)
}

func jobs(rows ...string) fakecloud.Fault {
	list := ""
	for i, row := range rows {
		if i > 0 {
			list += ","
		}
		list += row
	}
	return fakecloud.Respond(200, fmt.Sprintf(`{"job_count":"%d","jobs":[%s]}`, len(rows), list))
}

func (o other) subject(t *testing.T) sourcetest.Subject {
	t.Helper()
	cloud := fakekafka.New()
	id := o.prepare(t, newClient(t, cloud), cloud)
	count := &counted{RoundTripper: cloud.Transport()}
	hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
		WithCredential(newClient(t, cloud).HcClient.GetCredential()).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(count)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Clone(situations)
	maps.Copy(all, o.situations(id))
	return sourcetest.Subject{
		Source: o.source(kafka.NewKafkaClient(hc)), ID: id, Queries: func() int { return int(count.n.Load()) },
		Arrange: func(s sourcetest.Situation) error {
			if why, ok := o.none[s]; ok {
				return fmt.Errorf("%w: %s", errors.ErrUnsupported, why)
			}
			fault, ok := all[s]
			if !ok {
				return fmt.Errorf("nobody knows how to bring about %v", s)
			}
			cloud.Clear()
			cloud.Inject(o.route, fault.For(24*time.Hour))
			return nil
		},
	}
}

func TestRunning(t *testing.T)         { sourcetest.Run(t, running.subject) }
func TestGoneSource(t *testing.T)      { sourcetest.Run(t, gone.subject) }
func TestScheduledSource(t *testing.T) { sourcetest.Run(t, scheduled.subject) }
