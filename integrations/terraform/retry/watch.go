package retry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
)

const (
	// refreshGracePeriod is how long a RetryFunc may take that is under way at the timeout, and HashiCorp's. For a Refresh
	// it is what the engine gives it: 5 s, in which a last call is made too.
	refreshGracePeriod = 30 * time.Second

	// notFoundChecks is HashiCorp's default.
	notFoundChecks = 20

	// noLimit is more than any wait takes.
	noLimit = time.Duration(math.MaxInt64)
)

var (
	// errGraceOver ends what a hung RetryFunc holds up.
	errGraceOver = errors.New("the grace after the timeout is over")

	// errGoexit is the end of a wait whose Refresh has gone, as with t.FailNow.
	errGoexit = errors.New("the function Refresh has ended its goroutine with runtime.Goexit")
)

// watch is one wait.
type watch struct {
	StateChangeConf
	retried    bool // Refresh runs a RetryFunc: its error is final, and it is called on schedule alone
	begin, end time.Time
	atTarget   atomic.Bool // Target was seen last
	gone       atomic.Bool // Refresh has ended its goroutine

	// What follows is for poll, of which there is one at a time.
	missing int     // nil results in a row
	last    *answer // that was no error; nil: there was none
	status  taskwait.Status
}

// answer is what a call of Refresh brought.
type answer struct {
	result any
	state  string
	err    error
}

// Error gives the error of Refresh. There is no Unwrap: what it means to the engine is said by its class alone.
func (a *answer) Error() string { return a.err.Error() }

// wait waits, and returns what it ends with, and the last answer that was not an error.
func (w *watch) wait(ctx context.Context) (end, last answer) {
	now, limit := time.Now(), max(w.Timeout, 1) // 0 would be no limit
	w.begin, w.end = now.Add(max(w.Delay, 0)), now.Add(limit)
	grace := limit + refreshGracePeriod
	if grace < 0 {
		grace = noLimit
	}
	bounded, cancel := context.WithCancelCause(w.onSchedule(ctx))
	defer cancel(nil)
	opts := []taskwait.Option{
		taskwait.WithoutSharing(), taskwait.WithProgress(report), taskwait.WithInitialDelay(max(w.Delay, 0)),
		taskwait.WithQueryTimeout(grace), // one Refresh at a time, and it takes as long as it takes
		taskwait.WithConfirmations(max(w.ContinuousTargetOccurence, 1)),
		taskwait.WithBackOff(func() backoff.BackOff { return &pace{watch: w} }),
	}
	if w.retried {
		defer time.AfterFunc(grace, func() { cancel(errGraceOver) }).Stop()
	} else {
		opts = append(opts, taskwait.WithTimeout(limit))
	}
	waiter, err := taskwait.New(taskwait.SourceFunc(w.poll), opts...)
	if err != nil {
		return answer{err: err}, last
	}
	task, err := waiter.WaitForTask(bounded, "resource")
	if seen, ok := task.Raw.(*answer); ok {
		last = *seen
	}
	return w.ended(ctx, &task, err, &last), last
}

// onSchedule is ctx, without its deadline where Refresh is not to be called just before.
func (w *watch) onSchedule(ctx context.Context) context.Context {
	const lead = time.Second // the most by which the engine makes that call before
	if end, limited := ctx.Deadline(); limited && (w.retried || end.Add(-lead).Before(w.begin)) {
		return noDeadline{ctx}
	}
	return ctx
}

// noDeadline is a context that ends by a deadline and does not say so.
type noDeadline struct{ context.Context }

// Deadline says that there is none.
func (noDeadline) Deadline() (end time.Time, ok bool) { return }

