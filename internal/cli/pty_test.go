//go:build unix

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/mattn/go-runewidth"
)

// asCommand, when it is in the environment, makes this test's program the command itself.
const asCommand = "TASKWAIT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(Main())
	}
	time.Local = time.FixedZone("", 9*60*60) // so that a time is found that is not in UTC
	os.Exit(m.Run())
}

// patience is the most that a test waits for something to be on the screen, on a machine however slow.
const patience = time.Minute

// command is the command as a process of its own, in a home and with a cache that are empty.
func command(t *testing.T, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	dir := t.TempDir()
	c.Env = []string{asCommand + "=1", "HOME=" + dir, "XDG_CACHE_HOME=" + dir, "TERM=xterm-256color", "LANG=C.UTF-8",
		"PATH=" + os.Getenv("PATH")}
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// ptyScreen is a terminal with a command on it.
type ptyScreen struct {
	t    *testing.T
	tty  *os.File
	vt   vt10x.Terminal
	cmd  *exec.Cmd
	read chan struct{} // closed when all has been read

	mu  sync.Mutex
	raw bytes.Buffer
}

func onScreen(t *testing.T, columns, rows int, c *exec.Cmd) *ptyScreen {
	t.Helper()
	s := &ptyScreen{t: t, cmd: c, vt: vt10x.New(vt10x.WithSize(columns, rows)), read: make(chan struct{})}
	tty, err := pty.StartWithSize(c, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	s.tty = tty
	go func() { // ends with the command
		defer close(s.read)
		_, _ = io.Copy(s, tty)
	}()
	t.Cleanup(func() { _ = tty.Close() })
	return s
}

// Write takes what the command writes.
func (s *ptyScreen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw.Write(p)
	return s.vt.Write(p)
}

// lines are those on the screen that are not empty.
func (s *ptyScreen) lines() (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.vt.String()) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// await waits until the screen is as it should be, and returns it.
func (s *ptyScreen) await(what string, ok func(lines []string) bool) []string {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if lines := s.lines(); ok(lines) {
			return lines
		}
	}
	s.t.Fatalf("got the screen\n%s\nwant %s", strings.Join(s.lines(), "\n"), what)
	return nil
}

func (s *ptyScreen) resize(columns, rows int) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vt.Resize(columns, rows)
	if err := pty.Setsize(s.tty, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *ptyScreen) press(key string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(key); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the end of the command, and returns its exit code and what is left on the screen.
func (s *ptyScreen) end() (code int, lines []string) {
	s.t.Helper()
	code = exitCode(s.t, s.cmd.Wait())
	<-s.read
	return code, s.lines()
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.ExitCode()
	}
	t.Fatal(err)
	return 0
}

const liveScript = `
tasks:
  - {id: quick, name: kafkaConfigModify, age: 1m, duration: 30s}
  - {id: aaaaaaaa-long, name: kafkaUpgrade, duration: 1h, steps: [{after: 0s, status: EXECUTING}]}
  - {id: bbbbbbbb-long, name: kafkaInstanceExtend, duration: 1h, steps: [{after: 0s, status: EXECUTING}]}
`

// rowsWith is how many lines have text in them.
func rowsWith(lines []string, text string) (n int) {
	for _, line := range lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func widest(lines []string) (w int) {
	for _, line := range lines {
		w = max(w, runewidth.StringWidth(line))
	}
	return w
}

const ctrlC = "\x03"

// TestLive is the live display as a person sees it: wide, narrow, wide again, and Ctrl-C.
func TestLive(t *testing.T) {
	t.Parallel()
	f := serveFake(t, liveScript)
	defer f.stop()
	s := onScreen(t, 120, 24, command(t, f.env, "kafka", "wait", "--interval", "300ms", "--max-interval", "1s", "quick",
		"aaaaaaaa-long", "bbbbbbbb-long"))
	oneEach := func(lines []string) bool {
		return rowsWith(lines, "SUCCESS") == 1 && rowsWith(lines, "EXECUTING") == 2
	}
	lines := s.await("a line for each task, and when is looked next",
		func(lines []string) bool { return oneEach(lines) && rowsWith(lines, "next poll in") == 2 })
	if !strings.HasPrefix(lines[2], "✓ kafkaConfigModify quick ") || !strings.Contains(lines[3],
		"kafkaUpgrade aaaaaaaa ") {
		t.Errorf("got\n%s\nwant the tasks in the order in which they were given", strings.Join(lines, "\n"))
	}
	s.resize(40, 24)
	// Below the first line, which is standard error's.
	s.await("a line for each task on 40 columns", func(lines []string) bool {
		return oneEach(lines) && widest(lines) <= 40 && rowsWith(lines, "next poll") == 0
	})
	s.resize(120, 24)
	s.await("all of it again", func(lines []string) bool {
		return oneEach(lines) && rowsWith(lines,
			"next poll in") == 2
	})
	s.press(ctrlC)
	code, lines := s.end()
	want := []string{
		"✓ kafkaConfigModify quick 30s",
		"… kafkaUpgrade aaaaaaaa-long  stopped waiting: EXECUTING (seen Ns ago)",
		"… kafkaInstanceExtend bbbbbbbb-long  stopped waiting: EXECUTING (seen Ns ago)",
		"3 tasks: 2 stopped, 1 succeeded",
		"taskwait: interrupted; the tasks go on without us",
	}
	text := regexp.MustCompile(`seen \d+s`).ReplaceAllString(strings.Join(lines, "\n"), "seen Ns")
	if code != 130 || !strings.Contains(text, strings.Join(want, "\n")) || rowsWith(lines, "to wait again:") != 1 ||
		rowsWith(lines, "long  ") != 2 {
		t.Errorf("got code %d, and left\n%s\nwant 130 and\n%s", code, text, strings.Join(want, "\n"))
	}
}

// TestLiveNarrow begins on 40 columns and 5 rows, in trouble.
func TestLiveNarrow(t *testing.T) {
	t.Parallel()
	f := serveFake(t, liveScript+`
faults: [{route: "GET tasks/{task}", kind: throttle, retry-after: 40s, times: 100}]
`)
	defer f.stop()
	s := onScreen(t, 40, 5, command(t, f.env, "kafka", "wait", "aaaaaaaa-long"))
	s.await("trouble in plain words", func(lines []string) bool {
		return rowsWith(lines, "throttled, next try in ") == 1 && widest(lines) <= 40
	})
	s.press(ctrlC)
	if code, lines := s.end(); code != 130 {
		t.Errorf("got code %d, and left\n%s\nwant 130", code, strings.Join(lines, "\n"))
	}
}

// TestLiveLow has more tasks than rows.
func TestLiveLow(t *testing.T) {
	t.Parallel()
	f := serveFake(t, liveScript)
	defer f.stop()
	s := onScreen(t, 100, 4, command(t, f.env, "kafka", "wait", "--interval", "300ms", "--max-interval", "1s", "quick",
		"aaaaaaaa-long", "bbbbbbbb-long"))
	s.await("the tasks that run, and how many more", func(lines []string) bool {
		return rowsWith(lines, "EXECUTING") == 2 && rowsWith(lines, "and 1 more") == 1
	})
	s.press(ctrlC)
	if code, _ := s.end(); code != 130 {
		t.Errorf("got code %d, want 130", code)
	}
}

// TestLiveName looks for a task that has no id yet, and shows it on the same line when it is found.
func TestLiveName(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `
tasks: [{id: found, name: kafkaUpgrade, listed-after: 1s, steps: [{after: 0s, status: EXECUTING}]}]`)
	defer f.stop()
	s := onScreen(t, 80, 24, command(t, f.env, "kafka", "wait", "--interval", "300ms", "--max-interval", "1s", "--name",
		"kafkaUpgrade", "--since", "1h"))
	s.await("what it looks for", func(lines []string) bool {
		return rowsWith(lines, " kafkaUpgrade ") == 1 && rowsWith(lines, "not listed yet") == 1
	})
	s.await("what it has found", func(lines []string) bool {
		return rowsWith(lines, "kafkaUpgrade found") == 1 && rowsWith(lines, "kafkaUpgrade") == 1 && rowsWith(lines,
			"EXECUTING") == 1
	})
	s.press(ctrlC)
	if code, lines := s.end(); code != 130 || rowsWith(lines,
		"… kafkaUpgrade found  stopped waiting: EXECUTING (seen ") != 1 || rowsWith(lines, "not listed") != 0 {
		t.Errorf("got code %d, and left\n%s\nwant 130 and one line", code, strings.Join(lines, "\n"))
	}
}

// TestNoColor looks at every byte that is written.
func TestNoColor(t *testing.T) {
	t.Parallel()
	f := serveFake(t, liveScript)
	defer f.stop()
	for _, tt := range []struct {
		name         string
		env          string
		color, moves bool
	}{
		{"in color", "LANG=C.UTF-8", true, true},
		{"NO_COLOR", "NO_COLOR=1", false, true},
		{"a dumb terminal", "TERM=dumb", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := command(t, f.env, "kafka", "wait", "quick")
			c.Env = append(c.Env, tt.env)
			s := onScreen(t, 80, 24, c)
			code, _ := s.end()
			raw := s.raw.String()
			if color := strings.Contains(raw, "\x1b[3"); code != 0 || color != tt.color || strings.Contains(raw,
				"\x1b") != tt.moves {
				t.Errorf("got code %d, %q, want 0, color: %v, control characters: %v", code, raw, tt.color, tt.moves)
			}
		})
	}
}

