package fakecloud

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Request is what was asked, and what was answered.
type Request struct {
	Time   time.Time // of arrival, by our clock
	Method string
	Path   string // without escapes
	Query  url.Values
	Header http.Header // without the values that let a client in, such as Authorization and X-Security-Token
	Route  Route
	Took   time.Duration // from arrival until the answer was ready, or the client had gone; 0: not yet, or at once
	Status int           // of the answer; 0: none was sent, or not yet
	Gone   bool          // the client went away before the answer, or while its body stalled
}

// secret are the headers that are never shown, in canonical form.
var secret = []string{"Authorization", "X-Security-Token", "X-Auth-Token", "Cookie", "Proxy-Authorization"}

// arrive makes the request's entry in the log and gives the request its number, from 1 on.
func (c *Cloud) arrive(e *exchange) {
	r := Request{
		Time: time.Now(), Method: e.req.Method, Path: e.req.URL.Path, Query: e.req.URL.Query(), Header: e.req.Header.Clone(),
		Route: e.route,
	}
	for name := range r.Header {
		if slices.Contains(secret, http.CanonicalHeaderKey(name)) {
			delete(r.Header, name)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, r)
	e.number = len(c.log)
}

// note completes the entry.
func (c *Cloud) note(e *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.log[e.number-1]
	r.Took = time.Since(r.Time)
	r.Gone = e.gone
	if !e.gone && e.end != dropped {
		r.Status = e.status
	}
}

// left notes that the client has gone away while the body stalled.
func (c *Cloud) left(e *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log[e.number-1].Gone = true
}
