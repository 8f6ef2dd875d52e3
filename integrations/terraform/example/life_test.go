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

// badGateway is what a load balancer answers; the request was not served.
func badGateway() fakecloud.Fault { return fakecloud.HTML(http.StatusBadGateway) }

// TestLife applies, plans, extends, imports and destroys.
func TestLife(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.says(w.apply(ok), "Apply complete! Resources: 1 added", `address = "192.168.0.10,`)
	w.plan(ok)
	w.plan(ok)
	w.want(1, 0, 0)
	if n := w.carriedOut(kafka.RouteChangeTags); n != 1 {
		t.Errorf("the tag was removed %d times, want once, by the first refresh", n)
	}
	if log := w.log(); !strings.Contains(log, "create orders: changed") || !strings.Contains(log, "status=CREATING") ||
		!strings.Contains(log, "create orders: done") {
		t.Errorf("the provider's log shows no progress:\n%s", log)
	}

	w.configure("= 300", "= 600")
	w.says(w.plan(changes), "storage = 300 -> 600", "0 to add, 1 to change, 0 to destroy")
	w.apply(ok)
	w.plan(ok)
	w.want(1, 1, 0)

	id := w.state().Attributes.ID
	w.run(ok, "state", "rm", resourceName)
	w.says(w.run(ok, "import", resourceName, id), "Import successful!")
	w.says(w.apply(ok), "0 added, 1 changed, 0 destroyed") // its timeouts, which only the configuration has
	w.plan(ok)
	w.want(1, 1, 0)

	w.destroy(ok)
	if s, there := w.cloud.Instance(id); there {
		t.Errorf("after destroy there is still %+v", s)
	}
	w.want(1, 1, 1)
}

// TestLifeWithFaults is a life in which each request meets a throttle or a 502 first.
func TestLifeWithFaults(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	trouble := func(routes ...fakecloud.Route) {
		for _, r := range routes {
			w.cloud.Inject(r, fakecloud.Throttle(time.Second), badGateway())
		}
	}
	trouble(kafka.RouteListInstances, kafka.RouteCreateInstance, kafka.RouteShowInstance)
	w.apply(ok)
	w.want(1, 0, 0)
	trouble(kafka.RouteShowInstance, kafka.RouteChangeTags)
	w.plan(ok)
	w.configure("= 300", "= 600")
	trouble(kafka.RouteResize, kafka.RouteListTasks, kafka.RouteShowTask, kafka.RouteShowInstance)
	w.apply(ok)
	w.plan(ok)
	w.want(1, 1, 0)
	trouble(kafka.RouteDeleteInstance, kafka.RouteShowInstance)
	w.destroy(ok)
	w.want(1, 1, 1)
	if log := w.log(); !strings.Contains(log, "create orders: trouble") || !strings.Contains(log, "429") {
		t.Errorf("the provider's log shows no trouble:\n%s", log)
	}
}

// TestFailedCreation taints, so that the next apply replaces the instance.
func TestFailedCreation(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.cloud.OnCreate(kafka.Change{Duration: 300 * time.Millisecond, Outcome: createFailed})
	w.says(w.apply(failed), `Error: Failed: creating Kafka instance "orders"`, "Last seen: CREATEFAILED.",
		"What to do: see the service's console for why, and apply again. That replaces the instance.", resourceName,
		`name = "orders"`)
	if s := w.state(); s == nil || s.Status != "tainted" {
		t.Errorf("the state has %+v, want it tainted", s)
	}
	w.cloud.OnCreate(kafka.Change{Duration: 300 * time.Millisecond})
	w.says(w.apply(ok), "1 added, 0 changed, 1 destroyed")
	w.plan(ok)
	w.want(2, 0, 1)
}

// TestFailedExtension leaves the instance as it was, and does not taint.
func TestFailedExtension(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.apply(ok)
	w.cloud.OnResize(kafka.Script{Duration: 300 * time.Millisecond, Outcome: "FAILED"})
	w.configure("= 300", "= 600")
	w.says(w.apply(failed), `Error: Failed: extending Kafka instance "orders"`, "Last seen: FAILED.", "stays.",
		"storage = 600")
	if s := w.state(); s.Status == "tainted" || s.Attributes.Storage != 300 {
		t.Errorf("the state has %+v, want 300 GB, and it not tainted", s)
	}
	w.cloud.OnResize(kafka.Script{Duration: 300 * time.Millisecond})
	w.cloud.SetStatus(w.state().Attributes.ID, "RUNNING") // somebody has repaired it
	w.apply(ok)
	w.plan(ok)
	w.want(1, 2, 0)
}

// TestREADME: the configuration that README.md shows is the one that all this runs.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("example.tf")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```hcl\n"+string(config)+"```\n") {
		t.Errorf("README.md does not show example.tf")
	}
}
