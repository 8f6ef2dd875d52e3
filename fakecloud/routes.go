package fakecloud

import (
	"net/url"
	"slices"
	"strings"
)

// Route names a kind of request. The service's names are in its own package.
type Route string

// The routes of every gateway. A fault injected for AnyRoute befalls a request that no other fault does.
const (
	AnyRoute     Route = "any"
	RouteUnknown Route = "unknown" // what the service has no endpoint for
)

// Service is a service behind a [Gateway].
type Service interface {
	// Endpoints are all that the service answers. The gateway asks for them once.
	Endpoints() []Endpoint
	// NoEndpoint answers a request that none of them fits: its path, or its method alone. The gateway has let it in.
	NoEndpoint(e *Exchange, methodAlone bool)
}

// Endpoint is a line in the table of a service. Several may have the same route.
type Endpoint struct {
	Route  Route
	Method string
	Path   string          // such as /v2/{project}/jobs/{job}: what is in braces is a variable, and never empty
	Serve  func(*Exchange) // makes the answer to a request that was let in; it may be called concurrently
}

// Routes returns all routes, each once: AnyRoute first, RouteUnknown last.
func (g *Gateway) Routes() []Route {
	all := []Route{AnyRoute}
	for _, r := range g.endpoints {
		if !slices.Contains(all, r.Route) {
			all = append(all, r.Route)
		}
	}
	return append(all, RouteUnknown)
}

// match finds the route of the request, its handler and the variables in its path.
func (e *Exchange) match() {
	e.Route = RouteUnknown
	methodAlone := false
	path := segments(e.req.URL)
	for _, r := range e.gateway.endpoints {
		vars, ok := matchPath(r.Path, path)
		if ok && r.Method == e.req.Method {
			e.Route, e.serve, e.Vars = r.Route, r.Serve, vars
			return
		}
		methodAlone = methodAlone || ok
	}
	e.serve = func(e *Exchange) { e.gateway.services[0].NoEndpoint(e, methodAlone) }
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
