package fakecloud

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// ServeHTTP makes a Gateway an [http.Handler]. [Gateway.Start] serves it on a loopback port. To close a connection it
// panics with [http.ErrAbortHandler], which net/http's server knows.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := g.handle(r)
	if e.disconnected || e.end == dropped {
		// When a connection that it uses again ends before the first byte of an answer, Go's client sends a GET once more
		// on its own, and nobody would see the fault. An interim answer keeps it from that; clients skip it.
		if r.ProtoAtLeast(1, 1) {
			w.WriteHeader(http.StatusContinue)
		}
		panic(http.ErrAbortHandler) // closes the connection
	}
	for k, v := range e.header {
		w.Header()[k] = v
	}
	w.WriteHeader(e.Status)
	if e.end == complete {
		_, _ = w.Write(e.body) // a client that is gone does not matter
		return
	}
	_, _ = w.Write(e.body[:len(e.body)/2])
	_ = http.NewResponseController(w).Flush()
	if e.end == stalled {
		<-e.ctx.Done()
		g.recordDisconnect(e)
	}
	panic(http.ErrAbortHandler)
}

// Server is a [Gateway] on a loopback port.
type Server struct {
	URL string // such as http://127.0.0.1:40123

	server      *http.Server
	cancel      context.CancelFunc
	connections sync.WaitGroup
	done        chan struct{}
}

// Start opens a loopback port for the gateway. Close the server when it is no longer needed. The error is that of the
// operating system, if it has no port. A gateway may have many servers.
//
// In a testing/synctest bubble a server hangs: use [Gateway.Transport] there.
func (g *Gateway) Start() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fakecloud: no loopback port: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{URL: "http://" + l.Addr().String(), cancel: cancel, done: make(chan struct{})}
	s.server = &http.Server{
		Handler: g, ReadHeaderTimeout: time.Minute, ConnState: s.count,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { // ends with Close
		defer close(s.done)
		_ = s.server.Serve(l) // ErrServerClosed
	}()
	return s, nil
}

// count knows how many connections there are.
func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.connections.Add(1)
	case http.StateClosed:
		s.connections.Done()
	case http.StateActive, http.StateIdle, http.StateHijacked: // nobody hijacks one
	}
}

// Close closes the port and every connection: requests under way fail. It returns when nothing of the server runs any
// more. It may be called more than once.
func (s *Server) Close() {
	s.cancel()
	_ = s.server.Close()
	<-s.done
	_ = s.server.Close() // a connection that was accepted meanwhile
	s.connections.Wait()
}
