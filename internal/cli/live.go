package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
)

// live shows a line for each task that is drawn again as time goes by, and leaves a summary.
type live struct {
	screen  *screen
	out     sink
	note    func(string) // to standard error
	drawing *drawing

	mu   sync.Mutex
	rows []*event       // the latest of each task, in the order of the first ones
	at   map[string]int // where in rows a task is
	list *event         // the trouble with the list that many tasks share; nil: none
	end  *event

	instance string
	begun    time.Time // the first event
	count    int       // of the tasks that were announced

	warnings []string
}

// startLive begins to draw.
func startLive(s *screen, out sink, note func(string)) *live {
	l := &live{screen: s, out: out, note: note, at: map[string]int{}}
	l.drawing = s.draw(func(columns, rows int) []string { return l.view(time.Now(), columns, rows) })
	return l
}

func (l *live) report(e *event) {
	l.take(e)
	l.drawing.change()
}

func (l *live) take(e *event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.IsZero() {
		l.begun = e.Time
	}
	switch e.Event {
	case eventStart, eventTasks:
		l.count = max(l.count, e.Count)
		l.instance = cmp.Or(l.instance, l.screen.glyphs.text(e.Instance))
		for _, id := range e.Tasks {
			l.set(&event{Event: eventPoll, Time: e.Time, Task: id})
		}
	case eventEnd:
		l.end = e
	case eventTrouble, eventRecovered:
		if e.who() == "" {
			l.list = e
			return
		}
		l.set(e)
	case eventWarning:
		l.warnings = append(l.warnings, e.Message)
	case eventHeartbeat, eventOpen:
	default:
		l.set(e)
	}
}

// set makes e what is shown of its task. A task that was looked up by its name gets its id when it is found.
func (l *live) set(e *event) {
	i, known := l.at[e.Task]
	if named, ok := l.at[""]; ok && !known {
		delete(l.at, "")
		l.at[e.Task], i, known = named, named, true
	}
	if !known {
		i = len(l.rows)
		l.at[e.Task], l.rows = i, append(l.rows, nil)
	}
	l.rows[i] = l.screen.readable(e)
}

// readable is e with text that the terminal can show.
func (s *screen) readable(e *event) *event {
	if !s.glyphs.ascii {
		return e
	}
	shown := *e
	shown.Task, shown.Name = s.glyphs.text(e.Task), s.glyphs.text(e.Name)
	shown.Status = taskwait.Status(s.glyphs.text(string(e.Status)))
	shown.Error, shown.Trouble = s.glyphs.text(e.Error), s.glyphs.text(e.Trouble)
	return &shown
}

// close takes the view away and leaves each task with its end, in full.
func (l *live) close() {
	l.drawing.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	columns, _ := l.screen.size()
	for _, line := range l.summary(columns) {
		l.out([]byte(line+"\n"), false)
	}
	for _, w := range l.warnings {
		l.note(w)
	}
}

// summary is what stays on the screen.
func (l *live) summary(columns int) (lines []string) {
	for _, e := range l.rows {
		for i, line := range wrap(e.last(), max(columns-1-markWidth, leastLabel), gap) {
			if i == 0 {
				lines = append(lines, l.mark(e, time.Time{})+" "+line)
			} else {
				lines = append(lines, gap+line)
			}
		}
	}
	if l.end != nil && l.end.total() > 1 {
		lines = append(lines, wrap(l.end.sum(), columns-1, gap)...)
	}
	return lines
}

// last is the line that stays of a task: of a success its kind, the head of its id, and how long it took; of any other
// end the whole id, by which the task can be found.
func (e *event) last() string {
	named := *e
	named.Name = "" // it is not said twice
	who := e.who()
	if e.Name != "" && e.Task != "" {
		who = e.Name + " " + e.Task
	}
	switch {
	case e.Event != eventDone:
		return who + gap + named.what()
	case e.Outcome == succeeded && e.Name != "":
		return fmt.Sprintf("%s %s %v", e.Name, widths.Truncate(e.Task, leastLabel, ""), e.took())
	case e.Outcome == succeeded:
		return fmt.Sprintf("%s %v", who, e.took())
	case e.Status.Terminal() && slices.Contains([]outcome{failed, cancelled, deleted}, e.Outcome):
		return fmt.Sprintf("%s %v %s%s", who, e.took(), e.Status, e.why())
	}
	return who + gap + sentence(&named)
}

// titleRows is how many rows a screen has, at least, that has one to spare for the title.
const titleRows = 8

