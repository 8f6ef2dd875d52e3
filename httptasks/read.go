package httptasks

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/lenient"
	"github.com/taskwait/taskwait/internal/wire"
)

// reading is an answer that is being read.
type reading struct {
	status     int
	asOf       time.Time // by the service's clock; zero: unknown
	retryAfter time.Duration
	top        *node // nil: the body is empty, or null
	unnumbered bool  // the status is not the answer's, but for an answer without one
}

// check returns nil for a status of 2xx, and the error of [taskwait.CheckResponse] otherwise.
func (a Answer) check() error {
	return taskwait.CheckResponse(&http.Response{
		StatusCode: cmp.Or(a.StatusCode, http.StatusOK), Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)),
	})
}

// decode makes a reading of an answer, or the error that it is. A status that is a word of the API is no error.
func (p *program) decode(a Answer, permission string) (*reading, error) {
	r := &reading{
		status: cmp.Or(a.StatusCode, http.StatusOK), retryAfter: taskwait.RetryAfter(a.Header), unnumbered: a.StatusCode == 0,
	}
	if !p.isWord(r.status) {
		if err := a.check(); err != nil {
			return nil, p.judge(forbidden(err, permission))
		}
	}
	if at, err := http.ParseTime(a.Header.Get("Date")); err == nil && lenient.Plausible(at, time.Now()) {
		r.asOf = at
	}
	body := bytes.TrimSpace(bytes.TrimPrefix(a.Body, []byte("\ufeff")))
	if len(body) == 0 {
		return r, nil
	}
	page := strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") // of a proxy's, say
	if r.top = parse(body); r.top == nil && (page || !p.isWord(r.status)) {
		return nil, r.failed("the answer does not decode")
	}
	if r.top != nil && r.top.text[0] == 'n' { // null
		r.top = nil
	}
	return r, nil
}

// forbidden says in the error of a 403 which permission is missing.
func forbidden(err error, permission string) error {
	var q *taskwait.QueryError
	if permission != "" && errors.As(err, &q) && q.StatusCode == http.StatusForbidden {
		q.Err = fmt.Errorf("this needs the permission %s: %w", permission, q.Err)
	}
	return err
}

// isWord reports whether an HTTP status is one of the API's words.
func (p *program) isWord(status int) bool {
	if !slices.ContainsFunc(p.places.status, func(one path) bool { return one.status }) {
		return false
	}
	return p.words[strconv.Itoa(status)] != ""
}

// judge is an error in the light of the API's codes.
func (p *program) judge(err error) error {
	var q *taskwait.QueryError
	if !errors.As(err, &q) {
		return err
	}
	is := func(words []string) bool {
		return q.Code != "" && slices.Contains(words, q.Code) ||
			q.StatusCode > 0 && slices.Contains(words, strconv.Itoa(q.StatusCode))
	}
	switch {
	case is(p.Throttled):
		q.Class = taskwait.ClassThrottled
	case is(p.NotFound):
		q.Class = taskwait.ClassNotFound
	}
	return err
}

func (a *reading) failed(words string) error {
	if a.unnumbered {
		return &taskwait.QueryError{RetryAfter: a.retryAfter, Err: errors.New(words)}
	}
	return &taskwait.QueryError{
		StatusCode: a.status, RetryAfter: a.retryAfter, Err: errors.New(strconv.Itoa(a.status) + ": " + words),
	}
}

func (a *reading) lacks(what string) error {
	return a.failed(fmt.Sprintf("the answer has no %s in it", what))
}

// at is what stands at a place, of the job or the whole answer; nil: nothing.
func (a *reading) at(p place, job *node) *node {
	for _, one := range p {
		from := job
		if one.top || job == nil {
			from = a.top
		}
		if one.status {
			return &node{text: []byte(strconv.Itoa(a.status))}
		}
		if found := from.walk(one.steps); found != nil {
			return found
		}
	}
	return nil
}

// read is the job with an id.
func (p *program) read(a *reading, id string) (taskwait.Task, error) {
	job, err := p.find(a, id)
	if err == nil {
		t := p.task(a, job, id)
		t.RetryAfter = a.retryAfter
		if t.Status != "" {
			return t, nil
		}
		err = a.lacks("status")
		if !a.at(p.places.id, job).empty() && a.refused() == nil {
			return t, nil
		}
	}
	if refused := a.refused(); refused != nil && !errors.Is(err, errOther) {
		err = refused
	}
	return taskwait.Task{}, p.judge(err)
}

// refused is the error that an answer with a good status is, by a code in it; nil: it has none.
func (a *reading) refused() error {
	if a.top == nil {
		return nil
	}
	err := Answer{StatusCode: http.StatusInternalServerError, Body: a.top.text}.check()
	var q *taskwait.QueryError
	if !errors.As(err, &q) || q.Code == "" {
		return nil
	}
	q.StatusCode, q.RetryAfter = a.status, a.retryAfter
	q.Err = errors.New(strings.Replace(q.Err.Error(), wire.StatusText(http.StatusInternalServerError),
		wire.StatusText(a.status)+": an error", 1))
	return q
}

