package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
)

// The kinds of events. docs/cli.md says when each comes.
const (
	eventStart     = "start"     // the wait begins
	eventTasks     = "tasks"     // further ids that are waited for
	eventStatus    = "status"    // the first status of a task, or another one than before
	eventProgress  = "progress"  // the percentage has changed
	eventTrouble   = "trouble"   // a query failed
	eventRecovered = "recovered" // the list is readable again
	eventHeartbeat = "heartbeat" // nothing was reported for a while
	eventWarning   = "warning"   // something beside the tasks needs attention
	eventAccepted  = "accepted"  // the service has accepted to cancel the task
	eventDone      = "done"      // the wait for a task is over
	eventOpen      = "open"      // ids that may still run, where they do not fit into "resume"
	eventEnd       = "end"       // the wait is over
	eventTask      = "task"      // a row of a list
	eventGone      = "gone"      // a row that is no longer in the list
	eventPoll      = "poll"      // a poll without news; only the live view shows it
)

// event is one thing that happened. Its JSON is a promise: docs/cli.md, and output.schema.json for each field. Text
// from outside is clipped and escaped before it is put in here, so no output has to.
type event struct {
	Event string    `json:"event"`
	Time  time.Time `json:"time"`

	Instance    string   `json:"instance,omitempty"`
	Credentials string   `json:"credentials,omitempty"` // where they were found
	Count       int      `json:"count,omitempty"`       // of the ids that are waited for
	Tasks       []string `json:"tasks,omitempty"`       // ids

	Task    string          `json:"task,omitempty"`
	Name    string          `json:"name,omitempty"`
	Status  taskwait.Status `json:"status,omitempty"`
	Percent *int            `json:"percent,omitempty"`
	Created time.Time       `json:"created,omitzero"`
	Updated time.Time       `json:"updated,omitzero"`
	Age     seconds         `json:"age,omitempty"`          // since it was created
	Took    seconds         `json:"took,omitempty"`         // from its creation to its end, by the service's clock
	Seen    *seconds        `json:"seen,omitempty"`         // since the last answer about the task
	Failed  int             `json:"failed_since,omitempty"` // polls since then, all of which failed

	Elapsed   seconds  `json:"elapsed,omitempty"` // since the wait began
	Next      *seconds `json:"next,omitempty"`    // until the next poll
	Typical   seconds  `json:"typical,omitempty"`
	Remaining seconds  `json:"remaining,omitempty"` // in half of the cases no more than this
	Most      seconds  `json:"remaining_most,omitempty"`
	Polls     int      `json:"polls,omitempty"`
	Errors    int      `json:"errors,omitempty"`
	Open      int      `json:"open,omitempty"` // tasks that have not ended

	Trouble string `json:"trouble,omitempty"` // in plain words
	Code    string `json:"code,omitempty"`    // the service's
	Reason  string `json:"reason,omitempty"`  // why the task failed, in the service's words
	Request string `json:"request_id,omitempty"`

	Value    string          `json:"value,omitempty"` // what --print asks for
	Outcome  outcome         `json:"outcome,omitempty"`
	Error    string          `json:"error,omitempty"`
	Message  string          `json:"message,omitempty"`
	Outcomes map[outcome]int `json:"outcomes,omitempty"`
	ExitCode *int            `json:"exit_code,omitempty"`
	Resume   string          `json:"resume,omitempty"`  // the command that waits again
	Dropped  int             `json:"dropped,omitempty"` // events that nobody has read in time

	Cancel string `json:"cancel,omitempty"` // the command that cancels what is left

	cancels []string // Cancel, word by word; not in JSON
	command []string // Resume, word by word; not in JSON
}

// seconds is a duration that JSON shows as seconds, with at most three decimals.
type seconds time.Duration

// MarshalJSON writes such as 1.25.
func (s seconds) MarshalJSON() ([]byte, error) {
	return fmt.Append(nil, math.Round(float64(s)/float64(time.Millisecond))/1000), nil
}

// UnmarshalJSON reads it.
func (s *seconds) UnmarshalJSON(text []byte) error {
	var n float64
	err := json.Unmarshal(text, &n)
	*s = seconds(time.Duration(math.Round(n*1000)) * time.Millisecond)
	return err
}

func (s seconds) String() string { return short(time.Duration(s)) }

// reporter shows events, one at a time.
type reporter interface {
	report(*event)
	close() // no more events come; returns when all of them are handed on
}

