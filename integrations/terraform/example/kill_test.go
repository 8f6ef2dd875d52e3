package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskwait/taskwait/fakecloud/kafka"
)

var kills = flag.Int("kills", 20, "how often TestKill kills the provider, and how often terraform")

// creation is how long a creation takes that is interrupted by a kill: longer than all kills are apart from its begin.
const creation = 1500 * time.Millisecond

// TestKill kills the provider or terraform by SIGKILL while an instance is created, from the first request on to the
// last polls, and applies again: the service has created one instance each time.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, victim := range []string{"provider", "terraform"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			var killed atomic.Int32
			t.Cleanup(func() { t.Logf("%d of %d kills of the %s: one creation each", killed.Load(), *kills, victim) })
			for n := range *kills {
				after := creation * time.Duration(n) / time.Duration(*kills)
				t.Run(fmt.Sprintf("after %v", after), func(t *testing.T) {
					t.Parallel()
					w := killCreation(t, victim, after)
					if n%5 == 0 { // it takes as long as an apply
						w.plan(ok)
					}
					if !t.Failed() {
						killed.Add(1)
					}
				})
			}
		})
	}
}

// killCreation kills an apply some time after the first request of its creation, and lets another one finish.
func killCreation(t *testing.T, victim string, after time.Duration) *workspace {
	t.Helper()
	w := newWorkspace(t)
	w.cloud.OnCreate(kafka.Change{Duration: creation})
	w.env = append(w.env, "TF_LOG_PROVIDER=OFF") // a provider that logs dies of the pipe that nobody reads any more
	c, out := w.start("apply", "-auto-approve", "-input=false")
	w.until("the first request of a creation", func() bool { return w.asked(kafka.RouteListInstances) > 0 })
	provider := child(t, c.Process.Pid)
	time.Sleep(after)
	killed := c.Process
	if victim == "provider" {
		killed, _ = os.FindProcess(provider) // never fails on Unix
	}
	if err := killed.Kill(); err != nil {
		t.Fatalf("kill: %v\n%s", err, out)
	}
	if c.Wait() == nil || w.state() != nil {
		t.Errorf("the killed apply has a state: %+v\n%s", w.state(), out)
	}
	w.says(w.apply(ok), "1 added, 0 changed, 0 destroyed")
	w.want(1, 0, 0)
	w.until("an end of the provider", func() bool { return !exists(provider) })
	return w
}

// TestKillExtension kills the provider while it extends an instance. What it has begun is not begun again.
func TestKillExtension(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond} {
		t.Run(fmt.Sprintf("after %v", after), func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t)
			w.apply(ok)
			w.cloud.OnResize(kafka.Script{Duration: 3 * time.Second})
			w.configure("= 300", "= 600")
			c, out := w.start("apply", "-auto-approve", "-input=false")
			w.until("the extension", func() bool { return w.asked(kafka.RouteResize) > 0 })
			provider, _ := os.FindProcess(child(t, c.Process.Pid))
			time.Sleep(after)
			if err := provider.Kill(); err != nil {
				t.Fatalf("kill: %v\n%s", err, out)
			}
			_ = c.Wait()
			w.apply(ok)
			w.plan(ok)
			w.want(1, 1, 0)
		})
	}
}

// child is the process that has this parent: a terraform has one provider here.
func child(t *testing.T, parent int) int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if p := stat(name); p.parent == parent {
			return p.pid
		}
	}
	t.Fatalf("terraform, process %d, has no provider", parent)
	return 0
}

// process is what /proc/PID/stat says; zero: it has ended.
type process struct {
	pid, parent int
	state       string // Z: it has ended, too, and nobody has noticed
}

func stat(name string) (p process) {
	text, err := os.ReadFile(name)
	if err != nil {
		return process{}
	}
	before, after, _ := strings.Cut(string(text), " (") // of the name, which may hold spaces
	_, after, _ = strings.Cut(after, ") ")
	_, _ = fmt.Sscan(before, &p.pid)
	_, _ = fmt.Sscan(after, &p.state, &p.parent)
	return p
}

// exists reports whether a process has not ended.
func exists(pid int) bool {
	p := stat(fmt.Sprintf("/proc/%d/stat", pid))
	return p.pid != 0 && p.state != "Z"
}
