package kafka

import (
	"net/http"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

// Stage is a part of an expansion, as its progress shows it: "pre_check", "disk_expansion".
type Stage struct {
	Name     string
	Duration time.Duration
}

// ProgressShape is how the progress of a task is written.
type ProgressShape int

// The shapes there are. What the service answers, its pages and its SDK do not agree on.
const (
	// Numbers, also for the times, which are null until they come; a step has a "status".
	ShapeDocumented ProgressShape = iota
	ShapeStatue                   // the same, but the step's status is its "statue": the API page, read 2026-11-24
	ShapeStrings                  // what the SDK's types want: "statue", and the times are strings
	ShapeBare                     // percentage and remaining time, without steps
	ShapeText                     // all numbers are strings
	ShapeEmpty                    // {}
)

// WithNoProgress sets the error that answers a request for the progress of a task without Script.Stages; see
// [fakecloud.Error]. Default: no error, but 200 with {}. What the real service does is not documented.
func WithNoProgress(status int, code, message string) fakecloud.Option {
	fakecloud.CheckStatus("WithNoProgress", status)
	return option(func(c *Cloud) { c.noProgress = &serviceError{status, code, message} })
}

// showProgress answers with how far an expansion has come.
func (c *Cloud) showProgress(e *exchange) {
	t := c.task(e, http.StatusOK, &struct{}{})
	if t == nil {
		return
	}
	switch {
	case len(t.Stages) > 0:
		e.Payload = t.shaped(e)
	case c.noProgress != nil:
		e.refuse(c.noProgress)
	default:
		e.Payload = &struct{}{}
	}
}

// percentage is of the stages' time; 100 when the task has ended well, and not before.
func (t *task) percentage(now time.Time) int {
	after, status := t.end()
	elapsed := now.Sub(t.CreatedAt)
	if !t.runs(now) {
		if status == taskwait.StatusSuccess {
			return 100
		}
		elapsed = min(elapsed, after)
	}
	planned := max(t.planned(), 1)
	return int(min(100*min(max(elapsed, 0), planned)/planned, 99))
}

// remaining is the rest of the stages' time in seconds, rounded up; 0 when that is over, or the task has ended.
func (t *task) remaining(now time.Time) int {
	if !t.runs(now) {
		return 0
	}
	rest := max(t.planned()-now.Sub(t.CreatedAt), 0)
	return int((rest + time.Second - 1) / time.Second)
}

func (s *Script) planned() (sum time.Duration) {
	for _, stage := range s.Stages {
		sum += stage.Duration
	}
	return sum
}

// The statuses of a step (API page).
const (
	waiting    = "WAITING"
	inProgress = "IN_PROGRESS"
	completed  = "COMPLETED"
	failed     = "FAILED"
)

// part is a stage at a moment: its status, and since the task's start its begin and its end; -1: not yet.
type part struct {
	name, status string
	begin, end   time.Duration
}

// parts are the stages at a moment. The last one goes on until the task has ended; if it has ended badly, the one that
// was under way has failed, and if well, all are done.
func (t *task) parts(now time.Time) []part {
	elapsed, runs := now.Sub(t.CreatedAt), t.runs(now)
	after, status := t.end()
	if !runs {
		elapsed = min(elapsed, after)
	}
	var parts []part
	begin := time.Duration(0)
	for n, stage := range t.Stages {
		p, end := part{stage.Name, waiting, -1, -1}, begin+stage.Duration
		switch {
		case !runs && status == taskwait.StatusSuccess:
			p = part{stage.Name, completed, min(begin, after), min(end, after)}
		case elapsed < begin:
		case elapsed >= end && n < len(t.Stages)-1:
			p = part{stage.Name, completed, begin, end}
		case runs:
			p.status, p.begin = inProgress, begin
		default:
			p = part{stage.Name, failed, begin, elapsed}
		}
		parts = append(parts, p)
		begin = end
	}
	return parts
}

// shaped writes it down.
func (t *task) shaped(e *exchange) any {
	if t.Shape == ShapeEmpty {
		return &struct{}{}
	}
	number := func(n int64) any {
		if t.Shape == ShapeText {
			return strconv.FormatInt(n, 10)
		}
		return n
	}
	answer := map[string]any{
		"progress_percentage": number(int64(t.percentage(e.Now))),
		"remain_time":         number(int64(t.remaining(e.Now))),
	}
	if t.Shape != ShapeBare {
		answer["step_list"] = t.shapedSteps(e)
	}
	return answer
}

func (t *task) shapedSteps(e *exchange) []map[string]any {
	key := "status"
	if t.Shape == ShapeStatue || t.Shape == ShapeStrings {
		key = "statue"
	}
	instant := func(since time.Duration) any {
		switch ms := e.Clock(t.CreatedAt.Add(since)).UnixMilli(); {
		case since < 0:
			return nil
		case t.Shape == ShapeStrings || t.Shape == ShapeText:
			return strconv.FormatInt(ms, 10)
		default:
			return ms
		}
	}
	var steps []map[string]any
	for _, p := range t.parts(e.Now) {
		steps = append(steps, map[string]any{
			"name": p.name, key: p.status, "start_time": instant(p.begin), "end_time": instant(p.end),
		})
	}
	return steps
}
