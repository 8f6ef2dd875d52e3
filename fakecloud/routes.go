package fakecloud

import (
	"net/http"
	"net/url"
	"slices"
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
	RouteProgress   Route = "GET tasks/{task}/progress"

	RouteCreateInstance Route = "POST instances"
	RouteListInstances  Route = "GET instances"
	RouteShowInstance   Route = "GET instances/{instance}"
	RouteDeleteInstance Route = "DELETE instances/{instance}"
	RouteAction         Route = "POST instances/action" // restart or delete many

	RouteResize        Route = "POST extend"
	RoutePublicIP      Route = "POST public-boundwidth" // sic
	RouteShowConfigs   Route = "GET configs"
	RouteModifyConfigs Route = "PUT configs"
	RouteResetOffset   Route = "PUT reset-message-offset" // POST on the older path

	RouteListScheduled   Route = "GET scheduled-tasks"
	RouteUpdateScheduled Route = "PUT scheduled-tasks/{task}"
	RouteDeleteScheduled Route = "DELETE scheduled-tasks/{task}"

	RouteUnknown Route = "unknown" // what the cloud has no route for
)

// Routes returns all routes there are, without a second name for one: AnyRoute first, RouteUnknown last.
func Routes() []Route {
	all := []Route{AnyRoute}
	for _, r := range routes {
		if !slices.Contains(all, r.route) {
			all = append(all, r.route)
		}
	}
	return append(all, RouteUnknown)
}

// handler makes the answer to a request that was let in. It is called with the cloud's lock held.
type handler func(*Cloud, *exchange)

const instancePath = "/v2/{project}/instances/{instance}"

var routes = []struct {
	route        Route
	method, path string
	serve        handler
}{
	{RouteShowTask, http.MethodGet, instancePath + "/tasks/{task}", inInstance((*Cloud).showTask)},
	{RouteListTasks, http.MethodGet, instancePath + "/tasks", inInstance((*Cloud).listTasks)},
	// An empty task id lists: the trap that a waiter must not fall into.
	{RouteListTasks, http.MethodGet, instancePath + "/tasks/", inInstance((*Cloud).listTasks)},
	{RouteDeleteTask, http.MethodDelete, instancePath + "/tasks/{task}", inInstance((*Cloud).deleteTask)},
	{RouteProgress, http.MethodGet, instancePath + "/tasks/{task}/progress", inInstance((*Cloud).showProgress)},

	// {engine}: there is but one here.
	{RouteCreateInstance, http.MethodPost, "/v2/{project}/kafka/instances", inProject((*Cloud).createInstance)},
	{RouteCreateInstance, http.MethodPost, "/v2/kafka/{project}/instances", inProject((*Cloud).createInstance)},
	{RouteListInstances, http.MethodGet, "/v2/{project}/instances", inProject((*Cloud).listInstances)},
	{RouteShowInstance, http.MethodGet, instancePath, inInstance((*Cloud).showInstance)},
	{RouteDeleteInstance, http.MethodDelete, instancePath, inInstance((*Cloud).deleteInstance)},
	{RouteAction, http.MethodPost, "/v2/{project}/instances/action", inProject((*Cloud).actOnInstances)},

	{RouteResize, http.MethodPost, "/v2/{project}/kafka/instances/{instance}/extend", inInstance((*Cloud).resizeInstance)},
	{RouteResize, http.MethodPost, "/v2/kafka/{project}/instances/{instance}/extend", inInstance((*Cloud).resizeInstance)},
	{RoutePublicIP, http.MethodPost, "/v1/{project}/instances/{instance}/public-boundwidth", inInstance((*Cloud).switchPublicIP)},
	{RouteShowConfigs, http.MethodGet, instancePath + "/configs", inInstance((*Cloud).showConfigs)},
	{RouteModifyConfigs, http.MethodPut, instancePath + "/configs", inInstance((*Cloud).modifyConfigs)},
	{RouteResetOffset, http.MethodPut, "/v2/kafka/{project}/instances/{instance}/groups/{group}/reset-message-offset", inInstance((*Cloud).resetOffset)},
	{RouteResetOffset, http.MethodPost, instancePath + "/management/groups/{group}/reset-message-offset", inInstance((*Cloud).resetOffset)},

	{RouteListScheduled, http.MethodGet, instancePath + "/scheduled-tasks", inInstance((*Cloud).listScheduled)},
	{RouteUpdateScheduled, http.MethodPut, instancePath + "/scheduled-tasks/{task}", inInstance((*Cloud).updateScheduled)},
	{RouteDeleteScheduled, http.MethodDelete, instancePath + "/scheduled-tasks/{task}", inInstance((*Cloud).deleteScheduled)},
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

// inProject is a handler for what belongs to our project.
func inProject(serve handler) handler {
	return func(c *Cloud, e *exchange) {
		if e.vars["project"] != c.project {
			e.fail(http.StatusUnauthorized, "DMS.10240104", "The project ID and token do not match.")
			return
		}
		serve(c, e)
	}
}

// inInstance is a handler for what belongs to an instance of our project, which it brings up to date.
func inInstance(serve handler) handler {
	return inProject(func(c *Cloud, e *exchange) {
		e.instance = c.instances[e.vars["instance"]]
		if e.instance == nil || e.instance.status(e.now) == gone {
			e.refuse(errNoInstance)
			return
		}
		c.settle(e.instance, e.now)
		serve(c, e)
	})
}

func (*Cloud) noRoute(e *exchange) {
	e.fail(http.StatusNotFound, "DMS.00404001", "The requested URL does not exist.")
}

func (*Cloud) noMethod(e *exchange) {
	e.fail(http.StatusMethodNotAllowed, "DMS.00405001", "This request method is not allowed.")
}