// poll calls Refresh, unless it is too early for that, at Timeout, or too late.
func (w *watch) poll(context.Context, string) (taskwait.Task, error) {
	if time.Now().Before(w.begin) {
		return taskwait.Task{Status: taskwait.StatusExecuting}, nil
	}
	if w.last == nil || !w.late() {
		a := w.refresh()
		if a.err != nil && !w.retried {
			w.atTarget.Store(false)
			q := classify(a.err)
			q.Err = a
			return taskwait.Task{}, &q
		}
		w.last, w.status = a, w.statusOf(a)
	}
	if w.status == taskwait.StatusExecuting && w.late() {
		over := *w.last
		over.err = w.timedOut(nil, nil, w.last).err
		w.last, w.status = &over, taskwait.StatusFailed
	}
	return taskwait.Task{Status: w.status, Phase: w.last.state, Raw: w.last}, nil
}

// refresh calls Refresh, and notices where that does not return.
func (w *watch) refresh() (a *answer) {
	defer func() { w.gone.Store(a == nil) }()
	result, state, err := w.Refresh()
	return &answer{result, state, err}
}

// late reports whether it is too late for another call of a RetryFunc.
func (w *watch) late() bool { return w.retried && !time.Now().Before(w.end) }

// statusOf is what an answer means. Where it ends the wait badly, it gets its error, unless it has one.
func (w *watch) statusOf(a *answer) taskwait.Status {
	gone := a.result == nil
	w.atTarget.Store(gone && len(w.Target) == 0 || !gone && slices.Contains(w.Target, a.state))
	if w.missing++; !gone || len(w.Target) == 0 {
		w.missing = 0
	}
	switch {
	case a.err != nil:
		return taskwait.StatusFailed
	case w.atTarget.Load():
		return taskwait.StatusSuccess
	case w.missing > max(cmp.Or(w.NotFoundChecks, notFoundChecks), 0):
		a.err = &NotFoundError{Retries: w.missing}
		return taskwait.StatusFailed
	case !gone && len(w.Pending) > 0 && !slices.Contains(w.Pending, a.state):
		a.err = &UnexpectedStateError{State: a.state, ExpectedState: w.Target}
		return taskwait.StatusFailed
	}
	return taskwait.StatusExecuting
}

// ended is what a wait returns that has ended so, with the last answer.
func (w *watch) ended(ctx context.Context, task *taskwait.Task, err error, last *answer) answer {
	var failed *answer // the last call, if it has failed
	errors.As(err, &failed)
	switch {
	case err == nil && !task.Unconfirmed, errors.Is(err, taskwait.ErrTaskFailed):
		return *last
	case err == nil, errors.Is(err, taskwait.ErrTimeout):
		return w.timedOut(nil, failed, last)
	case errors.Is(err, taskwait.ErrQuery) || errors.Is(err, taskwait.ErrTaskNotFound):
		if failed != nil {
			return *failed
		}
		return answer{err: err}
	case errors.Is(err, taskwait.ErrBackOffStopped):
		return answer{err: errGoexit}
	case ctx.Err() == nil || !time.Now().Before(w.end): // after Timeout the end of the context says nothing more
		return w.timedOut(nil, failed, last)
	case w.retried || !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return answer{err: ctx.Err()}
	}
	return w.timedOut(ctx.Err(), failed, last)
}

// timedOut is the end of the time there was: by err, if it is not nil.
func (w *watch) timedOut(err error, failed, last *answer) answer {
	switch {
	case failed != nil && err != nil:
		err = fmt.Errorf("%w, last error: %w", err, failed.err)
	case failed != nil:
		err = failed.err
	}
	return answer{err: &TimeoutError{
		LastError: err, LastState: last.state, Timeout: w.Timeout, ExpectedState: w.Target,
	}}
}

// report logs as HashiCorp's does: Terraform shows it by level.
func report(p taskwait.Progress) {
	switch {
	case p.Next == 0: // it is over, or is called again at once
	case p.Err != nil:
		log.Printf("[WARN] Waiting %s before next try, as the last one failed: %v", p.Next, p.Err)
	default:
		log.Printf("[TRACE] Waiting %s before next try", p.Next)
	}
}
