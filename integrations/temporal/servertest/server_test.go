// Package servertest tries the activity against a real Temporal server, whose module is ../server.
package servertest

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	temporalwait "github.com/taskwait/taskwait/integrations/temporal"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

var (
	waits   = flag.Int("waits", 100, "how many waits at a time TestMany makes")
	longest = flag.Duration("longest", 15*time.Second, "how long the tasks of TestMany take at most")
)

// build builds the server, once.
var build = sync.OnceValues(func() (program string, err error) {
	dir, err := os.MkdirTemp("", "temporal-server-")
	if err != nil {
		return "", err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	program = filepath.Join(dir, "server")
	if out, err := exec.Command("go", "build", "-C", "../server", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// remove removes what build has built.
var remove = func() {}

// start starts a server, and says how a worker of it polls a service.
func start(t *testing.T, s *service, pause time.Duration) (client.Client, config) {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program)
	server.Stderr = os.Stderr
	life, err := server.StdinPipe() // it ends with this process
	if err != nil {
		t.Fatal(err)
	}
	said, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = life.Close()
		_ = server.Wait()
	})
	with := config{service: s.url, min: pause, max: pause}
	if _, err := fmt.Fscan(said, &with.address, &with.namespace); err != nil {
		t.Fatalf("the server: %v", err)
	}
	c, err := with.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, with
}

func execute(t *testing.T, c client.Client, workflow, arg any) client.WorkflowRun {
	t.Helper()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, workflow, arg)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func result(t *testing.T, run client.WorkflowRun) (taskwait.Task, error) {
	t.Helper()
	var task taskwait.Task
	err := run.Get(t.Context(), &task)
	return task, err
}

func forEver(string) time.Duration { return 0 }

// TestKilledBetweenPolls kills the worker while nothing is under way: another one goes on, on the same budget.
func TestKilledBetweenPolls(t *testing.T) {
	s := newService(t, forEver)
	c, with := start(t, s, 2*time.Second)
	kill := startWorker(t, with)
	run := execute(t, c, Resize, 12*time.Second)
	s.untilPolled(t, "task-1", 3)
	untilKept(t, c, run, 3)
	kill()
	unkept := len(s.of("task-1").polls) - 3 // 1: the worker was not quite between polls
	startWorker(t, with)

	_, err := result(t, run)
	got, f := s.of("task-1"), temporalwait.FailureOf(err)
	if kept := len(got.polls) - unkept; f.Type != temporalwait.TypeTimeout || f.Polls < kept || f.Polls > len(got.polls) {
		t.Errorf("got %v after %d polls, want a timeout and %d polls", err, f.Polls, kept)
	}
	if s.starts != 1 {
		t.Errorf("got %d starts, want 1", s.starts)
	}
	if len(got.workers) != 2 || len(got.polls) < 4 {
		t.Errorf("got %d polls by %d workers, want some by each of two", len(got.polls), len(got.workers))
	}
	if all := got.polls[len(got.polls)-1].Sub(got.polls[0]); f.Elapsed < all {
		t.Errorf("got a wait of %v, whose polls took %v: want the budget of both workers together", f.Elapsed, all)
	}
}

// untilKept waits until the server has an attempt that has failed, and so the wait of this many polls.
func untilKept(t *testing.T, c client.Client, run client.WorkflowRun, polls int32) {
	t.Helper()
	for {
		d, err := c.DescribeWorkflow(t.Context(), run.GetID(), run.GetRunID())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range d.RawResponse.GetPendingActivities() {
			if a.GetAttempt() <= polls {
				continue
			}
			if got := a.GetLastFailure().GetMessage(); !strings.HasSuffix(got, ": EXECUTING (resize)") {
				t.Errorf("got the last failure %q, want the task's status", got)
			}
			if got := string(a.GetHeartbeatDetails().GetPayloads()[0].GetData()); !strings.Contains(got, `"polls":`) {
				t.Errorf("got the details %s, want the wait", got)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestKilledDuringAPoll kills the worker while it has asked and not yet been answered.
func TestKilledDuringAPoll(t *testing.T) {
	s := newService(t, func(string) time.Duration { return 3 * time.Second })
	never := make(chan struct{})
	s.hold[2] = never
	t.Cleanup(func() { close(never) })
	c, with := start(t, s, time.Second)
	kill := startWorker(t, with)
	run := execute(t, c, Impatient, "8abf")
	s.untilPolled(t, "8abf", 2)
	kill()
	startWorker(t, with)

	task, err := result(t, run)
	if got := s.of("8abf"); err != nil || task.Status != taskwait.StatusSuccess || len(got.workers) != 2 {
		t.Errorf("got %v, %v, polled by %d workers, want SUCCESS, by two", task, err, len(got.workers))
	}
}

// TestHistory makes sure that the history does not grow with the polls.
func TestHistory(t *testing.T) {
	s := newService(t, func(string) time.Duration { return 5 * time.Second })
	c, with := start(t, s, time.Second)
	startWorker(t, with)
	run := execute(t, c, Await, "8abf")
	if task, err := result(t, run); err != nil || task.Status != taskwait.StatusSuccess {
		t.Fatalf("got %v, %v, want SUCCESS", task, err)
	}
	events, size := 0, 0
	for h := c.GetWorkflowHistory(t.Context(), run.GetID(), run.GetRunID(), false, 0); h.HasNext(); events++ {
		e, err := h.Next()
		if err != nil {
			t.Fatal(err)
		}
		size += e.Size()
	}
	polls := len(s.of("8abf").polls)
	if events != 11 || polls < 3 {
		t.Errorf("got %d events, %d polls, want 11 events, at least 3 polls", events, polls)
	}
	t.Logf("%d polls: %d events, %d bytes", polls, events, size)
}

// TestCancel cancels a workflow that waits: between two polls, and while one hangs.
func TestCancel(t *testing.T) {
	for _, test := range []struct {
		name string
		hold int
	}{{"between polls", 0}, {"during a poll", 2}} {
		t.Run(test.name, func(t *testing.T) {
			s := newService(t, forEver)
			released := make(chan struct{})
			s.hold[test.hold] = released
			defer close(released)
			c, with := start(t, s, time.Second)
			startWorker(t, with)
			run := execute(t, c, Await, "8abf")
			s.untilPolled(t, "8abf", max(test.hold, 1))
			if err := c.CancelWorkflow(t.Context(), run.GetID(), run.GetRunID()); err != nil {
				t.Fatal(err)
			}
			if _, err := result(t, run); !temporal.IsCanceledError(err) || !temporalwait.FailureOf(err).StillRunning {
				t.Errorf("got %v, want a cancelled workflow, the task still running", err)
			}
		})
	}
}

// TestMany compares many waits of two workers with those of one process.
func TestMany(t *testing.T) {
	takes := func(id string) time.Duration {
		h := fnv.New32a()
		_, _ = h.Write([]byte(id))
		return time.Second + time.Duration(h.Sum32()%1000)*(*longest-time.Second)/1000
	}
	var ids []string
	for i := range *waits {
		ids = append(ids, fmt.Sprintf("id-%d", i))
	}
	alone, engine := newService(t, takes), newService(t, takes)
	began := time.Now()
	waiter, err := taskwait.New(source{url: alone.url}, taskwait.WithInterval(time.Second, 4*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := waiter.WaitForAll(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	want := alone.figures(t, ids, "one process, WaitForAll", time.Since(began))

	c, with := start(t, engine, time.Second)
	with.max = 4 * time.Second
	startWorker(t, with)
	startWorker(t, with)
	began = time.Now()
	awaitAll(t, c, ids)
	if got := engine.figures(t, ids, "two workers", time.Since(began)); got > 1.2*want {
		t.Errorf("got %.2f requests for each task, want at most 1.2 times %.2f", got, want)
	}
}

// awaitAll has a workflow wait for each of the tasks, all at the same time.
func awaitAll(t *testing.T, c client.Client, ids []string) {
	t.Helper()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			o := client.StartWorkflowOptions{TaskQueue: queue}
			run, err := c.ExecuteWorkflow(t.Context(), o, Await, id)
			var task taskwait.Task
			if err == nil {
				err = run.Get(t.Context(), &task)
			}
			if err != nil || task.ID != id || task.Status != taskwait.StatusSuccess {
				t.Errorf("%s: got %v, %v, want SUCCESS", id, task, err)
			}
		})
	}
	all.Wait()
}

// TestQuota gives two workers one quota: the rate of their task queue.
func TestQuota(t *testing.T) {
	const rate, tasks = 8, 24
	s := newService(t, func(string) time.Duration { return 10 * time.Second })
	c, with := start(t, s, time.Second)
	with.rate = rate
	startWorker(t, with)
	startWorker(t, with)
	var ids []string
	for i := range tasks {
		ids = append(ids, fmt.Sprintf("id-%d", i))
	}
	awaitAll(t, c, ids)
	var polls []time.Time
	for _, id := range ids {
		polls = append(polls, s.of(id).polls...)
	}
	slices.SortFunc(polls, time.Time.Compare)
	most := 0 // within a second
	for i, first := range polls {
		n := i
		for n < len(polls) && polls[n].Sub(first) < time.Second {
			n++
		}
		most = max(most, n-i)
	}
	took := polls[len(polls)-1].Sub(polls[0])
	t.Logf("%d polls in %v, at most %d within a second", len(polls), took, most)
	if most := rate * (took.Seconds() + 2); float64(len(polls)) > most { // a burst, and what was late
		t.Errorf("got %d polls in %v, want at most %.0f", len(polls), took, most)
	}
}

// figures says how many requests each task has taken, and logs how late its end was seen.
func (s *service) figures(t *testing.T, ids []string, name string, took time.Duration) (requests float64) {
	t.Helper()
	var late []time.Duration
	var sum time.Duration
	for _, id := range ids {
		x := s.of(id)
		requests += float64(len(x.polls)) / float64(len(ids))
		late = append(late, x.told.Sub(x.ended))
		sum += x.told.Sub(x.ended)
	}
	slices.Sort(late)
	t.Logf("%s: %d waits in %v, %.2f requests for each; its end was seen after %v on average, %v at p95", name, len(ids),
		took.Round(time.Millisecond), requests, (sum / time.Duration(len(late))).Round(time.Millisecond),
		late[len(late)*95/100].Round(time.Millisecond))
	return requests
}

// TestExample runs the program of the README.
func TestExample(t *testing.T) {
	_, with := start(t, newService(t, forEver), time.Second)
	program := t.TempDir() + "/example"
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./example")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), program)
	run.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+with.address, "TEMPORAL_NAMESPACE="+with.namespace)
	out, err := run.Output()
	if want := "task \"8abf4f7e-resize\": SUCCESS <nil>\n"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("got %q, %v, want %q among the worker's log", out, err, want)
	}
}
