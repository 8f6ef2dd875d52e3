package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/integrations/controller"
	"github.com/taskwait/taskwait/sourcetest"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// cluster holds the status of one object, as JSON, and counts what is asked.
type cluster struct {
	t      *testing.T
	waiter *taskwait.Waiter
	opts   []taskwait.Option
	polls  int
	status []byte
}

func newCluster(t *testing.T, src taskwait.Source, opts ...taskwait.Option) *cluster {
	c := &cluster{t: t, status: []byte("{}")}
	opts = append([]taskwait.Option{taskwait.WithInterval(10*time.Second, 10*time.Second)}, opts...)
	waiter, err := taskwait.New(taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		c.polls++
		return src.Task(ctx, id)
	}), opts...)
	if err != nil {
		t.Fatal(err)
	}
	c.waiter = waiter
	return c
}

func (c *cluster) read() (s controller.TaskStatus) {
	c.t.Helper()
	if err := json.Unmarshal(c.status, &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *cluster) write(s controller.TaskStatus) (changed bool) {
	c.t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		c.t.Fatal(err)
	}
	changed = string(b) != string(c.status)
	c.status = b
	return changed
}

// reconcile is a Reconcile of the object. It reports how many queries it made, and whether it wrote the status.
func (c *cluster) reconcile(id string, generation int64) (r reconcile.Result, polls int, wrote bool) {
	c.t.Helper()
	s, before := c.read(), c.polls
	r, err := controller.Poll(c.t.Context(), c.waiter, id, generation, &s, c.opts...)
	if err != nil {
		c.t.Fatalf("got %v, want no error", err)
	}
	return r, c.polls - before, c.write(s)
}

// condition is the condition, whose form is checked.
func (c *cluster) condition(generation int64) metav1.Condition {
	c.t.Helper()
	s := c.read()
	got := meta.FindStatusCondition(s.Conditions, controller.TaskSucceeded)
	if got == nil || got.Reason == "" || got.Message == "" || got.LastTransitionTime.IsZero() ||
		got.ObservedGeneration != generation {
		c.t.Fatalf("got condition %+v, want all fields, and generation %d", got, generation)
	}
	return *got
}

func answer(s taskwait.Status, after time.Duration) sourcetest.Answer {
	return sourcetest.Answer{Task: taskwait.Task{Status: s}, After: after}
}

// TestPoll goes from the first poll to the last one, as the queue of a controller does.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		c := newCluster(t, sourcetest.Script(answer(taskwait.StatusCreated, 0), answer(taskwait.StatusExecuting, time.Minute),
			answer(taskwait.StatusSuccess, 5*time.Minute)))
		for {
			r, polls, wrote := c.reconcile("t1", 1)
			if polls != 1 || !wrote {
				t.Fatalf("got %d polls, wrote %v, want 1 and true", polls, wrote)
			}
			got := c.condition(1)
			if r.RequeueAfter == 0 {
				if got.Status != metav1.ConditionTrue || got.Reason != "Succeeded" || got.Message != `task "t1": SUCCESS` {
					t.Errorf("got %+v, want True, Succeeded", got)
				}
				break
			}
			if got.Status != metav1.ConditionUnknown || got.Reason != "Running" ||
				!got.LastTransitionTime.Time.Equal(begin.Truncate(time.Second)) {
				t.Fatalf("got %+v, want Unknown, Running, since the first poll", got)
			}
			time.Sleep(r.RequeueAfter)
		}
		if d := time.Since(begin); d < 5*time.Minute || d > 5*time.Minute+12*time.Second || c.polls > 32 {
			t.Errorf("got the end after %v and %d polls, want it within a pause of 5m", d, c.polls)
		}
		if r, polls, wrote := c.reconcile("t1", 1); polls != 0 || wrote || r != (reconcile.Result{}) {
			t.Errorf("after the end: got %+v, %d polls, wrote %v, want nothing", r, polls, wrote)
		}
	})
}

// TestEarly: a call that comes early, after a write or a restart, returns what is left and does nothing else.
func TestEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := sourcetest.Script(answer(taskwait.StatusExecuting, 0))
		c := newCluster(t, src)
		first, _, _ := c.reconcile("t1", 1)
		for _, after := range []time.Duration{0, time.Second, 2 * time.Second} {
			time.Sleep(after)
			restarted := newCluster(t, src)
			restarted.status = c.status
			r, polls, wrote := restarted.reconcile("t1", 1)
			if first.RequeueAfter -= after; polls != 0 || wrote || (r.RequeueAfter-first.RequeueAfter).Abs() > time.Microsecond {
				t.Errorf("got %v, %d polls, wrote %v, want the rest of %v", r.RequeueAfter, polls, wrote, first.RequeueAfter)
			}
		}
		time.Sleep(first.RequeueAfter + time.Microsecond)
		if _, polls, _ := c.reconcile("t1", 1); polls != 1 {
			t.Errorf("got %d polls when it was due, want 1", polls)
		}
	})
}

