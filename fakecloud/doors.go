package fakecloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ServeHTTP makes a Cloud an [http.Handler]. [Cloud.Start] serves it on a loopback port.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := c.handle(r.Context(), r)
	if e.gone || e.end == dropped {
		panic(http.ErrAbortHandler) // closes the connection
	}
	w.Header()["Content-Type"] = nil // not to be guessed from the body
	for k, v := range e.header {
		w.Header()[k] = v
	}
	if e.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(e.body)))
	}
	w.WriteHeader(e.status)
	if e.end == whole {
		_, _ = w.Write(e.body) // a client that is gone does not matter
		return
	}
	_, _ = w.Write(e.body[:len(e.body)/2])
	_ = http.NewResponseController(w).Flush()
	if e.end == stalled {
		<-e.ctx.Done()
	}
	panic(http.ErrAbortHandler)
}

// Server is a [Cloud] on a loopback port.
type Server struct {
	URL string // such as http://127.0.0.1:40123

	server *http.Server
	done   chan struct{}
}

// Start opens a loopback port for the cloud. Close the server when it is no longer needed.
func (c *Cloud) Start() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fakecloud: no loopback port: %w", err)
	}
	s := &Server{
		URL:    "http://" + l.Addr().String(),
		server: &http.Server{Handler: c, ReadHeaderTimeout: time.Minute},
		done:   make(chan struct{}),
	}
	go func() { // ends with Close
		defer close(s.done)
		_ = s.server.Serve(l) // ErrServerClosed
	}()
	return s, nil
}

// Close closes the port and every connection, and waits for neither requests nor clients.
func (s *Server) Close() {
	_ = s.server.Close()
	<-s.done
}

// Transport returns a door in memory: requests are served on the goroutine of their client, and end when their context
// does. It works inside a testing/synctest bubble. Host and scheme of a URL do not matter to it.
func (c *Cloud) Transport() http.RoundTripper { return memory{c} }

type memory struct{ cloud *Cloud }

// RoundTrip serves one request.
func (m memory) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }() // a RoundTripper's duty
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := m.cloud.handle(ctx, asServed(req))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case e.end == dropped:
		return nil, io.EOF // what net/http makes of it
	}
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", e.status, http.StatusText(e.status)), StatusCode: e.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.header, ContentLength: int64(len(e.body)), Request: req,
		Body: &memoryBody{ctx: ctx, rest: bytes.NewReader(e.body), end: e.end},
	}
	if e.end != whole {
		resp.Body = &memoryBody{ctx: ctx, rest: bytes.NewReader(e.body[:len(e.body)/2]), end: e.end}
	}
	if e.status != http.StatusNoContent {
		resp.Header.Set("Content-Length", strconv.Itoa(len(e.body)))
	}
	return resp, nil
}

// asServed is a client's request as a server sees it.
func asServed(req *http.Request) *http.Request {
	r := req.Clone(req.Context())
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return r
}

// memoryBody is an answer's body, which ends as the fault wants it.
type memoryBody struct {
	ctx  context.Context
	rest *bytes.Reader
	end  ending
}

// Read gives what there is, and then the end.
func (b *memoryBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.rest.Read(p)
	if !errors.Is(err, io.EOF) || b.end == whole {
		return n, err
	}
	if b.end == stalled {
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	}
	return 0, io.ErrUnexpectedEOF
}

// Close has nothing to free.
func (b *memoryBody) Close() error { return nil }
