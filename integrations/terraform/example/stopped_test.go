package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/fakecloud/kafka"
)

// stopped has an instance whose creation goes on for as long as the test wants, and which an apply has stopped waiting
// for.
func stopped(t *testing.T) (w *workspace, id string) {
	t.Helper()
	w = newWorkspace(t, kafka.WithoutConflicts())
	w.cloud.OnCreate(kafka.Change{Duration: time.Hour})
	w.configure(`"50m"`, `"1s"`)
	w.says(w.apply(ok), `Warning: Still creating Kafka instance "orders"`, "Last seen: CREATING.",
		"What to do: apply again.", "If 1s is too short, set timeouts.create.", "1 added")
	w.cloud.OnCreate(kafka.Change{Duration: 50 * time.Millisecond})
	w.configure()
	w.wantWaiting("CREATING")
	return w, w.state().Attributes.ID
}

// wantWaiting makes sure that the state has the resource, not tainted, and a wait that goes on.
func (w *workspace) wantWaiting(status string) {
	w.Helper()
	s := w.state()
	if s == nil || s.Status == "tainted" || s.Attributes.Status != status || !strings.Contains(string(s.Private), "wait") {
		w.Fatalf("the state has %+v, want %s, a wait, and it not tainted", s, status)
	}
}

// TestStoppedCreation: a creation that takes longer than its timeout is a warning, and the next apply goes on.
func TestStoppedCreation(t *testing.T) {
	t.Parallel()
	w, id := stopped(t)
	w.says(w.plan(changes), `status = "CREATING" -> (known after apply)`, "0 to add, 1 to change, 0 to destroy")
	out, err := w.during(kafka.RouteShowInstance, func() { w.cloud.SetStatus(id, "RUNNING") }, apply...)
	w.says(out, "0 added, 1 changed, 0 destroyed", `address = "192.168.0.10,`)
	if err != nil {
		t.Error(err)
	}
	w.plan(ok)
	w.want(1, 0, 0)
}

// TestStoppedCreationAgain: the next apply has a timeout of its own, and may stop as well.
func TestStoppedCreationAgain(t *testing.T) {
	t.Parallel()
	w, id := stopped(t)
	w.configure(`"2h"`, `"1s"`)
	w.says(w.apply(ok), `Warning: Still creating Kafka instance "orders"`, "If 1s is too short, set timeouts.update.")
	w.wantWaiting("CREATING")
	w.cloud.SetStatus(id, "RUNNING")
	w.apply(ok)
	w.plan(ok)
	w.want(1, 0, 0)
}

// TestStoppedCreationRefreshed: what has ended meanwhile takes no change, only a refresh.
func TestStoppedCreationRefreshed(t *testing.T) {
	t.Parallel()
	w, id := stopped(t)
	w.configure(`"50m"`, `"1s"`)
	w.cloud.SetStatus(id, "RUNNING")
	w.says(w.apply(ok), "0 added, 0 changed, 0 destroyed", `address = "192.168.0.10,`)
	w.plan(ok)
	w.want(1, 0, 0)
}

// TestStoppedCreationFails: what has failed meanwhile is replaced, whoever notices.
func TestStoppedCreationFails(t *testing.T) {
	t.Parallel()
	t.Run("seen by the refresh", func(t *testing.T) {
		t.Parallel()
		w, id := stopped(t)
		w.cloud.SetStatus(id, createFailed)
		w.replacesFailed()
	})
	t.Run("seen by the apply", func(t *testing.T) {
		t.Parallel()
		w, id := stopped(t)
		out, err := w.during(kafka.RouteShowInstance, func() { w.cloud.SetStatus(id, createFailed) }, apply...)
		if err == nil {
			t.Errorf("apply ended with 0, want a failure")
		}
		w.says(out, `Failed: creating Kafka instance "orders"`, "Last seen: CREATEFAILED.", `name = "orders"`)
		w.replacesFailed()
	})
}

// replacesFailed makes sure that the next apply replaces an instance that has failed to be created.
func (w *workspace) replacesFailed() {
	w.Helper()
	w.says(w.apply(ok), "must be replaced", "1 added, 0 changed, 1 destroyed")
	w.plan(ok)
	w.want(2, 0, 1)
}

// TestInterruptedCreation: ctrl-C neither taints nor loses an instance.
func TestInterruptedCreation(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.cloud.OnCreate(kafka.Change{Duration: time.Hour})
	c, out := w.start(apply...)
	w.until("three polls", func() bool { return w.asked(kafka.RouteShowInstance) >= 3 })
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // its exit code is terraform's business
	w.says(out.String(), `Warning: Still creating Kafka instance "orders"`, "Last seen: CREATING.", "context canceled")
	w.wantWaiting("CREATING")
	w.cloud.SetStatus(w.state().Attributes.ID, "RUNNING")
	w.apply(ok)
	w.plan(ok)
	w.want(1, 0, 0)
}

// TestStoppedExtension: an extension goes on as well.
func TestStoppedExtension(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.apply(ok)
	w.cloud.OnResize(kafka.Script{Duration: time.Hour})
	w.configure("= 300", "= 600", `"2h"`, `"1s"`)
	w.says(w.apply(ok), `Warning: Still extending Kafka instance "orders"`, "Last seen: ", "set timeouts.update.")
	w.wantWaiting("RUNNING")
	w.configure("= 300", "= 600")
	w.says(w.plan(changes), "storage = 300 -> 600", "0 to add, 1 to change, 0 to destroy")
	out, err := w.during(kafka.RouteShowTask, func() {
		id := w.state().Attributes.ID
		w.cloud.SetSpec(id, kafka.Spec{Storage: 600})
		w.cloud.SetStatus(id, "RUNNING")
		w.cloud.Inject(kafka.RouteShowTask, kafka.Status("SUCCESS").For(time.Hour))
	}, apply...)
	if w.says(out, "0 added, 1 changed, 0 destroyed"); err != nil {
		t.Error(err)
	}
	w.plan(ok)
	w.want(1, 1, 0)
}

// TestStoppedDeletion is an error: the instance is still there.
func TestStoppedDeletion(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.configure(`"15m"`, `"1s"`)
	w.cloud.OnDelete(kafka.Change{Duration: time.Hour})
	w.apply(ok)
	w.says(w.destroy(failed), `Error: Failed: deleting Kafka instance "orders"`, "Last seen: DELETING.",
		"set timeouts.delete.")
	w.configure()
	w.apply(ok) // a destroy has the timeout of the state
	gone := fakecloud.Error(http.StatusNotFound, "DMS.00404022", "This instance does not exist.")
	out, err := w.during(kafka.RouteShowInstance, func() {
		w.cloud.Inject(kafka.RouteShowInstance, gone.For(time.Hour))
	}, "destroy", "-auto-approve", "-input=false")
	if err != nil || w.state() != nil {
		t.Errorf("%v, and the state has %+v, want nothing:\n%s", err, w.state(), out)
	}
	w.want(1, 0, 1)
}
