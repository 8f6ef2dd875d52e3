//go:build unix

package cli

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

var kills = flag.Int("kills", 2, "how many commands TestStartKilled kills")

// TestLimitProcesses is that of real processes.
func TestLimitProcesses(t *testing.T) {
	t.Parallel()
	const commands = 20
	w := withQuota(t, 8)
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
	w := newTestEnv(t)
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
		await(func() bool {
			kept, _ = readState(file)
			return kept.PID == c.Process.Pid && len(kept.Tasks) > 0
		})
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

// TestStartKilled kills the command while it starts an operation, and begins it again: it is started once. The first is
// killed before it is sent, the second when it has its answer, as what is between takes ten seconds; all others at
// random moments: go test -run TestStartKilled ./internal/cli -kills 200
func TestStartKilled(t *testing.T) {
	t.Parallel()
	cloud := fakekafka.New(fakecloud.WithLatency(20 * time.Millisecond))
	cloud.OnResize(fakekafka.Script{Duration: 300 * time.Millisecond, Outcome: taskwait.StatusFailed})
	server := httptest.NewServer(cloud)
	defer server.Close()
	body := writeBody(t, resizeBody)
	var all sync.WaitGroup
	for i, room := 0, make(chan struct{}, 16); i < *kills; i++ {
		instance := fmt.Sprint("kafka-", i+1)
		cloud.AddInstance(instance)
		room <- struct{}{}
		all.Go(func() {
			file, asked := filepath.Join(t.TempDir(), "state"), func() bool { return wasAsked(cloud, instance) }
			moment, after := asked, time.Duration(0)
			switch i {
			case 0:
			case 1:
				moment = func() bool { k, err := readState(file); return err == nil && len(k.Tasks) > 0 && k.Tasks[0].ID != "" }
			default:
				after = time.Duration(rand.Float64() * float64(400*time.Millisecond))
			}
			killStart(t, moment, after, func() *exec.Cmd {
				return command(t, cloudVariables(instance, server.URL), "kafka", "start", "--state", file, "--body", body,
					"--timeout", "10m", "--interval", "20ms", "--max-interval", "50ms", "resize")
			})
			<-room
		})
	}
	all.Wait()
	if n := started(cloud, fakekafka.RouteResize); n != *kills {
		t.Errorf("got %d operations carried out for %d instances, want one for each", n, *kills)
	}
}

// wasAsked reports whether there was a request about an instance.
func wasAsked(cloud *fakekafka.Cloud, instance string) bool {
	return slices.ContainsFunc(cloud.Requests(), func(r fakecloud.Request) bool {
		return strings.Contains(r.Path, "/"+instance+"/")
	})
}

// await waits until something is so.
func await(so func() bool) {
	for end := time.Now().Add(patience); !so() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// killStart kills a command some time after a moment, and lets another one finish.
func killStart(t *testing.T, moment func() bool, after time.Duration, run func() *exec.Cmd) {
	t.Helper()
	c := run()
	if err := c.Start(); err != nil {
		t.Error(err)
		return
	}
	await(moment)
	time.Sleep(after)
	_ = c.Process.Kill()
	_ = c.Wait()
	out, err := run().CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "failed: FAILED") {
		t.Errorf("killed after %v: got %v,\n%s\nwant 1 and the verdict of the service", after, err, out)
	}
}
