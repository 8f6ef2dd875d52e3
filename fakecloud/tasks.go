package fakecloud

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
)

// Script is the life of a task. The zero Script is CREATED, then EXECUTING, and SUCCESS after 3 s.
type Script struct {
	ID     string // default: made up, 32 hex digits
	Name   string // the kind of task; default "kafkaInstanceExtend"
	User   string // default "fake_user"
	Params string // JSON in a string, as the service has it; default "{}"

	Duration time.Duration   // from CREATED to Outcome, EXECUTING after a tenth of it or a second; default 3 s
	Outcome  taskwait.Status // default SUCCESS
	Steps    []Step          // the statuses one by one, instead of Duration and Outcome, in the order of After

	ListedAfter time.Duration // for so long the service does not know the task yet
}

// Step is a status that a task has from a time on.
type Step struct {
	After  time.Duration // since the task was started
	Status taskwait.Status
}

// defaultDuration is what the API page's own example takes, about.
const defaultDuration = 3 * time.Second

func (s Script) withDefaults() Script {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&s.Name, "kafkaInstanceExtend")
	set(&s.User, "fake_user")
	set(&s.Params, "{}")
	set((*string)(&s.Outcome), string(taskwait.StatusSuccess))
	if s.Duration == 0 {
		s.Duration = defaultDuration
	}
	if s.Steps == nil {
		s.Steps = []Step{{0, taskwait.StatusCreated}, {min(s.Duration/10, time.Second), taskwait.StatusExecuting}, {s.Duration, s.Outcome}}
	}
	return s
}

type instance struct{ tasks []*task }

type task struct {
	Script
	created time.Time
}

// step is the one that the task has reached; before the first it is that one.
func (t *task) step(now time.Time) Step {
	at := Step{Status: taskwait.StatusCreated}
	for i, s := range t.Steps {
		if i > 0 && now.Sub(t.created) < s.After {
			break
		}
		at = s
	}
	return at
}

// row is a task as the API shows it.
type row struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	UserName  string `json:"user_name"`
	UserID    string `json:"user_id"`
	Params    string `json:"params"`
	Status    string `json:"status"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

type taskList struct {
	Count string `json:"task_count"` // a string: so the service has it
	Tasks []row  `json:"tasks"`
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func (t *task) row(now time.Time) row {
	at := t.step(now)
	return row{
		ID: t.ID, Name: t.Name, UserName: t.User, UserID: "3df5acbc24a54fadb62a043c9000a307", Params: t.Params,
		Status: string(at.Status), CreatedAt: t.created.Format(timeFormat),
		UpdatedAt: t.created.Add(at.After).Format(timeFormat), // there from the start, not only at the end
	}
}

func (c *Cloud) addTask(i *instance, s Script) string {
	s = s.withDefaults()
	if s.ID == "" {
		s.ID = c.newID()
	}
	i.tasks = append(i.tasks, &task{Script: s, created: c.now()})
	return s.ID
}

// find gives the place of a task that is listed by now, or -1.
func (i *instance) find(id string, now time.Time) int {
	return slices.IndexFunc(i.tasks, func(t *task) bool { return t.ID == id && t.listed(now) })
}

func (t *task) listed(now time.Time) bool { return now.Sub(t.created) >= t.ListedAfter }

// showTask answers with a list of one. For an id it does not know the list is empty: what the real service does is not
// documented; for a 404 inject [Error].
func (c *Cloud) showTask(e *exchange) {
	list := &taskList{Count: "0", Tasks: []row{}}
	if n := e.instance.find(e.vars["task"], e.now); n >= 0 {
		list.Count, list.Tasks = "1", append(list.Tasks, e.instance.tasks[n].row(e.now))
	}
	e.payload = list
}

// The largest page, and the one that is served when none is asked for.
const (
	maxPage     = 100
	defaultPage = 10
)

// listTasks answers with a page of the tasks, the newest first. The offset counts from 0.
func (c *Cloud) listTasks(e *exchange) {
	limit, ok1 := number(e.query, "limit", defaultPage)
	offset, ok2 := number(e.query, "offset", 0)
	begin, ok3 := instant(e.query, "begin_time", time.Time{})
	end, ok4 := instant(e.query, "end_time", e.now.Add(time.Hour))
	if !ok1 || !ok2 || !ok3 || !ok4 || limit < 1 || limit > maxPage || offset < 0 {
		e.fail(400, "DMS.00400061", "Invalid request parameter.")
		return
	}
	rows := []row{}
	for _, t := range slices.Backward(e.instance.tasks) {
		if t.listed(e.now) && !t.created.Before(begin) && !t.created.After(end) {
			rows = append(rows, t.row(e.now))
		}
	}
	from, to := min(offset, len(rows)), min(offset+limit, len(rows))
	e.payload = &taskList{Count: strconv.Itoa(len(rows)), Tasks: rows[from:to]}
}

// deleteTask removes the record of a task that has ended.
func (c *Cloud) deleteTask(e *exchange) {
	n := e.instance.find(e.vars["task"], e.now)
	switch {
	case n < 0:
		e.fail(404, "DMS.00404033", "This task does not exist.") // the code is a guess
	case !e.instance.tasks[n].step(e.now).Status.Terminal():
		e.fail(400, "DMS.00400026", "This operation is not allowed due to the current status.")
	default:
		e.instance.tasks = slices.Delete(e.instance.tasks, n, n+1)
		e.status = 204
	}
}

// resizeInstance starts a task, and answers with its id.
func (c *Cloud) resizeInstance(e *exchange) {
	e.payload = &struct {
		JobID string `json:"job_id"`
	}{c.addTask(e.instance, c.resize)}
}

func number(q url.Values, key string, otherwise int) (int, bool) {
	if !q.Has(key) {
		return otherwise, true
	}
	n, err := strconv.Atoi(q.Get(key))
	return n, err == nil
}

func instant(q url.Values, key string, otherwise time.Time) (time.Time, bool) {
	if !q.Has(key) {
		return otherwise, true
	}
	t, err := time.Parse("20060102150405", q.Get(key)) // in UTC; the real service does not say
	return t, err == nil
}