// TestBudget: restarts give a wait no more time.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := sourcetest.Script(answer(taskwait.StatusExecuting, 0))
		begin := time.Now()
		c := newCluster(t, src, taskwait.WithTimeout(10*time.Minute))
		r := reconcile.Result{RequeueAfter: 1}
		for r.RequeueAfter > 0 {
			c.waiter = newCluster(t, src, taskwait.WithTimeout(10*time.Minute)).waiter
			r, _, _ = c.reconcile("t1", 1)
			time.Sleep(r.RequeueAfter)
		}
		got, d := c.condition(1), time.Since(begin).Truncate(time.Microsecond)
		if got.Status != metav1.ConditionUnknown || got.Reason != "TimedOut" || d != 10*time.Minute {
			t.Errorf("got %+v after %v, want Unknown, TimedOut after 10m: the task may still run", got, d)
		}
	})
}

// TestClockStepsBack: the pause is not longer by that, and nothing is asked.
func TestClockStepsBack(t *testing.T) {
	var status []byte
	var pause time.Duration
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, sourcetest.Script(answer(taskwait.StatusExecuting, 0)))
		time.Sleep(2 * time.Hour)
		first, _, _ := c.reconcile("t1", 1)
		status, pause = c.status, first.RequeueAfter
	})
	synctest.Test(t, func(t *testing.T) { // every bubble begins at one instant: two hours earlier, that is
		c := newCluster(t, sourcetest.Script(answer(taskwait.StatusExecuting, 0)))
		c.status = status
		r, polls, wrote := c.reconcile("t1", 1)
		if polls != 0 || !wrote || r.RequeueAfter > pause || r.RequeueAfter < pause-time.Microsecond {
			t.Errorf("got %v, %d polls, wrote %v, want %v and none", r.RequeueAfter, polls, wrote, pause)
		}
		if r, polls, wrote := c.reconcile("t1", 1); polls != 0 || wrote || r.RequeueAfter > pause {
			t.Errorf("once more: got %v, %d polls, wrote %v, want nothing done", r.RequeueAfter, polls, wrote)
		}
	})
}

// TestNewWait: another generation, and another id, begin a new wait.
func TestNewWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, sourcetest.Script(answer(taskwait.StatusFailed, 0)))
		for _, n := range []struct {
			id         string
			generation int64
			polls      int
		}{{"t1", 1, 1}, {"t1", 1, 0}, {"t1", 2, 1}, {"t2", 2, 1}, {"t2", 2, 0}, {"t1", 2, 1}} {
			_, polls, _ := c.reconcile(n.id, n.generation)
			got := c.condition(n.generation)
			if polls != n.polls || got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, n.id) {
				t.Errorf("%s, generation %d: got %d polls and %+v, want %d", n.id, n.generation, polls, got, n.polls)
			}
		}
	})
}

// TestEnds makes sure of the condition for each end, and that there is no error to retry and no poll after it.
func TestEnds(t *testing.T) {
	permanent := sourcetest.Answer{Err: taskwait.Permanent(errors.New("403 Forbidden"))}
	unknown := sourcetest.Answer{Err: taskwait.NotFound(errors.New("no such task"))}
	stop := taskwait.WithStallTimeout(time.Minute)
	tests := []struct {
		name, id string
		answer   sourcetest.Answer
		opts     []taskwait.Option
		status   metav1.ConditionStatus
		reason   string
	}{
		{"failed", "t1", answer(taskwait.StatusFailed, 0), nil, metav1.ConditionFalse, "Failed"},
		{"deleted", "t1", answer(taskwait.StatusDeleted, 0), nil, metav1.ConditionFalse, "Deleted"},
		{"cancelled", "t1", answer(taskwait.StatusCancelled, 0), nil, metav1.ConditionFalse, "Cancelled"},
		{"not found", "t1", unknown, nil, metav1.ConditionUnknown, "NotFound"},
		{"refused", "t1", permanent, nil, metav1.ConditionUnknown, "CouldNotQuery"},
		{"stalled", "t1", answer(taskwait.StatusExecuting, 0), []taskwait.Option{stop}, metav1.ConditionUnknown, "Stalled"},
		{"an id that cannot be one", "a/b", answer(taskwait.StatusExecuting, 0), nil, metav1.ConditionUnknown, "InvalidID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, sourcetest.Script(tt.answer), tt.opts...)
				r := reconcile.Result{RequeueAfter: 1}
				for r.RequeueAfter > 0 {
					r, _, _ = c.reconcile(tt.id, 1)
					time.Sleep(r.RequeueAfter)
				}
				if got := c.condition(1); got.Status != tt.status || got.Reason != tt.reason {
					t.Errorf("got %+v, want %v, %v", got, tt.status, tt.reason)
				}
				if r, polls, wrote := c.reconcile(tt.id, 1); polls != 0 || wrote || r != (reconcile.Result{}) {
					t.Errorf("after the end: got %+v, %d polls, wrote %v, want nothing", r, polls, wrote)
				}
			})
		})
	}
}

