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

// TestKill kills the provider or terraform by SIGKILL while an instance is created, from the first request on, and
// applies again: the service has created one instance each time.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, victim := range []string{"provider", "terraform"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			var killed atomic.Int32
			t.Cleanup(func() { t.Logf("%d of %d kills of the %s: one creation each", killed.Load(), *kills, victim) })
			for n := range *kills {
				// The first request looks for the instance, the second one creates it, and the others poll.
				requests, later := 1+n/2, time.Duration(n%2)*7*time.Millisecond
				t.Run(fmt.Sprintf("%v after %d requests", later, requests), func(t *testing.T) {
					t.Parallel()
					w := killCreation(t, victim, requests, later)
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

// killCreation kills an apply some time after so many requests, and lets another one finish.
func killCreation(t *testing.T, victim string, requests int, later time.Duration) *workspace {
	t.Helper()
	w := newWorkspace(t)
	w.cloud.OnCreate(kafka.Change{Duration: time.Hour}) // so that the kill is never too late
	w.env = append(w.env, "TF_LOG_PROVIDER=OFF")        // a provider that logs dies of a pipe that nobody reads any more
	c, out := w.start(apply...)
	w.until("the requests", func() bool { return len(w.cloud.Requests()) >= requests })
	provider := child(t, c.Process.Pid)
	time.Sleep(later)
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

	w.cloud.OnCreate(kafka.Change{Duration: 50 * time.Millisecond})
	c, out = w.start(apply...)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	w.until("an end of the second apply", func() bool {
		for _, o := range w.cloud.Operations() {
			w.cloud.SetStatus(o.InstanceID, "RUNNING") // what the first one has created becomes ready
		}
		return len(ended) > 0
	})
	if err := <-ended; err != nil {
		t.Errorf("the second apply: %v\n%s", err, out)
	}
	w.says(out.String(), "1 added, 0 changed, 0 destroyed")
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
			c, out := w.start(apply...)
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