// TestListOnScreen keeps the table current.
func TestListOnScreen(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `tasks: [{id: first, steps: [{after: 0s, status: EXECUTING}, {after: 1s, status: SUCCESS}]}]`)
	defer f.stop()
	s := onScreen(t, 80, 10, command(t, f.env, "kafka", "list", "--watch", "--interval", "100ms"))
	s.await("the task's end, in place", func(lines []string) bool {
		return rowsWith(lines, "SUCCESS") == 1 && rowsWith(lines, "EXECUTING") == 0
	})
	s.press(ctrlC)
	if code, lines := s.end(); code != 130 || rowsWith(lines, "first ") != 1 {
		t.Errorf("got code %d, and left\n%s\nwant 130 and the table", code, strings.Join(lines, "\n"))
	}
}

// TestLiveWidths is the live view on terminals of 80, 40 and 20 columns, one after the other without a new start: a row
// for each task and none of an earlier frame, and how far the task is.
func TestLiveWidths(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `
tasks: [{id: cccccccc-long, name: kafkaInstanceExtend, stages: [{name: disk_expansion, takes: 1h}]}]`)
	defer f.stop()
	args := []string{"kafka", "wait", "--interval", "300ms", "--max-interval", "300ms", "cccccccc-long"}
	for _, columns := range []int{80, 40, 20} {
		s := onScreen(t, columns, 40, command(t, f.env, args...))
		for _, now := range []int{columns, 80, 20, 40, 60, columns} {
			s.resize(now, 40)
			s.await(fmt.Sprintf("one row with a percentage on %d columns", now), func(lines []string) bool {
				return rowsWith(lines, "cccccccc") == 1 && rowsWith(lines, "%") == 1 && widest(lines) <= now
			})
		}
		s.press(ctrlC)
		code, lines := s.end()
		if code != 130 || rowsWith(lines, "… kafkaInsta") != 1 || columns == 80 && rowsWith(lines, "%") != 0 {
			t.Errorf("%d columns: got code %d, and left\n%s\nwant 130 and the task once", columns, code,
				strings.Join(lines, "\n"))
		}
	}
}

