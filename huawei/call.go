// Package huawei has what the Sources for Huawei Cloud's services share: a call of the official SDK that is bound to a
// context, and the classification of the SDK's errors.
//
// The SDK takes no context, loses the headers of an answer that is an error (Retry-After with them), and gives a body
// that does not decode an error with status 200. [Do] mends these, on any client, without set-up:
//
//	resp, err := huawei.Do(ctx, caller, "dms:instance:getBackgroundTask",
//		func(c *core.HcHttpClient) (*model.ShowBackgroundTaskResponse, error) {
//			return kafka.NewKafkaClient(c).ShowBackgroundTask(request)
//		})
//
// Facts about the SDK were read and tried in v0.1.207; it is the same in v0.1.174 and v0.1.202.
package huawei

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/exchange"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/taskwait/taskwait"
)

// Caller makes requests on behalf of one client of the SDK, each under a context of its own. Make one for each Source and
// keep it: its requests share a pool of connections. It is safe for concurrent use and never changes the client, nor
// the client's config.
//
// A Caller keeps the client's credential, config (timeout, proxy, dialer, TLS setting, transport, handlers, signing
// algorithm, user agent) and extra headers. Of several endpoints it keeps the one that is in use at its first call. A
// client's own error handler is not asked: Do reads the answers itself. A client that brings its own Authorization header
// is called as it is, without the context: the SDK does not let such a client be bound.
type Caller struct {
	client *core.HcHttpClient
	once   sync.Once
	setup  setup
}

// NewCaller returns a Caller for client. Nothing is sent. A nil client is an error of the first call.
func NewCaller(client *core.HcHttpClient) *Caller { return &Caller{client: client} }

// setup is what a Caller learns of its client.
type setup struct {
	config   config.HttpConfig
	endpoint string
	headers  map[string]string // the client's extra ones
	base     http.RoundTripper
	unbound  bool  // the client has its own Authorization
	err      error // the client cannot be used
}

// Do makes one call of the SDK under ctx. call must build its request anew each time and make it on the client that it is
// given, and on no other. The request is aborted when ctx ends; values in ctx reach the transport.
//
// An error is ctx.Err() if ctx has ended, and a [*taskwait.QueryError] otherwise. permission is the IAM action that the
// request needs; an answer of 403 is then told to lack it. Empty: not known.
func Do[T any](ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error)) (T, error) {
	resp, _, err := invoke(ctx, c, permission, call)
	return resp, err
}

// Ask is [Do], and gives the time of the answer too, by the service's own clock, to the second; zero if it does not say.
func Ask[T any](ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error)) (resp T, asOf time.Time, err error) {
	resp, wire, err := invoke(ctx, c, permission, call)
	if err != nil {
		return resp, asOf, err
	}
	return resp, wire.date(), nil
}

// invoke makes the call, and also gives what the transport saw of it.
func invoke[T any](ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error)) (T, *transport, error) {
	var none T
	c.once.Do(func() { c.setup = learn(c.client) })
	client, wire := c.client, &transport{}
	if c.setup.err != nil {
		return none, wire, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: c.setup.err}
	}
	if err := ctx.Err(); err != nil {
		return none, wire, err
	}
	if !c.setup.unbound {
		client, wire = c.setup.bind(ctx, c.client.GetCredential())
	}
	resp, err := call(client)
	if err == nil {
		return resp, wire, nil
	}
	if ended := ctx.Err(); ended != nil {
		return none, wire, ended // first, whatever the SDK has made of it
	}
	if q := (*taskwait.QueryError)(nil); errors.As(err, &q) {
		return none, wire, err // call has read the answer itself
	}
	return none, wire, classify(err, wire, permission)
}

// bind makes a light client for one call, whose request and answer are bound to ctx.
func (s *setup) bind(ctx context.Context, credential auth.ICredential) (*core.HcHttpClient, *transport) {
	wire := &transport{ctx: ctx, base: s.base, timeout: s.config.Timeout}
	cfg := s.config
	cfg.HttpTransport, cfg.RoundTripper, cfg.Timeout = nil, wire, 0 // the transport keeps the timeout
	client := core.NewHcHttpClient(impl.NewDefaultHttpClient(&cfg)).
		WithEndpoints([]string{s.endpoint}).
		WithCredential(&serialized{ICredential: credential, ctx: ctx}).
		WithExtraHeaders(s.headers)
	return client, wire
}

// probe is a credential that is shown a client's config and the request to be signed, and refuses.
type probe struct {
	auth.ICredential
	client  *impl.DefaultHttpClient
	request *request.DefaultHttpRequest
}

var errProbe = errors.New("huawei: only a probe")

// ProcessAuthRequest remembers what it is shown.
func (p *probe) ProcessAuthRequest(client *impl.DefaultHttpClient, req *request.DefaultHttpRequest) (*request.DefaultHttpRequest, error) {
	p.client, p.request = client, req
	return nil, errProbe
}

// learn finds out about a client by letting a copy of it prepare a request. Nothing is sent: the probe refuses, and where
// it is not asked, the method is none that could be sent.
func learn(client *core.HcHttpClient) (s setup) {
	if client == nil {
		return setup{err: errors.New("the SDK client is nil")}
	}
	defer func() {
		if recover() != nil { // the SDK indexes the endpoints without looking
			s = setup{err: errors.New("the SDK client has no endpoint: build it with WithRegion or WithEndpoint")}
		}
	}()
	p := &probe{}
	clone := *client
	d := def.NewHttpRequestDefBuilder().WithMethod("NOT SENT").WithPath("/").WithResponse(new(struct{})).Build()
	_, err := clone.WithCredential(p).SyncInvoke(&struct{}{}, d, &exchange.SdkExchange{ApiReference: &exchange.ApiReference{}})
	switch {
	case p.client == nil && err == nil:
		return setup{err: errors.New("the SDK has changed: a request that cannot be sent was")}
	case p.client == nil:
		return setup{unbound: true}
	case client.GetCredential() == nil:
		return setup{err: errors.New("the SDK client has no credential: build it with WithCredential")}
	}
	s = setup{config: p.client.GetHttpConfig(), endpoint: p.request.GetEndpoint()}
	s.headers = extraHeaders(p.request.GetHeaderParams(), s.config.UserAgent)
	s.base = base(&s.config)
	return s
}

// extraHeaders gives back what the SDK has made a request's headers of: it puts its own name and the config's before a
// User-Agent of the client's.
func extraHeaders(headers map[string]string, configured string) map[string]string {
	const name = "huaweicloud-usdk-go/3.0"
	extra := map[string]string{}
	for k, v := range headers {
		if !strings.EqualFold(k, "User-Agent") {
			extra[k] = v
			continue
		}
		own := strings.TrimPrefix(v, name)
		if configured != "" {
			own = strings.TrimPrefix(own, "; "+configured)
		}
		if own = strings.TrimPrefix(own, "; "); own != "" {
			extra[k] = own
		}
	}
	return extra
}

// Format writes what a Caller is, whatever the verb, and nothing of what it holds: a client's extra headers may be secret.
func (c *Caller) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "huawei.Caller") }
