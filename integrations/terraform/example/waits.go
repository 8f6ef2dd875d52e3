package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"github.com/taskwait/taskwait"
)

// privateKey is where the private state has what was begun and has not ended.
const privateKey = "wait"

// begun is an operation that an apply has stopped waiting for.
type begun struct {
	Operation string         `json:"operation"` // creating or extending
	Storage   int64          `json:"storage"`   // what it extends to; 0: it does not
	Began     time.Time      `json:"began"`
	Wait      *taskwait.Wait `json:"wait"`
}

const (
	creating  = "creating"
	extending = "extending"
)

// privateState is that of a request or of a response.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// load returns what was kept; nil: nothing.
func load(ctx context.Context, p privateState, diags *diag.Diagnostics) *begun {
	text, d := p.GetKey(ctx, privateKey)
	diags.Append(d...)
	if len(text) == 0 {
		return nil
	}
	var b begun
	if err := json.Unmarshal(text, &b); err != nil || b.Wait == nil {
		diags.AddWarning("A wait was not kept well", fmt.Sprintf("It is begun anew. %v", err))
		return nil
	}
	return &b
}

// keep stores b; nil: there is nothing to go on with.
func keep(ctx context.Context, p privateState, b *begun, diags *diag.Diagnostics) {
	var text []byte
	if b != nil {
		var err error
		if text, err = json.Marshal(b); err != nil {
			diags.AddWarning("The wait cannot be kept", err.Error())
		}
	}
	diags.Append(p.SetKey(ctx, privateKey, text)...)
}

// waiter makes a Waiter as the provider's configuration wants it.
func (c *cloud) waiter(source taskwait.Source) (*taskwait.Waiter, error) {
	return taskwait.New(source, taskwait.WithInterval(c.poll, 8*c.poll), taskwait.WithNotFoundGrace(4*c.poll))
}

// sends is how often an operation is sent at most where no answer says what became of it.
const sends = 5

// do carries out an operation, or goes on with it where op.Wait is set. Where an answer was lost, it looks for what was
// begun, and sends the operation again only if there is nothing.
func (c *cloud) do(
	ctx context.Context, source taskwait.Source, op taskwait.Operation, timeout time.Duration,
) (task taskwait.Task, err error) {
	waiter, err := c.waiter(source)
	if err != nil {
		return taskwait.Task{}, err
	}
	for range sends {
		task, err = waiter.Do(ctx, op, taskwait.WithTimeout(timeout), logged(ctx, op.Name))
		var e *taskwait.WaitError
		if !errors.Is(err, taskwait.ErrOutcomeUnknown) || errors.Is(err, taskwait.ErrTimeout) || ctx.Err() != nil ||
			!errors.As(err, &e) || e.Wait == nil {
			break
		}
		op.Wait = e.Wait
	}
	return task, err
}

// logged writes what a wait sees to the provider's log: what changes at level INFO, each poll at DEBUG.
func logged(ctx context.Context, what string) taskwait.Option {
	return taskwait.WithProgress(func(p taskwait.Progress) {
		fields := map[string]any{
			"id": p.Task.ID, "status": seen(p.Task), "polls": p.Polls, "errors": p.Errors,
			"elapsed": p.Elapsed.Round(time.Millisecond).String(), "next": p.Next.Round(time.Millisecond).String(),
		}
		if p.Task.Percent != nil {
			fields["percent"] = *p.Task.Percent
		}
		switch {
		case p.Done && p.Outcome != nil:
			fields["error"] = p.Outcome.Error()
			tflog.Warn(ctx, what+": stopped waiting", fields)
		case p.Done:
			tflog.Info(ctx, what+": done", fields)
		case p.Err != nil:
			fields["error"] = p.Err.Error()
			tflog.Warn(ctx, what+": trouble", fields)
		case p.Changed:
			tflog.Info(ctx, what+": changed", fields)
		default:
			tflog.Debug(ctx, what+": polled", fields)
		}
	})
}

// seen is the service's own word for how a task is.
func seen(t taskwait.Task) string {
	switch {
	case t.Phase != "":
		return t.Phase
	case t.Status != "":
		return string(t.Status)
	}
	return "nothing yet"
}

// read makes a query until it is answered: a throttle or a 502 does not end it.
func read[T any](
	ctx context.Context, c *cloud, id string, query func(ctx context.Context, id string) (T, error),
) (T, error) {
	waiter, err := c.waiter(taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		answer, err := query(ctx, id)
		return taskwait.Task{ID: id, Status: taskwait.StatusSuccess, Raw: answer}, err
	}))
	if err != nil {
		return *new(T), err
	}
	task, err := waiter.WaitForTask(ctx, id, taskwait.WithTimeout(readTimeout), taskwait.WithNotFoundGrace(0),
		logged(ctx, "read instance"))
	if err != nil {
		return *new(T), err
	}
	return task.Raw.(T), nil //nolint:errcheck,forcetypeassert // set above
}

// gone reports whether the service has said that there is no such instance.
func gone(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassNotFound && q.Code == "DMS.00404022"
}

// ending says in diagnostics how a wait has ended that did not succeed.
type ending struct {
	what      string    // what did not end well: `creating Kafka instance "orders"`
	next      string    // what the next apply does after a failure
	attribute path.Path // that it is about
	timeout   path.Path // the attribute that bounds the wait
	bound     time.Duration
}

// unfinished reports whether err means that the operation goes on, without us.
func unfinished(err error) bool {
	var e *taskwait.WaitError
	return errors.As(err, &e) && e.StillRunning() && e.ID != "" && !errors.Is(err, taskwait.ErrOutcomeUnknown)
}

// warn tells of an operation that goes on. It is a warning, as an error would taint the resource, and the next plan
// would destroy what is about to be ready.
func (n *ending) warn(err error, diags *diag.Diagnostics) {
	var e *taskwait.WaitError
	_ = errors.As(err, &e)
	diags.AddAttributeWarning(n.timeout, "Still "+n.what, fmt.Sprintf(
		"Last seen: %s.\nNobody waits for it any more: %v\n\nWhat to do: apply again. It goes on waiting, and starts "+
			"nothing anew. If %v is too short, set %s.", seen(e.Task), err, n.bound, n.timeout))
}

// fail tells of an operation that has failed, was refused, or of which nobody knows what became.
func (n *ending) fail(err error, diags *diag.Diagnostics) {
	var e *taskwait.WaitError
	if !errors.As(err, &e) {
		diags.AddAttributeError(n.attribute, "Failed: "+n.what, err.Error())
		return
	}
	at, advice := n.attribute, "change the configuration by what the service says, and apply again."
	switch {
	case errors.Is(err, taskwait.ErrTaskFailed):
		advice = "see the service's console for why, and apply again." + n.next
	case errors.Is(err, taskwait.ErrOutcomeUnknown):
		advice = "apply again. If it was begun all the same, it is found, and not begun again."
	case errors.Is(err, taskwait.ErrTimeout):
		at, advice = n.timeout, fmt.Sprintf("apply again. If %v is too short, set %s.", n.bound, n.timeout)
	}
	diags.AddAttributeError(at, "Failed: "+n.what,
		fmt.Sprintf("Last seen: %s.\n%v\n\nWhat to do: %s", seen(e.Task), err, advice))
}
