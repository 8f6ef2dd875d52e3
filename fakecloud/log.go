package fakecloud

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Request is a request and its answer.
type Request struct {
	Time   time.Time // of arrival, by our clock
	Method string
	Path   string // without escapes
	Query  url.Values
	Header http.Header // without the values that let a client in, such as Authorization and X-Security-Token
	Route  Route
	Took   time.Duration // from arrival until the answer was ready, or the client had gone; 0: not yet, or at once
	Status int           // of the answer; 0: none was sent, or not yet

	Disconnected bool // the client went away before the answer, or while its body stalled
}

// String returns the request and its answer in a line.
func (r Request) String() string {
	target := r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	answer := strconv.Itoa(r.Status)
	switch {
	case r.Disconnected:
		answer = "the client went away"
	case r.Status == 0:
		answer = "no answer"
	}
	return fmt.Sprintf("%s %s: %s after %v", r.Method, target, answer, r.Took)
}

// maxLog is how many requests the log holds at least, if there were so many, and half of what it holds at most: a
// server may run for days.
const maxLog = 100_000

// Requests returns the requests so far, in the order of arrival, those under way included: at least the last 100,000.
func (g *Gateway) Requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := slices.Clone(g.log)
	for i := range all {
		all[i].Header, all[i].Query = all[i].Header.Clone(), url.Values(http.Header(all[i].Query).Clone())
	}
	return all
}

// secret are the headers that are never shown, in canonical form.
var secret = []string{"Authorization", "X-Security-Token", "X-Auth-Token", "Cookie", "Proxy-Authorization"}

// recordArrival makes the request's entry in the log and gives the request its number, from 1 on.
func (g *Gateway) recordArrival(e *Exchange) {
	r := Request{
		Time: time.Now(), Method: e.req.Method, Path: e.req.URL.Path, Query: e.req.URL.Query(), Header: e.req.Header.Clone(),
		Route: e.Route,
	}
	for name := range r.Header {
		if slices.Contains(secret, http.CanonicalHeaderKey(name)) {
			delete(r.Header, name)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.log) == 2*maxLog {
		g.log = append(make([]Request, 0, 2*maxLog), g.log[maxLog:]...)
		g.forgotten += maxLog
	}
	g.log = append(g.log, r)
	e.number = g.forgotten + len(g.log)
}

// recordAnswer completes the entry.
func (g *Gateway) recordAnswer(e *Exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.entry(e)
	if r == nil {
		return
	}
	r.Took = time.Since(r.Time)
	r.Disconnected = e.disconnected
	if !e.disconnected && e.end != dropped {
		r.Status = e.Status
	}
}

// recordDisconnect notes that the client has gone away while the body stalled.
func (g *Gateway) recordDisconnect(e *Exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.entry(e); r != nil {
		r.Disconnected = true
	}
}

// entry is the request's in the log; nil: it is so old that it was forgotten.
func (g *Gateway) entry(e *Exchange) *Request {
	n := e.number - 1 - g.forgotten
	if n < 0 {
		return nil
	}
	return &g.log[n]
}
