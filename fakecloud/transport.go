package fakecloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Transport returns the transport in memory. Requests are served on the goroutine of their client, and end when their
// context does, with its cause, as in http.Transport. It works inside a testing/synctest bubble. It ignores the host
// and the scheme of a URL. It is safe for concurrent use.
func (g *Gateway) Transport() http.RoundTripper { return memory{g} }

type memory struct{ gateway *Gateway }

// errDropped is what net/http makes of a connection that ends before the answer: Is io.ErrUnexpectedEOF.
var errDropped = fmt.Errorf("fakecloud: the connection was closed without an answer: %w", io.ErrUnexpectedEOF)

// RoundTrip serves one request.
func (m memory) RoundTrip(req *http.Request) (*http.Response, error) {
	defer closing(req)()
	ctx := req.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r, err := asServed(req)
	if err != nil {
		return nil, err
	}
	e := m.gateway.handle(r)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case e.broken != nil:
		return nil, e.broken
	case e.end == dropped:
		return nil, errDropped
	}
	return e.response(req), nil
}

// closing closes the request's body when the context ends, so that a read that hangs ends then. The function closes it
// in any case, a RoundTripper's duty.
func closing(req *http.Request) func() {
	if req.Body == nil || req.Body == http.NoBody {
		return func() {}
	}
	stop := context.AfterFunc(req.Context(), func() { _ = req.Body.Close() })
	return func() {
		if stop() {
			_ = req.Body.Close()
		}
	}
}

// asServed is a client's request as a server sees it.
func asServed(req *http.Request) (*http.Request, error) {
	u, err := url.ParseRequestURI(req.URL.RequestURI())
	if err != nil {
		return nil, err
	}
	r := req.WithContext(req.Context())
	r.URL = u
	if r.Header, err = sentHeader(req.Header); err != nil {
		return nil, err
	}
	if r.Host == "" {
		r.Host = req.URL.Host
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return r, nil
}

// sentHeader is a client's header as it arrives: names in canonical form, values without the space around them. What
// net/http's transport does not send is refused here too: a line break in a value could pass for another header.
func sentHeader(h http.Header) (http.Header, error) {
	sent := make(http.Header, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !headerName.MatchString(name) {
			return nil, fmt.Errorf("fakecloud: invalid header name %q", name)
		}
		for _, value := range h[name] {
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return nil, fmt.Errorf("fakecloud: invalid value of header %q", name) // which may be secret
			}
			sent.Add(name, strings.Trim(value, " \t"))
		}
	}
	return sent, nil
}

// headerName is a token (RFC 9110, section 5.6.2).
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// response is the answer as a client sees it.
func (e *Exchange) response(req *http.Request) *http.Response {
	text := http.StatusText(e.Status)
	if text == "" {
		text = "status code " + strconv.Itoa(e.Status) // as net/http's server has it
	}
	resp := &http.Response{
		Status: strconv.Itoa(e.Status) + " " + text, StatusCode: e.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.header, ContentLength: int64(len(e.body)), Request: req, Body: http.NoBody,
	}
	if e.req.Method == http.MethodHead {
		return resp
	}
	b := &memoryBody{e: e, closed: make(chan struct{}), stop: func() bool { return true }}
	if e.end == stalled { // also if nobody reads that far
		b.stop = context.AfterFunc(e.ctx, func() { e.gateway.recordDisconnect(e) })
	}
	b.rest.Reset(e.body)
	if e.end != complete {
		b.rest.Reset(e.body[:len(e.body)/2])
	}
	resp.Body = b
	return resp
}

// memoryBody is an answer's body, which ends as the fault wants it.
type memoryBody struct {
	e      *Exchange
	rest   bytes.Reader
	closed chan struct{}
	stop   func() bool // of waiting for the context's end
	once   sync.Once
}

var errClosedBody = errors.New("fakecloud: read on closed response body")

// Read gives what there is, and then the end.
func (b *memoryBody) Read(p []byte) (int, error) {
	ctx := b.e.ctx
	select {
	case <-b.closed:
		return 0, errClosedBody
	default:
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	n, err := b.rest.Read(p)
	if !errors.Is(err, io.EOF) || b.e.end == complete {
		return n, err
	}
	if b.e.end == truncated {
		return 0, io.ErrUnexpectedEOF
	}
	defer b.e.gateway.recordDisconnect(b.e)
	select {
	case <-b.closed:
		return 0, errClosedBody
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Close ends a Read that is under way, as on a connection.
func (b *memoryBody) Close() error {
	b.once.Do(func() {
		close(b.closed)
		b.stop()
		if b.e.end == stalled {
			b.e.gateway.recordDisconnect(b.e)
		}
	})
	return nil
}
