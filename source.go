package taskwait

import (
	"context"
	"time"
)

// Source answers one question: how is the task with this id? It asks once and does not retry; the wait does that.
//
// It returns a Task when the service has answered for this very id, and an error otherwise: a plain error is taken for
// a passing fault, a [*QueryError] says more. If the answer is about another id, or says that there is no such task, it
// returns [NotFound]; it compares the ids itself where the service gives them. A Task without a status is passed on as
// it is, with an empty Status. A history learns from Kind, CreatedAt and, once the task has ended, UpdatedAt: without
// CreatedAt a task is taken to have begun with its wait. Task may be called from many goroutines at once.
//
// A call should end when ctx does. One that does not is abandoned: WaitForTask returns all the same, and the call may
// still run then. So it must touch nothing that belongs to the caller.
//
// Beside [Lister] and [Detailer] a Source may have a few methods more:
//
//	Validate() error          // called by New, which returns the error
//	CheckID(id string) error  // in place of the default check of a task id; the error Is ErrInvalidID then
//
// One whose type has List or Details, but not for every value, says so by a method of its own; false: it is as if it
// were not there, and takes no permit of a Limiter:
//
//	CanList() bool
//	HasDetails() bool
//
// Without CheckID an id is refused that could not stand for one thing in the path of a request: one that is longer than
// 256 bytes, "." or "..", not UTF-8, or that holds a slash, backslash, ?, #, %, a brace, white space, or what does not
// print. An empty id is always refused. A type that embeds a Source hides all of these methods but Task.
type Source interface {
	Task(ctx context.Context, id string) (Task, error)
}

// SourceFunc is a function that is a [Source]. The same rules hold: above all, a call may still run after WaitForTask
// has returned, and must touch nothing that belongs to the caller.
type SourceFunc func(ctx context.Context, id string) (Task, error)

// Task calls f.
func (f SourceFunc) Task(ctx context.Context, id string) (Task, error) { return f(ctx, id) }

// Detailer is a [Source] that can report how far a task is, by a request of its own.
//
// Details is called between two polls: after each poll of the wait's own that found the task running. It never delays
// or fails a wait. It is not called after an answer of another wait's poll, nor by WaitForTasks. Of the Task that it
// returns, Percent, Remaining and Steps count. A Task without any of the three, or a [*QueryError] of ClassNotFound or
// ClassPermanent, says that this task has no details: Details is not called again. After any other error it is called
// after the next poll. A call that has not returned when the next poll is due is cancelled.
type Detailer interface {
	Source
	Details(ctx context.Context, t Task) (Task, error)
}

// Lister is a [Source] that can also report on many tasks with few requests: where a service lists its tasks, or takes
// several ids at once. Waits that run at the same time on one Waiter share what it brings.
//
// List makes one request, as r says, and returns the tasks that it shows, each with its ID, in any order; tasks that
// nobody waits for do no harm. next is what [ListRequest.Page] must hold to go on from there; empty: that was all. A
// task that has not been shown by then is polled by Task, and so is every one while List fails: an error of List ends
// no wait, and its class and RetryAfter say when to try again. One that is permanent, or Is [errors.ErrUnsupported],
// puts an end to lists for that call of WaitForTasks.
//
// Otherwise the rules are those of Task; a panic is raised on the goroutine of the wait.
type Lister interface {
	Source
	List(ctx context.Context, r ListRequest) (tasks []Task, next string, err error)
}

// ListRequest is one request for several tasks.
type ListRequest struct {
	IDs   []string  // those awaited, the same ones on all pages; not to be changed
	Since time.Time // none of those awaited was created earlier, as far as is known, by the service's clock
	Page  string    // where to go on, as the call before has said; empty: the first page
}

// listerOf is the Source as a Lister; nil: it is none.
func listerOf(src Source) Lister {
	if some, ok := src.(interface{ CanList() bool }); ok && !some.CanList() {
		return nil
	}
	list, _ := src.(Lister)
	return list
}

// detailerOf is the Source as a Detailer; nil: it is none.
func detailerOf(src Source) Detailer {
	if some, ok := src.(interface{ HasDetails() bool }); ok && !some.HasDetails() {
		return nil
	}
	source, _ := src.(Detailer)
	return source
}
