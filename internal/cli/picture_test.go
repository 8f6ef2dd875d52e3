package cli

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hinshun/vt10x"
)

// The picture of the demonstration, in characters, pixels and time.
const (
	pictureColumns, pictureRows = 80, 16
	cellWidth, cellHeight       = 8.4, 19
	pictureEvery                = 500 * time.Millisecond
	pictureHold                 = 7 * time.Second // of the last frame
	maxPicture                  = 100_000         // bytes
)

// TestDemoPicture plays the demonstration in virtual time on a terminal of 80 columns, and compares what it shows with
// docs/demo.svg, which this writes:
//
//	go test ./internal/cli -run TestDemoPicture -update
func TestDemoPicture(t *testing.T) {
	var films [][]string
	synctest.Test(t, func(t *testing.T) {
		w, m := newTestEnv(t), newModel(pictureColumns, pictureRows)
		_, _ = fmt.Fprint(m, "$ taskwait demo\r\n")
		w.screen, w.stdout = m.screen(), lineFeeds{m}
		w.screen.color = true
		var sizes atomic.Int32
		w.screen.size = func() (int, int) { // another one each time, so that it is drawn at known times
			return pictureColumns, pictureRows + int(sizes.Add(1)%2)
		}
		ended := make(chan int)
		go func() {
			code, _, _ := w.run(t.Context(), "demo", "--steady")
			ended <- code
		}()
		time.Sleep(pictureEvery - 50*time.Millisecond) // long after what has happened at a full or a half second
		for running := true; running; {
			synctest.Wait()
			films = append(films, m.drawn())
			select {
			case code := <-ended:
				if running = false; code != 0 {
					t.Errorf("got code %d, want 0", code)
				}
			case <-time.After(pictureEvery):
			}
		}
		synctest.Wait()
		films = append(films, m.drawn())
	})
	got, path := picture(films), filepath.Join("..", "..", "docs", "demo.svg")
	if len(got) > maxPicture {
		t.Errorf("got %d bytes, want at most %d", len(got), maxPicture)
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines, want := strings.Split(got, "\n"), strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	for i := range min(len(lines), len(want)) {
		if lines[i] != want[i] {
			t.Fatalf("%s:%d: got\n%s\nwant it written anew with -update; now\n%s", path, i+1, lines[i], want[i])
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%s: got %d lines, want %d", path, len(want), len(lines))
	}
}

// lineFeeds is a terminal's driver: a new line begins at the left.
type lineFeeds struct{ m *model }

func (l lineFeeds) Write(p []byte) (int, error) {
	_, err := l.m.Write([]byte(strings.ReplaceAll(string(p), "\n", "\r\n")))
	return len(p), err
}

// drawn are the rows of the screen as SVG.
func (m *model) drawn() (rows []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	columns, n := m.vt.Size()
	for y := range n {
		var row strings.Builder
		for x := 0; x < columns; {
			first, from, text := m.vt.Cell(x, y), x, ""
			for ; x < columns && alike(first, m.vt.Cell(x, y)) && !strings.HasSuffix(text, gap); x++ {
				text += string(max(m.vt.Cell(x, y).Char, ' '))
			}
			if word := strings.TrimRight(text, " "); strings.TrimSpace(word) != "" {
				row.WriteString(svgText(first, from, word))
			}
		}
		rows = append(rows, row.String())
	}
	return rows
}

func alike(a, b vt10x.Glyph) bool { return a.FG == b.FG && a.Mode == b.Mode }

// svgText is text of one color. Its width is given, so that columns are straight in every font.
func svgText(g vt10x.Glyph, x int, text string) string {
	class := ""
	switch {
	case g.FG != vt10x.DefaultFG && g.FG < 16:
		class = fmt.Sprintf(` class="c%d"`, g.FG%8)
	case g.Mode != 0:
		class = ` class="b"`
	}
	blank := len(text) - len(strings.TrimLeft(text, " "))
	text = text[blank:]
	return fmt.Sprintf(`<text%s x="%.1f" textLength="%.1f">%s</text>`, class, cellWidth*float64(x+blank),
		cellWidth*float64(width(text)), html.EscapeString(text))
}

const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" ` +
	`role="img">
<title>taskwait demo: nine tasks of four services, waited for side by side</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6dbe0}
.b{font-weight:bold;fill:#fff}.c1{fill:#ff7b72}.c2{fill:#56d364}.c3{fill:#e3b341}
#film{animation:play %[3]gs step-end infinite}
@media(prefers-reduced-motion:reduce){#film{animation:none;transform:translateY(-%[4]dpx)}}
@keyframes play{`

// picture is a film strip that moves by one frame at a time. Each row that is shown is defined once.
func picture(films [][]string) string {
	w, h := int(cellWidth*pictureColumns)+1, cellHeight*pictureRows
	whole := time.Duration(len(films)-1)*pictureEvery + pictureHold
	var b, defs, film strings.Builder
	fmt.Fprintf(&b, pictureHead, w+32, h+28, whole.Seconds(), h*(len(films)-1))
	known := map[string]int{"": 0}
	for i, rows := range films {
		at := 100 * float64(time.Duration(i)*pictureEvery) / float64(whole)
		fmt.Fprintf(&b, "%.2f%%{transform:translateY(-%dpx)}", at, h*i)
		for y, row := range rows {
			if known[row] == 0 && row != "" {
				known[row] = len(known)
				fmt.Fprintf(&defs, "<g id=\"r%d\">%s</g>\n", known[row], row)
			}
			if n := known[row]; n > 0 {
				fmt.Fprintf(&film, `<use href="#r%d" y="%d"/>`, n, h*i+cellHeight*y+14)
			}
		}
		film.WriteString("\n")
	}
	fmt.Fprintf(&b, "}\n</style>\n<defs>\n%s</defs>\n", &defs)
	b.WriteString(`<rect width="100%" height="100%" rx="8" fill="#0d1117"/>` + "\n")
	fmt.Fprintf(&b, `<svg x="16" y="14" width="%d" height="%d"><g id="film">`, w, h)
	fmt.Fprintf(&b, "\n%s</g></svg>\n</svg>\n", &film)
	return b.String()
}
