package cli

import (
	"fmt"
	"strings"
	"time"
)

// The columns of a task's line, from left to right.
const (
	colLabel = iota
	colStatus
	colElapsed
	colPercent
	colBar
	colLeft
	colSeen
	colNext
	columnCount
)

const (
	barWidth   = 16
	shortBar   = 10 // where the words are short too
	idWidth    = 32
	labelWidth = 40
	fairLabel  = 16
	leastLabel = 8 // the part of an id that tells it from others
	gap        = "  "
	markWidth  = 2
)

// layout is how wide each column is, the same for all lines; 0: it is not shown.
type layout struct {
	screen  *screen
	columns int  // of the screen
	compact bool // in as few words as possible, and with the time so far only in place of the percentage
	width   [columnCount]int
}

// newLayout drops, where the screen is too narrow for everything: the next poll; words, and much of the label; the bar;
// how old the answer is; what remains; most of the label; the percentage. The last step shortens the status.
func newLayout(s *screen, rows []*event, now time.Time, columns int) *layout {
	l := &layout{screen: s, columns: columns}
	l.measure(rows, now)
	if l.fits() {
		return l
	}
	l.width[colNext] = 0
	if l.fits() {
		return l
	}
	l.compact = true
	l.measure(rows, now)
	l.width[colNext] = 0
	l.squeeze(colLabel, fairLabel)
	for _, i := range []int{colBar, colSeen, colLeft} {
		if l.fits() {
			return l
		}
		l.width[i] = 0
	}
	l.squeeze(colLabel, leastLabel)
	if !l.fits() {
		l.width[colPercent] = 0
	}
	l.squeeze(colStatus, 1)
	return l
}

func (l *layout) measure(rows []*event, now time.Time) {
	l.width = [columnCount]int{}
	for _, e := range rows {
		for i, c := range l.cells(e, now) {
			l.width[i] = max(l.width[i], width(c))
		}
	}
}

func (l *layout) fits() bool { return l.total() < l.columns }

// squeeze makes a column as narrow as needed, but not below least.
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

// cells are the texts in the columns of a task's line.
func (l *layout) cells(e *event, now time.Time) [columnCount]string {
	since := now.Sub(e.Time)
	c := [columnCount]string{colLabel: l.label(e, labelWidth), colStatus: statusOf(e)}
	c[colElapsed] = whole(time.Duration(e.Elapsed) + since)
	if e.Event == eventDone {
		c[colElapsed] = e.took().String()
	}
	if l.compact {
		c[colPercent], c[colElapsed] = c[colElapsed], ""
	}
	if e.Event == eventDone {
		return c
	}
	if e.Seen != nil {
		c[colSeen] = l.age(time.Duration(*e.Seen) + since)
	}
	if e.Trouble != "" {
		return c
	}
	if done, known := fraction(e, since); known {
		c[colPercent], c[colBar] = percent(e, done), l.bar(done)
	}
	if e.Remaining > 0 {
		c[colLeft] = l.remaining(e, since)
	}
	if left := time.Duration(e.next()) - since; left > 0 {
		c[colNext] = "next poll in " + until(left)
	} else {
		c[colNext] = "polling"
	}
	return c
}

// age is how old an answer is that is shown.
func (l *layout) age(d time.Duration) string {
	if l.compact {
		return whole(d) + " ago"
	}
	return "seen " + whole(d) + " ago"
}

// bar is a bar of which that part is full.
func (l *layout) bar(done float64) string {
	w, g := barWidth, l.screen.glyphs
	if l.compact {
		w = shortBar
	}
	n := int(float64(w) * done)
	return strings.Repeat(g.full, n) + strings.Repeat(g.rest, w-n)
}

// took is how long a task took that has ended, or else how long it was waited for.
func (e *event) took() seconds {
	if e.Took > 0 {
		return e.Took
	}
	return e.Elapsed
}

// label is what a task is called: its kind, which people know, and the head of its id. Where there is no room for both,
// the kind is cut.
func (l *layout) label(e *event, room int) string {
	more := l.screen.glyphs.more
	if e.Name == "" || e.Task == "" {
		return widths.Truncate(e.who(), room, more)
	}
	id := widths.Truncate(e.Task, leastLabel, "")
	left := room - width(id) - 1
	if left < 2 {
		return widths.Truncate(id, room, more)
	}
	return widths.Truncate(e.Name, left, more) + " " + id
}

// remaining says how much longer the task takes, as far as that is known.
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

// fraction is how far the task is, from 0 to 1: by the service's word, or else by what its kind usually takes.
func fraction(e *event, since time.Duration) (done float64, known bool) {
	switch {
	case e.Percent != nil:
		done = float64(*e.Percent) / 100
	case e.Typical > 0 && e.Remaining > 0:
		done = 1 - float64(time.Duration(e.Remaining)-since)/float64(e.Typical)
	default:
		return 0, false
	}
	return min(max(done, 0), 1), true
}

// percent is such as "40%", or "~62%" where it is estimated; an estimate never says that the task has ended.
func percent(e *event, done float64) string {
	if e.Percent != nil {
		return fmt.Sprintf("%d%%", int(done*100+0.5))
	}
	return fmt.Sprintf("~%d%%", min(int(done*100), 99))
}

// line is a task's line, without its mark.
func (l *layout) line(e *event, now time.Time) string {
	if e.Trouble != "" && e.Event != eventDone {
		return l.troubled(e, now)
	}
	return strings.TrimRight(l.join(e, l.cells(e, now), columnCount), " ")
}

// join puts the first n cells of a line side by side.
func (l *layout) join(e *event, texts [columnCount]string, n int) string {
	var parts []string
	for i, w := range l.width[:n] {
		if w == 0 {
			continue
		}
		text := l.cell(texts[i], w)
		switch i {
		case colLabel:
			text = l.cell(l.label(e, w), w)
		case colStatus:
			running := e.Event != eventDone
			if p := texts[colPercent]; running && l.width[colPercent] == 0 && p != "" && width(texts[i]) > w {
				text = l.cell(p, w) // no room for both
			}
			text = l.screen.paint(statusColor(e), text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, gap)
}

func (l *layout) cell(s string, w int) string {
	return widths.FillRight(widths.Truncate(s, w, l.screen.glyphs.more), w)
}

// troubled is the line of a task in trouble: the trouble stands where else the percentage begins, or where there is no
// room for that, after the label. How old the last answer is comes after it, where there is room.
func (l *layout) troubled(e *event, now time.Time) string {
	text, texts := trouble(e, now), l.cells(e, now)
	used := markWidth
	for _, w := range l.width[:colElapsed+1] {
		if w > 0 {
			used += w + len(gap)
		}
	}
	if room := l.columns - 1 - used; width(text) <= room {
		line := l.join(e, texts, colElapsed+1) + gap + l.screen.paint(yellow, text)
		if seen := texts[colSeen]; seen != "" && width(text+gap+seen) <= room {
			line += gap + seen
		}
		return line
	}
	room := l.columns - 1 - markWidth - len(gap)
	w := min(l.width[colLabel], max(room-width(text), leastLabel))
	text = widths.Truncate(text, max(room-w, 1), l.screen.glyphs.more)
	return l.cell(l.label(e, w), w) + gap + l.screen.paint(yellow, text)
}
