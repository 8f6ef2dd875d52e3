package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

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
	codeUnknown   = 6
	codeOutput    = 7
	codeUnstarted = 8
	codeSignal    = 128 // plus the number of the signal, as in a shell
)

// exitCodes is the table of --help. docs/cli.md explains each row.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{codeOK, "all tasks succeeded"},
	{codeFailed, "a task failed"},
	{codeUsage, "the command line is wrong; nothing was sent"},
	{codeCancelled, "a task was cancelled, or its record deleted"},
	{codeNotFound, "a task was not found, or several match --name"},
	{codeTimedOut, "timed out: a task still runs"},
	{codeUnknown, "not known: credentials, permission, network"},
	{codeOutput, "all tasks succeeded, but the output could not be written"},
	{codeUnstarted, "the operation was not started"},
	{129, "hung up (SIGHUP)"},
	{130, "interrupted (Ctrl-C)"},
	{131, "quit (SIGQUIT)"},
	{143, "terminated (SIGTERM)"},
}

// codesText is exitCodes for people.
var codesText = func() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "  %-4d %s\n", c.code, c.meaning)
	}
	b.WriteString("If tasks end differently, the first of 1, 3, 4, 6, 5 applies.")
	return b.String()
}()

// meaning is the row of exitCodes for a code.
func meaning(code int) string {
	for _, c := range exitCodes {
		if c.code == code {
			return c.meaning
		}
	}
	return "see --help"
}

// exitError ends the command with a code. A nil err was reported already.
type exitError struct {
	code int
	err  error
}

// Error gives the text of the error.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// trim is the text of err without the prefix of our own messages.
func trim(err error) string { return strings.TrimPrefix(err.Error(), "taskwait: ") }

// signalError is the cause of a context that a signal has ended.
type signalError struct{ signal os.Signal }

// Error names the signal.
func (s signalError) Error() string {
	switch s.signal {
	case os.Interrupt:
		return "interrupted"
	case syscall.SIGHUP:
		return "hung up"
	case syscall.SIGQUIT:
		return "quit"
	}
	return "terminated"
}

// code is the exit code of a program that the signal has ended.
func (s signalError) code() int {
	if n, ok := s.signal.(syscall.Signal); ok {
		return codeSignal + int(n)
	}
	return codeSignal + int(syscall.SIGINT)
}

// stoppedBy is the signal that has ended ctx; ok is false if none has.
func stoppedBy(ctx context.Context) (s signalError, ok bool) {
	ok = errors.As(context.Cause(ctx), &s)
	return s, ok
}

// outcome is how the wait for a task ended. docs/cli.md lists the values.
type outcome string

const (
	succeeded outcome = "succeeded"
	failed    outcome = "failed"
	cancelled outcome = "cancelled"
	deleted   outcome = "deleted"
	notFound  outcome = "not found"
	noAnswer  outcome = "could not query" // refused for good, or nothing but errors
	unknown   outcome = "not known"       // timed out, and the last polls do not say whether the task still runs
	timedOut  outcome = "timed out"       // and the task was running by the last poll
	stopped   outcome = "stopped"

	notStarted     outcome = "not started"     // the operation
	perhapsStarted outcome = "perhaps started" // the same
)

// outcomes are all there are, in the order in which they decide on the exit code: facts first, then what needs a
// person, then what needs more time. "stopped" has no code of its own: the signal or the failed task that stopped it
// has one.
var outcomes = []struct {
	outcome outcome
	code    int
}{
	{failed, codeFailed}, {cancelled, codeCancelled}, {deleted, codeCancelled}, {notFound, codeNotFound},
	{notStarted, codeUnstarted}, {perhapsStarted, codeUnknown}, {noAnswer, codeUnknown}, {unknown, codeUnknown},
	{timedOut, codeTimedOut}, {stopped, codeUnknown}, {succeeded, codeOK},
}

// codeOf is the exit code for tasks that ended with these outcomes.
func codeOf(all []outcome) int {
	for _, o := range outcomes {
		if slices.Contains(all, o.outcome) {
			return o.code
		}
	}
	return codeOK
}

// maybeRunning reports whether a task with this outcome may still run.
func (o outcome) maybeRunning() bool {
	return slices.Contains([]outcome{timedOut, unknown, stopped, noAnswer, perhapsStarted}, o)
}

// outcomeOf is the outcome of a wait that ended with err; e says what the polls have shown by then.
func outcomeOf(err error, e *event) outcome {
	var few tooFewError
	switch {
	case err == nil:
		return succeeded
	case errors.As(err, &few):
		return notFound
	case errors.Is(err, taskwait.ErrNotStarted) && !errors.Is(err, context.Canceled):
		return notStarted
	case errors.Is(err, taskwait.ErrOutcomeUnknown) && !errors.Is(err, context.Canceled):
		return perhapsStarted
	case errors.Is(err, taskwait.ErrTaskFailed):
		return failed
	case errors.Is(err, taskwait.ErrTaskCancelled):
		return cancelled
	case errors.Is(err, taskwait.ErrTaskDeleted):
		return deleted
	case errors.Is(err, taskwait.ErrTaskNotFound), errors.Is(err, taskwait.ErrAmbiguous):
		return notFound
	case errors.Is(err, taskwait.ErrTimeout):
		return atTimeout(err, e)
	case errors.Is(err, context.Canceled):
		return stopped
	}
	return noAnswer
}

// atTimeout tells a task that was running by the last poll from one of which nothing is known by then.
func atTimeout(err error, e *event) outcome {
	var w *taskwait.WaitError
	var q *taskwait.QueryError
	switch {
	case e.Status != "" && e.Failed == 0 && knownStatus(e.Status):
		return timedOut
	case e.Status == "" && errors.As(err, &w) && errors.As(w.LastErr, &q) && q.Class == taskwait.ClassNotFound:
		return notFound
	}
	return unknown
}

func knownStatus(s taskwait.Status) bool {
	return s == taskwait.StatusCreated || s == taskwait.StatusExecuting || s.Terminal()
}

// sentence says how the wait for a task ended, and no more than the polls have shown.
func sentence(e *event) string {
	switch e.Outcome {
	case succeeded, failed, cancelled, deleted:
		if e.Took > 0 {
			return fmt.Sprintf("%s: %s, took %v%s", e.Outcome, e.seen(), e.Took, e.why())
		}
		return fmt.Sprintf("%s: %s after %v%s", e.Outcome, e.seen(), e.Elapsed, e.why())
	case stopped:
		return "stopped waiting: " + lastSeen(e)
	case timedOut, unknown:
		return fmt.Sprintf("%s after %v: %s", e.Outcome, e.Elapsed, lastSeen(e))
	}
	s := fmt.Sprintf("%s after %v: %s", e.Outcome, e.Elapsed, e.Error)
	if e.Status != "" {
		s += "; last seen " + e.seen() + e.ago()
	}
	return s
}

// why is the service's code and words for a failure, behind a colon; empty: it gives none.
func (e *event) why() string {
	if s := strings.TrimSpace(e.Code + " " + e.Reason); s != "" {
		return ": " + s
	}
	return ""
}

// lastSeen is what the polls of a task have shown: its status and when that was seen, and what has failed since.
func lastSeen(e *event) string {
	since := ""
	if e.Failed > 0 {
		since = count(e.Failed, "poll") + " failed"
		if e.Error != "" {
			since += ": " + e.Error
		}
	}
	switch {
	case e.Status == "" && since == "" && e.Outcome == unknown:
		return "never answered"
	case e.Status == "" && since == "":
		return "no answer yet"
	case e.Status == "":
		return "never answered; " + since
	case since != "" && !knownStatus(e.Status):
		return "last seen in a status that is not known, " + e.seen() + "," + e.ago() + "; since then " + since
	case since != "":
		return "last seen " + e.seen() + e.ago() + "; since then " + since
	case !knownStatus(e.Status):
		return "answered, in a status that is not known: " + e.seenAgo()
	}
	return e.seenAgo()
}

// seen is the status, with the name of the task where there is one.
func (e *event) seen() string {
	if e.Name == "" {
		return string(e.Status)
	}
	return fmt.Sprintf("%s (%s)", e.Status, e.Name)
}

// seenAgo is such as "EXECUTING (kafkaUpgrade, seen 2s ago)".
func (e *event) seenAgo() string {
	if e.Seen == nil {
		return e.seen()
	}
	name := ""
	if e.Name != "" {
		name = e.Name + ", "
	}
	return fmt.Sprintf("%s (%sseen%s)", e.Status, name, e.ago())
}

// ago is such as " 40s ago"; empty if nothing was seen.
func (e *event) ago() string {
	if e.Seen == nil {
		return ""
	}
	return " " + whole(time.Duration(*e.Seen).Round(time.Second)) + " ago"
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// reason is why a wait ended without the end of the task, fit to be shown.
func reason(err error) string {
	var w *taskwait.WaitError
	switch {
	case !errors.As(err, &w):
		return clip(trim(err))
	case len(w.Candidates) > 1:
		return "several match, give the id: " + candidates(w.Candidates)
	case w.Operation != "" && w.ID == "" && errors.Is(err, taskwait.ErrTaskNotFound):
		return fmt.Sprintf("no task %s has begun since then", clip(w.Operation))
	case w.LastErr != nil:
		return clip(trim(w.LastErr))
	}
	return clip(trim(err))
}

// maxCandidates is how many tasks a message names.
const maxCandidates = 8

func candidates(tasks []taskwait.Task) string {
	var all []string
	for _, t := range tasks[:min(len(tasks), maxCandidates)] {
		all = append(all, clip(t.String()))
	}
	if more := len(tasks) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// unauthorized reports whether the service has refused the credentials themselves.
func unauthorized(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.StatusCode == http.StatusUnauthorized
}
