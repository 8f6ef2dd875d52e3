//go:build unix

package cli

import (
	"net/http/httptest"
	"path/filepath"
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
