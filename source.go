package taskwait

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Source answers one question: how is the task with this id? It asks once and does not retry; the wait does that.
//
// It returns a Task when the service has answered for this very id, and an error otherwise: a plain error is taken for
// a passing fault, a [*QueryError] says more. It may be called from many goroutines at once.
//
// A call should end when ctx does. One that does not is left behind: WaitForTask returns all the same, and the call may
// still run then. So it must touch nothing that belongs to the caller.
type Source interface {
	Task(ctx context.Context, id string) (Task, error)
}

// SourceFunc is a function that is a [Source]. The same rules hold: above all, a call may still run after WaitForTask
// has returned, and must touch nothing that belongs to the caller.
type SourceFunc func(ctx context.Context, id string) (Task, error)

// Task calls f.
func (f SourceFunc) Task(ctx context.Context, id string) (Task, error) { return f(ctx, id) }

// Task is what a service says of one task.
type Task struct {
	ID        string        `json:"id"`                  // empty: filled in with the id that was asked for; another id counts as not found
	Name      string        `json:"name,omitempty"`      // the kind of task, such as "bindInstancePublicIp"; empty: unknown
	Status    Status        `json:"status"`              // as the service words it, known or not
	Failure   Failure       `json:"failure,omitzero"`    // why it failed, where the service says so
	Percent   *int          `json:"percent,omitempty"`   // 0 to 100 as the service reports it; nil: unknown
	Remaining time.Duration `json:"remaining,omitempty"` // the service's own estimate; 0: unknown; nanoseconds in JSON
	CreatedAt time.Time     `json:"createdAt,omitzero"`  // by the service's clock; zero: unknown
	UpdatedAt time.Time     `json:"updatedAt,omitzero"`  // by the service's clock; an end only once Status is terminal; zero: unknown

	AsOf time.Time `json:"asOf,omitzero"` // when the service said all this, by its own clock; zero: unknown

	// Raw is the SDK's own value, for code that needs what is not above. It may hold passwords (a task's params do), so
	// nothing in this module prints it: not fmt with any verb, not JSON, not a logger. A Source stores a pointer here,
	// never a struct, so that a printed struct around the Task does not show it either.
	Raw any `json:"-"`
}

// Failure is the service's own account of why a task failed. It is zero where the service has none, as DMS for Kafka.
type Failure struct {
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// String gives the task's facts on one line, without Raw, foreign text cut and escaped.
func (t Task) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "task %q: %s", clip(t.ID), statusText(t))
	if t.Percent != nil {
		fmt.Fprintf(&b, ", %d%%", *t.Percent)
	}
	if t.Remaining > 0 {
		fmt.Fprintf(&b, ", %v left", t.Remaining)
	}
	if f := failureText(t.Failure); f != "" {
		b.WriteString(", " + f)
	}
	return b.String()
}

// Format writes what String gives, whatever the verb and its flags. Without it %+v and %#v would print Raw.
func (t Task) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }
