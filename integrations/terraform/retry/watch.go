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
	// refreshGracePeriod is how long after the timeout a call in flight, and the one that follows it, may take to
	// answer. It is what the engine allows, a sixth of HashiCorp's.
	refreshGracePeriod = 5 * time.Second

	// notFoundChecks is HashiCorp's default.
	notFoundChecks = 20

	// noLimit is more than any wait takes.
	noLimit = time.Duration(math.MaxInt64)
)

// errGraceOver ends what a hung Refresh holds up.
var errGraceOver = errors.New("the grace after the timeout is over")

// watch is one wait.
type watch struct {
	StateChangeConf
	retried    bool // Refresh runs a function that is retried: its error is final, and it is called on schedule alone
	begin, end time.Time
	missing    int         // nil results in a row
	atTarget   atomic.Bool // Target was seen last
	lastAnswer taskwait.Task
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
	limit, grace := max(w.Timeout, 1), max(w.Timeout, 0)+refreshGracePeriod // 0 would be no limit
	if grace < 0 {
		grace = noLimit
	}
	now := time.Now()
	w.begin, w.end = now.Add(max(w.Delay, 0)), now.Add(limit)
	bounded, cancel := context.WithCancelCause(w.onSchedule(ctx))
	defer cancel(nil)
	defer time.AfterFunc(grace, func() { cancel(errGraceOver) }).Stop()
	waiter, err := taskwait.New(taskwait.SourceFunc(w.poll), taskwait.WithoutSharing(),
		taskwait.WithInitialDelay(max(w.Delay, 0)), taskwait.WithTimeout(limit),
		taskwait.WithQueryTimeout(grace), // one Refresh at a time, and each may take as long as there is
		taskwait.WithConfirmations(max(w.ContinuousTargetOccurence, 1)),
		taskwait.WithBackOff(func() backoff.BackOff {
			return &pace{least: w.MinTimeout, fixed: w.PollInterval, again: &w.atTarget}
		}),
		taskwait.WithProgress(report))
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

// poll calls Refresh, unless it is called at Timeout only, which is too early or too late.
func (w *watch) poll(context.Context, string) (taskwait.Task, error) {
	switch now := time.Now(); {
	case now.Before(w.begin):
		return taskwait.Task{Status: taskwait.StatusExecuting}, nil
	case w.retried && w.lastAnswer.Raw != nil && !now.Before(w.end):
		return w.lastAnswer, nil
	}
	a := &answer{}
	if a.result, a.state, a.err = w.Refresh(); a.err != nil {
		return taskwait.Task{}, w.failed(a)
	}
	w.lastAnswer = taskwait.Task{Status: w.status(a), Phase: a.state, Raw: a}
	return w.lastAnswer, nil
}

// failed is the error of Refresh for the engine.
func (w *watch) failed(a *answer) error {
	q := taskwait.QueryError{Class: taskwait.ClassPermanent}
	if !w.retried {
		q = classify(a.err)
	}
	q.Err = a
	return &q
}

// status is what an answer without an error means. Where it ends the wait badly, the answer gets its error.
func (w *watch) status(a *answer) taskwait.Status {
	gone := a.result == nil
	w.atTarget.Store(gone && len(w.Target) == 0 || !gone && slices.Contains(w.Target, a.state))
	if w.missing++; !gone || len(w.Target) == 0 {
		w.missing = 0
	}
	switch {
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
	case ctx.Err() == nil: // it is over for us
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
	case p.Done:
	case p.Err != nil:
		log.Printf("[WARN] Refresh failed: %v", p.Err)
	default:
		log.Printf("[TRACE] Waiting %s before next try", p.Next)
	}
}
