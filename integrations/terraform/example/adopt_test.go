package main

import (
	"testing"

	"github.com/taskwait/taskwait/fakecloud/kafka"
)

// killed has an instance that no state has: terraform was killed when it was about to wait for it.
func killed(t *testing.T) (w *workspace, id string) {
	t.Helper()
	w = newWorkspace(t)
	c, out := w.start(apply...)
	w.until("a poll", func() bool { return w.asked(kafka.RouteShowInstance) > 0 })
	if err := c.Process.Kill(); err != nil {
		t.Fatalf("kill: %v\n%s", err, out)
	}
	_ = c.Wait()
	w.want(1, 0, 0)
	return w, w.cloud.Operations()[0].InstanceID
}

// wantID makes sure which instance the state has.
func (w *workspace) wantID(id string, same bool) {
	w.Helper()
	if s := w.state(); s == nil || (s.Attributes.ID == id) != same {
		w.Errorf("the state has %+v, want instance %s: %v", s, id, same)
	}
}

// TestAdoptSmaller: an adopted instance is extended to what is configured now.
func TestAdoptSmaller(t *testing.T) {
	t.Parallel()
	w, id := killed(t)
	w.configure("= 300", "= 600")
	w.apply(ok)
	w.wantID(id, true)
	w.plan(ok)
	w.want(1, 1, 0)
}

// TestAdoptAnother: an adopted instance that is not what is configured now is replaced.
func TestAdoptAnother(t *testing.T) {
	t.Parallel()
	w, id := killed(t)
	w.configure("= 3\n", "= 5\n")
	w.says(w.apply(failed), "Error: Kafka instance has another brokers", "has begun it with 3, the configuration has 5.",
		"brokers = 5")
	w.wantID(id, true)
	w.says(w.apply(ok), "is tainted, so", "1 added, 0 changed, 1 destroyed")
	w.plan(ok)
	w.want(2, 0, 1)
}

// TestAdoptNone: what is not ours is never adopted, nor what another resource has.
func TestAdoptNone(t *testing.T) {
	t.Parallel()
	t.Run("another configuration's", func(t *testing.T) {
		t.Parallel()
		w, id := killed(t)
		w.cloud.SetSpec("by hand", kafka.Spec{Name: "orders"})
		w.configure(`owner      = "shop/production"`, "owner = \"shop/staging\"\n  poll = \"20ms\"")
		w.apply(ok)
		w.wantID(id, false)
		w.wantID("by hand", false)
		w.plan(ok)
		w.want(2, 0, 0)
	})
	t.Run("another resource's", func(t *testing.T) {
		t.Parallel()
		w := newWorkspace(t)
		w.configure("output \"address\"", `resource "example_kafka_instance" "too" {
  name               = "orders"
  product            = "c6.2u4g.cluster"
  brokers            = 3
  storage            = 300
  vpc_id             = "vpc-1"
  subnet_id          = "subnet-1"
  security_group_id  = "group-1"
  availability_zones = ["zone-1"]
  depends_on         = [example_kafka_instance.orders]
}

output "address"`)
		w.says(w.apply(ok), "2 added")
		w.plan(ok)
		w.want(2, 0, 0)
	})
	t.Run("its predecessor", func(t *testing.T) {
		t.Parallel()
		w := newWorkspace(t)
		w.configure("= 300", "= 300\n  lifecycle { create_before_destroy = true }")
		w.apply(ok)
		id := w.state().Attributes.ID
		w.run(ok, append(apply, "-replace="+resourceName)...)
		w.wantID(id, false)
		w.plan(ok)
		w.want(2, 0, 1)
	})
}