// TestSignalledProcess stops a command that writes into a pipe with each of the signals.
func TestSignalledProcess(t *testing.T) {
	t.Parallel()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // who runs the tests may ignore it, as nohup does, and a child inherits that
	defer signal.Stop(caught)
	f := serveFake(t, liveScript)
	defer f.stop()
	for _, tt := range []struct {
		name    string
		ignored string // by the shell that starts it
		signals []syscall.Signal
		want    int
	}{
		{"SIGTERM", "", []syscall.Signal{syscall.SIGTERM}, 143},
		{"SIGHUP", "", []syscall.Signal{syscall.SIGHUP}, 129},
		{"SIGQUIT", "", []syscall.Signal{syscall.SIGQUIT}, 131},
		{"nohup", "HUP", []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}, 143},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := command(t, f.env, "kafka", "wait", "aaaaaaaa-long")
			if tt.ignored != "" {
				c.Path, c.Args = "/bin/sh", []string{"sh", "-c", "trap '' " + tt.ignored +
					"; exec \"$0\" kafka wait aaaaaaaa-long", os.Args[0]}
			}
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			first := make([]byte, 1)
			if _, err := io.ReadFull(out, first); err != nil { // it waits by now
				t.Fatal(err)
			}
			for _, signal := range tt.signals {
				if err := c.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			rest, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			if code := exitCode(t, c.Wait()); code != tt.want || !strings.Contains(string(rest),
				"stopped waiting: EXECUTING (kafkaUpgrade, seen ") {
				t.Errorf("got code %d, %s, want %d and a summary", code, rest, tt.want)
			}
		})
	}
}

