package fakecloud

import (
	"net/http"
	"net/url"
	"time"
)

// Request is what was asked, and what was answered.
type Request struct {
	Time   time.Time // when the answer was ready, by our clock
	Method string
	Path   string
	Query  url.Values
	Header http.Header // without Authorization and X-Security-Token
	Route  Route
	Status int  // of the answer; 0: none was sent
	Gone   bool // the client had gone away before the answer
}

func (c *Cloud) note(e *exchange) {
	r := Request{
		Time: time.Now(), Method: e.req.Method, Path: e.req.URL.Path, Query: e.query, Header: e.req.Header.Clone(),
		Route: e.route, Status: e.status, Gone: e.gone || e.ctx.Err() != nil,
	}
	r.Header.Del("Authorization")
	r.Header.Del("X-Security-Token")
	if r.Gone || e.end == dropped {
		r.Status = 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, r)
}
