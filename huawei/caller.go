package huawei

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
)

// Caller makes requests with the setup of one client of the SDK, each under a context of its own. The Callers of a
// client share its connections. A Caller is safe for concurrent use, and never changes the client or its config.
//
// A Caller keeps the client's credential, config (timeout, proxy, dialer, TLS setting, transport, handlers, signing
// algorithm, user agent), endpoints and extra headers. It uses the next endpoint if a name does not resolve. The
// client's own error handler is not called, because the answers are read here. A client that brings its own
// Authorization header is called as it is, without the context, because the SDK does not let such a client be bound.
type Caller struct {
	client *core.HcHttpClient
	once   sync.Once
	setup  *setup // a pointer: fmt follows none of a field, so that no verb prints the client's headers
}

// NewCaller returns a Caller for client. Nothing is sent. A nil client is an error of the first call.
func NewCaller(client *core.HcHttpClient) *Caller { return &Caller{client: client} }

// Format writes what a Caller is, whatever the verb, and nothing of what it holds: a client's extra headers may be
// secret.
func (c *Caller) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "huawei.Caller") }

// setup is what a Caller knows of its client.
type setup struct {
	config      config.HttpConfig
	endpoints   []string
	inUse       atomic.Int32      // the index of the endpoint that answered last
	headers     map[string]string // the client's extra ones
	connections *connections
	unbound     bool  // the client has its own Authorization
	err         error // the client cannot be used
}

// bind makes a light client for one call, whose requests and answers are bound to ctx.
func (s *setup) bind(ctx context.Context, credential auth.ICredential) (*core.HcHttpClient, *recorder) {
	rec := &recorder{ctx: ctx, connections: s.connections, timeout: s.config.Timeout}
	cfg := s.config
	cfg.HttpTransport, cfg.RoundTripper, cfg.Timeout = nil, rec, 0 // the recorder keeps the timeout
	i := s.inUse.Load()
	client := core.NewHcHttpClient(impl.NewDefaultHttpClient(&cfg)).
		WithEndpoints(slices.Concat(s.endpoints[i:], s.endpoints[:i])).
		WithCredential(&serialized{ICredential: credential, rec: rec}).
		WithExtraHeaders(s.headers)
	return client, rec
}

// answered notes which endpoint to begin with next time.
func (s *setup) answered(rec *recorder) {
	if i := slices.Index(s.endpoints, rec.endpoint); i >= 0 && rec.status > 0 {
		s.inUse.Store(int32(i)) //nolint:gosec // few endpoints
	}
}

// probe is a credential that is shown a client's config and the requests to be signed. In place of each it returns one
// that cannot be built, with an error after which the SDK goes on to the client's next endpoint.
type probe struct {
	auth.ICredential
	client    *impl.DefaultHttpClient
	headers   map[string]string
	endpoints []string
}

// ProcessAuthRequest remembers what it is shown.
func (p *probe) ProcessAuthRequest(
	client *impl.DefaultHttpClient, req *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	p.client, p.headers, p.endpoints = client, req.GetHeaderParams(), append(p.endpoints, req.GetEndpoint())
	return request.NewHttpRequestBuilder().WithBody("", unbuildable{}).Build(), nil
}

// unbuildable is a request's body that does not encode, with an error like that of a name that does not resolve.
type unbuildable map[string]string

// MarshalJSON fails.
func (unbuildable) MarshalJSON() ([]byte, error) {
	return nil, &url.Error{Op: "probe", Err: &net.DNSError{Err: "only a probe", IsNotFound: true}}
}

// inspect reads a client's setup by letting a copy of the client prepare requests. Nothing is sent: what the probe
// returns cannot be built, and a client that does not call the probe cannot send a request with this method.
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
	_, err := clone.WithCredential(p).Sync(&struct{}{}, d)
	switch {
	case err == nil:
		return &setup{err: errors.New("the SDK has changed: a request that cannot be sent was")}
	case p.client == nil:
		return &setup{unbound: true}
	case client.GetCredential() == nil:
		return &setup{err: errors.New("the SDK client has no credential: build it with WithCredential")}
	}
	s = &setup{config: p.client.GetHttpConfig()}
	if s.endpoints, s.err = usable(p.endpoints); s.err != nil {
		return s
	}
	s.headers = extraHeaders(p.headers, s.config.UserAgent)
	s.connections = connectionsOf(client, &s.config)
	return s
}

// usable are the endpoints to which a request can be sent.
func usable(endpoints []string) (good []string, err error) {
	for _, e := range endpoints {
		u, wrong := url.Parse(e)
		var parse *url.Error
		switch {
		case errors.As(wrong, &parse): // its own text may show a password
			err = fmt.Errorf("the SDK client's endpoint cannot be used: %w", parse.Err)
		case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
			err = fmt.Errorf("the SDK client's endpoint cannot be used: %q, want http:// or https://, and a host",
				u.Redacted())
		default:
			good = append(good, e)
		}
	}
	if good != nil {
		return good, nil
	}
	return nil, err
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
