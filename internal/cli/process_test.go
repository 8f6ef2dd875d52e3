//go:build unix

package cli

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// TestLimitProcesses is that of real processes.
func TestLimitProcesses(t *testing.T) {
	t.Parallel()
	const commands = 20
	w := withQuota(8)
	server := httptest.NewServer(w.cloud)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "quota")
	w.cloud.AddTask(testInstance, script("ended", time.Millisecond, taskwait.StatusSuccess))
	var all sync.WaitGroup
	for range commands {
		all.Go(func() {
			c := command(t, cloudVariables(testInstance, server.URL), "kafka", "wait", "--limit", "8/s",
				"--limit-file", file, "ended")
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("got %v, %s, want success", err, out)
			}
		})
	}
	all.Wait()
	if sent, n := len(w.cloud.Requests()), throttled(w.cloud); n > 0 || sent != commands {
		t.Errorf("got %d requests, %d throttled, want %d, none", sent, n, commands)
	}
}

// TestStateKilled kills the command while it waits, and begins it again, until it ends.
func TestStateKilled(t *testing.T) {
	t.Parallel()
	w := newTestEnv()
	server := httptest.NewServer(w.cloud)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "state")
	w.cloud.AddTask(testInstance, script("x", time.Second, taskwait.StatusFailed))
	w.cloud.AddTask(testInstance, script("y", 1200*time.Millisecond, taskwait.StatusSuccess))
	run := func() *exec.Cmd {
		return command(t, cloudVariables(testInstance, server.URL), "kafka", "wait", "--state", file, "--timeout", "10m",
			"--interval", "20ms", "--max-interval", "20ms", "x", "y")
	}
	var begun time.Time
	for i := range 3 {
		c := run()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		kept := keptState{}
		for end := time.Now().Add(patience); (kept.PID != c.Process.Pid || len(kept.Tasks) == 0) &&
			time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			kept, _ = readState(file)
		}
		time.Sleep(time.Duration(i) * 40 * time.Millisecond)
		_ = c.Process.Kill()
		_ = c.Wait()
		if i == 0 {
			begun = kept.Begun
		}
		if kept.Begun.IsZero() || !kept.Begun.Equal(begun) {
			t.Errorf("got a wait that has begun at %v, then at %v, want the same", begun, kept.Begun)
		}
	}
	for range 2 { // it ends, and says so again
		out, err := run().CombinedOutput()
		if code := exitCode(t, err); code != 1 || !strings.Contains(string(out), "2 tasks: 1 failed, 1 succeeded") {
			t.Errorf("got code %d, %s, want 1 and both ends", code, out)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(file)); len(files) > 3 || err != nil {
		t.Errorf("got %v, %v, want the file, its lock, and no more than one that is not complete", files, err)
	}
}
