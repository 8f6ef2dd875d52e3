// Package riverwait lets jobs of River wait for tasks. A job makes one poll for each run, and snoozes for the pause. So
// a wait outlives its process and its machine, and holds no goroutine. The README has a whole program.
package riverwait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/taskwait/taskwait"
	"github.com/tidwall/gjson"
)

// Args are the args of a job that waits for one task. Embed them in args of your own, with a Kind of their own, for
// jobs that carry more:
//
//	type ResizeArgs struct {
//		riverwait.Args
//		OrderID int64 `json:"order_id"`
//	}
//
//	func (ResizeArgs) Kind() string { return "resize" }
type Args struct {
	Source string `json:"source" river:"unique"`  // which Waiter waits, in the words of Worker.Waiter; may be empty
	TaskID string `json:"task_id" river:"unique"` // the id of the task there

	// Timeout is that of [taskwait.WithTimeout], from the first poll. 0: that of the Waiter.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Kind is the kind of jobs whose args are Args alone.
func (Args) Kind() string { return "taskwait" }

// InsertOpts makes a job unique by its kind and its task: a second insert returns the job that exists, unless that was
// cancelled or discarded.
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// Awaited returns a.
func (a Args) Awaited() Args { return a }

// TaskArgs are Args, or args that embed them.
type TaskArgs interface {
	river.JobArgs
	Awaited() Args
}

const (
	// DefaultQueryTimeout is shorter than the library's own 30 s, so that a job whose worker has died is soon known to be
	// stuck. It is more than twice what a slow answer takes.
	DefaultQueryTimeout = 8 * time.Second

	// slack is for what a run does beside the query: the wait for a permit, and Done.
	slack = 2 * time.Second

	// rescueMargin is how much longer than its timeout a job must be running to be stuck. The sum stays below the 15 s
	// after which River replaces a leader that has died: the new one looks for stuck jobs at once, and then every 30 s.
	rescueMargin = 2 * time.Second

	// precision is that of the times which River keeps in SQLite. A run that came early would make no poll.
	precision = time.Millisecond

	// metadataKey is where the wait is kept in the metadata of its job: as JSON in a string, for in Postgres River has an
	// index of all keys and values in there (its migration 2), to which each run would add those of an object.
	metadataKey = "taskwait"
)

// ByName finds a Waiter in a map, which must not be changed any more.
func ByName(waiters map[string]*taskwait.Waiter) func(source string) (*taskwait.Waiter, error) {
	return func(source string) (*taskwait.Waiter, error) {
		w := waiters[source]
		if w == nil {
			return nil, errors.New("there is none of that name")
		}
		return w, nil
	}
}

// Worker runs jobs that wait for tasks. Add it with river.AddWorker. It must not be changed after that.
//
// A run makes at most one poll, and snoozes until the next one is due: River counts no attempt for that. The wait is in
// the job's metadata. After a run that was killed, cut off or stopped, it goes on with the time that is left.
type Worker[T TaskArgs] struct {
	river.WorkerDefaults[T]

	// Waiter returns the Waiter for Args.Source, as [ByName] does. It must return the same one each time, because
	// polls that run at the same time on one Waiter share requests. Its error is that of the run, which River retries
	// by its own policy. It is required.
	Waiter func(source string) (*taskwait.Waiter, error)

	// Done is called when the wait has ended, with the results of [taskwait.Waiter.WaitForTask]. Its result is that of
	// the run. nil completes the job, also if the task has failed. After an error River calls Done again later.
	// [river.JobCancel] cancels the job. Done may be called more than once for one job, because its process may die
	// before the job is completed: [river.JobCompleteTx] completes the job in the transaction that stores the outcome.
	//
	// nil: the job of a task that has succeeded is completed, and any other job is cancelled with the error of the
	// wait.
	Done func(ctx context.Context, job *river.Job[T], task taskwait.Task, err error) error

	// QueryTimeout bounds one query, in place of the Waiter's own. 0: DefaultQueryTimeout.
	QueryTimeout time.Duration

	// Together delays polls to its next multiple, so that polls of many jobs fall on the same instant, and one list of
	// a [taskwait.Lister] answers them. It delays each poll by half of it on average. 0: a poll is made when it is
	// due.
	Together time.Duration
}

// Timeout is the longest time of one run.
func (w *Worker[T]) Timeout(*river.Job[T]) time.Duration { return w.queryTimeout() + slack }

func (w *Worker[T]) queryTimeout() time.Duration { return cmp.Or(w.QueryTimeout, DefaultQueryTimeout) }

// NextRetry is at once for a job whose worker has died. For errors it is that of the client's policy.
func (w *Worker[T]) NextRetry(job *river.Job[T]) time.Time {
	if job.AttemptedAt != nil && time.Since(*job.AttemptedAt) > w.Timeout(job) {
		return time.Now()
	}
	return time.Time{}
}

// Work makes the next poll, if it is due.
func (w *Worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	awaited := job.Args.Awaited()
	waiter, err := w.Waiter(awaited.Source)
	if err != nil {
		return fmt.Errorf("riverwait: no Waiter for %q: %w", awaited.Source, err)
	}
	wait, err := WaitOf(job.JobRow)
	if err != nil {
		return err
	}
	if wait == nil {
		wait = &taskwait.Wait{ID: awaited.TaskID}
	}
	options := []taskwait.Option{taskwait.WithQueryTimeout(w.queryTimeout())}
	if awaited.Timeout != 0 {
		options = append(options, taskwait.WithTimeout(awaited.Timeout))
	}
	p, err := waiter.Poll(ctx, wait, options...)
	switch {
	case errors.Is(err, taskwait.ErrInvalidOption): // of the Waiter, and no word on the task
		return err
	case err != nil && !p.Done: // ctx has ended: the poll is still due
		return river.JobSnooze(0)
	}
	kept, wrong := wait.MarshalJSON()
	if err := errors.Join(wrong, river.MetadataSet(ctx, metadataKey, string(kept))); err != nil {
		return err
	}
	if !p.Done {
		return w.snooze(p.Next)
	}
	return w.done(ctx, job, p.Task, err)
}

// snooze has the job run again when its next poll is to be made, which is due after a pause.
func (w *Worker[T]) snooze(pause time.Duration) error {
	if w.Together > 0 {
		due := time.Now().Add(pause)
		pause = time.Until(due.Add(w.Together - 1).Truncate(w.Together))
	}
	return river.JobSnooze(max(pause, 0) + precision)
}

// done ends the job as its wait has ended.
func (w *Worker[T]) done(ctx context.Context, job *river.Job[T], task taskwait.Task, err error) error {
	outcome := Outcome{Task: task}
	if err != nil {
		outcome.Error = err.Error()
	}
	if err := river.RecordOutput(ctx, outcome); err != nil {
		return err
	}
	switch {
	case w.Done != nil:
		return w.Done(ctx, job, task, err)
	case err != nil:
		return river.JobCancel(err)
	}
	return nil
}

// Outcome is the output of a job whose wait has ended, as JSON: see [rivertype.JobRow.Output].
type Outcome struct {
	Task  taskwait.Task `json:"task"`            // the last one seen
	Error string        `json:"error,omitempty"` // why the wait did not end with SUCCESS; empty: it did
}

// WaitOf returns the wait of a job as its last run has left it. Its Task is the task last seen. nil: no poll has been
// made yet.
func WaitOf(job *rivertype.JobRow) (*taskwait.Wait, error) {
	kept := gjson.GetBytes(job.Metadata, metadataKey)
	if !kept.Exists() {
		return nil, nil
	}
	wait := &taskwait.Wait{}
	if err := wait.UnmarshalJSON([]byte(kept.String())); err != nil {
		return nil, fmt.Errorf("riverwait: job %d: %w", job.ID, err)
	}
	return wait, nil
}

// SetTimeouts sets the JobTimeout and RescueStuckJobsAfter of a client, if they are 0, so that a worker that dies
// during a poll costs about 30 s, and not River's hour. It returns c. Each client that may lead needs them, and all
// workers, because a leader discards stuck jobs of a kind that it does not know. They hold for all jobs of the client.
// Jobs of other kinds that run for longer than 10 s need a Timeout of their own, which River honours in both.
func SetTimeouts(c *river.Config) *river.Config {
	c.JobTimeout = cmp.Or(c.JobTimeout, DefaultQueryTimeout+slack)
	c.RescueStuckJobsAfter = cmp.Or(c.RescueStuckJobsAfter, max(c.JobTimeout, DefaultQueryTimeout+slack)+rescueMargin)
	return c
}
