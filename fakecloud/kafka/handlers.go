package kafka

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// taskID is what an id may look like. The format is not documented; examples have 32 hex digits, or a UUID.
var taskID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// task gives the task that the path names, or nil and an answer in e: this one, unless the cloud has a better.
func (c *Cloud) task(e *exchange, status int, payload any) *task {
	id := e.Vars["task"]
	t := e.instance.find(id, e.Now)
	switch {
	case t != nil:
	case !taskID.MatchString(id):
		e.Fail(http.StatusBadRequest, "DMS.00400070", "Invalid task ID format.")
	case c.unknown != nil:
		e.refuse(c.unknown)
	default:
		e.Status, e.Payload = status, payload
	}
	return t
}

// showTask answers with a list of one.
func (c *Cloud) showTask(e *exchange) {
	if t := c.task(e, http.StatusOK, &taskList{Count: "0", Tasks: []row{}}); t != nil {
		e.Payload = &taskList{Count: "1", Tasks: []row{e.row(t)}}
	}
}

// deleteTask removes the record of a task that has ended.
func (c *Cloud) deleteTask(e *exchange) {
	t := c.task(e, http.StatusNoContent, nil)
	switch {
	case t == nil:
	case !t.step(e.Now).Status.Terminal():
		// That it is refused is documented for the console, the code is the one for instances.
		e.refuse(errStatus)
	default:
		c.record(e, e.instance, t.ID)
		e.instance.remove(t)
		e.Status = http.StatusNoContent
	}
}

// The largest page, and the one that is served when none is asked for.
const (
	maxPage     = 100
	defaultPage = 10
)

// listTasks answers with a page of the tasks, the one that was started last first, and the number of all of them. The
// offset counts from 0; one past the end gives an empty page. Older clients call it start, which counts from 1
// (official Terraform provider, Go SDK up to v0.1.184, Node.js SDK). The bounds of the time belong to it.
func (c *Cloud) listTasks(e *exchange) {
	p, ok := e.page("offset", maxPage)
	if start, isNumber := number(e.Query, "start", 1); !e.Query.Has("offset") {
		p.offset, ok = start-1, ok && isNumber && start >= 1
	}
	if !ok {
		e.invalid()
		return
	}
	rows, count := []row{}, 0
	for _, t := range slices.Backward(e.instance.tasks) {
		if !t.listed(e.Now) || !p.holds(e.Clock(t.CreatedAt)) {
			continue
		}
		if count >= p.offset && count-p.offset < p.limit {
			rows = append(rows, e.row(t))
		}
		count++
	}
	e.Payload = &taskList{Count: strconv.Itoa(count), Tasks: rows}
}

// page is the part of a list that is asked for.
type page struct {
	offset, limit int
	begin, end    time.Time // on the cloud's clock
}

// page reads it from the query, where the offset goes by this name.
func (e *exchange) page(offset string, largest int) (p page, ok bool) {
	var ok1, ok2, ok3, ok4 bool
	p.limit, ok1 = number(e.Query, "limit", defaultPage)
	p.offset, ok2 = number(e.Query, offset, 0)
	p.begin, ok3 = instant(e.Query, "begin_time", time.Time{})
	p.end, ok4 = instant(e.Query, "end_time", e.Clock(e.Now))
	return p, ok1 && ok2 && ok3 && ok4 && p.limit >= 1 && p.limit <= largest && p.offset >= 0
}

func (p *page) holds(at time.Time) bool { return !at.Before(p.begin) && !at.After(p.end) }

// cut gives the part of all that is on the page.
func cut[T any](all []T, p page) []T {
	rest := all[min(p.offset, len(all)):] // in two steps: offset+limit may not fit into 32 bits
	return rest[:min(p.limit, len(rest))]
}

func number(q url.Values, key string, otherwise int) (int, bool) {
	if !q.Has(key) {
		return otherwise, true
	}
	n, err := strconv.ParseInt(q.Get(key), 10, 32)
	return int(n), err == nil
}

// instant reads a time such as 20200615085553, in UTC: the real service does not say in which zone.
func instant(q url.Values, key string, otherwise time.Time) (time.Time, bool) {
	if !q.Has(key) {
		return otherwise, true
	}
	t, err := time.Parse("20060102150405", q.Get(key))
	return t, err == nil
}
