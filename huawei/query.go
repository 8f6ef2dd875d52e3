// Package huawei is for Sources of Huawei Cloud's services: it binds a call of the official SDK to a context, and
// classifies the SDK's errors.
//
// The SDK takes no context. It loses the headers of an answer that is an error, Retry-After among them. It gives a body
// that does not decode an error with status 200. [Query] and [Mutate] repair this, on any client, without set-up:
//
//	reply, err := huawei.Query(ctx, caller, "dms:instance:getBackgroundTask",
//		func(c *core.HcHttpClient) (*model.ShowBackgroundTaskResponse, error) {
//			return kafka.NewKafkaClient(c).ShowBackgroundTask(request)
//		})
//
// Facts about the SDK were read and tried in v0.1.207. They are the same in v0.1.174 and v0.1.202.
package huawei

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/wire"
)

// Reply is an answer of the service.
type Reply[T any] struct {
	Value T
	At    time.Time // when the service answered, by its own clock, to the second; zero: it does not say

	RetryAfter time.Duration // how long the service wishes to be left alone; 0: it does not say

	rec *recorder
}

// Header returns the headers of the answer; nil: not known, as for a client that is called as it is.
func (r Reply[T]) Header() http.Header { return r.rec.header }

// Refused returns the error of an answer with status 200 that has one of the service's codes among other content; nil:
// there is none. If an answer holds only an error, the call has failed already.
func (r Reply[T]) Refused() *taskwait.QueryError {
	if !wire.MentionsCode(r.rec.body) || !isServiceCode(wire.Parse(r.rec.body, 0).Code) {
		return nil
	}
	return malformed(wire.StatusText(r.rec.status)+": an error", r.rec, nil)
}

// Undecoded returns the error of an answer that does not decode.
func (r Reply[T]) Undecoded() *taskwait.QueryError {
	return malformed(wire.StatusText(r.rec.status)+": the answer does not decode", r.rec, nil)
}

// Lacks returns the error of an answer without the expected content: {}, null, an empty body, 204, 302.
func (r Reply[T]) Lacks(what string) *taskwait.QueryError {
	return malformed(fmt.Sprintf("the answer (status %d) has no %s in it", r.rec.status, what), r.rec, nil)
}

// Query makes one call of the SDK that reads, under ctx. call must build a new request each time, and make it on the
// client that it is given. The request is aborted when ctx ends. Values in ctx reach the transport.
//
// The error is ctx.Err() if ctx has ended, and a [*taskwait.QueryError] otherwise. permission is the IAM action that
// the request needs, for the text of a 403; empty: not known.
func Query[T any](
	ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error),
) (Reply[T], error) {
	value, rec, err := invoke(ctx, c, permission, call)
	if err != nil {
		return Reply[T]{}, err
	}
	return Reply[T]{value, rec.date(), taskwait.RetryAfter(rec.header), rec}, nil
}

// invoke makes the call, and also gives what the recorder saw of it.
func invoke[T any](
	ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error),
) (T, *recorder, error) {
	var none T
	c.once.Do(func() { c.setup = inspect(c.client) })
	client, rec := c.client, &recorder{}
	if c.setup.err != nil {
		return none, rec, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: c.setup.err}
	}
	if err := ctx.Err(); err != nil {
		return none, rec, err
	}
	if !c.setup.unbound {
		client, rec = c.setup.bind(ctx, c.client.GetCredential())
	}
	value, err := call(client)
	c.setup.answered(rec)
	if err == nil {
		if isError(rec.body) {
			return none, rec, malformed(wire.StatusText(rec.status)+": an error", rec, nil)
		}
		return value, rec, nil
	}
	if ended := ctx.Err(); ended != nil {
		return none, rec, ended // first, whatever the SDK has made of it
	}
	if q := (*taskwait.QueryError)(nil); errors.As(err, &q) {
		return none, rec, err // call has read the answer itself
	}
	return none, rec, classify(err, rec, permission)
}
