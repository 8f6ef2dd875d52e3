package fakecloud

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBody is what the gateway takes: 12 MB (API Request Signing Guide, error code APIGW.0201 with 413).
const maxBody = 12 << 20

// exchange is one request on its way to its answer.
type exchange struct {
	cloud  *Cloud
	ctx    context.Context
	req    *http.Request
	route  Route
	serve  handler
	vars   map[string]string
	number int    // in the log
	sent   []byte // the request's body
	broken error  // why it could not be read
	skew   time.Duration

	now      time.Time // when the answer is made, by our clock
	query    url.Values
	instance *instance

	status  int
	header  http.Header
	payload any    // to be JSON; nil: body
	body    []byte // as it is
	end     ending
	gone    bool // the client has gone away before the answer
}

// ending is how an answer leaves the house.
type ending int

const (
	whole     ending = iota
	dropped          // the connection is closed without an answer
	truncated        // after half of the body the connection is closed
	stalled          // after half of the body nothing comes any more
)

// handle makes the answer to a request. It ends early if the request's context does.
func (c *Cloud) handle(req *http.Request) *exchange {
	e := &exchange{cloud: c, ctx: req.Context(), req: req, skew: c.skew, header: http.Header{}, status: http.StatusOK}
	e.match()
	c.arrive(e)
	fault := c.fate(e.route)
	e.read()
	e.sleep(c.latency)
	if !e.gone {
		fault.apply(e)
	}
	e.gone = e.gone || e.ctx.Err() != nil
	e.encode()
	c.note(e)
	return e
}

// read takes in the request's body. The server notices that a client goes away only when that is done.
func (e *exchange) read() {
	if e.sent, e.broken = io.ReadAll(io.LimitReader(e.req.Body, maxBody+1)); e.broken == nil {
		_, e.broken = io.Copy(io.Discard, e.req.Body)
	}
	e.gone = e.broken != nil
}

// sleep lets time pass, unless the client goes away meanwhile.
func (e *exchange) sleep(d time.Duration) {
	if d <= 0 || e.gone {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.ctx.Done():
		e.gone = true
	}
}

// proceed serves the request as the cloud does when all is well.
func (e *exchange) proceed() {
	if e.gone {
		return
	}
	c := e.cloud
	var err error
	if e.query, err = url.ParseQuery(e.req.URL.RawQuery); err != nil {
		e.fail(http.StatusBadRequest, "APIGW.0201", "API request error.")
		return
	}
	if len(e.sent) > maxBody {
		e.fail(http.StatusRequestEntityTooLarge, "APIGW.0201", "Request entity too large.")
		return
	}
	e.now = time.Now()
	if problem := c.verify(e); problem != "" {
		e.fail(http.StatusUnauthorized, "APIGW.0301", "Incorrect IAM authentication information: "+problem)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.serve(c, e)
}

// clock is our time t on the cloud's clock.
func (e *exchange) clock(t time.Time) time.Time { return t.Add(e.skew).UTC() }

func (e *exchange) requestID() string { return hexID("request", e.number) }

// serviceError is an error of the service, or of the gateway before it.
type serviceError struct {
	status        int
	code, message string
}

// fail answers with an error in the service's shape, or in that of the gateway, which adds the id of the request.
func (e *exchange) fail(status int, code, message string) {
	body := struct {
		Message string `json:"error_msg"`
		Code    string `json:"error_code"`
		Request string `json:"request_id,omitempty"`
	}{Message: message, Code: code}
	if strings.HasPrefix(code, "APIG") {
		body.Request = e.requestID()
	}
	e.status, e.payload = status, &body
}

// encode makes the body and the headers, the same ones for both doors.
func (e *exchange) encode() {
	if e.payload != nil {
		text, err := json.Marshal(e.payload)
		if err != nil {
			panic(err) // of our own types
		}
		e.body = text
	}
	e.bodiless()
	e.preset("Date", e.clock(time.Now()).Format(http.TimeFormat))
	e.preset("X-Request-Id", e.requestID())
	if len(e.body) > 0 {
		e.preset("Content-Type", "application/json;charset=utf-8")
	}
	if e.status != http.StatusNoContent && e.status != http.StatusNotModified {
		e.header.Set("Content-Length", strconv.Itoa(len(e.body)))
	}
}

// preset sets a header that no fault has set.
func (e *exchange) preset(key, value string) {
	if e.header.Get(key) == "" {
		e.header.Set(key, value)
	}
}

// bodiless sees to answers that cannot have a body. One that could not be cut in half is not sent at all.
func (e *exchange) bodiless() {
	switch e.status {
	case http.StatusNotModified:
		e.header.Del("Content-Type")
		fallthrough
	case http.StatusNoContent:
		e.header.Del("Content-Length")
		e.body = nil
	}
	if len(e.body) > 0 {
		return
	}
	switch e.end {
	case truncated:
		e.end = dropped
	case stalled:
		e.hang()
	case whole, dropped:
	}
}

// hang waits for the client to go away.
func (e *exchange) hang() {
	<-e.ctx.Done()
	e.gone = true
}