// find is the job in an answer: the object at its place, or the one in a list that has the id.
func (p *program) find(a *reading, id string) (*node, error) {
	job := a.top
	if p.places.task != nil {
		job = a.at(p.places.task, nil)
	}
	switch {
	case job.isList() && (p.places.task != nil || p.places.id != nil || !p.isWord(a.status)):
		job.decode()
		for i := range job.items {
			row := job.item(i)
			if row.isObject() && p.places.id != nil && sameWord(id, a.at(p.places.id, row).str()) {
				return row, nil
			}
		}
		return nil, taskwait.NotFound(errors.New("the service lists no job with this id"))
	case job.isObject():
	case p.places.task == nil && p.isWord(a.status): // which says it all, whatever the answer is
		return &node{text: []byte("{}")}, nil
	default:
		return nil, a.lacks("job")
	}
	if got := a.at(p.places.id, job).str(); got != "" && !p.sameID(id, got) {
		return nil, taskwait.NotFound(errOther)
	}
	return job, nil
}

// errOther is that a service has answered for another job, which says nothing of the one that was asked for.
var errOther = errors.New("the service answered for another job")

// uuid matches an id whose letters may come back large or small.
var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$`)

func sameWord(id, got string) bool {
	return id == got || strings.EqualFold(id, got) && uuid.MatchString(id)
}

// sameID reports whether an answer is for an id. One that is a path or a URL may be answered with its end.
func (p *program) sameID(id, got string) bool {
	if sameWord(id, got) || !strings.Contains(p.URL, "{+id}") {
		return sameWord(id, got)
	}
	path, _, _ := strings.Cut(id, "?")
	return strings.HasSuffix(path, "/"+strings.TrimPrefix(got, "/"))
}

// task is a job in a waiter's terms.
func (p *program) task(a *reading, job *node, id string) taskwait.Task {
	of := &p.places
	t := taskwait.Task{
		ID: id, Kind: a.at(of.kind, job).str(), AsOf: a.asOf,
		CreatedAt: lenient.Time(a.at(of.created, job).str(), a.asOf),
		UpdatedAt: lenient.Time(a.at(of.updated, job).str(), a.asOf),
		Raw:       raw(job),
	}
	p.progress(a, job, &t)
	word := a.at(of.status, job).str()
	code, reason := p.failure(a, job)
	t.Status = p.status(a, job, word, code+reason)
	if word != "" && !strings.EqualFold(word, string(t.Status)) {
		t.Phase = word
	}
	switch t.Status {
	case taskwait.StatusSuccess, taskwait.StatusCreated, taskwait.StatusExecuting:
	default:
		t.FailureCode, t.FailureReason = code, reason
	}
	return t
}

// statuses are those that a wait knows.
var statuses = []taskwait.Status{
	taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusSuccess, taskwait.StatusFailed,
	taskwait.StatusCancelled, taskwait.StatusDeleted,
}

// status is what a word, and the flag that the job is over, mean.
func (p *program) status(a *reading, job *node, word, failure string) taskwait.Status {
	s := p.words[strings.ToLower(word)]
	switch over := a.at(p.places.done, job).str(); {
	case p.places.done == nil:
	case over == "true" && failure != "":
		s = taskwait.StatusFailed
	case over == "true":
		s = taskwait.StatusSuccess
	case word == "" && (over == "false" || !a.at(p.places.id, job).empty()):
		s = taskwait.StatusExecuting
	}
	switch {
	case p.untilDeleted && s == taskwait.StatusDeleted:
		return taskwait.StatusSuccess
	case p.untilDeleted && word != "":
		return taskwait.StatusExecuting
	case s == taskwait.StatusSuccess && p.FailedByCode && failure != "":
		return taskwait.StatusFailed
	case s == "" && slices.Contains(statuses, taskwait.Status(word)):
		return taskwait.Status(strings.ToLower(word)) // no word of this API, though it is one of ours
	case s == "":
		return taskwait.Status(word)
	}
	return s
}

// words are a text; of an object or a list that is not empty, its JSON.
func words(n *node) string {
	if n.decode(); n != nil && len(n.items) > 0 {
		return string(n.text)
	}
	return n.str()
}

// failure is why a job failed: its own code and reason, else those of the first step that failed and has some.
func (p *program) failure(a *reading, job *node) (code, reason string) {
	of := &p.places
	code, reason = a.at(of.code, job).str(), words(a.at(of.reason, job))
	if code == "0" { // of none
		code = ""
	}
	steps := a.at(of.steps, job)
	if code != "" && reason != "" || !steps.isList() {
		return code, reason
	}
	steps.decode()
	for i := range steps.items {
		if s := steps.item(i); s.isObject() && p.words[strings.ToLower(a.at(of.status, s).str())] == taskwait.StatusFailed {
			if itsCode, itsReason := p.failure(a, s); itsCode+itsReason != "" { // its steps' where it has none
				return cmp.Or(code, itsCode), cmp.Or(reason, itsReason)
			}
		}
	}
	return code, reason
}

// progress fills in how far a job is.
func (p *program) progress(a *reading, job *node, t *taskwait.Task) {
	of := &p.places
	t.Percent = lenient.Percent(a.at(of.percent, job).str(), p.Fraction)
	t.Remaining = lenient.Seconds(a.at(of.remaining, job).str())
	steps := a.at(of.steps, job)
	if !steps.isList() {
		return
	}
	steps.decode()
	for i := range steps.items {
		if s := steps.item(i); s.isObject() {
			t.Steps = append(t.Steps, taskwait.Step{
				Name:   cmp.Or(a.at(of.kind, s).str(), a.at(of.id, s).str()),
				Status: a.at(of.status, s).str(), StartedAt: lenient.Time(a.at(of.created, s).str(), a.asOf),
				EndedAt: lenient.Time(a.at(of.updated, s).str(), a.asOf),
			})
		}
	}
}
