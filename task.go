package taskwait

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

// Task is what a service says of one task.
type Task struct {
	// empty: filled in with the id that was asked for; another id counts as not found
	ID string `json:"id"`
	// the kind of task, such as "bindInstancePublicIp"; empty: unknown
	Kind   string `json:"kind,omitempty"`
	Status Status `json:"status"` // as the service words it, known or not
	// the service's code for why it failed; empty: it has none, as DMS for Kafka
	FailureCode   string `json:"failureCode,omitempty"`
	FailureReason string `json:"failureReason,omitempty"` // and in its words
	// the service's own word, where Status is a translation of it: "RESTARTING"; empty: it is not
	Phase   string `json:"phase,omitempty"`
	Percent *int   `json:"percent,omitempty"` // 0 to 100 as the service reports it; nil: unknown
	// the parts of the task, in the service's order; nil: unknown
	Steps []Step `json:"steps,omitempty"`
	// the service's own estimate; 0: unknown; nanoseconds in JSON
	Remaining time.Duration `json:"remaining,omitempty"`
	CreatedAt time.Time     `json:"createdAt,omitzero"` // by the service's clock; zero: unknown
	// by the service's clock; an end only once Status is terminal; zero: unknown
	UpdatedAt time.Time `json:"updatedAt,omitzero"`

	// RetryAfter is the service's wish for the next query, from this answer; 0: none. It is honoured like that of an
	// error, up to 5 min; the schedule's pause stands if it is longer. Nanoseconds in JSON.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`

	AsOf time.Time `json:"asOf,omitzero"` // when the service said all this, by its own clock; zero: unknown

	// Unconfirmed is set by the wait, never by a Source: Status is SUCCESS, but it was not seen as often in a row as
	// [WithConfirmations] wants.
	Unconfirmed bool `json:"unconfirmed,omitempty"`

	// Raw is the SDK's own value, for code that needs what is not above. It may hold passwords (a task's params do), so
	// nothing in this module prints it: not fmt with any verb, not JSON, not a logger. A Source stores a pointer here,
	// never a struct, so that a printed struct around the Task does not show it either.
	Raw any `json:"-"`
}

// Step is one part of a task.
type Step struct {
	Name string `json:"name"`
	// as the service words it; DMS: WAITING, IN_PROGRESS, COMPLETED or FAILED
	Status    string    `json:"status"`
	StartedAt time.Time `json:"startedAt,omitzero"` // by the service's clock; zero: not yet, or unknown
	EndedAt   time.Time `json:"endedAt,omitzero"`   // by the service's clock; zero: not yet, or unknown
}

// Took returns how long the task took by the service's own account, from CreatedAt to UpdatedAt. 0: unknown, because a
// time is missing or the status is not terminal. (Of a task that runs, UpdatedAt is no end: DMS fills it in from the
// start.)
func (t Task) Took() time.Duration {
	if !t.Status.Terminal() || t.CreatedAt.IsZero() || t.UpdatedAt.IsZero() {
		return 0
	}
	return max(t.UpdatedAt.Sub(t.CreatedAt), 0)
}

// String gives the task's facts on one line, without Raw, foreign text cut and escaped.
func (t Task) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "task %s: %s", text.Quote(t.ID), statusText(&t))
	if t.Percent != nil {
		fmt.Fprintf(&b, ", %d%%", *t.Percent)
	}
	if t.Remaining > 0 {
		fmt.Fprintf(&b, ", %v left", t.Remaining.Round(time.Second))
	}
	if f := failureText(&t); f != "" {
		b.WriteString(", " + f)
	}
	return b.String()
}

// Format writes what String gives, whatever the verb and its flags. Without it %+v and %#v would print Raw.
func (t Task) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// statusText is how a message words the state of a task: the status, and the kind of task where it is known.
func statusText(t *Task) string {
	s := text.Clip(string(t.Status))
	switch {
	case t.Status == "":
		s = "no status"
	case !t.Status.known():
		s = text.Quote(string(t.Status)) + " (an unknown status)"
	}
	return s + progressText(t) + inBrackets(text.Clip(t.Kind))
}

// progressText is what follows the status in a message: the phase, and that it is not confirmed.
func progressText(t *Task) (s string) {
	if t.Phase != "" {
		s += ", phase " + text.Clip(t.Phase)
	}
	if t.Unconfirmed {
		s += ", unconfirmed"
	}
	return s
}

// inBrackets gives those of the texts that are not empty in brackets; none: nothing.
func inBrackets(all ...string) string {
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// sighting is what the answers of a wait have shown of its task that has not ended, and when.
type sighting struct {
	known   bool          // ago is: it was seen
	ago     time.Duration // since the query that has seen it last
	failing int           // answers since that were errors
	refused bool          // never seen, but there was an answer: not found, or refused
	polls   int
}

// text is the one sentence on what was last seen of t. It says no more than the answers have shown.
func (g *sighting) text(t *Task) string {
	status, of := text.Clip(string(t.Status)), "last seen "
	lead := ""
	if !t.Status.known() {
		status, of = text.Quote(string(t.Status)), "last seen in a status that is not known, "
		lead = "answered, in a status that is not known: "
	}
	status += progressText(t)
	ago := g.ago.Round(time.Second).String() + " ago"
	switch {
	case t.Status == "" && g.refused:
		return "never seen"
	case t.Status == "" && g.polls == 0:
		return "not polled yet"
	case t.Status == "":
		return "never answered"
	case !g.known:
		return of + status + inBrackets(text.Clip(t.Kind))
	case g.failing == 0:
		return lead + status + inBrackets(text.Clip(t.Kind), "seen "+ago)
	}
	since := "; since then " + text.Count(g.failing, "poll") + " failed"
	return of + status + inBrackets(text.Clip(t.Kind)) + " " + ago + since
}

func failureText(t *Task) string {
	return strings.TrimSpace(text.Clip(t.FailureCode) + " " + text.Clip(t.FailureReason))
}