// fill copies what every event about a task shows from p.
func (e *event) fill(p *taskwait.Progress) {
	t := &p.Task
	e.Name, e.Status, e.Percent = clip(t.Kind), taskwait.Status(clip(string(t.Status))), t.Percent
	e.Code, e.Reason = clip(t.FailureCode), clip(t.FailureReason)
	e.Created, e.Updated = plausible(t.CreatedAt), plausible(t.UpdatedAt)
	e.Elapsed, e.Polls, e.Errors = seconds(p.Elapsed), p.Polls, p.Errors
	if t.Status.Terminal() && !e.Created.IsZero() && e.Updated.After(e.Created) {
		e.Took = seconds(e.Updated.Sub(e.Created))
	}
	if !p.Done {
		e.Next = after(p.Next)
	}
	if p.Estimate != nil {
		e.Typical, e.Remaining = seconds(p.Estimate.Median), seconds(p.Estimate.RemainingP50)
		e.Most = seconds(p.Estimate.RemainingP90)
	}
}

func after(d time.Duration) *seconds {
	s := seconds(d)
	return &s
}

// earliest is the first year in which a cloud can have run a task.
const earliest = 1999

// plausible is t in UTC, or zero where t is no time at which a task can have run. JSON cannot hold years above 9999,
// nor time zones of a day and more.
func plausible(t time.Time) time.Time {
	t = t.UTC()
	if year := t.Year(); year < earliest || year > 9999 {
		return time.Time{}
	}
	return t
}

// explain puts the trouble into plain words, and adds what the service said.
func (e *event) explain(err error) {
	var q *taskwait.QueryError
	if !errors.As(err, &q) {
		e.Trouble, e.Error = "no answer", clip(err.Error())
		return
	}
	e.Trouble, e.Code, e.Request = words[q.Class], clip(q.Code), clip(q.RequestID)
	if e.Trouble == "" {
		e.Trouble = q.Class.String()
	}
	e.Error = clip(q.Error())
}

var words = map[taskwait.Class]string{
	taskwait.ClassTransient: "no answer",
	taskwait.ClassThrottled: "throttled",
	taskwait.ClassNotFound:  "not listed yet",
	taskwait.ClassPermanent: "refused",
}

// clip makes foreign text fit to be shown: at most 256 bytes, and what does not print is escaped.
func clip(s string) string { return (&taskwait.QueryError{Err: errors.New(s)}).Error() }

// maxIDs is how many bytes of ids one event holds. It leaves room in maxLine for the rest of the event, and for ids of
// which every byte is escaped.
const maxIDs = 4 << 10

// chunks splits ids so that each part has at most maxIDs bytes, and at least one id. No ids are one empty part.
func chunks(ids []string) (parts [][]string) {
	size, from := 0, 0
	for i, id := range ids {
		if size += len(id) + len(`"",`); size > maxIDs && i > from {
			parts, from, size = append(parts, ids[from:i]), i, len(id)
		}
	}
	return append(parts, ids[from:])
}

func clipAll(ids []string) []string {
	clipped := make([]string, len(ids))
	for i, id := range ids {
		clipped[i] = clip(id)
	}
	return clipped
}

// maxLine bounds a line of JSON: collectors of logs cut longer ones.
const maxLine = 16 << 10

// jsonReporter writes each event as an object on a line of its own.
type jsonReporter struct{ out sink }

// sink takes whole lines. A line that can be lost is dropped where nobody reads.
type sink func(line []byte, canBeLost bool)

func (j jsonReporter) report(e *event) {
	if e.Event != eventPoll {
		j.out(encode(e), e.Event != eventDone && e.Event != eventEnd)
	}
}

func (jsonReporter) close() {}

// encode is the line of an event. An event that JSON cannot hold, or that is too long, is replaced by one that says so.
func encode(e *event) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(e)
	if err == nil && b.Len() <= maxLine {
		return b.Bytes()
	}
	if err == nil {
		err = fmt.Errorf("it has %d bytes", b.Len())
	}
	b.Reset()
	_ = enc.Encode(&event{ // plain text in every field: this cannot fail
		Event: e.Event, Time: e.Time.UTC(), Task: e.Task, Status: e.Status, Outcome: e.Outcome, Outcomes: e.Outcomes,
		ExitCode: e.ExitCode, Message: clip("part of this event is missing: " + err.Error()),
	})
	return b.Bytes()
}

