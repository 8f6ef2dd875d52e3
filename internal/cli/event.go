package cli

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
)

// The kinds of events. docs/cli.md says when each comes.
const (
	eventStart    = "start"    // the wait begins
	eventStatus   = "status"   // a task was seen for the first time, or its status has changed
	eventProgress = "progress" // the service has told how far a task is
	eventTrouble  = "trouble"  // a query brought something other than the task
	eventDone     = "done"     // the wait for a task is over
	eventEnd      = "end"      // all is over
	eventTask     = "task"     // a row of a list
	eventGone     = "gone"     // a row that is not in the list any more
	eventPoll     = "poll"     // a query brought nothing new; only for the live display
)

// event is one thing that has happened. Its JSON is a promise: docs/cli.md. Fields may be added, none changes or goes away.
// Times are RFC 3339, durations seconds.
type event struct {
	Event string    `json:"event"`
	Time  time.Time `json:"time"`

	Instance    string   `json:"instance,omitempty"`
	Credentials string   `json:"credentials,omitempty"` // where they come from
	Tasks       []string `json:"tasks,omitempty"`       // the ids that are waited for, where they are known at the start

	Task    string          `json:"task,omitempty"`
	Name    string          `json:"name,omitempty"`
	Status  taskwait.Status `json:"status,omitempty"`
	Percent *int            `json:"percent,omitempty"`
	Created time.Time       `json:"created,omitzero"`
	Updated time.Time       `json:"updated,omitzero"`
	Age     seconds         `json:"age,omitempty"`  // since it was created
	Took    seconds         `json:"took,omitempty"` // from its creation to its end, by the service

	Elapsed   seconds  `json:"elapsed,omitempty"` // since the wait began
	Next      *seconds `json:"next,omitempty"`    // until the coming query
	Typical   seconds  `json:"typical,omitempty"`
	Remaining seconds  `json:"remaining,omitempty"` // in half of the cases no more than this
	Most      seconds  `json:"remaining_most,omitempty"`
	Polls     int      `json:"polls,omitempty"`
	Errors    int      `json:"errors,omitempty"`

	Trouble string `json:"trouble,omitempty"` // in plain words
	Code    string `json:"code,omitempty"`    // the service's
	Request string `json:"request_id,omitempty"`

	Outcome  outcome         `json:"outcome,omitempty"`
	Error    string          `json:"error,omitempty"`
	Outcomes map[outcome]int `json:"outcomes,omitempty"`
	ExitCode *int            `json:"exit_code,omitempty"`
	Resume   string          `json:"resume,omitempty"` // the command that goes on waiting
}

// seconds is a duration that is written as seconds, with three decimals at most.
type seconds time.Duration

// MarshalJSON writes such as 1.25.
func (s seconds) MarshalJSON() ([]byte, error) {
	return fmt.Append(nil, math.Round(float64(s)/float64(time.Millisecond))/1000), nil
}

func (s seconds) String() string { return short(time.Duration(s)) }

// short words a duration for people: tenths of a second below ten seconds, then seconds, then minutes.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Minute)
	}
	if s, even := strings.CutSuffix(d.String(), "m0s"); even {
		return s + "m"
	}
	return d.String()
}

// reporter is told what happens, one event at a time.
type reporter interface {
	report(*event)
	close() // no more comes; returns when all is shown
}

// fill takes over from p what any event about a task shows.
func (e *event) fill(p *taskwait.Progress) {
	t := &p.Task
	e.Name, e.Status, e.Percent = t.Name, t.Status, t.Percent
	e.Created, e.Updated = t.CreatedAt, t.UpdatedAt
	e.Elapsed, e.Polls, e.Errors = seconds(p.Elapsed), p.Polls, p.Errors
	if t.Status.Terminal() && !t.CreatedAt.IsZero() && t.UpdatedAt.After(t.CreatedAt) {
		e.Took = seconds(t.UpdatedAt.Sub(t.CreatedAt))
	}
	if !p.Done {
		next := seconds(p.Next)
		e.Next = &next
	}
	if p.Estimate != nil {
		e.Typical, e.Remaining, e.Most = seconds(p.Estimate.Median), seconds(p.Estimate.RemainingP50), seconds(p.Estimate.RemainingP90)
	}
}

// explain words the trouble at hand, for somebody who does not know what a status code is, and adds what the service said.
func (e *event) explain(err error) {
	var q *taskwait.QueryError
	if !errors.As(err, &q) {
		e.Trouble = "unknown status " + string(e.Status)
		if e.Status == "" {
			e.Trouble = clip(err.Error())
		}
		return
	}
	e.Trouble, e.Code, e.Request = words[q.Class], clip(q.Code), clip(q.RequestID)
	if e.Trouble == "" {
		e.Trouble = q.Class.String()
	}
	e.Error = q.Error()
}

var words = map[taskwait.Class]string{
	taskwait.ClassTransient: "no answer",
	taskwait.ClassThrottled: "throttled",
	taskwait.ClassNotFound:  "not listed yet",
	taskwait.ClassPermanent: "refused",
}

// clip makes foreign text fit to be shown: cut, and without control characters.
func clip(s string) string { return (&taskwait.QueryError{Err: errors.New(s)}).Error() }
