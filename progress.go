package taskwait

import (
	"fmt"
	"time"
)

// Progress is what the callback of [WithProgress] is told: once for every look at the task, and once more, with Done
// set, when the wait is over. Besides, there is a call each time that a [Detailer] tells something, and every ten seconds
// while a look waits for its turn behind a [Limiter]. The calls come in order, on the goroutine that waits, never two at a
// time for one wait and never after WaitForTask has returned. A slow callback uses up the coming pause, and delays a
// cancellation: hand long work to a goroutine of your own.
type Progress struct {
	Task      Task          // the last one seen; its Status is empty as long as none was
	Polls     int           // queries so far
	Errors    int           // how often an error came instead of a task; also where nothing could be asked, because the query before still hangs
	Elapsed   time.Duration // since the wait began
	Unchanged time.Duration // since the status, phase, percentage or steps have last changed; 0: just now, or never seen
	Next      time.Duration // until the coming query, from this answer; 0: at once, or none is coming
	Err       error         // the trouble at hand: a [*QueryError], or an unknown status; nil: none
	Changed   bool          // this answer's status or phase differs from the one before
	Confirmed int           // SUCCESS in a row, which [WithConfirmations] wants more than one of
	Estimate  *Estimate     // how long tasks of this kind take; nil: unknown, and always without WithHistory
	QueuedFor time.Duration // for how long this look has been waiting for its turn behind WithLimiter; 0: it has not
	All       Tally         // how the whole stands, this included; zero in WaitForTask
	Done      bool          // the last call: Outcome is what WaitForTask is about to return
	Outcome   error         // nil until Done; with Done, nil means SUCCESS
}

// Tally counts the tasks of one WaitForTasks.
type Tally struct {
	Total   int // the ids that were given
	Running int // not over
	Done    int // over, with whatever outcome: a Progress with Done was told
	Failed  int // of those, all that have not ended with SUCCESS
}

// String words it for a line of text: "12 of 400 done, 1 failed".
func (t Tally) String() string {
	s := fmt.Sprintf("%d of %d done", t.Done, t.Total)
	if t.Failed > 0 {
		s += fmt.Sprintf(", %d failed", t.Failed)
	}
	return s
}

// count counts n tasks that have ended alike.
func (t *Tally) count(n int, failed bool) {
	t.Running -= n
	t.Done += n
	if failed {
		t.Failed += n
	}
}
