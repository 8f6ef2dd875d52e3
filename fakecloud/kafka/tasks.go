package kafka

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/ids"
)

// Script is the life of a task. The zero Script is CREATED, then EXECUTING after 300 ms, and SUCCESS after 3 s. An
// invalid script (an id twice, a negative duration, steps out of order) panics when it is set, or when a task is made
// of it.
type Script struct {
	ID     string // one that can be a task id, new on its instance; default: 32 hex digits
	Name   string // the kind of task; default "kafkaInstanceExtend"
	User   string // default "fake_user"
	Params string // JSON in a string, as the service has it; default "{}"

	CreatedAt time.Time       // when it was started, by our clock, also in the past; default: now
	Duration  time.Duration   // from CREATED to Outcome, EXECUTING after a tenth of it or a second; default 3 s
	Outcome   taskwait.Status // default SUCCESS; EXECUTING or an unknown status make a task that never ends
	Steps     []Step          // the statuses one by one, in the order of After, instead of Duration and Outcome

	ListedAfter time.Duration // for so long the service does not know the task yet, counted from CreatedAt

	Stages []Stage       // of an expansion, which has a progress; their sum is Duration's default
	Shape  ProgressShape // how its progress is written; default as documented
}

// Step is a status that a task has from a time on.
type Step struct {
	After  time.Duration // since the task was started; the first step holds before its time too
	Status taskwait.Status
}

// defaultDuration is what the API page's own example takes, about: bindInstancePublicIp, 2.994 s.
const defaultDuration = 3 * time.Second

// withDefaults fills in what the script leaves open, but for its id and its time, and takes a copy of the steps and
// stages.
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
	s.Stages = slices.Clone(s.Stages)
	s.Duration = cmp.Or(s.Duration, s.planned(), defaultDuration)
	if s.Steps = slices.Clone(s.Steps); len(s.Steps) == 0 {
		s.Steps = []Step{{0, taskwait.StatusCreated}, {min(s.Duration/10, time.Second), taskwait.StatusExecuting},
			{s.Duration, s.Outcome}}
	}
	return s
}

// task is a Script on its way, with its defaults filled in.
type task struct {
	Script
	effect func(*instance) // of its success; nil: none
}

func (c *Cloud) addTask(i *instance, s Script) *task {
	s = s.withDefaults()
	if c.speed != 1 {
		s.accelerate(c.speed)
	}
	if s.ID == "" {
		s.ID = c.newID()
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = time.Now()
	}
	s.mustPlay(i)
	t := &task{Script: s}
	i.add(t)
	return t
}

// add keeps the tasks in order, so that a list need not be sorted.
func (i *instance) add(t *task) {
	n := len(i.tasks)
	for n > 0 && t.CreatedAt.Before(i.tasks[n-1].CreatedAt) { // few are: most tasks are added as they start
		n--
	}
	i.tasks = slices.Insert(i.tasks, n, t)
	i.byID[t.ID] = t
}

func (i *instance) remove(t *task) {
	n := slices.Index(i.tasks, t)
	i.tasks = slices.Delete(i.tasks, n, n+1)
	delete(i.byID, t.ID)
}

// mustPlay panics for a script that cannot be played: a slip in a test, to be seen where it is made.
func (s *Script) mustPlay(i *instance) {
	if problem := s.problem(i); problem != "" {
		panic("fakecloud: script of task " + strconv.Quote(s.ID) + ": " + problem)
	}
}

// problem is what is wrong with a script for a task on i; "": nothing.
func (s *Script) problem(i *instance) string {
	negative := slices.ContainsFunc(s.Stages, func(p Stage) bool { return p.Duration < 0 })
	ordered := slices.IsSortedFunc(s.Steps, func(a, b Step) int { return cmp.Compare(a.After, b.After) })
	switch wrong := ids.Check(s.ID); {
	case wrong != "":
		return "the id " + wrong
	case i.byID[s.ID] != nil:
		return "there is one with this id already"
	case s.Duration < 0 || s.ListedAfter < 0 || negative:
		return "a duration is negative"
	case !ordered:
		return "the steps are not in the order of After"
	}
	return ""
}

// find gives the task if it is listed by now; nil: it is not.
func (i *instance) find(id string, now time.Time) *task {
	if t := i.byID[id]; t != nil && t.listed(now) {
		return t
	}
	return nil
}

func (t *task) listed(now time.Time) bool { return now.Sub(t.CreatedAt) >= t.ListedAfter }

// step is the one that the task has reached.
func (t *task) step(now time.Time) Step {
	at := t.Steps[0]
	for _, s := range t.Steps[1:] {
		if now.Sub(t.CreatedAt) < s.After {
			break
		}
		at = s
	}
	return at
}

// end is the first terminal status of the task, and when it comes; EXECUTING for one that never ends.
func (t *task) end() (after time.Duration, status taskwait.Status) {
	for _, s := range t.Steps {
		if s.Status.Terminal() {
			return s.After, s.Status
		}
	}
	return 0, taskwait.StatusExecuting
}

func (t *task) endsAt() time.Time {
	after, _ := t.end()
	return t.CreatedAt.Add(after)
}

// runs is whether the task has started, and has not ended.
func (t *task) runs(now time.Time) bool {
	_, status := t.end()
	return !now.Before(t.CreatedAt) && !(status.Terminal() && !now.Before(t.endsAt()))
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

const (
	timeFormat = "2006-01-02T15:04:05.000Z"
	userID     = "3df5acbc24a54fadb62a043c9000a307" // from the API page's example
)

func (e *exchange) row(t *task) row {
	at := t.step(e.Now)
	return row{
		ID: t.ID, Name: t.Name, UserName: t.User, UserID: userID, Params: t.Params, Status: string(at.Status),
		CreatedAt: e.Clock(t.CreatedAt).Format(timeFormat),
		UpdatedAt: e.Clock(t.CreatedAt.Add(max(at.After, 0))).Format(timeFormat), // there from the start, not only at the end
	}
}
