package fakecloud

import (
	"net/http"
	"net/url"
	"strings"
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

// handler makes the answer to a request that was let in. It is called with the cloud's lock held.
type handler func(*Cloud, *exchange)

var routes = []struct {
	route        Route
	method, path string
	serve        handler
}{
	{RouteShowTask, http.MethodGet, "/v2/{project}/instances/{instance}/tasks/{task}", inInstance((*Cloud).showTask)},
	{RouteListTasks, http.MethodGet, "/v2/{project}/instances/{instance}/tasks", inInstance((*Cloud).listTasks)},
	// An empty task id lists: the trap that a waiter must not fall into.
	{RouteListTasks, http.MethodGet, "/v2/{project}/instances/{instance}/tasks/", inInstance((*Cloud).listTasks)},
	{RouteDeleteTask, http.MethodDelete, "/v2/{project}/instances/{instance}/tasks/{task}", inInstance((*Cloud).deleteTask)},
	{RouteResize, http.MethodPost, "/v2/{project}/kafka/instances/{instance}/extend", inInstance((*Cloud).resizeInstance)},
	// {engine}: there is but one here.
	{RouteResize, http.MethodPost, "/v2/kafka/{project}/instances/{instance}/extend", inInstance((*Cloud).resizeInstance)},
}

// match finds the route of the request, its handler and the variables in its path.
func (e *exchange) match() {
	e.route, e.serve = RouteUnknown, (*Cloud).noRoute
	path := segments(e.req.URL)
	for _, r := range routes {
		vars, ok := matchPath(r.path, path)
		switch {
		case ok && r.method == e.req.Method:
			e.route, e.serve, e.vars = r.route, r.serve, vars
			return
		case ok:
			e.serve = (*Cloud).noMethod
		}
	}
}

// segments are the parts of a path between slashes, without escapes; an escaped slash is part of its segment.
func segments(u *url.URL) []string {
	parts := strings.Split(u.EscapedPath(), "/")
	for i, p := range parts {
		if s, err := url.PathUnescape(p); err == nil {
			parts[i] = s
		}
	}
	return parts
}

func matchPath(pattern string, path []string) (vars map[string]string, ok bool) {
	vars = map[string]string{}
	n := 0
	for want := range strings.SplitSeq(pattern, "/") {
		if n == len(path) {
			return nil, false
		}
		got := path[n]
		n++
		switch {
		case strings.HasPrefix(want, "{") && got != "":
			vars[strings.Trim(want, "{}")] = got
		case want != got:
			return nil, false
		}
	}
	return vars, n == len(path)
}

// inInstance is a handler for what belongs to an instance of our project.
func inInstance(serve handler) handler {
	return func(c *Cloud, e *exchange) {
		e.instance = c.instances[e.vars["instance"]]
		switch {
		case e.vars["project"] != c.project:
			e.fail(http.StatusUnauthorized, "DMS.10240104", "The project ID and token do not match.")
		case e.instance == nil:
			e.fail(http.StatusNotFound, "DMS.00404022", "This instance does not exist.")
		default:
			serve(c, e)
		}
	}
}

func (*Cloud) noRoute(e *exchange) {
	e.fail(http.StatusNotFound, "DMS.00404001", "The requested URL does not exist.")
}

func (*Cloud) noMethod(e *exchange) {
	e.fail(http.StatusMethodNotAllowed, "DMS.00405001", "This request method is not allowed.")
}
