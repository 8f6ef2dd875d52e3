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

// Exchange is one request on its way to its answer. A service reads the request from it, and sets Status and Payload,
// or calls Fail.
type Exchange struct {
	Route Route
	Vars  map[string]string // the variables of the endpoint's path, without escapes
	Query url.Values
	Body  []byte        // the request's
	Now   time.Time     // when the answer is made, by our clock
	Skew  time.Duration // how far the cloud's clock is ahead of ours

	Status  int // default 200
	Payload any // of the answer, to be JSON; nil: none

	gateway *Gateway
	ctx     context.Context
	req     *http.Request
	serve   func(*Exchange)
	number  int   // in the log
	broken  error // why the request's body could not be read
	header  http.Header
	body    []byte // the answer's, if there is no payload
	end     ending

	disconnected bool // the client has gone away before the answer
}

// ending is how an answer is sent.
type ending int

const (
	complete  ending = iota
	dropped          // the connection is closed without an answer
	truncated        // after half of the body the connection is closed
	stalled          // after half of the body nothing comes any more
)

// handle makes the answer to a request. It ends early if the request's context does.
func (g *Gateway) handle(req *http.Request) *Exchange {
	e := &Exchange{gateway: g, ctx: req.Context(), req: req, Skew: g.skew, header: http.Header{}, Status: http.StatusOK}
	e.match()
	g.recordArrival(e)
	fault := g.nextFault(e.Route)
	e.read()
	e.sleep(g.latency)
	if !e.disconnected {
		fault.apply(e)
	}
	e.disconnected = e.disconnected || e.ctx.Err() != nil
	e.encode()
	g.recordAnswer(e)
	return e
}

// read takes in the request's body. The server notices that a client goes away only when that is done.
func (e *Exchange) read() {
	if e.Body, e.broken = io.ReadAll(io.LimitReader(e.req.Body, maxBody+1)); e.broken == nil {
		_, e.broken = io.Copy(io.Discard, e.req.Body)
	}
	e.disconnected = e.broken != nil
}

// sleep lets time pass, unless the client goes away meanwhile.
func (e *Exchange) sleep(d time.Duration) {
	if d <= 0 || e.disconnected {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.ctx.Done():
		e.disconnected = true
	}
}

// proceed serves the request as usual.
func (e *Exchange) proceed() {
	if e.disconnected {
		return
	}
	var err error
	if e.Query, err = url.ParseQuery(e.req.URL.RawQuery); err != nil {
		e.Fail(http.StatusBadRequest, "APIGW.0201", "API request error.")
		return
	}
	if len(e.Body) > maxBody {
		e.Fail(http.StatusRequestEntityTooLarge, "APIGW.0201", "Request entity too large.")
		return
	}
	e.Now = time.Now()
	if problem := e.gateway.verify(e); problem != "" {
		e.Fail(http.StatusUnauthorized, "APIGW.0301", "Incorrect IAM authentication information: "+problem)
		return
	}
	e.serve(e)
}

// Clock returns our time t by the clock of the cloud.
func (e *Exchange) Clock(t time.Time) time.Time { return t.Add(e.Skew).UTC() }

func (e *Exchange) requestID() string { return HexID("request", e.number) }

// Fail answers with an error in the shape of the service, or in that of the gateway, which adds the id of the request.
func (e *Exchange) Fail(status int, code, message string) {
	body := struct {
		Message string `json:"error_msg"`
		Code    string `json:"error_code"`
		Request string `json:"request_id,omitempty"`
	}{Message: message, Code: code}
	if strings.HasPrefix(code, "APIG") {
		body.Request = e.requestID()
	}
	e.Status, e.Payload = status, &body
}

// encode makes the body and the headers, the same ones for both transports.
func (e *Exchange) encode() {
	if e.Payload != nil {
		text, err := json.Marshal(e.Payload)
		if err != nil {
			panic(err) // of our own types
		}
		e.body = text
	}
	e.bodiless()
	e.preset("Date", e.Clock(time.Now()).Format(http.TimeFormat))
	e.preset("X-Request-Id", e.requestID())
	if len(e.body) > 0 {
		e.preset("Content-Type", "application/json;charset=utf-8")
	}
	if e.Status != http.StatusNoContent && e.Status != http.StatusNotModified {
		e.header.Set("Content-Length", strconv.Itoa(len(e.body)))
	}
}

// preset sets a header that no fault has set.
func (e *Exchange) preset(key, value string) {
	if e.header.Get(key) == "" {
		e.header.Set(key, value)
	}
}

// bodiless sees to answers that cannot have a body. One that could not be cut in half is not sent at all.
func (e *Exchange) bodiless() {
	switch e.Status {
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
	case complete, dropped:
	}
}

// hang waits for the client to go away.
func (e *Exchange) hang() {
	<-e.ctx.Done()
	e.disconnected = true
}
