package huawei

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/taskwait/taskwait/internal/wire"
)

const (
	// idleTimeout closes connections that nobody has used for this long, as http.DefaultTransport does. The SDK's own
	// transport keeps them, and two goroutines for each, for ever.
	idleTimeout = 90 * time.Second

	// maxBody bounds what is read of an answer. A page of tasks has some 100 kB.
	maxBody = 16 << 20
)

var errTooLong = errors.New("it is longer than 16 MiB")

// connections are what the requests of one client of the SDK go through, whatever the number of its Callers.
type connections struct {
	base    http.RoundTripper
	suspect atomic.Bool // the last request got no answer
}

// shared has the connections of each client that is in use. It is no configuration: the clients have no place for them.
var shared = struct {
	mu sync.Mutex
	of map[*core.HcHttpClient]weak.Pointer[connections]
}{of: map[*core.HcHttpClient]weak.Pointer[connections]{}}

// connectionsOf are those of a client.
func connectionsOf(client *core.HcHttpClient, c *config.HttpConfig) *connections {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if known := shared.of[client].Value(); known != nil {
		return known
	}
	made := &connections{base: base(c)}
	shared.of[client] = weak.Make(made)
	runtime.AddCleanup(made, forgetConnections, client)
	return made
}

func forgetConnections(client *core.HcHttpClient) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.of[client].Value() == nil { // or others were made meanwhile
		delete(shared.of, client)
	}
}

// base is what a client's requests go through: its own transport if it has one, else one as the SDK would make it.
func base(c *config.HttpConfig) http.RoundTripper {
	switch {
	case c.HttpTransport != nil:
		return c.HttpTransport
	case c.RoundTripper != nil:
		return c.RoundTripper
	}
	t := &http.Transport{
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: c.IgnoreSSLVerification, // the caller's own setting
		},
		IdleConnTimeout:        idleTimeout,
		OnProxyConnectResponse: proxyAnswer,
	}
	if c.DialContext != nil {
		t.DialContext = c.DialContext
	}
	if c.HttpProxy != nil {
		if u, err := url.Parse(c.HttpProxy.GetProxyUrl()); err == nil { // as the SDK does: a bad one is ignored
			t.Proxy = http.ProxyURL(u)
		}
	}
	return t
}

// proxyError is a proxy's refusal to connect to the service.
type proxyError struct{ status int }

func (e *proxyError) Error() string { return "the proxy answered " + wire.StatusText(e.status) }

func proxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &proxyError{resp.StatusCode}
	}
	return nil
}

// send sends a request. After one that got no answer, idle connections are closed first: one over HTTP/2 that has died
// would be used again for minutes. The request's own connection is not used again either: the base may be wrapped in a
// round tripper that closes none, and a connection is not idle until the request before is cleaned up.
func (c *connections) send(req *http.Request) (*http.Response, error) {
	if c.suspect.Load() {
		c.closeIdle()
		req.Close = true
	}
	resp, err := c.base.RoundTrip(req)
	if err == nil {
		c.suspect.Store(false)
	}
	return resp, err
}

// unanswered is called after each request without an answer, or without the end of one.
func (c *connections) unanswered() {
	c.suspect.Store(true)
	c.closeIdle()
}

