package taskwait

import (
	"context"
	"time"

	"github.com/taskwait/taskwait/schedule"
)

// Progress is what the callback of [WithProgress] gets: once for every answer, and once more, with Done set, when the
// wait is over. It is also called each time that a [Detailer] reports something, and every ten seconds while a poll
// waits for a permit of a [Limiter]. The calls come in order, on the goroutine that waits, never two at a time for one
// wait, and never after WaitForTask has returned. A slow callback uses up the coming pause, and delays a cancellation:
// hand long work to a goroutine of your own.
type Progress struct {
	Task      Task               // the last one seen; only its ID is set as long as none was
	Polls     int                // queries so far
	Errors    int                // how often an error came instead of a task, or the query before still hung
	Elapsed   time.Duration      // since the wait began
	SeenAgo   time.Duration      // since the last query that found Task not ended, or its last change; 0: never seen
	Unchanged time.Duration      // since status, phase, percentage or steps last changed; 0: just now, or never seen
	Next      time.Duration      // until the coming query, from this answer; 0: at once, or none is coming
	Err       error              // the trouble at hand: a [*QueryError], or an unknown status; nil: none
	Changed   bool               // this answer's status or phase differs from the one before
	Confirmed int                // SUCCESS in a row, which [WithConfirmations] wants more than one of
	Estimate  *schedule.Estimate // how long tasks of this kind take; nil: unknown, and always without WithHistory
	QueuedFor time.Duration      // for how long this poll has been waiting for its permit of the Limiter; 0: it has not
	Total     int                // of one call of WaitForTasks or WaitForAll: the ids that were given; 0 elsewhere
	Ended     int                // of those, the ones whose wait is over, this one included: Total-Ended are waited for
	Succeeded int                // of those that have ended, the ones with SUCCESS
	Done      bool               // the last call: Outcome is what WaitForTask is about to return
	Outcome   error              // nil until Done; with Done, nil means SUCCESS

	// Operation is the name of what [Waiter.Do] is about to start; empty: it is called for no Do, or there is its task.
	Operation string

	// PermitAfter is how long after it was due the query that brought this answer was sent, where there is a Limiter: its
	// wait for a permit, or a callback that took longer than the pause; 0: it was sent in time, or there is no Limiter.
	PermitAfter time.Duration

	// Interrupted is set where an observer is told that the wait is left, but not over: Poll returns, the loop over
	// WaitForTasks was left, or the Source has panicked. [WithObserver] says more.
	Interrupted bool

	// Wait is what to store for a later process, inside the callback: it is brought up to date before each call.
	Wait *Wait

	query context.Context // nil: there was none
}

// Context returns the context whose values the query had that brought this answer: the wait's own, or that of another
// wait where a list brought it, or a poll for both. What [WithObserver]'s function has put into it is found there. It
// is never nil: it has no values where no query brought this, and where there is no observer.
func (p *Progress) Context() context.Context {
	if p.query == nil {
		return context.Background()
	}
	return p.query
}

// totals count the ids of one call.
type totals struct{ total, ended, succeeded int }

// count counts n ids that have ended alike.
func (t *totals) count(n int, failed bool) {
	t.ended += n
	if !failed {
		t.succeeded += n
	}
}
