package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// testRows are tasks in all states that a line can show.
func testRows() []*event {
	percent := 40
	return []*event{
		{Event: eventDone, Task: "943be81e20336c53de2c8ab40991839c", Name: "kafkaConfigModify",
			Status: taskwait.StatusSuccess, Outcome: succeeded, Took: seconds(1500 * time.Millisecond)},
		{Event: eventDone, Task: "8f0bb9074424c864d7074dc166d70891", Name: "bindInstancePublicIp",
			Status: taskwait.StatusFailed, Outcome: failed, Took: seconds(72 * time.Second)},
		{
			Event: eventStatus, Task: "5a5f490886bb10e017734aba2aa3a2a8", Name: "kafkaInstanceExtend",
			Status: taskwait.StatusExecuting, Seen: after(3 * time.Second),
			Elapsed: seconds(70 * time.Second), Next: after(12 * time.Second), Typical: seconds(3 * time.Minute),
			Remaining: seconds(2 * time.Minute),
		},
		{Event: eventProgress, Task: "resize-7", Status: taskwait.StatusExecuting, Percent: &percent,
			Elapsed: seconds(time.Minute), Next: after(3 * time.Second), Seen: after(0)},
		{Event: eventTrouble, Task: "738ac35498fd05a947faeb620099578e", Name: "kafkaUpgrade",
			Status: taskwait.StatusExecuting, Elapsed: seconds(time.Minute), Trouble: "throttled",
			Seen: after(41 * time.Second), Next: after(14 * time.Second)},
		{Event: eventDone, Task: "long", Name: "升级任务", Status: taskwait.StatusExecuting, Outcome: timedOut,
			Elapsed: seconds(time.Hour)},
		{Event: eventPoll, Task: "00000000000000000000000000000000"},
	}
}

// newTestLive is a live view that is not drawn, with Unicode.
func newTestLive(color bool) *live {
	l := &live{screen: &screen{glyphs: unicodeGlyphs, color: color}, at: map[string]int{}}
	l.take(&event{Event: eventStart, Time: noon.Add(-70 * time.Second), Instance: testInstance})
	for _, e := range testRows() {
		e.Time = noon
		l.take(e)
	}
	return l
}

// TestView compares what is on the screen two seconds after the last event with testdata, for wide and narrow screens.
func TestView(t *testing.T) {
	for _, columns := range []int{120, 80, 60, 40, 20} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			lines := newTestLive(false).view(noon.Add(2*time.Second), columns, 24)
			if len(lines) != 1+len(testRows()) {
				t.Errorf("got %d lines, want a title, and one for each of %d tasks", len(lines), len(testRows()))
			}
			for _, line := range lines {
				if w := width(line); w >= columns {
					t.Errorf("got a line of %d columns, want less than %d: %q", w, columns, line)
				}
			}
			golden(t, fmt.Sprintf("view-%d.txt", columns), strings.Join(lines, "\n")+"\n")
		})
	}
}

// TestViewHeight puts the tasks that run first where there is no room for all.
func TestViewHeight(t *testing.T) {
	lines := newTestLive(false).view(noon, 80, 6)
	if len(lines) != 5 || !strings.Contains(lines[4], "and 3 more") {
		t.Fatalf("got\n%s\nwant 4 tasks, and 3 more", strings.Join(lines, "\n"))
	}
	for _, line := range lines[:4] {
		if strings.ContainsAny(line, "✓✗") {
			t.Errorf("got %q, want tasks that run", line)
		}
	}
	if lines := newTestLive(false).view(noon, 80, 1); len(lines) != 2 {
		t.Errorf("got %d lines on a screen of one, want a task and how many more", len(lines))
	}
}

func TestViewColor(t *testing.T) {
	plain, color := newTestLive(false).view(noon, 80, 24), newTestLive(true).view(noon, 80, 24)
	for i := range plain {
		if strings.Contains(plain[i], "\x1b") {
			t.Errorf("without color: got %q, want no control character", plain[i])
		}
		if got := uncolored(color[i]); got != plain[i] {
			t.Errorf("with color: got %q, want but for the color %q", got, plain[i])
		}
	}
	if !strings.Contains(color[2], "\x1b[31m✗\x1b[0m") {
		t.Errorf("got %q, want a failure in red", color[2])
	}
}

