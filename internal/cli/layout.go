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

const (
	barWidth   = 16
	idWidth    = 32
	labelWidth = 40
	leastLabel = 8 // what an id is told by
	fairLabel  = 16
	gap        = "  "
	markWidth  = 2
)

// layout is how wide each column is, the same for all lines; 0: it is not shown.
type layout struct {
	columns int  // of the screen
	compact bool // what remains in as few words as can be
	width   [columnCount]int
}

// newLayout gives up, where the screen is too narrow for all, the bar, the next look, the words around what remains, most of the
// label, what remains, and how long it has taken so far, in this order.
func newLayout(rows []*event, now time.Time, columns int) *layout {
	l := &layout{columns: columns}
	l.measure(rows, now)
	for _, i := range []int{colBar, colNext} {
		if l.fits() {
			return l
		}
		l.width[i] = 0
	}
	if l.fits() {
		return l
	}
	l.compact = true
	l.measure(rows, now)
	l.width[colBar], l.width[colNext] = 0, 0
	l.squeeze(colLabel, fairLabel)
	for _, i := range []int{colLeft, colElapsed} {
		if l.fits() {
			return l
		}
		l.width[i] = 0
	}
	l.squeeze(colLabel, leastLabel)
	l.squeeze(colStatus, 1)
	return l
}

func (l *layout) measure(rows []*event, now time.Time) {
	l.width = [columnCount]int{}
	for _, e := range rows {
		for i, c := range l.cells(e, now) {
			l.width[i] = max(l.width[i], runewidth.StringWidth(c))
		}
	}
}

func (l *layout) fits() bool { return l.total() < l.columns }

// squeeze makes a column narrower, to least at most, as far as it is needed.
func (l *layout) squeeze(column, least int) {
	if over := l.total() - l.columns + 1; over > 0 {
		l.width[column] = min(l.width[column], max(l.width[column]-over, least))
	}
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
func (l *layout) cells(e *event, now time.Time) [columnCount]string {
	since := now.Sub(e.Time)
	c := [columnCount]string{colLabel: label(e, labelWidth), colStatus: statusOf(e)}
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
		c[colLeft] = l.remaining(e, since)
	}
	if left := time.Duration(e.next()) - since; left > 0 {
		c[colNext] = "next look in " + until(left)
	} else {
		c[colNext] = "asking"
	}
	return c
}

// label is what a task is called on its line: its kind, which people know, and as much of its id as tells it from others.
// Where there is no room for both the kind is cut.
func label(e *event, width int) string {
	id := clip(e.Task)
	if e.Name == "" || id == "" {
		return runewidth.Truncate(e.who(), width, "…")
	}
	id = id[:min(len(id), leastLabel)]
	room := width - len(id) - 1
	if room < 2 {
		return runewidth.Truncate(id, width, "…")
	}
	return runewidth.Truncate(clip(e.Name), room, "…") + " " + id
}

// remaining says how much longer it takes, and what is usual, as far as that is known.
func (l *layout) remaining(e *event, since time.Duration) string {
	left := time.Duration(e.Remaining) - since
	switch {
	case left <= 0 && l.compact:
		return "soon"
	case left <= 0:
		return "any moment now"
	case l.compact:
		return until(left) + " left"
	}
	if e.Typical > 0 {
		return fmt.Sprintf("about %s left of %s", until(left), whole(time.Duration(e.Typical)))
	}
	return fmt.Sprintf("about %s left", until(left))
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
	if e.Trouble != "" && e.Event != eventDone {
		return l.troubled(e, now, color)
	}
	return strings.TrimRight(l.side(e, l.cells(e, now), columnCount, color), " ")
}

// side puts the first n cells of a line side by side.
func (l *layout) side(e *event, texts [columnCount]string, n int, color bool) string {
	var parts []string
	for i, w := range l.width[:n] {
		if w == 0 {
			continue
		}
		text := cell(texts[i], w)
		switch i {
		case colLabel:
			text = cell(label(e, w), w)
		case colStatus:
			text = paint(color, statusColor(e), text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, gap)
}

func cell(s string, width int) string {
	return runewidth.FillRight(runewidth.Truncate(s, width, "…"), width)
}

// troubled is the line of a task in trouble, which says so instead of how far it is; where there is no room for both,
// instead of all that is known of it.
func (l *layout) troubled(e *event, now time.Time, color bool) string {
	text := trouble(e, now)
	texts := l.cells(e, now)
	used := markWidth
	for _, w := range l.width[:colElapsed+1] {
		if w > 0 {
			used += w + len(gap)
		}
	}
	if room := l.columns - 1 - used; runewidth.StringWidth(text) <= room {
		return l.side(e, texts, colElapsed+1, color) + gap + paint(color, yellow, text)
	}
	room := l.columns - 1 - markWidth - len(gap)
	w := min(l.width[colLabel], max(room-runewidth.StringWidth(text), leastLabel))
	return cell(label(e, w), w) + gap + paint(color, yellow, runewidth.Truncate(text, max(room-w, 1), "…"))
}