// TestTrouble: errors of the service are a pause and no error.
func TestTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, sourcetest.Script(sourcetest.Answer{Err: errors.New("503 Service Unavailable")},
			answer(taskwait.StatusSuccess, 0)))
		r, _, _ := c.reconcile("t1", 1)
		got := c.condition(1)
		if got.Status != metav1.ConditionUnknown || got.Reason != "Trouble" || !strings.Contains(got.Message, "503") {
			t.Errorf("got %+v, want Unknown, Trouble, and the error", got)
		}
		time.Sleep(r.RequeueAfter)
		c.reconcile("t1", 1)
		if got := c.condition(1); got.Status != metav1.ConditionTrue {
			t.Errorf("got %+v, want True", got)
		}
	})
}

// TestErrors makes sure what is an error, and that the status stays as it was.
func TestErrors(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	waiting := controller.TaskStatus{
		Conditions: []metav1.Condition{
			{Type: controller.TaskSucceeded, Status: metav1.ConditionUnknown, ObservedGeneration: 1},
		},
		Wait: `{"v":1,"id":"t1"}`, NextPoll: &metav1.MicroTime{Time: time.Unix(1, 0)},
	}
	later := *waiting.DeepCopy()
	later.Wait = `{"v":99,"id":"t1"}`
	tests := []struct {
		name   string
		ctx    context.Context
		status controller.TaskStatus
		opts   []taskwait.Option
		want   error
	}{
		{"the context has ended", ended, waiting, nil, context.Canceled},
		{"it has ended before the first poll", ended, controller.TaskStatus{}, nil, context.Canceled},
		{"a later version has stored the wait", t.Context(), later, nil, reconcile.TerminalError(nil)},
		{"a bad option", t.Context(), waiting, []taskwait.Option{taskwait.WithTimeout(-1)}, reconcile.TerminalError(nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, sourcetest.Script(answer(taskwait.StatusExecuting, 0)))
			got := *tt.status.DeepCopy()
			r, err := controller.Poll(tt.ctx, c.waiter, "t1", 1, &got, tt.opts...)
			if !errors.Is(err, tt.want) || r != (reconcile.Result{}) {
				t.Errorf("got %+v, %v, want %v", r, err, tt.want)
			}
			if !reflect.DeepEqual(got, tt.status) {
				t.Errorf("got status %+v, want it as it was", got)
			}
		})
	}
}

// TestOtherConditions: those of the object's own are left alone, and a copy shares nothing.
func TestOtherConditions(t *testing.T) {
	c := newCluster(t, sourcetest.Script(answer(taskwait.StatusExecuting, 0)))
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Made"}
	c.write(controller.TaskStatus{Conditions: []metav1.Condition{ready}})
	c.reconcile("t1", 1)
	s := c.read()
	if !reflect.DeepEqual(s.Conditions[0], ready) || len(s.Conditions) != 2 {
		t.Errorf("got %+v, want %+v and ours", s.Conditions, ready)
	}
	before, changed := s.DeepCopy(), s.DeepCopy()
	changed.Conditions[0].Type, changed.NextPoll.Time, changed.LastPoll.Time = "other", time.Time{}, time.Time{}
	if !reflect.DeepEqual(&s, before) {
		t.Errorf("got %+v after a copy was changed, want %+v", s, before)
	}
	if got := (*controller.TaskStatus)(nil).DeepCopy(); got != nil {
		t.Errorf("got %+v, want nil", got)
	}
}
