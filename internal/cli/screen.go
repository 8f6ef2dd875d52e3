package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

const (
	frameEvery   = time.Second            // a frame without news
	frameEveryCI = 10 * time.Second       // any frame, where a log keeps all of them
	frameGap     = 100 * time.Millisecond // between two frames, at least
	sizeEvery    = 200 * time.Millisecond // between two looks at the size of the terminal
)

// The size of a terminal that does not know its own.
const (
	defaultColumns = 80
	defaultRows    = 24
)

// screen is a terminal on which lines can be drawn again in place.
type screen struct {
	out    io.Writer
	size   func() (columns, rows int)
	glyphs *glyphs
	color  bool
	slow   bool // every frame stays in a log
}

// newScreen is the terminal that out is; nil: it is none, or its lines cannot be drawn again. A console of Windows
// is never used: whether it understands control sequences depends on its settings.
func newScreen(out *os.File, getenv func(string) string) *screen {
	kind := getenv("TERM")
	if runtime.GOOS == "windows" || kind == "" || kind == "dumb" ||
		!term.IsTerminal(int(out.Fd())) { //nolint:gosec // small
		return nil
	}
	return &screen{
		out: out, color: getenv("NO_COLOR") == "", glyphs: glyphsFor(getenv),
		slow: getenv("CI") != "" && getenv("CI") != "false",
		size: func() (int, int) { return sizeOf(out, getenv) },
	}
}

// sizeOf is the size of a terminal. One that does not know it says 0 × 0; then COLUMNS and LINES count.
func sizeOf(out *os.File, getenv func(string) string) (columns, rows int) {
	columns, rows, _ = term.GetSize(int(out.Fd())) //nolint:gosec // a small number
	return orElse(columns, getenv("COLUMNS"), defaultColumns), orElse(rows, getenv("LINES"), defaultRows)
}

func columnsOf(out *os.File, getenv func(string) string) int {
	columns, _ := sizeOf(out, getenv)
	return columns
}

