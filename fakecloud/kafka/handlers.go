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

// task gives the place of the task that the path names, or -1 and an answer in e: this one, unless the cloud has a better.
func (c *Cloud) task(e *exchange, status int, payload any) int {
	id := e.Vars["task"]
	n := e.instance.find(id, e.Now)
	switch {
	case n >= 0:
	case !taskID.MatchString(id):
		e.Fail(http.StatusBadRequest, "DMS.00400070", "Invalid task ID format.")
	case c.unknown != nil:
		e.refuse(c.unknown)
	default:
		e.Status, e.Payload = status, payload
	}
	return n
}

// showTask answers with a list of one.
func (c *Cloud) showTask(e *exchange) {
	if n := c.task(e, http.StatusOK, &taskList{Count: "0", Tasks: []row{}}); n >= 0 {
		e.Payload = &taskList{Count: "1", Tasks: []row{e.row(e.instance.tasks[n])}}
	}
}

// deleteTask removes the record of a task that has ended.
func (c *Cloud) deleteTask(e *exchange) {
	n := c.task(e, http.StatusNoContent, nil)
	switch {
	case n < 0:
	case !e.instance.tasks[n].step(e.Now).Status.Terminal():
		// That it is refused is documented for the console, the code is the one for instances.
		e.refuse(errStatus)
	default:
		c.record(e, e.instance, e.instance.tasks[n].ID)
		e.instance.tasks = slices.Delete(e.instance.tasks, n, n+1)
		e.Status = http.StatusNoContent
	}
}

// The largest page, and the one that is served when none is asked for.
const (
	maxPage     = 100
	defaultPage = 10
)

// listTasks answers with a page of the tasks, the one that was started last first, and the number of all of them. The
// offset counts from 0; one past the end gives an empty page. The bounds of the time belong to it.
func (c *Cloud) listTasks(e *exchange) {
	p, ok := e.page("offset", maxPage)
	if !ok {
		e.invalid()
		return
	}
	var listed []*task
	for _, t := range e.instance.tasks {
		if t.listed(e.Now) && p.holds(e.Clock(t.CreatedAt)) {
			listed = append(listed, t)
		}
	}
	slices.Reverse(listed)
	slices.SortStableFunc(listed, func(a, b *task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	rows := []row{}
	for _, t := range cut(listed, p) {
		rows = append(rows, e.row(t))
	}
	e.Payload = &taskList{Count: strconv.Itoa(len(listed)), Tasks: rows}
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
