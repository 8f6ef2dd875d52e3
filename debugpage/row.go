package debugpage

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
)

// row is one wait. Text from outside is clipped and escaped.
type row struct {
	Task      string   `json:"task"`                     // its id; empty: there is none yet
	Operation string   `json:"operation,omitempty"`      // that is being started
	Kind      string   `json:"kind,omitempty"`           // of the task; empty: unknown
	Status    string   `json:"status,omitempty"`         // empty: it was not seen yet
	Phase     string   `json:"phase,omitempty"`          // the service's own word for the status
	Seen      *seconds `json:"seen,omitempty"`           // since it was last seen; nil: never
	Percent   *int     `json:"percent,omitempty"`        // nil: unknown
	Polls     int      `json:"polls"`                    // so far
	Errors    int      `json:"errors"`                   // and errors among the answers
	Trouble   string   `json:"trouble,omitempty"`        // at hand; empty: none
	Next      seconds  `json:"next"`                     // until the next poll; 0: it is due, or under way
	Remaining *seconds `json:"remaining,omitempty"`      // how much longer it may take; nil: unknown
	Most      *seconds `json:"remaining_most,omitempty"` // in nine cases of ten no more than this; nil: unknown
	Age       seconds  `json:"elapsed"`                  // since the wait began
}

// newRow is what is shown of p, which is of this moment, on a page of now. All that began together have one age: or
// they would change places each time.
func newRow(p *taskwait.Progress, now time.Time) *row {
	age := now.Sub(time.Now().Add(-p.Elapsed)).Round(time.Millisecond)
	t := &p.Task
	r := &row{
		Task: text.Clip(t.ID), Operation: text.Clip(p.Operation), Kind: text.Clip(t.Kind),
		Status: text.Clip(string(t.Status)), Phase: text.Clip(t.Phase), Percent: t.Percent,
		Polls: p.Polls, Errors: p.Errors, Next: seconds(p.Next), Age: seconds(max(age, 0)),
	}
	if t.Status != "" {
		r.Seen = known(p.SeenAgo)
	}
	if p.Err != nil {
		r.Trouble = text.ClipError(p.Err)
	}
	switch {
	case t.Remaining > 0:
		r.Remaining = known(t.Remaining)
	case p.Estimate != nil:
		r.Remaining, r.Most = known(p.Estimate.RemainingP50), known(p.Estimate.RemainingP90)
	}
	return r
}

// has reports whether r has the text s in it, whatever the case.
func (r *row) has(s string) bool {
	if s == "" {
		return true
	}
	for _, c := range []string{r.Task, r.Operation, r.Kind, r.Status, r.Phase, r.Trouble} {
		if strings.Contains(strings.ToLower(c), strings.ToLower(s)) {
			return true
		}
	}
	return false
}

// column is one of the page.
type column struct {
	Name    string // in the parameter sort
	Title   string
	Number  bool // shown at the right
	Text    func(*row) string
	compare func(a, b *row) int
}

var columns = []column{
	textColumn("task", "task", (*row).TaskText),
	textColumn("kind", "kind", func(r *row) string { return r.Kind }),
	textColumn("status", "status", (*row).StatusText),
	{"seen", "seen", true, (*row).SeenText, func(a, b *row) int { return compare(a.Seen, b.Seen) }},
	{"percent", "%", true, (*row).PercentText, func(a, b *row) int { return compare(a.Percent, b.Percent) }},
	{"polls", "polls", true, (*row).PollsText, func(a, b *row) int { return cmp.Compare(a.Polls, b.Polls) }},
	{"next", "next poll", true, (*row).NextText, func(a, b *row) int { return cmp.Compare(a.Next, b.Next) }},
	{"remaining", "may still take", true, (*row).RemainingText, func(a, b *row) int {
		return compare(a.Remaining, b.Remaining)
	}},
	{"age", "age", true, func(r *row) string { return r.Age.String() }, func(a, b *row) int {
		return cmp.Compare(a.Age, b.Age)
	}},
	textColumn("trouble", "trouble", func(r *row) string { return r.Trouble }),
}

func textColumn(name, title string, text func(*row) string) column {
	return column{name, title, false, text, func(a, b *row) int { return cmp.Compare(text(a), text(b)) }}
}

// column is the one that is sorted by; nil: there is none of that name.
func (q *query) column() *column {
	for i := range columns {
		if columns[i].Name == q.Sort {
			return &columns[i]
		}
	}
	return nil
}

func columnNames() string {
	var names []string
	for i := range columns {
		names = append(names, columns[i].Name)
	}
	return strings.Join(names, ", ")
}

// compare compares what may be unknown: that is below all that is known.
func compare[T cmp.Ordered](a, b *T) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(*a, *b)
}

// TaskText is the task's id, or the operation that is to make it.
func (r *row) TaskText() string {
	if r.Task == "" && r.Operation != "" {
		return "to start: " + r.Operation
	}
	return r.Task
}

// StatusText is the status, and the service's own word for it.
func (r *row) StatusText() string {
	if r.Phase != "" && r.Phase != r.Status {
		return r.Status + " (" + r.Phase + ")"
	}
	return r.Status
}

// SeenText says how long ago the status was seen.
func (r *row) SeenText() string {
	if r.Seen == nil {
		return "never"
	}
	return r.Seen.String() + " ago"
}

// PercentText is such as 42%.
func (r *row) PercentText() string {
	if r.Percent == nil {
		return ""
	}
	return strconv.Itoa(*r.Percent) + "%"
}

// PollsText counts the polls, and the errors among the answers.
func (r *row) PollsText() string {
	if r.Errors == 0 {
		return strconv.Itoa(r.Polls)
	}
	return fmt.Sprintf("%d (%s)", r.Polls, text.Count(r.Errors, "error"))
}

// NextText says when the next poll is due.
func (r *row) NextText() string {
	if r.Next == 0 {
		return "now"
	}
	return "in " + r.Next.String()
}

// RemainingText says how long it may still take.
func (r *row) RemainingText() string {
	switch {
	case r.Remaining == nil:
		return ""
	case r.Most == nil || *r.Most <= *r.Remaining:
		return r.Remaining.String()
	}
	return r.Remaining.String() + " to " + r.Most.String()
}

// seconds is a duration, which JSON shows as seconds with at most three decimals.
type seconds time.Duration

func known(d time.Duration) *seconds {
	s := seconds(max(d, 0))
	return &s
}

// MarshalJSON writes such as 1.25.
func (s seconds) MarshalJSON() ([]byte, error) {
	return fmt.Append(nil, math.Round(float64(s)/float64(time.Millisecond))/1000), nil
}

// String is such as 1m30s, to the second.
func (s seconds) String() string { return time.Duration(s).Round(time.Second).String() }
