package fakecloud

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// taskID is what an id may look like. The format is not documented; examples have 32 hex digits, or a UUID.
var taskID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// task gives the place of the task that the path names, or -1 and an answer in e: an empty one with this status, unless
// the cloud has a better.
func (c *Cloud) task(e *exchange, otherwise int) int {
	id := e.vars["task"]
	n := e.instance.find(id, e.now)
	switch {
	case n >= 0:
	case !taskID.MatchString(id):
		e.fail(http.StatusBadRequest, "DMS.00400070", "Invalid task ID format.")
	case c.unknown != nil:
		e.fail(c.unknown.status, c.unknown.code, c.unknown.message)
	default:
		e.status = otherwise
		if otherwise == http.StatusOK {
			e.payload = &taskList{Count: "0", Tasks: []row{}}
		}
	}
	return n
}

// showTask answers with a list of one.
func (c *Cloud) showTask(e *exchange) {
	if n := c.task(e, http.StatusOK); n >= 0 {
		e.payload = &taskList{Count: "1", Tasks: []row{e.row(e.instance.tasks[n])}}
	}
}

// deleteTask removes the record of a task that has ended.
func (c *Cloud) deleteTask(e *exchange) {
	n := c.task(e, http.StatusNoContent)
	switch {
	case n < 0:
	case !e.instance.tasks[n].step(e.now).Status.Terminal():
		// That it is refused is documented for the console, the code is the one for instances.
		e.fail(http.StatusBadRequest, "DMS.00400026", "This operation is not allowed due to the instance status.")
	default:
		e.instance.tasks = slices.Delete(e.instance.tasks, n, n+1)
		e.status = http.StatusNoContent
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
	limit, ok1 := number(e.query, "limit", defaultPage)
	offset, ok2 := number(e.query, "offset", 0)
	begin, ok3 := instant(e.query, "begin_time", time.Time{})
	end, ok4 := instant(e.query, "end_time", e.clock(e.now))
	if !ok1 || !ok2 || !ok3 || !ok4 || limit < 1 || limit > maxPage || offset < 0 {
		e.fail(http.StatusBadRequest, "DMS.00400062", "Invalid request parameter.")
		return
	}
	var listed []*task
	for _, t := range e.instance.tasks {
		if at := e.clock(t.CreatedAt); t.listed(e.now) && !at.Before(begin) && !at.After(end) {
			listed = append(listed, t)
		}
	}
	slices.Reverse(listed)
	slices.SortStableFunc(listed, func(a, b *task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	rows := []row{}
	page := listed[min(offset, len(listed)):] // in two steps: offset+limit may not fit into 32 bits
	for _, t := range page[:min(limit, len(page))] {
		rows = append(rows, e.row(t))
	}
	e.payload = &taskList{Count: strconv.Itoa(len(listed)), Tasks: rows}
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

// resizeInstance starts a task, and answers with its id. What is asked for is not looked at.
func (c *Cloud) resizeInstance(e *exchange) {
	var body map[string]any
	switch {
	case len(e.sent) == 0:
		e.fail(http.StatusBadRequest, "DMS.00400004", "The request body is empty.")
	case json.Unmarshal(e.sent, &body) != nil:
		e.fail(http.StatusBadRequest, "DMS.00400005", "The message body is not in JSON format or contains invalid characters.")
	default:
		e.payload = &struct {
			JobID string `json:"job_id"`
		}{c.addTask(e.instance, c.resize)}
	}
}