// textReporter writes a line for each change. Heartbeats and warnings go to standard error.
type textReporter struct {
	out  sink
	note func(string) // nil: nobody reads notes
}

func (t textReporter) report(e *event) {
	switch e.Event {
	case eventPoll, eventStart, eventTasks, eventOpen:
	case eventEnd:
		if e.total() > 1 {
			t.line(false, e.sum())
		}
	case eventHeartbeat, eventWarning:
		if t.note != nil {
			t.note(e.what())
		}
	case eventTask, eventGone:
		t.line(false, row(e))
	default:
		who := e.who()
		if who != "" {
			who += gap
		}
		t.line(e.Event != eventDone, fmt.Sprintf("%6s  %s%s", e.Elapsed, who, e.what()))
	}
}

func (t textReporter) line(canBeLost bool, text string) { t.out([]byte(text+"\n"), canBeLost) }

func (textReporter) close() {}

// who is the id of the task, or its name as long as the id is not known. Empty: the event is about no single task.
func (e *event) who() string {
	if e.Task == "" {
		return e.Name
	}
	return e.Task
}

func (e *event) total() (n int) {
	for _, k := range e.Outcomes {
		n += k
	}
	return n
}

// sum is such as "5 tasks: 1 failed, 4 succeeded".
func (e *event) sum() string {
	return fmt.Sprintf("%s: %s", count(e.total(), "task"), strings.Join(e.parts(), ", "))
}

// parts are how many tasks have which outcome, in words.
func (e *event) parts() (parts []string) {
	for _, o := range outcomes {
		if n := e.Outcomes[o.outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.outcome))
		}
	}
	return parts
}

// what says in one line what happened.
func (e *event) what() string {
	switch e.Event {
	case eventDone:
		return sentence(e)
	case eventAccepted:
		return "the service has accepted to cancel it"
	case eventWarning:
		return e.Message
	case eventRecovered:
		return "the list is readable again"
	case eventHeartbeat:
		return e.heartbeat()
	case eventTrouble:
		return e.trouble()
	}
	return strings.Join(e.facts(), ", ")
}

func (e *event) trouble() string {
	s := e.Trouble
	if e.next() > 0 {
		s += fmt.Sprintf(", next try in %v", e.next())
	}
	if e.Error != "" {
		s += " (" + e.Error + ")"
	}
	return s
}

// heartbeat says that the wait goes on.
func (e *event) heartbeat() string {
	s := fmt.Sprintf("%v: still waiting", e.Elapsed)
	switch {
	case e.who() != "":
		s += fmt.Sprintf(" for %s: %s", e.who(), lastSeen(e))
	case e.Open > 0:
		s += " for " + count(e.Open, "task")
	}
	if e.next() > 0 {
		s += fmt.Sprintf(", next poll in %v", e.next())
	}
	return s
}

// facts are what is known of a task that runs.
func (e *event) facts() []string {
	facts := []string{e.seen()}
	if e.Status == "" {
		facts[0] = "no answer yet"
	}
	if e.Percent != nil {
		facts = append(facts, fmt.Sprintf("%d%%", *e.Percent))
	}
	if e.Typical > 0 {
		facts = append(facts, fmt.Sprintf("usually takes %v", e.Typical))
	}
	if e.Remaining > 0 {
		facts = append(facts, fmt.Sprintf("%v to %v remain", e.Remaining, max(e.Most, e.Remaining)))
	}
	if e.next() > 0 {
		facts = append(facts, fmt.Sprintf("next poll in %v", e.next()))
	}
	return facts
}

func (e *event) next() seconds {
	if e.Next == nil {
		return 0
	}
	return *e.Next
}

// quietReporter writes what went wrong, to standard error.
type quietReporter struct{ note func(string) }

func (q quietReporter) report(e *event) {
	who := e.who()
	if who != "" {
		who += ": "
	}
	switch {
	case e.Event == eventDone && e.Outcome != succeeded:
		q.note(who + sentence(e))
	case e.Event == eventEnd && e.Error != "":
		q.note(e.Error)
	}
}

func (quietReporter) close() {}

// short shows a duration: tenths of a second below ten seconds, then seconds, then minutes.
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

// whole shows a duration in whole seconds, and from a minute on like short.
func whole(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", max(d, 0)/time.Second)
	}
	return short(d)
}
