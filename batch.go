package taskwait

import (
	"context"
	"time"
)

// BatchSource is a [Source] that can also tell of many tasks with few requests: where a service lists its tasks, or takes
// several ids at once. Waits that run at the same time on one Waiter share what it brings.
//
// Tasks makes one request, as b says, and returns the tasks that it tells of, each with its ID, in any order; others than
// those that are awaited do no harm. next is what [Batch.Page] must hold to go on from there; empty: that was all. A task
// that has not been shown by then is asked for by Task, and so is every one while Tasks fails: an error of Tasks ends no
// wait, and its class and RetryAfter say when to try again. One that is permanent, or Is [errors.ErrUnsupported], puts an end
// to batches for that call of WaitForTasks.
//
// Otherwise the rules are those of Task; a panic is raised on the goroutine of the wait.
type BatchSource interface {
	Source
	Tasks(ctx context.Context, b Batch) (tasks []Task, next string, err error)
}

// Batch is one request for several tasks.
type Batch struct {
	IDs   []string  // those awaited, the same ones on all pages; not to be changed
	Since time.Time // none of those awaited was created earlier, as far as is known, by the service's clock
	Page  string    // where to go on, as the call before has said; empty: the first page
}
