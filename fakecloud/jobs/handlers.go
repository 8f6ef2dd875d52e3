package jobs

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/taskwait/taskwait/fakecloud"
)

// service is what stands behind the gateway.
type service struct{ cloud *Cloud }

// Endpoints are the routes of all shapes.
func (s service) Endpoints() (all []fakecloud.Endpoint) {
	for _, shape := range Shapes() {
		for _, r := range forms[shape].routes {
			serve := func(e *fakecloud.Exchange) { s.cloud.show(e, shape) }
			if r.list {
				serve = func(e *fakecloud.Exchange) { s.cloud.list(e, shape) }
			}
			all = append(all, fakecloud.Endpoint{Route: r.Route, Method: http.MethodGet, Path: r.path, Serve: serve})
		}
	}
	return all
}

// Routes returns the routes of the jobs, sorted by shape. [fakecloud.Gateway.Routes] returns those of a gateway.
func Routes() (all []fakecloud.Route) {
	for _, shape := range Shapes() {
		for _, r := range forms[shape].routes {
			all = append(all, r.Route)
		}
	}
	return all
}

// NoEndpoint answers as the gateway does when there is no such API.
func (service) NoEndpoint(e *fakecloud.Exchange, methodAlone bool) {
	if methodAlone {
		e.Fail(http.StatusMethodNotAllowed, "APIGW.0101", "The API does not exist or has not been published.")
		return
	}
	e.Fail(http.StatusNotFound, "APIGW.0101", "The API does not exist or has not been published.")
}

// show answers with one job, by the id in the path, or in the query.
func (c *Cloud) show(e *fakecloud.Exchange, shape Shape) {
	id, inPath := e.Vars["job"]
	if !inPath {
		id = e.Query.Get("id")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.find(shape, id)
	if j == nil || !j.known(e.Now) || shape == DMS && j.Instance != e.Vars["instance"] {
		c.refuse(e, shape)
		return
	}
	e.Payload = &answer{form: j.form, views: []*view{j.view(e.Now, e.Skew)}, all: 1}
}

// refuse answers for a job that there is not, in the shape's words. CCE and ECS have errors of their own.
func (c *Cloud) refuse(e *fakecloud.Exchange, shape Shape) {
	u := forms[shape].unknown
	if c.unknown != nil {
		u = *c.unknown
	}
	e.Fail(u.status, u.code, u.message)
	switch shape {
	case V1:
		e.Payload = object{"error": object{"code": u.code, "message": u.message}}
	case CCE:
		e.Payload = object{"errorCode": u.code, "errorMessage": u.message, "code": u.status}
	case Database, ELB, DMS, Resource:
	}
}

// The largest page of each list, and the one that is served when none is asked for (API pages).
var pages = map[Shape]struct{ largest, usual int }{Database: {50, 10}, ELB: {2000, 2000}, DMS: {100, 10}}

// list answers with a page of the jobs, the one that was started last first.
func (c *Cloud) list(e *fakecloud.Exchange, shape Shape) {
	size := pages[shape]
	limit, ok1 := number(e.Query, "limit", size.usual)
	offset, ok2 := number(e.Query, "offset", 0)
	if !ok1 || !ok2 || limit < 1 || limit > size.largest || offset < 0 {
		e.Fail(http.StatusBadRequest, "APIGW.0201", "Invalid parameters.")
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fit := c.listed(e, shape)
	if marker := e.Query.Get("marker"); marker != "" {
		offset = 1 + slices.IndexFunc(fit, func(j *job) bool { return j.ID == marker })
	}
	a := &answer{form: forms[shape], all: len(fit), paged: true}
	rest := fit[min(offset, len(fit)):]
	for _, j := range rest[:min(limit, len(rest))] {
		a.views = append(a.views, j.view(e.Now, e.Skew))
		a.next = j.ID
	}
	if limit >= len(rest) {
		a.next = ""
	}
	e.Payload = a
}

// listed are the jobs that a list shows. DMS has no filters but the time, which is not kept here.
func (c *Cloud) listed(e *fakecloud.Exchange, shape Shape) (fit []*job) {
	for _, j := range slices.Backward(c.jobs[shape]) {
		if j.known(e.Now) && (shape == DMS && j.Instance == e.Vars["instance"] || shape != DMS && j.fits(e)) {
			fit = append(fit, j)
		}
	}
	return fit
}

// fits reports whether a job is among those that the query asks for.
func (j *job) fits(e *fakecloud.Exchange) bool {
	for name, value := range map[string]string{
		"id": j.ID, "job_id": j.ID, "instance_id": j.Instance, "name": j.Name, "job_type": j.Name,
		"status": j.form.word(j.step(e.Now).Status),
	} {
		if want := e.Query.Get(name); want != "" && want != value {
			return false
		}
	}
	return true
}

func number(q url.Values, key string, otherwise int) (int, bool) {
	if !q.Has(key) {
		return otherwise, true
	}
	n, err := strconv.ParseInt(q.Get(key), 10, 32)
	return int(n), err == nil
}
