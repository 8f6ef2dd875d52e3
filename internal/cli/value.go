package cli

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/taskwait/taskwait/httptasks"
)

// value puts what --print asks for into the event of a task that succeeded.
func (r *run) value(e *event, raw any) {
	if r.print == "" {
		return
	}
	job, ok := raw.(*json.RawMessage)
	if ok {
		found, _ := httptasks.Lookup(*job, r.print) // the place was checked
		e.Value = valueText(found)
	}
	r.noValue = e.Value == ""
}

// valueText is a JSON value as text: a string as it is, everything else as JSON. What does not print is escaped.
func valueText(found json.RawMessage) string {
	var s string
	if json.Unmarshal(found, &s) != nil {
		var b bytes.Buffer
		_ = json.Compact(&b, found) // it was decoded before
		s = b.String()
	}
	return printable(s)
}

// valueCode is the exit code of a success as far as the value goes, and what is wrong with that.
func (r *run) valueCode() (code int, fault string) {
	cut := func(e *event) bool { return e.Value != "" && !bytes.Contains(encode(e), []byte(`"value":"`)) }
	switch {
	case r.noValue:
		return codeOutput, "--print: there is nothing at " + clip(r.print)
	case r.printing.output == outputJSON && slices.ContainsFunc(r.last, cut):
		return codeOutput, "--print: what is at " + clip(r.print) + " is too long for a line of JSON"
	}
	return codeOK, ""
}

// reports is what prints. Standard output is for the value alone, if one is printed, unless it is a terminal.
func (r *run) reports() reporter {
	if r.print != "" && r.env.screen == nil && r.forPeople {
		return textReporter{r.env.errOut.offer, r.env.hint}
	}
	return r.env.reporter(r.printing)
}

// printValue prints what --print asks for. In JSON it is in the event.
func (r *run) printValue(events []*event) {
	if r.printing.output == outputJSON && !r.printing.quiet {
		return
	}
	for _, e := range events {
		if e.Event == eventDone && e.Value != "" {
			r.env.out.offer([]byte(e.Value+"\n"), false)
		}
	}
}
