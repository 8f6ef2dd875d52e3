//go:build unix

package cli

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestExecWait(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // at once, more of them than -parallel allows: they mostly wait
	for _, tt := range []struct {
		name, args, script string
		want               int
		stdout, stderr     string // parts
	}{
		{"success", "", `echo '{"status":"done"}'`, 0, "sh  succeeded: SUCCESS", "taskwait: running sh\n"},
		{"failed", "", `echo '{"status":"error","why":"no room"}'`, 1, "failed: FAILED", ""},
		{"why it failed", "--code nr --reason why", `echo '{"status":"error","nr":"E1","why":"no \u001b[31mroom"}'`, 1,
			`: E1 no \x1b[31mroom`, ""},
		{"the value", "--print url", `echo '{"status":"done","url":"https://x"}'`, 0, "https://x\n", "succeeded"},
		{"its exit code, and what it says", "--timeout 50ms", `echo "no kubeconfig" >&2; exit 3`, 6,
			"sh: exit code 3: no kubeconfig", "to wait again: taskwait exec wait --failure error --interval 10ms " +
				"--status status --success done --timeout 50ms -- /bin/sh …\n"},
		{"a signal", "--timeout 50ms", `kill -9 $$`, 6, "sh: signal: killed", ""},
		{"what does not print, and is too long", "--timeout 50ms",
			`printf '%0500d\033[31m' 7 >&2; exit 1`, 6, `0007\x1b[31m`, ""},
		{"no JSON", "--timeout 50ms", `echo done`, 6, "sh: no JSON on its standard output", ""},
		{"no output", "--timeout 50ms", `true`, 6, "sh: no JSON on its standard output", ""},
		{"no status", "--timeout 50ms", `echo '{}'`, 6, "no answer", ""},
		{"too much output", "--timeout 50ms", `head -c 20000000 /dev/zero`, 6, "sh: more than 16 MiB of output", ""},
		{"no standard input", "", `cat; echo '{"status":"done"}'`, 0, "SUCCESS", ""},
		{"what it leaves behind", "", `sleep 1000 & echo '{"status":"done"}'`, 0, "SUCCESS", ""},
		{"what it leaves behind, as long as it may take", "--command-timeout 1s",
			`sleep 1000 & echo '{"status":"done"}'`, 0, "SUCCESS", ""},
		{"a word that is in no list", "--timeout 50ms", `echo '{"status":"odd"}'`, 6, "a status that is not known: odd", ""},
	} {
		all.Go(func() {
			t.Run(tt.name, func(t *testing.T) {
				args := strings.Fields("exec wait --status status --success done --failure error --interval 10ms " + tt.args)
				args = append(args, "--", "/bin/sh", "-c", tt.script+" # x-secret")
				code, stdout, stderr := newTestEnv(t).run(t.Context(), args...)
				if code != tt.want || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in them\n%s\n%s", code, stdout, stderr, tt.want,
						tt.stdout, tt.stderr)
				}
				if strings.Contains(stdout+stderr, "-secret") || strings.Contains(stdout+stderr, "\x1b") {
					t.Errorf("got an argument or a control character printed:\n%s%s", stdout, stderr)
				}
			})
		})
	}
	all.Wait()
}

// TestExecAgain: the command is run for each poll, and one that fails is run again.
func TestExecAgain(t *testing.T) {
	t.Parallel()
	count := filepath.Join(t.TempDir(), "count")
	script := `echo x >>` + count + `; case $(wc -l <` + count + `) in *1) echo '{"status":"busy"}';; *2) exit 1;;
		*) echo '{"status":"done"}';; esac`
	code, stdout, _ := newTestEnv(t).run(t.Context(), "exec", "wait", "--status", "status", "--success", "done",
		"--executing", "busy", "--interval", "10ms", "--max-interval", "10ms", "/bin/sh", "-c", script)
	if code != 0 || !strings.Contains(stdout, "EXECUTING") || !strings.Contains(stdout, "exit code 1") {
		t.Errorf("got code %d, %s\nwant 0, EXECUTING, and the exit code of the second run", code, stdout)
	}
}

// TestExecHangs: a command that hangs is killed with everything that it has begun: after its time, and when a signal
// ends the wait.
func TestExecHangs(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // at once, more of them than -parallel allows: they mostly wait
	for _, tt := range []struct {
		name   string
		args   string
		signal bool
		want   int
		stdout string
	}{
		{"its time is over", "--command-timeout 200ms --timeout 300ms", false, 6,
			"sh: killed, as it took longer than 200ms: a word"},
		{"a signal", "", true, 130, ""},
		{"the wait is over", "--timeout 200ms", false, 6, ""},
	} {
		all.Go(func() {
			t.Run(tt.name, func(t *testing.T) {
				child := filepath.Join(t.TempDir(), "child")
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.signal {
					go func() { // ends when the command has begun, or with the test
						for ctx.Err() == nil && readPID(child) == 0 {
							time.Sleep(time.Millisecond)
						}
						cancel(signalError{os.Interrupt})
					}()
				}
				args := strings.Fields("exec wait --status status --success done --interval 10ms " + tt.args)
				args = append(args, "--", "/bin/sh", "-c", `echo a word >&2; sleep 1000 & echo $! >`+child+`; wait`)
				code, stdout, stderr := newTestEnv(t).run(ctx, args...)
				if code != tt.want || !strings.Contains(stdout, tt.stdout) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in it\n%s", code, stdout, stderr, tt.want, tt.stdout)
				}
				pid := readPID(child)
				if pid == 0 {
					t.Fatal("the command did not begin")
				}
				for i := 0; syscall.Kill(pid, 0) == nil && !zombie(pid); i++ { // until the system has done it
					if time.Sleep(time.Millisecond); i > 5000 {
						t.Fatalf("process %d lives on", pid)
					}
				}
			})
		})
	}
	all.Wait()
}

func readPID(path string) int {
	text, _ := os.ReadFile(path)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// zombie reports whether a process has ended, and nobody has asked how.
func zombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(text), ") Z ")
}