// title says of all tasks together how they are, in as many words as there is room for.
func (l *live) title(now time.Time, columns int) string {
	sum := event{Outcomes: map[outcome]int{}}
	for _, e := range l.rows {
		if e.Event == eventDone {
			sum.Outcomes[e.Outcome]++
		}
	}
	all, ended := max(l.count, len(l.rows)), sum.total()
	open := fmt.Sprintf("%d open", all-ended)
	text := fmt.Sprintf("%s: %s", count(all, "task"), strings.Join(append(sum.parts(), open), ", "))
	at := gap + whole(now.Sub(l.begun))
	for _, t := range []string{l.instance + gap + text + at, text + at} {
		if width(strings.TrimSpace(t)) < columns {
			return l.screen.paint(bold, strings.TrimSpace(t))
		}
	}
	return l.screen.paint(bold, l.screen.glyphs.fit(open+at, columns))
}

// view is what is on the screen at a time: at most rows-1 lines, all of them narrower than the screen.
func (l *live) view(now time.Time, columns, rows int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) == 0 {
		what := "polling"
		if l.inTrouble(now) {
			what = trouble(l.list, now)
		}
		return []string{l.screen.glyphs.fit(l.spinner(now)+" "+what, columns)}
	}
	var lines []string
	if rows >= titleRows {
		lines, rows = append(lines, l.title(now, columns)), rows-1
	}
	shown, hidden := choose(l.rows, max(rows-2, 1)) // one line for the cursor, one for "and more"
	lay := newLayout(l.screen, shown, now, columns)
	for _, e := range shown {
		lines = append(lines, l.mark(e, now)+" "+lay.line(e, now))
	}
	var foot []string
	if hidden > 0 {
		foot = append(foot, fmt.Sprintf("and %d more", hidden))
	}
	if l.inTrouble(now) {
		foot = append(foot, trouble(l.list, now))
	}
	if len(foot) > 0 {
		lines = append(lines, l.screen.glyphs.fit(gap+strings.Join(foot, "; "), columns))
	}
	return lines
}

// inTrouble reports whether the list could not be read, and the next try is still to come.
func (l *live) inTrouble(now time.Time) bool {
	return l.list != nil && l.list.Event == eventTrouble && now.Before(l.list.Time.Add(time.Duration(l.list.next())))
}

// choose gives the rows for which there is room: those that have not ended come first.
func choose(rows []*event, room int) (shown []*event, hidden int) {
	if len(rows) <= room {
		return rows, 0
	}
	for _, wanted := range []bool{false, true} {
		for _, e := range rows {
			if (e.Event == eventDone) == wanted && len(shown) < room {
				shown = append(shown, e)
			}
		}
	}
	return shown, len(rows) - len(shown)
}

func (l *live) spinner(now time.Time) string {
	frames := l.screen.glyphs.spinner
	return frames[now.Unix()%int64(len(frames))]
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

func (s *screen) paint(code, text string) string {
	if !s.color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// mark is the sign at the head of a task's line.
func (l *live) mark(e *event, now time.Time) string {
	g := l.screen.glyphs
	switch {
	case e.Event != eventDone && now.IsZero():
		return g.off
	case e.Event != eventDone:
		return l.spinner(now)
	case e.Outcome == succeeded:
		return l.screen.paint(green, g.good)
	case e.Outcome.maybeRunning() && e.Outcome != noAnswer:
		return l.screen.paint(yellow, g.off)
	}
	return l.screen.paint(red, g.bad)
}

// trouble says what is wrong, and when the next try comes.
func trouble(e *event, now time.Time) string {
	left := time.Duration(e.next()) - now.Sub(e.Time)
	if left <= 0 {
		return e.Trouble + ", trying again"
	}
	return fmt.Sprintf("%s, next try in %s", e.Trouble, until(left))
}

// until is how long something still takes, rounded up to whole seconds in the last minute.
func until(d time.Duration) string {
	if d < time.Minute {
		d += time.Second - 1
	}
	return whole(d)
}

func statusOf(e *event) string {
	switch {
	case e.Event == eventDone && e.Outcome != succeeded && !e.Status.Terminal():
		return string(e.Outcome)
	case e.Status == "":
		return "polling"
	}
	return string(e.Status)
}

func statusColor(e *event) string {
	switch {
	case e.Status == taskwait.StatusSuccess:
		return green
	case e.Event == eventDone && !slices.Contains([]outcome{timedOut, unknown, stopped}, e.Outcome):
		return red
	case e.Trouble != "" || e.Event == eventDone:
		return yellow
	}
	return ""
}
