package kafka

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/ids"
)

// Scheduled is an operation that is scheduled for later. It is CREATED until its time, then EXECUTING, and SUCCESS
// after 3 s. At its time a background task appears too, with another id. It is not documented whether the two ids are
// the same in the real service.
type Scheduled struct {
	ID        string          // one that can be a task id; default: 32 hex digits
	Name      string          // the kind of task; default "kafkaUpgrade"
	Params    string          // JSON in a string; default "{}"
	At        time.Time       // when it starts, by our clock; default: at once
	CreatedAt time.Time       // by our clock; default: now
	Status    taskwait.Status // CANCELLED: it does not start until it is armed; default CREATED
	Duration  time.Duration   // of its task; default 3 s
	Outcome   taskwait.Status // of its task; default SUCCESS
}

// scheduled is one on its way.
type scheduled struct {
	Scheduled
	updatedAt time.Time
	task      *task // once it has started
}

// AddScheduled schedules an operation on an instance, and returns the id of the scheduled task. If there is no such
// instance, it is added.
func (c *Cloud) AddScheduled(instanceID string, s Scheduled) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.schedule(c.instance(instanceID), time.Now(), s).ID
}

func (c *Cloud) schedule(i *instance, now time.Time, s Scheduled) *scheduled {
	s.Name, s.Params = cmp.Or(s.Name, "kafkaUpgrade"), cmp.Or(s.Params, "{}")
	s.Status = cmp.Or(s.Status, taskwait.StatusCreated)
	if s.ID == "" {
		s.ID = c.newID()
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = now
	}
	if s.At.IsZero() {
		s.At = now
	}
	if problem := s.problem(i); problem != "" {
		panic("fakecloud: scheduled task " + strconv.Quote(s.ID) + ": " + problem)
	}
	planned := &scheduled{Scheduled: s, updatedAt: s.CreatedAt}
	i.scheduled = append(i.scheduled, planned)
	return planned
}

// problem is what is wrong with one on i; "": nothing.
func (s *Scheduled) problem(i *instance) string {
	switch wrong := ids.Check(s.ID); {
	case wrong != "":
		return "the id " + wrong
	case i.findScheduled(s.ID) >= 0:
		return "there is one with this id already"
	case s.Duration < 0:
		return "the duration is negative"
	case s.Status != taskwait.StatusCreated && s.Status != taskwait.StatusCancelled:
		return "status " + string(s.Status) + ", want CREATED or CANCELLED"
	}
	return ""
}

func (i *instance) findScheduled(id string) int {
	return slices.IndexFunc(i.scheduled, func(s *scheduled) bool { return s.ID == id })
}

// launch starts what is due.
func (c *Cloud) launch(i *instance, now time.Time) {
	for _, s := range i.scheduled {
		if s.task == nil && s.Status == taskwait.StatusCreated && !now.Before(s.At) {
			s.task = c.addTask(i, Script{Name: s.Name, Params: s.Params, CreatedAt: s.At, Duration: s.Duration,
				Outcome: s.Outcome})
		}
	}
}

// status is the one that it shows, and since when.
func (s *scheduled) status(now time.Time) (taskwait.Status, time.Time) {
	if s.task == nil {
		return s.Status, s.updatedAt
	}
	at := s.task.step(now)
	return at.Status, s.task.CreatedAt.Add(max(at.After, 0))
}

// scheduledRow is one as the API shows it.
type scheduledRow struct {
	row
	ScheduleAt string `json:"schedule_at"`
}

func (e *exchange) scheduledRow(s *scheduled) scheduledRow {
	status, since := s.status(e.Now)
	return scheduledRow{row{
		ID: s.ID, Name: s.Name, UserName: "fake_user", UserID: userID, Params: s.Params, Status: string(status),
		CreatedAt: e.Clock(s.CreatedAt).Format(timeFormat), UpdatedAt: e.Clock(since).Format(timeFormat),
	}, e.Clock(s.At).Format(timeFormat)}
}

// listScheduled answers with a page of the scheduled tasks, the one that was planned last first. The start counts
// from 0, as the tasks' offset does: the real service does not say it.
func (c *Cloud) listScheduled(e *exchange) {
	p, ok := e.page("start", maxPage)
	if !ok {
		e.invalid()
		return
	}
	var fit []*scheduled
	for _, s := range slices.Backward(e.instance.scheduled) {
		if p.holds(e.Clock(s.CreatedAt)) {
			fit = append(fit, s)
		}
	}
	slices.SortStableFunc(fit, func(a, b *scheduled) int { return b.CreatedAt.Compare(a.CreatedAt) })
	rows := []scheduledRow{}
	for _, s := range cut(fit, p) {
		rows = append(rows, e.scheduledRow(s))
	}
	e.Payload = &struct {
		Count string         `json:"job_count"`
		Jobs  []scheduledRow `json:"jobs"`
	}{strconv.Itoa(len(fit)), rows}
}

// scheduledTask gives the one that the path names, or an answer: that there is none is told in the words for a bad id,
// which is a guess.
func (c *Cloud) scheduledTask(e *exchange) *scheduled {
	n := e.instance.findScheduled(e.Vars["task"])
	switch {
	case n >= 0:
		return e.instance.scheduled[n]
	case c.unknown != nil:
		e.refuse(c.unknown)
	default:
		e.Fail(http.StatusBadRequest, "DMS.00400070", "Invalid task ID format.")
	}
	return nil
}

// updateScheduled cancels a scheduled task, or arms it again, and sets its time. What has started can no more be
// changed: with what code the real service says so is not documented.
func (c *Cloud) updateScheduled(e *exchange) {
	s := c.scheduledTask(e)
	if s == nil {
		return
	}
	at, ok := instant(e.Query, "execute_at", s.At.Add(e.Skew))
	status, known := scheduledStatus(e.Query)
	switch {
	case !ok || !known:
		e.invalid()
		return
	case s.task != nil:
		e.refuse(errStatus)
		return
	}
	s.At, s.Status, s.updatedAt = at.Add(-e.Skew), status, e.Now
	if s.At.Before(e.Now) && status == taskwait.StatusCreated {
		s.At = e.Now // it is late
	}
	c.record(e, e.instance, s.ID)
	e.Status = http.StatusNoContent
}

// scheduledStatus reads the status that is asked for: CANCELLED, or null, which is to be executed.
func scheduledStatus(q url.Values) (status taskwait.Status, ok bool) {
	switch s := q.Get("status"); s {
	case "", "null":
		return taskwait.StatusCreated, true
	default:
		return taskwait.Status(s), s == string(taskwait.StatusCancelled)
	}
}

// deleteScheduled removes the record of a scheduled task that has succeeded or is cancelled (API page).
func (c *Cloud) deleteScheduled(e *exchange) {
	s := c.scheduledTask(e)
	if s == nil {
		return
	}
	if status, _ := s.status(e.Now); status != taskwait.StatusSuccess && status != taskwait.StatusCancelled {
		e.refuse(errStatus)
		return
	}
	e.instance.scheduled = slices.DeleteFunc(e.instance.scheduled, func(x *scheduled) bool { return x == s })
	c.record(e, e.instance, s.ID)
	e.Status = http.StatusNoContent
}