func orElse(n int, text string, fallback int) int {
	if n > 0 {
		return n
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return fallback
}

// glyphs are the characters of the live view.
type glyphs struct {
	spinner        []string
	good, bad, off string // the marks of tasks that have ended
	full, rest     string // of a bar
	more           string // where text is cut
	ascii          bool
}

var (
	unicodeGlyphs = &glyphs{
		spinner: []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
		good:    "✓", bad: "✗", off: "…", full: "━", rest: "╌", more: "…",
	}
	asciiGlyphs = &glyphs{
		spinner: []string{"|", "/", "-", `\`}, good: "+", bad: "x", off: ".", full: "=", rest: ".", more: "~",
		ascii: true,
	}
)

// glyphsFor picks the characters that the terminal can show. East Asian locales get ASCII as well: terminals there may
// draw some of the others two columns wide, and do not say so.
func glyphsFor(getenv func(string) string) *glyphs {
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale = strings.ToLower(getenv(name)); locale != "" {
			break
		}
	}
	wide := slices.ContainsFunc([]string{"zh", "ja", "ko"}, func(l string) bool { return strings.HasPrefix(locale, l) })
	if !strings.Contains(strings.ReplaceAll(locale, "-", ""), "utf8") || wide {
		return asciiGlyphs
	}
	return unicodeGlyphs
}

// text makes s fit for the terminal: without Unicode, other characters are escaped.
func (g *glyphs) text(s string) string {
	if !g.ascii {
		return s
	}
	q := strconv.QuoteToASCII(s)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(q[1 : len(q)-1])
}

// widths measures text the same way in every locale: where the terminal has another opinion the line is cut, not
// wrapped.
var widths = &runewidth.Condition{StrictEmojiNeutral: true}

func width(s string) int { return widths.StringWidth(s) }

// fit cuts a line so that the last column stays free.
func (g *glyphs) fit(s string, columns int) string {
	return widths.Truncate(s, max(columns-1, 1), g.more)
}

// drawing is a view that is on the screen.
type drawing struct {
	screen  *screen
	view    func(columns, rows int) []string
	changed chan struct{}
	stop    chan struct{}
	stopped chan struct{}
}

// draw shows what view returns, on a goroutine of its own: when it has changed, and each second.
func (s *screen) draw(view func(columns, rows int) []string) *drawing {
	d := &drawing{
		screen: s, view: view, changed: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go d.loop()
	return d
}

// change asks for a new frame.
func (d *drawing) change() {
	select {
	case d.changed <- struct{}{}:
	default: // one is asked for already
	}
}

// end takes the view off the screen. A terminal that blocks, after Ctrl-S, is left alone after a moment.
func (d *drawing) end() {
	close(d.stop)
	select {
	case <-d.stopped:
	case <-time.After(flushGrace):
	}
}

func (d *drawing) loop() {
	defer close(d.stopped)
	every, changed := frameEvery, d.changed
	if d.screen.slow {
		every, changed = frameEveryCI, nil
	}
	tick, sizes := time.NewTicker(every), time.NewTicker(sizeEvery)
	defer tick.Stop()
	defer sizes.Stop()
	f := &frame{}
	for {
		f.draw(d.screen, d.view)
		d.pause(frameGap) // more may change meanwhile
		for waiting := true; waiting; {
			select {
			case <-tick.C:
				waiting = false
			case <-changed: // nil where frames are slow
				waiting = false
			case <-sizes.C:
				waiting = !f.resized(d.screen)
			case <-d.stop:
				f.clear(d.screen)
				return
			}
		}
	}
}

func (d *drawing) pause(t time.Duration) {
	select {
	case <-time.After(t):
	case <-d.stop:
	}
}

// frame is what is on the screen. The cursor stands at its upper left corner, so that everything below can be erased,
// however the terminal has rearranged the lines since.
type frame struct {
	lines         []string
	columns, rows int
}

func (f *frame) resized(s *screen) bool {
	columns, rows := s.size()
	return columns != f.columns || rows != f.rows
}

// The control sequences in use.
const (
	eraseLine  = "\x1b[K" // to the right of the cursor
	eraseBelow = "\x1b[J" // and to the right
	wrapOff    = "\x1b[?7l"
	wrapOn     = "\x1b[?7h"
)

// draw draws the view, unless it is on the screen already.
func (f *frame) draw(s *screen, view func(columns, rows int) []string) {
	columns, rows := s.size()
	lines := view(columns, rows)
	lines = lines[:min(len(lines), max(rows-1, 1))]
	if columns == f.columns && rows == f.rows && slices.Equal(lines, f.lines) {
		return
	}
	f.lines, f.columns, f.rows = lines, columns, rows
	var b strings.Builder
	b.WriteString(wrapOff + "\r")
	for i, line := range lines {
		if i > 0 {
			b.WriteString(eraseLine + "\n\r")
		}
		b.WriteString(line)
	}
	b.WriteString(eraseBelow + "\r")
	if up := len(lines) - 1; up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	b.WriteString(wrapOn)
	_, _ = io.WriteString(s.out, b.String()) // the exit code does not depend on who looks
}

func (f *frame) clear(s *screen) {
	_, _ = io.WriteString(s.out, "\r"+eraseBelow) // see draw
}

// wrap breaks text between words into lines of at most columns columns. All lines but the first begin with indent. A
// longer word is broken anywhere.
func wrap(text string, columns int, indent string) (lines []string) {
	line := ""
	for i, word := range strings.Split(text, " ") {
		if next := line + " " + word; i > 0 && width(next) <= columns {
			line = next
			continue
		}
		if i > 0 {
			lines, line = append(lines, strings.TrimRight(line, " ")), indent
		}
		line += word
		for width(line) > columns && columns > len(indent)+1 {
			head := widths.Truncate(line, columns, "")
			lines, line = append(lines, head), indent+line[len(head):]
		}
	}
	return append(lines, line)
}