func (c *connections) closeIdle() {
	if base, ok := c.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// recorder is the transport of one call of the SDK. It binds the requests to the call's context, and records what it
// saw.
type recorder struct {
	ctx         context.Context
	connections *connections  // nil: the client's requests do not come this way
	timeout     time.Duration // of one request with its body; 0: none

	endpoint   string           // that of the last request; empty: none was signed
	credential auth.ICredential // that signed it
	signing    error            // why it could not be signed

	sent      bool        // a request has been sent
	askedConn atomic.Bool // the base has begun to look for a connection, and says so
	gotConn   atomic.Bool // and has found one
	err       error       // why there was no answer to the last one
	status    int         // of the last answer; 0: none
	header    http.Header
	body      []byte
	cut       error // what ended the reading of the body early
}

// RoundTrip sends the request under the context of the call, and reads the answer. When that has ended the error is the
// context's own: after a DNS error, which a dialer makes of it, the SDK would go on to its next endpoint.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	if r.err = wire.CheckHeader(req.Header); r.err != nil {
		return nil, r.err
	}
	ctx, cancel := r.ctx, context.CancelFunc(func() {})
	if r.timeout > 0 {
		cause := fmt.Errorf("the client's own timeout of %v: %w", r.timeout, context.DeadlineExceeded)
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, cause)
	}
	defer cancel()
	if req.Method != http.MethodGet { // a query may be repeated anyway
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn: func(string) { r.askedConn.Store(true) },
			GotConn: func(httptrace.GotConnInfo) { r.gotConn.Store(true) },
		})
	}
	r.sent, r.status, r.header, r.body, r.cut = true, 0, nil, nil, nil
	resp, err := r.send(req.WithContext(ctx))
	if err != nil {
		r.err = r.reason(ctx, err)
		r.connections.unanswered()
		return nil, r.err
	}
	r.status, r.header = resp.StatusCode, resp.Header
	resp.Body = r.read(ctx, resp.Body)
	return resp, nil
}

// send is what the client's own transport makes of a request, whoever wrote it.
func (r *recorder) send(req *http.Request) (*http.Response, error) {
	resp, err := r.connections.send(req)
	switch {
	case err != nil:
		return nil, err
	case resp == nil:
		return nil, errors.New("the client's round tripper returned neither an answer nor an error")
	case resp.Body == nil:
		resp.Body = http.NoBody // as http.Client would do
	}
	if r.ctx.Err() != nil { // a server may still answer when it sees its client go: that is no answer to us
		_ = resp.Body.Close()
		return nil, r.ctx.Err()
	}
	return resp, nil
}

// read reads a body to its end, and returns it anew. A read that hangs ends with ctx, whatever the transport.
func (r *recorder) read(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	stop := context.AfterFunc(ctx, func() { _ = body.Close() })
	var err error
	r.body, err = io.ReadAll(io.LimitReader(body, maxBody+1))
	stop()
	_ = body.Close()
	switch {
	case err != nil:
		r.cut = r.reason(ctx, err)
		r.connections.unanswered()
	case len(r.body) > maxBody:
		r.cut = errTooLong
	}
	r.body = bytes.TrimPrefix(r.body, []byte("\ufeff"))
	if r.cut != nil {
		return io.NopCloser(io.MultiReader(bytes.NewReader(r.body), broken{r.cut}))
	}
	return io.NopCloser(bytes.NewReader(r.body))
}

// broken is a reader that fails.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// reason is why a request failed: the call's context, the client's timeout, or err itself.
func (r *recorder) reason(ctx context.Context, err error) error {
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

// signed forgets the requests that were made for the signature.
func (r *recorder) signed() {
	r.sent, r.err, r.status, r.header, r.body, r.cut = false, nil, 0, nil, nil, nil
	r.askedConn.Store(false)
	r.gotConn.Store(false)
}

// unbound reports whether nothing was recorded, because the client's requests do not come this way.
func (r *recorder) unbound() bool { return r.connections == nil }

// mayHaveBeenSent reports whether the request may have been sent: net/http's own transport says where it got no
// connection.
func (r *recorder) mayHaveBeenSent() bool {
	return r.signing == nil && r.sent && (r.gotConn.Load() || !r.askedConn.Load())
}

// date is the time of the answer, by the service's clock; zero: unknown, or one that cannot be true.
func (r *recorder) date() time.Time {
	date, err := http.ParseTime(r.header.Get("Date"))
	if err != nil || date.Before(earliest) || date.After(time.Now().Add(latest)) {
		return time.Time{}
	}
	return date
}

// A service's clock that is further off is none: there were no such services before 2000 (less a year, as virtual time
// begins there), and our own clock may be wrong by years.
var (
	earliest = time.Date(1999, time.January, 1, 0, 0, 0, 0, time.UTC)
	latest   = 20 * 365 * 24 * time.Hour
)
