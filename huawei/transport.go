package huawei

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
)

// idleTimeout closes connections that nobody has used for this long, as http.DefaultTransport does. The SDK's own
// transport keeps them, and two goroutines for each, for ever.
const idleTimeout = 90 * time.Second

// base is what a client's requests go through: its own transport if it has one, else one as the SDK would make it.
func base(c *config.HttpConfig) http.RoundTripper {
	switch {
	case c.HttpTransport != nil:
		return c.HttpTransport
	case c.RoundTripper != nil:
		return c.RoundTripper
	}
	t := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: c.IgnoreSSLVerification}, //nolint:gosec // the caller's own setting
		IdleConnTimeout: idleTimeout,
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

// recorder is the transport of one call of the SDK. It binds the requests to the call's context, and records what it saw.
type recorder struct {
	ctx     context.Context
	base    http.RoundTripper
	timeout time.Duration // of one request with its body; 0: none

	sent      bool        // a request has been given to base
	askedConn atomic.Bool // base has begun to look for a connection, and says so
	gotConn   atomic.Bool // and has found one
	status    int         // of the last answer; 0: none
	header    http.Header
	cut       error // what ended the reading of its body early
}

// RoundTrip sends the request under the context of the call. When that has ended the error is the context's own: after
// a DNS error, which a dialer makes of it, the SDK would go on to its next endpoint.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := r.ctx, context.CancelFunc(func() {})
	if r.timeout > 0 {
		cause := fmt.Errorf("the client's own timeout of %v: %w", r.timeout, context.DeadlineExceeded)
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, cause)
	}
	if req.Method != http.MethodGet { // a query may be repeated anyway
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn: func(string) { r.askedConn.Store(true) },
			GotConn: func(httptrace.GotConnInfo) { r.gotConn.Store(true) },
		})
	}
	r.sent, r.status, r.header, r.cut = true, 0, nil, nil
	resp, err := r.send(req.WithContext(ctx))
	if err != nil {
		err = r.reason(ctx, err)
		cancel()
		return nil, err
	}
	r.status, r.header = resp.StatusCode, resp.Header
	resp.Body = newBody(ctx, cancel, resp.Body, r)
	return resp, nil
}

// unbound reports whether nothing was recorded, because the client's requests do not come this way.
func (r *recorder) unbound() bool { return r.base == nil }

// mayHaveBeenSent reports whether the request may have been sent: net/http's own transport says where it got no connection.
func (r *recorder) mayHaveBeenSent() bool { return r.sent && (r.gotConn.Load() || !r.askedConn.Load()) }

// date is the time of the answer, by the service's clock; zero: unknown.
func (r *recorder) date() time.Time {
	date, _ := http.ParseTime(r.header.Get("Date"))
	return date
}

// send is what the client's own transport makes of a request, whoever wrote it.
func (r *recorder) send(req *http.Request) (*http.Response, error) {
	resp, err := r.base.RoundTrip(req)
	switch {
	case err != nil:
		return nil, err
	case resp == nil:
		return nil, errors.New("the client's round tripper returned neither an answer nor an error")
	case resp.Body == nil:
		resp.Body = http.NoBody // as http.Client would see to
	}
	if r.ctx.Err() != nil { // a server may still answer when it sees its client go: that is no answer to us
		_ = resp.Body.Close()
		return nil, r.ctx.Err()
	}
	return resp, nil
}

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

// body is an answer's body, bound to the context: a read that hangs ends with it, whatever the transport.
type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
	stop   func() bool
	rec    *recorder
}

func newBody(ctx context.Context, cancel context.CancelFunc, b io.ReadCloser, r *recorder) *body {
	return &body{
		ReadCloser: b, ctx: ctx, cancel: cancel, rec: r,
		stop: context.AfterFunc(ctx, func() { _ = b.Close() }),
	}
}

// Read reads, and notes why it cannot go on.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		err = b.rec.reason(b.ctx, err)
		b.rec.cut = err
	}
	b.release() // a client with response handlers reads all, and never closes it
	return n, err
}

func (b *body) release() {
	b.stop()
	b.cancel()
}

// Close ends the request.
func (b *body) Close() error {
	b.stop()
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}
