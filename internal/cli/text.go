package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// plain writes a line for each change, without control characters.
type plain struct{ out io.Writer }

func (p plain) report(e *event) {
	switch e.Event {
	case eventPoll, eventStart:
	case eventEnd:
		p.end(e)
	case eventTask, eventGone:
		fmt.Fprintln(p.out, row(e))
	default:
		who := e.who()
		if who != "" {
			who += gap
		}
		fmt.Fprintf(p.out, "%6s  %s%s\n", e.Elapsed, who, e.what())
	}
}

func (plain) close() {}

// who is the task's id, or as long as that is not known the name by which it is looked for; "": it is about no one task.
func (e *event) who() string {
	if e.Task == "" {
		return clip(e.Name)
	}
	return clip(e.Task)
}

// end writes the sum, if there is more than one to add up.
func (p plain) end(e *event) {
	if e.total() > 1 {
		fmt.Fprintln(p.out, e.sum())
	}
}

func (e *event) total() (n int) {
	for _, k := range e.Outcomes {
		n += k
	}
	return n
}

// sum is such as "5 tasks: 1 failed, 4 succeeded".
func (e *event) sum() string {
	var parts []string
	for _, o := range outcomes {
		if n := e.Outcomes[o.outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.outcome))
		}
	}
	return fmt.Sprintf("%d tasks: %s", e.total(), strings.Join(parts, ", "))
}

// what says in one line what has happened to the task.
func (e *event) what() string {
	switch {
	case e.Event == eventDone:
		return e.done()
	case e.Event != eventTrouble:
		return strings.Join(e.facts(), ", ")
	}
	s := e.Trouble
	if e.next() > 0 {
		s += fmt.Sprintf(", next try in %v", e.next())
	}
	if e.Error != "" {
		s += " (" + e.Error + ")"
	}
	return s
}

// facts are what is known of a task that runs.
func (e *event) facts() []string {
	facts := []string{e.seen()}
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
		facts = append(facts, fmt.Sprintf("next look in %v", e.next()))
	}
	return facts
}

func (e *event) next() seconds {
	if e.Next == nil {
		return 0
	}
	return *e.Next
}

// seen is the status, and the name where there is one.
func (e *event) seen() string {
	s := "never seen"
	if e.Status != "" {
		s = clip(string(e.Status))
	}
	if e.Name != "" {
		s += " (" + clip(e.Name) + ")"
	}
	return s
}

// done says how the wait for a task has ended.
func (e *event) done() string {
	took := fmt.Sprintf(" after %v", e.Elapsed)
	if e.Took > 0 {
		took = fmt.Sprintf(", took %v", e.Took)
	}
	switch e.Outcome {
	case succeeded, failed, cancelled, deleted:
		return fmt.Sprintf("%s: %s%s", e.Outcome, e.seen(), took)
	case timedOut:
		return fmt.Sprintf("timed out after %v: still %s", e.Elapsed, e.seen())
	case stopped:
		return "stopped waiting: last seen " + e.seen()
	}
	return fmt.Sprintf("%s after %v: %s", e.Outcome, e.Elapsed, e.Error)
}

func rowStatus(e *event) string {
	if e.Event == eventGone {
		return "gone"
	}
	return clip(string(e.Status))
}

// row is a task's row of a list, below heading.
func row(e *event) string {
	took := "-"
	if e.Status.Terminal() {
		took = short(time.Duration(e.Took))
	}
	return columns(clip(e.Task), rowStatus(e), short(time.Duration(e.Age)), took, clip(e.Name))
}

var heading = columns("TASK", "STATUS", "AGE", "DURATION", "NAME")

func columns(task, status, age, took, name string) string {
	return fmt.Sprintf("%-*s  %-10s  %-8s  %-8s  %s", idWidth, task, status, age, took, name)
}

// titled is plain with a heading above the first row.
type titled struct {
	plain
	begun bool
}

func (t *titled) report(e *event) {
	if !t.begun && (e.Event == eventTask || e.Event == eventGone) {
		t.begun = true
		fmt.Fprintln(t.out, heading)
	}
	t.plain.report(e)
}

// rowTime is how long a task took, or has been running, where there is room for one of them.
func rowTime(e *event) string {
	if e.Status.Terminal() {
		return short(time.Duration(e.Took))
	}
	return short(time.Duration(e.Age))
}

// jsonLines writes each event as an object on a line of its own.
type jsonLines struct{ out *json.Encoder }

func newJSONLines(w io.Writer) jsonLines {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return jsonLines{enc}
}

func (j jsonLines) report(e *event) {
	if e.Event != eventPoll {
		_ = j.out.Encode(e) // a reader that is gone does not matter
	}
}

func (jsonLines) close() {}

// silent says nothing but what went wrong.
type silent struct{ errOut io.Writer }

func (s silent) report(e *event) {
	if e.Event == eventDone && e.Outcome != succeeded {
		fmt.Fprintf(s.errOut, "taskwait: %s: %s\n", e.who(), e.done())
	}
}

func (silent) close() {}
