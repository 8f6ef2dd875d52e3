package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/taskwait/taskwait"
)

// live shows a line for each task that is drawn anew as time goes by, and leaves a plain summary.
type live struct {
	out   io.Writer
	color bool
	stop  func()

	mu   sync.Mutex
	rows []*event       // the latest of each task, in the order of their first
	at   map[string]int // where in rows a task is
	list *event         // the trouble with the list that many tasks share; nil: none
	end  *event
}

// startLive begins to draw with draw.
func startLive(out io.Writer, color bool, draw func(func(columns, rows int) []string) func()) *live {
	l := &live{out: out, color: color, at: map[string]int{}}
	l.stop = draw(func(columns, rows int) []string { return l.view(time.Now(), columns, rows) })
	return l
}

func (l *live) report(e *event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case e.Event == eventStart:
		for _, id := range e.Tasks {
			l.set(&event{Event: eventPoll, Time: e.Time, Task: id})
		}
	case e.Event == eventEnd:
		l.end = e
	case e.who() == "" && e.Event == eventTrouble:
		l.list = e
	default:
		l.set(e)
	}
}

// set makes e what is shown of its task. A task that was looked for by its name gets its id when it is found.
func (l *live) set(e *event) {
	i, known := l.at[e.Task]
	if sought, ok := l.at[""]; ok && !known {
		delete(l.at, "")
		l.at[e.Task], i, known = sought, sought, true
	}
	if !known {
		i = len(l.rows)
		l.at[e.Task], l.rows = i, append(l.rows, nil)
	}
	l.rows[i] = e
}

// close takes the lines away and leaves one for each task, in full.
func (l *live) close() {
	l.stop()
	p := plain{l.out}
	for _, e := range l.rows {
		fmt.Fprintf(l.out, "%s %s  %s\n", l.mark(e, time.Time{}), e.who(), e.what())
	}
	if l.end != nil {
		p.end(l.end)
	}
}

// view is what is on the screen at a time: at most rows-1 lines, none wider than the screen.
func (l *live) view(now time.Time, columns, rows int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) == 0 {
		return l.blank(now, columns)
	}
	shown, hidden := l.choose(max(rows-2, 1)) // the cursor stands below, and there may be a line of more
	lay := newLayout(shown, now, columns)
	var lines []string
	for _, e := range shown {
		lines = append(lines, l.mark(e, now)+" "+lay.line(e, now, l.color))
	}
	var foot []string
	if hidden > 0 {
		foot = append(foot, fmt.Sprintf("and %d more", hidden))
	}
	if l.list != nil && now.Before(l.list.Time.Add(time.Duration(l.list.next()))) {
		foot = append(foot, trouble(l.list, now))
	}
	if len(foot) > 0 {
		lines = append(lines, fit("  "+strings.Join(foot, "; "), columns))
	}
	return lines
}

// blank is what is shown as long as it is not known which tasks are waited for.
func (l *live) blank(now time.Time, columns int) []string {
	what := "asking"
	if l.list != nil {
		what = trouble(l.list, now)
	}
	return []string{fit(spinner(now)+" "+what, columns)}
}

// choose gives the rows that have room: first those that still run.
func (l *live) choose(room int) (shown []*event, hidden int) {
	if len(l.rows) <= room {
		return l.rows, 0
	}
	sorted := slices.Clone(l.rows)
	slices.SortStableFunc(sorted, func(a, b *event) int { return cmp.Compare(ended(a), ended(b)) })
	return sorted[:room], len(l.rows) - room
}

func ended(e *event) int {
	if e.Event == eventDone {
		return 1
	}
	return 0
}

var frames = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

func spinner(now time.Time) string {
	return frames[int(now.UnixMilli()/150)%len(frames)]
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func paint(color bool, code, s string) string {
	if !color || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// mark is the sign at the head of a task's line.
func (l *live) mark(e *event, now time.Time) string {
	switch {
	case e.Event != eventDone:
		return spinner(now)
	case e.Outcome == succeeded:
		return paint(l.color, green, "✓")
	case e.Outcome == timedOut, e.Outcome == stopped:
		return paint(l.color, yellow, "…")
	}
	return paint(l.color, red, "✗")
}

// trouble says what is wrong, and when that is tried again.
func trouble(e *event, now time.Time) string {
	left := time.Duration(e.next()) - now.Sub(e.Time)
	if left <= 0 {
		return e.Trouble + ", trying again"
	}
	return fmt.Sprintf("%s, next try in %s", e.Trouble, until(left))
}

// until is how long something still takes, rounded up to whole seconds in the last minute: it is over at 0.
func until(d time.Duration) string {
	if d < time.Minute {
		d += time.Second - 1
	}
	return whole(d)
}

// whole words a duration in whole seconds, as what moves needs no tenths.
func whole(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", max(d, 0)/time.Second)
	}
	return short(d)
}

func fit(s string, columns int) string { return runewidth.Truncate(s, max(columns-1, 1), "…") }

func statusOf(e *event) string {
	switch {
	case e.Event == eventDone && e.Outcome != succeeded && !e.Status.Terminal():
		return string(e.Outcome)
	case e.Status == "":
		return "asking"
	}
	return clip(string(e.Status))
}

func statusColor(e *event) string {
	switch {
	case e.Status == taskwait.StatusSuccess:
		return green
	case e.Event == eventDone && e.Outcome != timedOut && e.Outcome != stopped:
		return red
	case e.Trouble != "" || e.Event == eventDone:
		return yellow
	}
	return ""
}
