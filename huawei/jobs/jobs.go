// Package jobs waits for the jobs of Huawei Cloud's services, each described as data, through any client of the SDK:
//
//	waiter, err := taskwait.New(jobs.ECS(client.HcClient))
//	task, err := waiter.WaitForTask(ctx, *response.JobId)
//	job, err := jobs.As[model.ShowJobResponse](task)
//
// It imports no package of a service, so a program compiles only those that it uses itself. For a service that is not
// here, describe it as an [httptasks.API] whose URLs are paths, with {project_id} for the client's project, and give it
// to [New].
//
// If a change has no job, wait for the resource itself, as with [RDSInstances]: SUCCESS means that it can be used, and
// UntilDeleted of the Source waits until it is gone. [Services] is the table of all services, with the place where each
// fact was read.
package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/exchange"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei"
)

// New returns a Source for the jobs of a service, through a client of the SDK. The client signs the requests, knows the
// endpoint, and fills in {project_id}. It is used as it is, see [huawei.Caller]. Every client of the SDK has one in its
// field HcClient. [httptasks.Source.Validate], which [taskwait.New] calls, reports an API that cannot be right. A nil
// client is an error of the first query.
//
// The errors are those of [huawei.Query], and those of Cancel are those of [huawei.Mutate].
func New(client *core.HcHttpClient, api httptasks.API) *httptasks.Source {
	s, _ := httptasks.NewFrom(sender(huawei.NewCaller(client)), api) // taskwait.New asks for the error
	return s
}

// As returns the job of a task as the SDK's own type: that of the response if the answer is the job, as for ECS, or
// that of a part of it, as for RDS (model.GetJobInfoResponseBodyJob). T must be the type that the service's description
// names. A job that does not decode, and a task of another source, are errors.
func As[T any](t taskwait.Task) (*T, error) {
	raw, ok := t.Raw.(*json.RawMessage)
	if !ok {
		return nil, fmt.Errorf("jobs: a task of another source: Raw is %T", t.Raw)
	}
	v := new(T)
	if err := json.Unmarshal(*raw, v); err != nil {
		return nil, fmt.Errorf("jobs: the job does not decode as %T: %w", v, err)
	}
	return v, nil
}

// maxBody bounds what is read of an answer.
const maxBody = 16 << 20

// mostParameters is how many parameters the query of a request may have.
const mostParameters = 8

// request is what the SDK makes a request of: it looks its fields up by their names.
type request struct {
	Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7 string
	RequestID                      string
	Body                           *string
}

// answer is an answer as it came: the SDK does not look into a body of this type.
type answer struct {
	Body           io.ReadCloser
	HttpStatusCode int //nolint:revive,staticcheck // the SDK sets the field of this name
	text           []byte
}

// sender sends requests through a client of the SDK.
func sender(c *huawei.Caller) httptasks.Sender {
	return func(ctx context.Context, r httptasks.Request) (httptasks.Answer, error) {
		d, req, err := define(r)
		if err != nil {
			return httptasks.Answer{}, taskwait.Permanent(err)
		}
		mode := huawei.Query[*answer]
		if r.Changes {
			mode = huawei.Mutate[*answer]
		}
		reply, err := mode(ctx, c, r.Permission, func(c *core.HcHttpClient) (*answer, error) { return send(c, req, d) })
		if err != nil {
			return httptasks.Answer{}, err
		}
		return httptasks.Answer{
			StatusCode: reply.Value.HttpStatusCode, Header: reply.Header(), Body: reply.Value.text,
		}, nil
	}
}

// send makes a request through the SDK, and reads the answer to its end.
func send(c *core.HcHttpClient, req *request, d *def.HttpRequestDef) (*answer, error) {
	resp, err := c.SyncInvoke(req, d, &exchange.SdkExchange{ApiReference: &exchange.ApiReference{}})
	a, _ := resp.(*answer) // what the definition says
	if err != nil || a == nil || a.Body == nil {
		return a, err
	}
	defer func() { _ = a.Body.Close() }()
	a.text, err = io.ReadAll(io.LimitReader(a.Body, maxBody))
	return a, err
}

// define is a request as the SDK wants it: it escapes the path and the query itself.
func define(r httptasks.Request) (*def.HttpRequestDef, *request, error) {
	escaped, query, _ := strings.Cut(r.URL, "?")
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, nil, fmt.Errorf("jobs: the path of a request: %w", err)
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) > mostParameters {
		return nil, nil, fmt.Errorf("jobs: the query of a request has more than %d parameters, or cannot be read",
			mostParameters)
	}
	req := &request{}
	fields := []*string{&req.Q0, &req.Q1, &req.Q2, &req.Q3, &req.Q4, &req.Q5, &req.Q6, &req.Q7}
	b := def.NewHttpRequestDefBuilder().WithMethod(r.Method).WithPath(path).WithContentType("application/json").
		WithResponse(new(answer))
	i := 0
	for name, value := range values {
		*fields[i] = value[0]
		b.WithRequestField(field(fmt.Sprintf("Q%d", i), name, def.Query))
		i++
	}
	if r.RequestID.Name != "" {
		req.RequestID = r.RequestID.Value
		b.WithRequestField(field("RequestID", r.RequestID.Name, def.Header))
	}
	if r.Body != "" {
		req.Body = &r.Body
		b.WithRequestField(field("Body", "", def.Body))
	}
	return b.Build(), req, nil
}

func field(name, tag string, where def.LocationType) *def.FieldDef {
	return def.NewFieldDef().WithName(name).WithJsonTag(tag).WithLocationType(where)
}
