package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
)

// progress makes events of what a wait tells.
func (r *run) progress(p taskwait.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &event{Task: cmp.Or(p.Task.ID, r.only())}
	e.fill(&p)
	e.Name = cmp.Or(e.Name, r.what.name)
	before := r.last[e.Task]
	switch {
	case p.Done:
		r.done(e, p.Outcome)
	case p.Err != nil:
		e.Event = eventTrouble
		e.explain(p.Err)
		if before != nil && before.Trouble == e.Trouble && before.Code == e.Code {
			e.Event = eventPoll // the same as before is no news
		}
	default:
		e.Event = news(before, e)
	}
	r.last[e.Task] = e
	r.history.watch(&p.Task)
	r.send(e)
}

// news is what kind of event an answer without trouble is. That a task has ended is told by "done".
func news(before, e *event) string {
	switch {
	case e.Status.Terminal():
		return eventPoll
	case before == nil || before.Status != e.Status:
		return eventStatus
	case e.Percent != nil && (before.Percent == nil || *before.Percent != *e.Percent):
		return eventProgress
	}
	return eventPoll
}

// only is the id of the one task that is waited for, if it is one and has an id.
func (r *run) only() string {
	if len(r.what.ids) == 1 {
		return r.what.ids[0]
	}
	return ""
}

func (r *run) done(e *event, err error) {
	e.Event, e.Outcome = eventDone, outcomeOf(err)
	r.outcomes = append(r.outcomes, e.Outcome)
	if err != nil {
		e.Error = reason(err)
		r.refused = r.refused || unauthorized(err)
	}
	if e.Task != "" && slices.Contains([]outcome{timedOut, stopped, noAnswer}, e.Outcome) {
		r.open = append(r.open, e.Task)
	}
}

// reason is why a wait has ended without a word of the task's end.
func reason(err error) string {
	var w *taskwait.WaitError
	switch {
	case !errors.As(err, &w):
		return trim(err)
	case len(w.Candidates) > 1:
		var all []string
		for _, t := range w.Candidates {
			all = append(all, clip(t.String()))
		}
		return "more than one fits, give the id: " + strings.Join(all, "; ")
	case w.Operation != "" && w.ID == "" && errors.Is(err, taskwait.ErrTaskNotFound):
		return fmt.Sprintf("no task %s has begun since then", clip(w.Operation))
	case w.LastErr != nil:
		return clip(trim(w.LastErr))
	}
	return trim(err)
}

// sharedTrouble is told how the list is that many tasks share; nil: it is well.
func (r *run) sharedTrouble(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.shared = ""
		return
	}
	e := &event{Event: eventTrouble, Elapsed: seconds(time.Since(r.begun))}
	e.explain(err)
	var q *taskwait.QueryError
	if errors.As(err, &q) && q.RetryAfter > 0 {
		next := seconds(q.RetryAfter)
		e.Next = &next
	}
	if key := e.Trouble + e.Code; r.shared != key {
		r.shared = key
		r.send(e)
	}
}

// tell sends an event from the goroutine that waits.
func (r *run) tell(e *event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(e)
}

func (r *run) send(e *event) {
	e.Time = time.Now()
	if r.rep != nil {
		r.rep.report(e)
	}
}

// end tells how all has ended, and gives the exit code. err is that of the wait.
func (r *run) end(ctx context.Context, err error) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && len(r.outcomes) == 0 { // before there was a wait
		r.outcomes = append(r.outcomes, noAnswer)
		r.refused = unauthorized(err)
		fmt.Fprintf(r.errOut, "taskwait: %v\n", trim(err))
	}
	code := codeOf(r.outcomes)
	signal, ended := stoppedBy(ctx)
	if ended = ended && slices.Contains(r.outcomes, stopped); ended {
		code = signal.code()
	}
	e := &event{Event: eventEnd, ExitCode: &code, Resume: r.resume(), Outcomes: map[outcome]int{}, Elapsed: seconds(time.Since(r.begun))}
	for _, o := range r.outcomes {
		e.Outcomes[o]++
	}
	r.send(e)
	r.rep.close()
	r.rep = nil // what a call that was left behind has to tell comes too late
	r.history.save()
	if r.notes {
		r.goodbye(e, signal, ended)
	}
	return code
}

// goodbye says on standard error what a person needs to know at the end.
func (r *run) goodbye(e *event, signal Signal, ended bool) {
	if ended {
		fmt.Fprintf(r.errOut, "taskwait: %v; the tasks go on without us\n", signal)
	}
	if len(r.outcomes) == 0 {
		fmt.Fprintln(r.errOut, "taskwait: nothing runs on the instance")
	}
	if e.Resume != "" {
		fmt.Fprintf(r.errOut, "taskwait: to wait again: %s\n", e.Resume)
	}
}

// resume is the command that goes on where this one has stopped; "": there is nothing to wait for.
func (r *run) resume() string {
	args := []string{"taskwait", "kafka", "wait"}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag, quote(value))
		}
	}
	add("--instance", r.target.instance)
	add("--region", r.target.region)
	add("--endpoint", r.target.endpoint)
	add("--project", r.target.project)
	switch {
	case len(r.open) > 0:
		for _, id := range slices.Compact(slices.Sorted(slices.Values(r.open))) {
			args = append(args, quote(id))
		}
	case !slices.Contains(r.outcomes, stopped) && !slices.Contains(r.outcomes, noAnswer):
		return ""
	case r.what.name != "":
		add("--name", r.what.name)
		add("--since", r.what.since.UTC().Format(time.RFC3339))
	case r.what.all:
		args = append(args, "--all")
	}
	return strings.Join(args, " ")
}

// quote makes a word of s that a POSIX shell reads as s.
func quote(s string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:/@=+", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
