package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hinshun/vt10x"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// model is a terminal in memory.
type model struct {
	mu     sync.Mutex
	vt     vt10x.Terminal
	frames int
}

func newModel(columns, rows int) *model { return &model{vt: vt10x.New(vt10x.WithSize(columns, rows))} }

// Write takes a frame.
func (m *model) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frames++
	return m.vt.Write(p)
}

func (m *model) resize(columns, rows int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vt.Resize(columns, rows)
}

func (m *model) size() (columns, rows int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vt.Size()
}

// lines are those that are not empty.
func (m *model) lines() (lines []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for line := range strings.Lines(m.vt.String()) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (m *model) screen() *screen { return &screen{out: m, size: m.size, glyphs: unicodeGlyphs} }

// TestFrames counts how often is drawn.
func TestFrames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		slow      bool
		moving    bool          // the view is another one each time
		events    time.Duration // between two of them; 0: none
		want, max int           // frames within ten seconds
	}{
		{"nothing changes", false, false, 0, 1, 1},
		{"time goes by", false, true, 0, 10, 12},
		{"events without a change", false, false, 10 * time.Millisecond, 1, 1},
		{"many events", false, true, time.Millisecond, 50, 101},
		{"many events in CI", true, true, time.Millisecond, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, n := newModel(80, 24), 0
				s := m.screen()
				s.slow = tt.slow
				d := s.draw(func(int, int) []string {
					if tt.moving {
						n++
					}
					return []string{fmt.Sprint("view ", n)}
				})
				for began := time.Now(); time.Since(began) < 9999*time.Millisecond; {
					time.Sleep(max(tt.events, time.Millisecond))
					if tt.events > 0 {
						d.change()
					}
				}
				d.end()
				got := m.frames - 1 // the last one takes the view away
				if got < tt.want || got > tt.max {
					t.Errorf("got %d frames, want %d to %d", got, tt.want, tt.max)
				}
				if lines := m.lines(); len(lines) != 0 {
					t.Errorf("got %q at the end, want nothing left", lines)
				}
			})
		})
	}
}

// TestResize: whatever the size has become, a second later the screen holds the view and nothing else.
func TestResize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(80, 24)
		_, _ = fmt.Fprint(m, "\r\n\r\n$ taskwait\r\n")
		l := &live{screen: m.screen(), at: map[string]int{}, out: func([]byte, bool) {}}
		for _, e := range testRows() {
			e.Time = time.Now()
			l.take(e)
		}
		l.drawing = l.screen.draw(func(columns, rows int) []string { return l.view(time.Now(), columns, rows) })
		for _, size := range [][2]int{{80, 24}, {40, 24}, {20, 24}, {80, 24}, {80, 6}, {20, 3}, {120, 40}, {1, 1}, {3,
			2}, {80, 24}} {
			m.resize(size[0], size[1])
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			var want []string
			for _, line := range l.view(time.Now(), size[0], size[1]) {
				want = append(want, strings.TrimRight(line, " "))
			}
			want = want[:min(len(want), max(size[1]-1, 1))]
			got := m.lines()
			got = got[max(len(got)-len(want), 0):]
			if size[0] > 3 && strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%v: got\n%s\nwant\n%s", size, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if n := rowsStarting(m.lines(), "✓ "); size[0] > 3 && n > 1 {
				t.Errorf("%v: got %d rows of one task, want one:\n%s", size, n, strings.Join(m.lines(), "\n"))
			}
		}
		l.close()
	})
}

func rowsStarting(lines []string, head string) (n int) {
	for _, line := range lines {
		if strings.HasPrefix(line, head) {
			n++
		}
	}
	return n
}

// TestFrameAtTheBottom: a frame that begins on the last row of the screen scrolls it once, and stays in place.
func TestFrameAtTheBottom(t *testing.T) {
	m := newModel(20, 5)
	_, _ = fmt.Fprint(m, strings.Repeat("old\r\n", 4)+"\r")
	s, f := m.screen(), &frame{}
	for i := range 5 {
		f.draw(s, func(int, int) []string {
			return []string{fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c",
				i)}
		})
	}
	if got := strings.Join(m.lines(), " "); got != "old old a4 b4 c4" {
		t.Errorf("got %q, want the last frame below what was there", got)
	}
	f.draw(s, func(int, int) []string { return []string{"one"} })
	if got := strings.Join(m.lines(), " "); got != "old old one" {
		t.Errorf("got %q, want no row of the frame before", got)
	}
	f.draw(s, func(int, int) []string { return nil })
	if got := strings.Join(m.lines(), " "); got != "old old" {
		t.Errorf("got %q, want an empty frame", got)
	}
}

// TestTerminalDisagrees: a line that is wider than we think is cut by the terminal, not wrapped.
func TestTerminalDisagrees(t *testing.T) {
	m := newModel(10, 5)
	f := &frame{}
	f.draw(m.screen(), func(int, int) []string { return []string{"0123456789abc", "second"} })
	if got := m.lines(); len(got) != 2 || got[1] != "second" {
		t.Errorf("got %q, want two lines", got)
	}
	_, _ = fmt.Fprint(m, "\r0123456789abc")
	if got := m.lines(); len(got) != 2 || got[1] != "abcond" {
		t.Errorf("got %q, want that lines wrap again afterwards", got)
	}
}

// TestBlockedTerminal: a terminal that was stopped with Ctrl-S does not keep the command from ending.
func TestBlockedTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		b := blocked{make(chan struct{})}
		w.stdout, w.screen = b, &screen{out: b, glyphs: unicodeGlyphs, size: func() (int, int) { return 80, 24 }}
		began := time.Now()
		code, _, _ := w.run(t.Context(), "kafka", "wait", "--timeout", "30s", "long")
		if took := time.Since(began); code != 5 || took > 33*time.Second {
			t.Errorf("got code %d after %v, want 5 soon after the timeout", code, took)
		}
		close(b.open)
	})
}