func uncolored(s string) string {
	return strings.NewReplacer("\x1b[1m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(s)
}

// TestViewTime lets time pass without an event.
func TestViewTime(t *testing.T) {
	l := newTestLive(false)
	for _, tt := range []struct {
		name  string
		after time.Duration
		row   int
		want  string
	}{
		{"elapsed", 5 * time.Second, 2, "1m15s"},
		{"the age of what is shown", 5 * time.Second, 2, "seen 8s ago"},
		{"the age in trouble", 2 * time.Second, 4, "next try in 12s  seen 43s ago"},
		{"next poll", 5 * time.Second, 2, "next poll in 7s"},
		{"the poll is due", 13 * time.Second, 2, "polling"},
		{"remaining", 30 * time.Second, 2, "about 1m30s left of 3m"},
		{"any moment", 3 * time.Minute, 2, "any moment now"},
		{"the bar", 45 * time.Second, 2, "━━━━━━━━━╌╌╌╌╌╌╌"},
		{"trouble", 2 * time.Second, 4, "throttled, next try in 12s"},
		{"trouble is over soon", 15 * time.Second, 4, "throttled, trying again"},
		{"what has ended stands still", time.Hour, 1, "1m12s"},
	} {
		if lines := l.view(noon.Add(tt.after), 160, 24)[1:]; !strings.Contains(lines[tt.row], tt.want) {
			t.Errorf("%s: got %q, want %q in it", tt.name, lines[tt.row], tt.want)
		}
	}
}

// TestViewOfTheList shows the trouble with the list that many tasks share, for as long as it lasts.
func TestViewOfTheList(t *testing.T) {
	l := newTestLive(false)
	l.take(&event{Event: eventTrouble, Time: noon, Trouble: "throttled", Next: after(5 * time.Second)})
	if lines := l.view(noon, 80, 24); lines[len(lines)-1] != "  throttled, next try in 5s" {
		t.Errorf("got %q, want the trouble", lines[len(lines)-1])
	}
	if lines := l.view(noon.Add(6*time.Second), 80, 24); len(lines) != 1+len(testRows()) {
		t.Errorf("got %q, want nothing of it any more", lines[len(lines)-1])
	}
}

// TestViewBlank is what is shown before it is known which tasks there are.
func TestViewBlank(t *testing.T) {
	l := &live{screen: &screen{glyphs: unicodeGlyphs}, at: map[string]int{}}
	if lines := l.view(noon, 80, 24); len(lines) != 1 || !strings.HasSuffix(lines[0], " polling") {
		t.Errorf("got %q, want that it polls", lines)
	}
	l.take(&event{Event: eventTrouble, Time: noon, Trouble: "no answer", Next: after(5 * time.Second)})
	if lines := l.view(noon, 80, 24); len(lines) != 1 || !strings.HasSuffix(lines[0], " no answer, next try in 5s") {
		t.Errorf("got %q, want the trouble", lines)
	}
}

// TestSummary is what is left when the live view has gone: no line is wider than the screen.
func TestSummary(t *testing.T) {
	for _, columns := range []int{120, 80, 40, 20} {
		l := newTestLive(false)
		l.take(&event{Event: eventEnd, Outcomes: map[outcome]int{succeeded: 1, failed: 1}})
		lines := l.summary(columns)
		for _, line := range lines {
			if w := width(line); w >= columns {
				t.Errorf("got a line of %d columns, want less than %d: %q", w, columns, line)
			}
		}
		golden(t, fmt.Sprintf("summary-%d.txt", columns), strings.Join(lines, "\n")+"\n")
	}
}

func TestShort(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0.0s"}, {0, "0.0s"}, {1234 * time.Millisecond, "1.2s"}, {12345 * time.Millisecond, "12s"},
		{90 * time.Second, "1m30s"}, {2 * time.Minute, "2m"}, {2*time.Hour + 31*time.Second, "2h1m"}, {26 * time.Hour,
			"26h0m"},
	} {
		if got := short(tt.d); got != tt.want {
			t.Errorf("short(%v) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"abc-1": "abc-1", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "https://x:1/y": "https://x:1/y",
		"a\nb": "'a\nb'",
	} {
		if got := quote(s); got != want {
			t.Errorf("quote(%q) = %s, want %s", s, got, want)
		}
	}
}