// TestProxy reaches a service through the proxy of the environment that nothing else reaches.
func TestProxy(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `tasks: [{id: bad, age: 1m, outcome: FAILED}]`)
	defer f.stop()
	behind, err := url.Parse(f.env[endpointName])
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		requests.Add(1)
		r.Out.URL.Scheme, r.Out.URL.Host = behind.Scheme, behind.Host // the Host header stays, which is signed
	}})
	defer proxy.Close()
	f.env["HTTP_PROXY"], f.env[endpointName] = proxy.URL, "http://kafka.invalid"
	text, err := command(t, f.env, "kafka", "wait", "bad").CombinedOutput()
	if code := exitCode(t, err); code != 1 {
		t.Errorf("got code %d, %s, want 1, by the proxy", code, text)
	}
	f.env["HTTP_PROXY"] = "http://user:a-secret@bad proxy/"
	text, err = command(t, f.env, "kafka", "wait", "bad").CombinedOutput()
	if code := exitCode(t, err); code != 6 || bytes.Contains(text, []byte("a-secret")) {
		t.Errorf("a bad proxy: got code %d, %s, want 6 and no secret", code, text)
	}
	// the service itself, by a name of this machine for which a proxy is asked
	f.env["HTTP_PROXY"], f.env["NO_PROXY"], f.env[endpointName] = proxy.URL, "0.0.0.0", "http://0.0.0.0:"+behind.Port()
	before := requests.Load()
	text, err = command(t, f.env, "kafka", "wait", "bad").CombinedOutput()
	if code := exitCode(t, err); code != 1 || requests.Load() != before {
		t.Errorf("NO_PROXY: got code %d, %s, want 1, and the proxy left alone", code, text)
	}
}

// TestDevFull is a disk without room.
func TestDevFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return // not on this system; TestFullDisk is on all
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	f := serveFake(t, `tasks: [{id: good, age: 1m}]`)
	defer f.stop()
	c := command(t, f.env, "kafka", "list")
	c.Stdout = full
	if code := exitCode(t, c.Run()); code != 7 {
		t.Errorf("got code %d, want 7", code)
	}
}

// TestCtrlCTwice ends a command at once that cannot stop cleanly: nobody reads what it writes.
func TestCtrlCTwice(t *testing.T) {
	t.Parallel()
	f := serveFake(t, liveScript)
	defer f.stop()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	fillPipe(t, w)
	c := command(t, f.env, "kafka", "wait", "quick")
	c.Stdout = w
	errOut, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if _, err := io.ReadFull(errOut, make([]byte, 1)); err != nil { // it listens by now
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			if code := exitCode(t, err); code != 130 {
				t.Errorf("got code %d, want 130", code)
			}
			return
		default:
			_ = c.Process.Signal(os.Interrupt) // two at once may come as one
		}
	}
	t.Error("got a command that goes on after Ctrl-C twice, want its end")
}

// fillPipe writes until there is no room.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	if err := w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// TestClosedStdout is "taskwait … | head -0".
func TestClosedStdout(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `tasks: [{id: bad, age: 1m, outcome: FAILED}]`)
	defer f.stop()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	c := command(t, f.env, "kafka", "wait", "bad")
	c.Stdout, c.Stderr = w, w
	err = c.Run()
	_ = w.Close()
	if code := exitCode(t, err); code != 1 {
		t.Errorf("got code %d, want 1", code)
	}
}
