// Package controller lets a Kubernetes controller wait for tasks: each Reconcile makes at most one poll, and is called
// again after the pause. The status of the object holds the wait, so the wait outlives the process.
package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// TaskSucceeded is the type of the condition. It is True when the task has succeeded, and False when the service has
// reported that it never will. As long as it is Unknown the task may still run, also after the wait has ended: do not
// delete anything then as if the task had failed.
const TaskSucceeded = "TaskSucceeded"

// minPause is the least pause, as a RequeueAfter of 0 means never.
const minPause = time.Millisecond

// TaskStatus is the part of an object's status for the wait for its task. Embed it there, inline.
type TaskStatus struct {
	// Conditions are those of the object. Poll sets the one of type TaskSucceeded and leaves the others alone.
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Wait is the stored wait: a taskwait.Wait in JSON, at most 1.5 kB long. Empty: it has not begun.
	Wait string `json:"wait,omitempty"`

	// LastPoll is when the wait was last updated, and NextPoll is when its next poll is due. A Wait without NextPoll:
	// the wait has ended.
	LastPoll *metav1.MicroTime `json:"lastPoll,omitempty"`
	NextPoll *metav1.MicroTime `json:"nextPoll,omitempty"`
}

// DeepCopyInto makes out a copy that shares nothing with s.
func (s *TaskStatus) DeepCopyInto(out *TaskStatus) {
	*out = *s
	out.LastPoll, out.NextPoll = s.LastPoll.DeepCopy(), s.NextPoll.DeepCopy()
	if s.Conditions != nil {
		out.Conditions = make([]metav1.Condition, len(s.Conditions))
		for i := range s.Conditions {
			s.Conditions[i].DeepCopyInto(&out.Conditions[i])
		}
	}
}

// DeepCopy returns a copy that shares nothing with s; nil: of nil.
func (s *TaskStatus) DeepCopy() *TaskStatus {
	if s == nil {
		return nil
	}
	out := &TaskStatus{}
	s.DeepCopyInto(out)
	return out
}

// Poll makes the next poll of the wait for a task, if it is due, and updates status. The caller writes status if it has
// changed. The Result is what Reconcile returns: it asks for another call after the pause, or for none if the wait has
// ended.
//
// A call that comes early sends nothing and changes nothing. So neither a restart of the controller, after which every
// object is reconciled at once, nor the caller's own write of the status costs a query. Another id, or another
// generation of the object, begins a new wait.
//
// A task that has failed, or a wait that has ended without success, is a condition and no error. An error means that
// ctx has ended, or is a [reconcile.TerminalError]: an option is bad, or a later version has stored the wait. It leaves
// status as it was.
func Poll(ctx context.Context, w *taskwait.Waiter, id string, generation int64, status *TaskStatus,
	opts ...taskwait.Option) (reconcile.Result, error) {
	wait, err := status.restore(id, generation)
	if err != nil {
		return reconcile.Result{}, reconcile.TerminalError(err)
	}
	if wait == nil {
		wait = &taskwait.Wait{ID: id}
	} else if rest, over := status.rest(time.Now()); over || rest > 0 {
		return reconcile.Result{RequeueAfter: rest}, nil
	}
	p, err := w.Poll(ctx, wait, opts...)
	switch {
	case errors.Is(err, taskwait.ErrInvalidOption):
		return reconcile.Result{}, reconcile.TerminalError(err)
	case err != nil && !p.Done:
		return reconcile.Result{}, err
	}
	return status.record(wait, generation, &p, err)
}

// restore brings back the wait for the task with this id; nil: it has not begun.
func (s *TaskStatus) restore(id string, generation int64) (*taskwait.Wait, error) {
	c := meta.FindStatusCondition(s.Conditions, TaskSucceeded)
	if s.Wait == "" || c == nil || c.ObservedGeneration != generation {
		return nil, nil
	}
	wait := &taskwait.Wait{}
	if err := json.Unmarshal([]byte(s.Wait), wait); err != nil {
		return nil, fmt.Errorf("status.wait: %w", err)
	}
	if wait.ID != id {
		return nil, nil
	}
	return wait, nil
}

// rest is what is left of the pause; over: there will be no more poll. Where the clock has stepped back since, the
// instants mean nothing, and the wait itself knows what is left.
func (s *TaskStatus) rest(now time.Time) (rest time.Duration, over bool) {
	switch {
	case s.NextPoll == nil:
		return 0, true
	case s.LastPoll == nil || now.Before(s.LastPoll.Time):
		return 0, false
	}
	return s.NextPoll.Sub(now), false
}

// record makes status say what a poll came to.
func (s *TaskStatus) record(wait *taskwait.Wait, generation int64, p *taskwait.Progress, err error) (
	reconcile.Result, error) {
	stored, marshalErr := json.Marshal(wait)
	if marshalErr != nil {
		return reconcile.Result{}, reconcile.TerminalError(marshalErr)
	}
	now := time.Now()
	s.Wait, s.LastPoll, s.NextPoll = string(stored), instant(now), nil
	c := condition(p, err)
	c.Type, c.ObservedGeneration = TaskSucceeded, generation
	meta.SetStatusCondition(&s.Conditions, c)
	if p.Done {
		return reconcile.Result{}, nil
	}
	s.NextPoll = instant(now.Add(max(p.Next, minPause) + time.Microsecond - 1)) // rounded up: it is not to be early
	return reconcile.Result{RequeueAfter: s.NextPoll.Sub(now)}, nil
}

// instant is a time as the API server keeps it.
func instant(t time.Time) *metav1.MicroTime {
	return &metav1.MicroTime{Time: t.Truncate(time.Microsecond)}
}

// The reasons of the condition where the wait is over and the task has not succeeded.
var reasons = []struct {
	err    error
	reason string
}{
	{taskwait.ErrTaskFailed, "Failed"},
	{taskwait.ErrTaskDeleted, "Deleted"},
	{taskwait.ErrTaskCancelled, "Cancelled"},
	{taskwait.ErrTimeout, "TimedOut"},
	{taskwait.ErrTaskNotFound, "NotFound"},
	{taskwait.ErrQuery, "CouldNotQuery"},
	{taskwait.ErrStalled, "Stalled"},
	{taskwait.ErrBackOffStopped, "BackOffStopped"},
	{taskwait.ErrInvalidID, "InvalidID"},
}

// condition is what p says, in the words of the API conventions.
func condition(p *taskwait.Progress, err error) metav1.Condition {
	var e *taskwait.WaitError
	switch c := (metav1.Condition{Status: metav1.ConditionUnknown, Message: p.Task.String()}); {
	case !p.Done && p.Err != nil:
		c.Reason, c.Message = "Trouble", fmt.Sprintf("%v; last: %v", p.Task, p.Err)
		return c
	case !p.Done:
		c.Reason = "Running"
		return c
	case err == nil:
		c.Status, c.Reason = metav1.ConditionTrue, "Succeeded"
		return c
	default:
		if errors.As(err, &e) && !e.StillRunning() {
			c.Status = metav1.ConditionFalse
		}
		c.Reason, c.Message = "GivenUp", err.Error()
		for _, r := range reasons {
			if errors.Is(err, r.err) {
				c.Reason = r.reason
			}
		}
		return c
	}
}
