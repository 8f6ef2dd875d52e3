package fakecloud

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Route names a kind of request.
type Route string

// The routes there are. A fault injected for AnyRoute befalls a request that no other fault does.
const (
	AnyRoute        Route = "any"
	RouteShowTask   Route = "GET tasks/{task}"
	RouteListTasks  Route = "GET tasks"
	RouteDeleteTask Route = "DELETE tasks/{task}"
	RouteResize     Route = "POST extend"
	RouteUnknown    Route = "unknown" // what the cloud has no route for
)

var routes = []struct {
	route        Route
	method, path string
	serve        func(*Cloud, *exchange)
}{
	{RouteShowTask, http.MethodGet, "/v2/{project}/instances/{instance}/tasks/{task}", (*Cloud).showTask},
	{RouteListTasks, http.MethodGet, "/v2/{project}/instances/{instance}/tasks", (*Cloud).listTasks},
	// An empty task id lists: the trap that a waiter must not fall into.
	{RouteListTasks, http.MethodGet, "/v2/{project}/instances/{instance}/tasks/", (*Cloud).listTasks},
	{RouteDeleteTask, http.MethodDelete, "/v2/{project}/instances/{instance}/tasks/{task}", (*Cloud).deleteTask},
	{RouteResize, http.MethodPost, "/v2/{project}/kafka/instances/{instance}/extend", (*Cloud).resizeInstance},
	{RouteResize, http.MethodPost, "/v2/kafka/{project}/instances/{instance}/extend", (*Cloud).resizeInstance},
}

// exchange is one request on its way to its answer.
type exchange struct {
	cloud *Cloud
	ctx   context.Context
	req   *http.Request
	query url.Values
	route Route
	serve func(*Cloud, *exchange)
	vars  map[string]string

	now      time.Time // of the cloud's clock, when the answer is made
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

// handle makes the answer to a request.
func (c *Cloud) handle(ctx context.Context, req *http.Request) *exchange {
	e := &exchange{cloud: c, ctx: ctx, req: req, header: http.Header{}, status: http.StatusOK, query: req.URL.Query()}
	e.match()
	e.sleep(c.latency)
	if fault, ok := c.nextFault(e.route); ok {
		fault.apply(e)
	} else {
		e.proceed()
	}
	e.encode()
	c.note(e)
	return e
}

func (e *exchange) match() {
	e.route = RouteUnknown
	for _, r := range routes {
		vars, ok := matchPath(r.path, e.req.URL.Path)
		if ok && r.method == e.req.Method {
			e.route, e.serve, e.vars = r.route, r.serve, vars
			return
		}
	}
}

func matchPath(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars := map[string]string{}
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{") && got[i] != "":
			vars[strings.Trim(w, "{}")] = got[i]
		case w != got[i]:
			return nil, false
		}
	}
	return vars, true
}

// proceed serves the request as the cloud does when all is well.
func (e *exchange) proceed() {
	if e.gone {
		return
	}
	body, err := io.ReadAll(e.req.Body)
	if err != nil {
		e.fail(400, "APIGW.0201", "The request body cannot be read.")
		return
	}
	c := e.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	e.now = c.now()
	if problem := c.verify(e.req, body, e.now); problem != "" {
		e.fail(401, "APIGW.0301", "Incorrect IAM authentication information: "+problem)
		return
	}
	e.dispatch()
}

// dispatch finds what the request is about, and serves it.
func (e *exchange) dispatch() {
	c := e.cloud
	switch e.instance = c.instances[e.vars["instance"]]; {
	case e.serve == nil:
		e.fail(404, "DMS.00404001", "The requested URL does not exist.")
	case e.vars["project"] != c.project:
		e.fail(401, "DMS.10240104", "The project ID does not match the token.")
	case e.instance == nil:
		e.fail(404, "DMS.00404022", "This instance does not exist.")
	default:
		e.serve(c, e)
	}
}

// fail answers with an error in the service's shape.
func (e *exchange) fail(status int, code, message string) {
	e.status = status
	e.payload = &struct {
		Code    string `json:"error_code"`
		Message string `json:"error_msg"`
	}{code, message}
}

// sleep lets time pass, unless the client goes away meanwhile.
func (e *exchange) sleep(d time.Duration) {
	if d <= 0 {
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

// encode makes the body and the headers that every answer has.
func (e *exchange) encode() {
	if e.payload != nil {
		text, err := json.Marshal(e.payload)
		if err != nil {
			panic(err) // of our own types
		}
		e.body = text
	}
	set := func(key, value string) {
		if e.header.Get(key) == "" {
			e.header.Set(key, value)
		}
	}
	if e.payload != nil {
		set("Content-Type", "application/json;charset=utf-8")
	}
	set("Date", e.cloud.now().Format(http.TimeFormat))
	set("X-Request-Id", e.cloud.requestID())
}
