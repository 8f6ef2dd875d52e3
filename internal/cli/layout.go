package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// The columns of a task's line, from left to right.
const (
	colLabel = iota
	colStatus
	colElapsed
	colBar
	colLeft
	colNext
	columnCount
)

// expendable are the columns in the order in which they go when the screen is too narrow for all.
var expendable = []int{colBar, colNext, colLeft, colElapsed}

const (
	barWidth   = 16
	labelWidth = 32 // an id's
	leastLabel = 8
	gap        = "  "
	markWidth  = 2
)

// layout is how wide each column is, the same for all lines; 0: it is not shown.
type layout struct {
	columns int // of the screen
	width   [columnCount]int
}

func newLayout(rows []*event, now time.Time, columns int) *layout {
	l := &layout{columns: columns}
	for _, e := range rows {
		for i, c := range cells(e, now) {
			l.width[i] = max(l.width[i], runewidth.StringWidth(c))
		}
	}
	for _, i := range expendable {
		if l.total() < columns {
			return l
		}
		l.width[i] = 0
	}
	if over := l.total() - columns + 1; over > 0 {
		l.width[colLabel] = max(l.width[colLabel]-over, leastLabel)
	}
	return l
}

// total is how wide a line is.
func (l *layout) total() int {
	n := markWidth - len(gap)
	for _, w := range l.width {
		if w > 0 {
			n += w + len(gap)
		}
	}
	return n
}

// cells are what stands in the columns of a task's line.
func cells(e *event, now time.Time) [columnCount]string {
	since := now.Sub(e.Time)
	c := [columnCount]string{colLabel: label(e), colStatus: statusOf(e)}
	if e.Event == eventDone {
		c[colElapsed] = short(time.Duration(e.Elapsed))
		if e.Took > 0 {
			c[colElapsed] = short(time.Duration(e.Took))
		}
		return c
	}
	c[colElapsed] = whole(time.Duration(e.Elapsed) + since)
	if e.Trouble != "" {
		return c
	}
	c[colBar] = bar(e, since)
	if e.Remaining > 0 {
		c[colLeft] = remaining(e, since)
	}
	if left := time.Duration(e.next()) - since; left > 0 {
		c[colNext] = "next look in " + whole(left)
	} else {
		c[colNext] = "asking"
	}
	return c
}

// label is what a task is called on its line: its kind, which people know, and as much of its id as tells it from others.
func label(e *event) string {
	id := clip(e.Task)
	if e.Name == "" {
		return runewidth.Truncate(id, labelWidth, "…")
	}
	return runewidth.Truncate(clip(e.Name)+" "+id[:min(len(id), leastLabel)], labelWidth, "…")
}

// remaining says how much longer it takes, and what is usual, as far as that is known.
func remaining(e *event, since time.Duration) string {
	left := time.Duration(e.Remaining) - since
	if left <= 0 {
		return "any moment now"
	}
	if e.Typical > 0 {
		return fmt.Sprintf("about %s left of %s", whole(left), whole(time.Duration(e.Typical)))
	}
	return fmt.Sprintf("about %s left", whole(left))
}

// bar is how far the task is: by the service's word, or else by what tasks of its kind usually take; "": unknown.
func bar(e *event, since time.Duration) string {
	done := -1.0
	switch {
	case e.Percent != nil:
		done = float64(*e.Percent) / 100
	case e.Typical > 0 && e.Remaining > 0:
		done = 1 - float64(time.Duration(e.Remaining)-since)/float64(e.Typical)
	}
	if done < 0 && e.Typical == 0 {
		return ""
	}
	n := int(barWidth * min(max(done, 0), 1))
	return strings.Repeat("━", n) + strings.Repeat("╌", barWidth-n)
}

// line is a task's line, without its mark.
func (l *layout) line(e *event, now time.Time, color bool) string {
	c := cells(e, now)
	var b strings.Builder
	for i, w := range l.width {
		if w == 0 {
			continue
		}
		text := runewidth.FillRight(runewidth.Truncate(c[i], w, "…"), w)
		if i == colStatus {
			text = paint(color, statusColor(e), text)
		}
		if b.Len() > 0 {
			b.WriteString(gap)
		}
		b.WriteString(text)
		if i == colElapsed && e.Trouble != "" && e.Event != eventDone {
			break
		}
	}
	return strings.TrimRight(b.String(), " ") + l.tail(e, now, color)
}

// tail is the trouble at hand, in what room the columns leave.
func (l *layout) tail(e *event, now time.Time, color bool) string {
	if e.Trouble == "" || e.Event == eventDone {
		return ""
	}
	used := markWidth + l.width[colLabel] + len(gap) + l.width[colStatus]
	if l.width[colElapsed] > 0 {
		used += len(gap) + l.width[colElapsed]
	}
	room := l.columns - 1 - used - len(gap)
	if room < leastLabel {
		return ""
	}
	return gap + paint(color, yellow, runewidth.Truncate(trouble(e, now), room, "…"))
}
