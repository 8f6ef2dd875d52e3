package taskwait

import (
	"context"
	"time"
)

// Source answers one question: what is the status of the task with this id? It makes one query and does not retry.
//
// It returns a Task if the service has answered for this id, and an error otherwise. A plain error is transient; a
// [*QueryError] says more. If the answer is about another id, or says that there is no such task, it returns
// [NotFound]. It compares the ids itself if the service gives them. A Task without a status is passed on with an empty
// Status. A history learns from Kind, CreatedAt and, once the task has ended, UpdatedAt. Without CreatedAt, the task
// counts as begun with its wait. Task may be called from many goroutines at once.
//
// A call should end when ctx does. A call that does not is abandoned: WaitForTask returns, and the call may still run,
// so it must not touch anything that belongs to the caller.
//
// Beside [Lister] and [Detailer] a Source may have these methods:
//
//	Validate() error          // called by New, which returns the error
//	CheckID(id string) error  // in place of the default check of a task id; the error Is ErrInvalidID then
//
// A type may have List or Details although not every value can list or has details. Such a value says so by one of
// these methods. If it returns false, List or Details is not called, and takes no permit of a Limiter:
//
//	CanList() bool
//	HasDetails() bool
//
// Without CheckID, an id is refused that could change the path of a request: one that is longer than 256 bytes, is "."
// or "..", is not UTF-8, or holds a slash, backslash, ?, #, %, a brace, white space, or a character that does not
// print. An empty id is always refused. A type that embeds a Source hides all of these methods but Task.
type Source interface {
	Task(ctx context.Context, id string) (Task, error)
}

// SourceFunc is a function that is a [Source]. The same rules hold. Above all, a call may still run after WaitForTask
// has returned, and must not touch anything that belongs to the caller.
type SourceFunc func(ctx context.Context, id string) (Task, error)

// Task calls f.
func (f SourceFunc) Task(ctx context.Context, id string) (Task, error) { return f(ctx, id) }

// Detailer is a [Source] that can report how far a task is, by a request of its own.
//
// Details is called between two polls, after each poll of the wait itself that found the task running. It never delays
// or fails a wait. It is not called after an answer of another wait's poll, nor by WaitForTasks. Percent, Remaining and
// Steps of the returned Task count. A Task without any of the three, or a [*QueryError] of ClassNotFound or
// ClassPermanent, means that this task has no details: Details is not called again. After any other error it is called
// again after the next poll. A call that has not returned when the next poll is due is cancelled.
type Detailer interface {
	Source
	Details(ctx context.Context, t Task) (Task, error)
}

// Lister is a [Source] that can also answer for many tasks with few requests, because the service lists its tasks, or
// takes several ids at once. Waits that run at the same time on one Waiter share these answers.
//
// List makes one request, as r says, and returns the tasks of the answer, each with its ID, in any order. Tasks that
// nobody waits for do no harm. next is the [ListRequest.Page] of the next call; empty: that was the last page. A task
// that no page has shown is polled by Task. So are all tasks while List fails: an error of List ends no wait, and its
// class and RetryAfter say when to try again. After an error that is permanent, or Is [errors.ErrUnsupported], that
// call of WaitForTasks uses no list any more.
//
// Otherwise the rules are those of Task. A panic is raised on the goroutine of the wait.
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
