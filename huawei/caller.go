package huawei

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/exchange"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
)

// Caller makes requests on behalf of one client of the SDK, each under a context of its own. Make one for each Source and
// keep it: its requests share a pool of connections. It is safe for concurrent use and never changes the client, nor
// the client's config.
//
// A Caller keeps the client's credential, config (timeout, proxy, dialer, TLS setting, transport, handlers, signing
// algorithm, user agent) and extra headers. Of several endpoints it keeps the one that is in use at its first call. A
// client's own error handler is not called: the answers are read here. A client that brings its own Authorization header
// is called as it is, without the context: the SDK does not let such a client be bound.
type Caller struct {
	client *core.HcHttpClient
	once   sync.Once
	setup  *setup // a pointer: fmt follows none of a field, so that no verb prints the client's headers
}

// NewCaller returns a Caller for client. Nothing is sent. A nil client is an error of the first call.
func NewCaller(client *core.HcHttpClient) *Caller { return &Caller{client: client} }

// Format writes what a Caller is, whatever the verb, and nothing of what it holds: a client's extra headers may be secret.
func (c *Caller) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "huawei.Caller") }

// setup is what a Caller knows of its client.
type setup struct {
	config   config.HttpConfig
	endpoint string
	headers  map[string]string // the client's extra ones
	base     http.RoundTripper
	unbound  bool  // the client has its own Authorization
	err      error // the client cannot be used
}

// bind makes a light client for one call, whose request and answer are bound to ctx.
func (s *setup) bind(ctx context.Context, credential auth.ICredential) (*core.HcHttpClient, *recorder) {
	rec := &recorder{ctx: ctx, base: s.base, timeout: s.config.Timeout}
	cfg := s.config
	cfg.HttpTransport, cfg.RoundTripper, cfg.Timeout = nil, rec, 0 // the recorder keeps the timeout
	client := core.NewHcHttpClient(impl.NewDefaultHttpClient(&cfg)).
		WithEndpoints([]string{s.endpoint}).
		WithCredential(&serialized{ICredential: credential, ctx: ctx}).
		WithExtraHeaders(s.headers)
	return client, rec
}

// probe is a credential that is shown a client's config and the request to be signed, and refuses.
type probe struct {
	auth.ICredential
	client  *impl.DefaultHttpClient
	request *request.DefaultHttpRequest
}

var errProbe = errors.New("huawei: only a probe")

// ProcessAuthRequest remembers what it is shown.
func (p *probe) ProcessAuthRequest(
	client *impl.DefaultHttpClient, req *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	p.client, p.request = client, req
	return nil, errProbe
}

// inspect reads a client's setup by letting a copy of the client prepare a request. Nothing is sent: the probe refuses,
// and a client that does not call the probe cannot send a request with this method.
func inspect(client *core.HcHttpClient) (s *setup) {
	if client == nil {
		return &setup{err: errors.New("the SDK client is nil")}
	}
	defer func() {
		if recover() != nil { // the SDK indexes the endpoints without looking
			s = &setup{err: errors.New("the SDK client has no endpoint: build it with WithRegion or WithEndpoint")}
		}
	}()
	p := &probe{}
	clone := *client
	d := def.NewHttpRequestDefBuilder().WithMethod("NOT SENT").WithPath("/").WithResponse(new(struct{})).Build()
	_, err := clone.WithCredential(p).SyncInvoke(&struct{}{}, d, &exchange.SdkExchange{ApiReference: &exchange.ApiReference{}})
	switch {
	case p.client == nil && err == nil:
		return &setup{err: errors.New("the SDK has changed: a request that cannot be sent was")}
	case p.client == nil:
		return &setup{unbound: true}
	case client.GetCredential() == nil:
		return &setup{err: errors.New("the SDK client has no credential: build it with WithCredential")}
	}
	s = &setup{config: p.client.GetHttpConfig(), endpoint: p.request.GetEndpoint()}
	s.headers = extraHeaders(p.request.GetHeaderParams(), s.config.UserAgent)
	s.base = base(&s.config)
	return s
}

// extraHeaders are a client's own headers, taken out of a prepared request. The SDK puts its own name and the config's
// before a User-Agent of the client's.
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