func TestGlyphs(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want *glyphs
	}{
		{nil, asciiGlyphs},
		{map[string]string{"LANG": "C"}, asciiGlyphs},
		{map[string]string{"LANG": "en_US.UTF-8"}, unicodeGlyphs},
		{map[string]string{"LANG": "en_US.utf8"}, unicodeGlyphs},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "C"}, asciiGlyphs},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8"}, unicodeGlyphs},
		{map[string]string{"LANG": "de_DE.ISO-8859-1"}, asciiGlyphs},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, asciiGlyphs},
	} {
		if got := glyphsFor(func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.env, got, tt.want)
		}
	}
}

// TestASCII: without Unicode there is none on the screen, whatever the service says.
func TestASCII(t *testing.T) {
	for _, columns := range []int{120, 80, 40, 20} {
		l := newTestLive(false)
		l.screen.glyphs = asciiGlyphs
		for _, e := range testRows() {
			e.Time = noon
			l.take(e)
		}
		lines := append(l.view(noon, columns, 24), l.summary(columns)...)
		if text := strings.Join(lines, "\n"); strings.IndexFunc(text, func(r rune) bool { return r > '~' }) >= 0 {
			t.Errorf("%d columns: got\n%s\nwant ASCII", columns, text)
		}
	}
}

// TestSizeUnknown: a terminal of 0 × 0 is one that does not know its size.
func TestSizeUnknown(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, tt := range []struct {
		columns, lines string
		want           [2]int
	}{{"", "", [2]int{80, 24}}, {"132", "50", [2]int{132, 50}}, {"0", "-1", [2]int{80, 24}}, {"x", "", [2]int{80,
		24}}} {
		env := map[string]string{"COLUMNS": tt.columns, "LINES": tt.lines}
		columns, rows := sizeOf(file, func(name string) string { return env[name] })
		if got := [2]int{columns, rows}; got != tt.want {
			t.Errorf("%v: got %v, want %v", env, got, tt.want)
		}
	}
}

// TestLabelRunes: a label is never cut within a character.
func TestLabelRunes(t *testing.T) {
	l := &layout{screen: &screen{glyphs: unicodeGlyphs}}
	for room := range 20 {
		for _, e := range []*event{{Task: "ééééééééééé", Name: "升级任务"}, {Task: "升级任务升级任务"}, {Name: "升级"}} {
			if got := l.label(e, room); strings.ContainsRune(got, '\ufffd') || width(got) > max(room, 1) {
				t.Errorf("label(%d) = %q, want whole characters in that room", room, got)
			}
		}
	}
}

// TestSpinner: any time has a frame, on machines of 32 bits too.
func TestSpinner(t *testing.T) {
	l := newTestLive(false)
	for _, at := range []time.Time{noon, time.Unix(0, 0), time.Unix(1<<40, 0)} {
		if l.spinner(at) == "" {
			t.Errorf("%v: got no frame", at)
		}
	}
}

// TestNarrowList fits a list on a terminal without --watch, too.
// TestASCIIHint: what else is written to such a terminal is ASCII too, a list that is not redrawn and what people are
// told.
func TestASCIIHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.errColumns = func() int { return 80 }
		w.screen = &screen{out: &bytes.Buffer{}, glyphs: asciiGlyphs, size: func() (int, int) { return 80, 24 }}
		w.cloud.AddTask(testInstance, fakekafka.Script{ID: "a", Name: "\u6f22", Duration: time.Hour})
		w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Error(403, "DMS.1", "\u7981"))
		_, listed, _ := w.run(t.Context(), "kafka", "list")
		_, _, said := w.run(t.Context(), "kafka", "wait", "--quiet", "a")
		if !strings.Contains(listed, `\u6f22`) || !strings.Contains(said, `\u7981`) {
			t.Errorf("got %s and %s, want both names escaped", listed, said)
		}
	})
}

func TestNarrowList(t *testing.T) {
	for _, columns := range []int{80, 40, 20} {
		synctest.Test(t, func(t *testing.T) {
			w := newTestEnv(t)
			w.screen = &screen{out: &bytes.Buffer{}, glyphs: unicodeGlyphs, size: func() (int, int) {
				return columns,
					24
			}}
			w.cloud.AddTask(testInstance, script(strings.Repeat("0", 32), time.Hour, taskwait.StatusSuccess))
			_, stdout, _ := w.run(t.Context(), "kafka", "list")
			for line := range strings.Lines(stdout) {
				if n := width(strings.TrimSuffix(line, "\n")); n >= columns {
					t.Errorf("got a line of %d columns, want less than %d: %s", n, columns, line)
				}
			}
		})
	}
}

// FuzzWrap: no line is too wide, and no word is lost.
func FuzzWrap(f *testing.F) {
	f.Add("to wait again: taskwait kafka wait", 20)
	f.Add("升级任务升级任务 é", 3)
	f.Fuzz(func(t *testing.T, text string, columns int) {
		if columns < 6 || columns > 1000 {
			return
		}
		text = printable(text)
		lines := wrap(text, columns, gap)
		var all strings.Builder
		for _, line := range lines {
			if w := width(line); w > columns {
				t.Errorf("wrap(%q, %d): got a line of %d columns: %q", text, columns, w, line)
			}
			all.WriteString(line)
		}
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if squeeze(all.String()) != squeeze(text) {
			t.Errorf("wrap(%q, %d) = %q, want every word", text, columns, lines)
		}
	})
}
