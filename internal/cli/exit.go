package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/taskwait/taskwait"
)

// The exit codes. They are a promise: docs/cli.md.
const (
	codeOK        = 0
	codeFailed    = 1
	codeUsage     = 2
	codeCancelled = 3
	codeNotFound  = 4
	codeTimedOut  = 5
	codeNoAnswer  = 6
	codeSignal    = 128 // and the signal's number, as shells have it
)

const codesText = `Exit codes:
  0    all tasks succeeded
  1    a task failed
  2    the command line is wrong; nothing was asked
  3    a task was cancelled, or its record deleted
  4    a task was not found, or more than one fits --name
  5    timed out: a task still runs
  6    could not ask: credentials, permission, network
  130  interrupted (Ctrl-C); 143: terminated (SIGTERM)
Of several tasks that end differently the first of 1, 3, 4, 6, 5 counts.`

// exitError ends the command with a code. A nil err was told already.
type exitError struct {
	code int
	err  error
}

// Error gives the error's text.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// trim is err without the name that begins our own messages.
func trim(err error) string { return strings.TrimPrefix(err.Error(), "taskwait: ") }

// Signal is the cause of a context that a signal has ended.
type Signal struct{ Signal os.Signal }

// Error names the signal.
func (s Signal) Error() string {
	if s.Signal == os.Interrupt {
		return "interrupted"
	}
	return "terminated"
}

// code is the exit code of a program that the signal has ended.
func (s Signal) code() int {
	if n, ok := s.Signal.(syscall.Signal); ok {
		return codeSignal + int(n)
	}
	return codeSignal + int(syscall.SIGINT)
}

// stoppedBy is the signal that has ended ctx; ok is false if none has.
func stoppedBy(ctx context.Context) (s Signal, ok bool) {
	ok = errors.As(context.Cause(ctx), &s)
	return s, ok
}

// outcome is what became of a task, in words that docs/cli.md lists.
type outcome string

const (
	succeeded outcome = "succeeded"
	failed    outcome = "failed"
	cancelled outcome = "cancelled"
	deleted   outcome = "deleted"
	notFound  outcome = "not found"
	noAnswer  outcome = "could not ask"
	timedOut  outcome = "timed out"
	stopped   outcome = "stopped"
)

// outcomes are all there are: those that decide on the exit code first come first. Facts come before doubts, and what
// somebody has to look at before what only takes more time. "stopped" has no code of its own: a signal or another
// task's end has stopped it, and that one's counts.
var outcomes = []struct {
	outcome outcome
	code    int
}{
	{failed, codeFailed}, {cancelled, codeCancelled}, {deleted, codeCancelled}, {notFound, codeNotFound},
	{noAnswer, codeNoAnswer}, {timedOut, codeTimedOut}, {stopped, codeNoAnswer}, {succeeded, codeOK},
}

// codeOf is the exit code for tasks that have ended so.
func codeOf(all []outcome) int {
	for _, o := range outcomes {
		if slices.Contains(all, o.outcome) {
			return o.code
		}
	}
	return codeOK
}

// outcomeOf says what the error of a wait means for its task.
func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return succeeded
	case errors.Is(err, taskwait.ErrTaskFailed):
		return failed
	case errors.Is(err, taskwait.ErrTaskCancelled):
		return cancelled
	case errors.Is(err, taskwait.ErrTaskDeleted):
		return deleted
	case errors.Is(err, taskwait.ErrTaskNotFound), errors.Is(err, taskwait.ErrAmbiguous):
		return notFound
	case errors.Is(err, taskwait.ErrTimeout):
		return unseen(err)
	case errors.Is(err, context.Canceled):
		return stopped
	}
	return noAnswer
}

// unseen tells a task that still runs when the time is over from one that was never seen: there is no telling whether
// that runs, or is.
func unseen(err error) outcome {
	var w *taskwait.WaitError
	var q *taskwait.QueryError
	switch {
	case !errors.As(err, &w) || w.Task.ID != "":
		return timedOut
	case errors.As(w.LastErr, &q) && q.Class == taskwait.ClassNotFound:
		return notFound
	}
	return noAnswer
}
