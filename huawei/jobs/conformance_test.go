package jobs_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei/jobs"
	"github.com/taskwait/taskwait/sourcetest"
)

// shapes are a Source for each shape of an answer, and the routes that it asks.
var shapes = map[fakejobs.Shape]struct {
	source func(*core.HcHttpClient) *httptasks.Source
	routes []fakecloud.Route
}{
	fakejobs.V1:       {jobs.ECS, []fakecloud.Route{fakejobs.RouteV1}},
	fakejobs.Database: {jobs.RDS, []fakecloud.Route{fakejobs.RouteDatabase, fakejobs.RouteListDatabase}},
	fakejobs.CCE:      {jobs.CCE, []fakecloud.Route{fakejobs.RouteCCE}},
	fakejobs.ELB:      {jobs.ELB, []fakecloud.Route{fakejobs.RouteELB, fakejobs.RouteListELB}},
	fakejobs.DMS: {
		func(c *core.HcHttpClient) *httptasks.Source { return jobs.RabbitMQ(c, "instance-1") },
		[]fakecloud.Route{fakejobs.RouteDMS, fakejobs.RouteListDMS},
	},
	fakejobs.Resource: {jobs.DCSInstances, []fakecloud.Route{fakejobs.RouteResource}},
}

// situation is what sourcetest asks for, in the cloud's terms. An error: the shape has no such thing.
func situation(shape fakejobs.Shape, s sourcetest.Situation) (fakecloud.Fault, error) {
	statuses := map[sourcetest.Situation]taskwait.Status{
		sourcetest.Created: taskwait.StatusCreated, sourcetest.Succeeded: taskwait.StatusSuccess,
		sourcetest.Failed: taskwait.StatusFailed, sourcetest.Deleted: taskwait.StatusDeleted,
		sourcetest.Cancelled: taskwait.StatusCancelled,
	}
	if status, ok := statuses[s]; ok {
		word := shape.Word(status)
		own := word == string(status) && status != taskwait.StatusSuccess && shape != fakejobs.DMS
		if own || s == sourcetest.Created && shape == fakejobs.Database {
			return fakecloud.Fault{}, fmt.Errorf("%s has no word for %s: %w", shape, status, errors.ErrUnsupported)
		}
		return fakejobs.Status(word), nil
	}
	if (s == sourcetest.SeveralTasks || s == sourcetest.EmptyList) && shape != fakejobs.DMS {
		return fakecloud.Fault{}, fmt.Errorf("%s answers with one job: %w", shape, errors.ErrUnsupported)
	}
	fault, ok := situations[s]
	if !ok {
		return fakecloud.Fault{}, fmt.Errorf("nobody knows how to bring about %v", s)
	}
	return fault, nil
}

var situations = map[sourcetest.Situation]fakecloud.Fault{
	sourcetest.Executing:    fakecloud.Serve(),
	sourcetest.OddStatus:    fakejobs.Status(sourcetest.UnknownStatus),
	sourcetest.NoStatus:     fakejobs.Status(""),
	sourcetest.OtherTask:    fakejobs.WrongID(),
	sourcetest.SeveralTasks: fakejobs.SeveralRows(),
	sourcetest.EmptyList:    fakejobs.NotListed(),
	sourcetest.NoSuchTask:   fakecloud.Error(404, "X.404", "There is no such job."),
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
	sourcetest.Forbidden:    fakecloud.Error(403, "X.403", "No permission."),
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

// clientOver is a client of the SDK for the fake cloud.
func clientOver(t testing.TB, wire http.RoundTripper) *core.HcHttpClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).
		WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := core.NewHcHttpClientBuilder().WithEndpoint("https://jobs.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestSource puts a Source of each shape through the rules, with a cloud behind it.
func TestSource(t *testing.T) {
	for shape, s := range shapes {
		t.Run(string(shape), func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Subject {
				executing := taskwait.StatusExecuting
				if shape == fakejobs.Resource {
					executing = "RESTARTING" // what is being created is CREATING until it runs
				}
				cloud := fakejobs.New()
				id := cloud.AddJob(shape, fakejobs.Script{
					Params: `{"password":"` + sourcetest.Secret + `"}`, Steps: []fakejobs.Step{{Status: executing}},
				})
				count := &counted{RoundTripper: cloud.Transport()}
				return sourcetest.Subject{
					Source: s.source(clientOver(t, count)), ID: id,
					Arrange: func(with sourcetest.Situation) error {
						fault, err := situation(shape, with)
						if err != nil {
							return err
						}
						cloud.Clear()
						for _, route := range s.routes {
							cloud.Inject(route, fault.For(24*time.Hour))
						}
						return nil
					},
					Queries: func() int { return int(count.n.Load()) },
				}
			})
		})
	}
}
