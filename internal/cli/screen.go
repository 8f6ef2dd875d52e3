package cli

import (
	"io"
	"os"
	"runtime"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// canDraw reports whether standard output is a terminal on which lines can be drawn anew. On Windows it never is: whether a
// console there takes colors and the like depends on how it was set up.
func canDraw() bool {
	kind := os.Getenv("TERM")
	return runtime.GOOS != "windows" && kind != "" && kind != "dumb" && term.IsTerminal(int(os.Stdout.Fd())) //nolint:gosec // a small number
}

// draw shows what view gives on the terminal that out is, several times a second, for the size that it has by then. stop
// takes it away again. view is called from another goroutine, and not after stop has returned.
//
// It is one bar of mpb's, which knows how to draw in place on every platform; what it shows is all ours.
func draw(out *os.File, view func(columns, rows int) []string) (stop func()) {
	p := mpb.New(mpb.WithOutput(out))
	lines := []string{}
	first := mpb.BarFillerFunc(func(w io.Writer, st decor.Statistics) error {
		columns, rows, err := term.GetSize(int(out.Fd())) //nolint:gosec // a small number
		if err != nil {
			columns, rows = st.AvailableWidth, st.AvailableWidth
		}
		lines = view(columns, rows)
		return writeLine(w, lines, 0, "")
	})
	others := mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
		for i := 1; i < len(lines); i++ {
			if err := writeLine(w, lines, i, "\n"); err != nil {
				return err
			}
		}
		return nil
	})
	bar := p.MustAdd(0, first, mpb.BarFillerTrim(), mpb.BarExtender(others, false), mpb.BarRemoveOnComplete())
	return func() {
		bar.Abort(true)
		p.Wait()
		_, _ = io.WriteString(out, "\r\x1b[J") // an echoed ^C may have left mpb's cursor beside the margin
	}
}

// writeLine begins at the margin, wherever the cursor is.
func writeLine(w io.Writer, lines []string, i int, end string) error {
	if i >= len(lines) {
		return nil
	}
	_, err := io.WriteString(w, "\r"+lines[i]+end)
	return err
}
