package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
)

// tracked is what the polls of one task have shown.
type tracked struct {
	last          *event
	polls, errors int
	seen          time.Time // of the last answer about the task
	failed        int       // polls since then
}

// observedSource is the Source, with an eye on the list that many tasks share: its trouble is not the trouble of any
// single task, so no Progress reports it.
type observedSource struct {
	polled
	observe func(error)
}

// CheckID is the source's own check, or the usual one.
func (s observedSource) CheckID(id string) error {
	if own, ok := s.polled.(interface{ CheckID(id string) error }); ok {
		return own.CheckID(id)
	}
	return checkID("task id", id)
}

// CanList reports whether the source has a list.
func (s observedSource) CanList() bool {
	own, ok := s.polled.(interface{ CanList() bool })
	return !ok || own.CanList()
}

// HasDetails reports whether the source can tell how far a task is.
func (s observedSource) HasDetails() bool {
	own, ok := s.polled.(interface{ HasDetails() bool })
	return !ok || own.HasDetails()
}

// List queries a page of the list.
func (s observedSource) List(ctx context.Context, b taskwait.ListRequest) ([]taskwait.Task, string, error) {
	tasks, next, err := s.polled.List(ctx, b)
	if ctx.Err() == nil && !errors.Is(err, errors.ErrUnsupported) {
		s.observe(err)
	}
	return tasks, next, err
}

// progress makes an event of what a wait reports.
func (r *run) progress(p taskwait.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, now := cmp.Or(p.Task.ID, r.only()), time.Now()
	t := r.track(id)
	answered := t.observe(&p, now)
	e := &event{Task: clip(id)}
	e.fill(&p)
	e.Name = cmp.Or(e.Name, clip(r.selection.name))
	e.Failed = t.failed
	if !t.seen.IsZero() {
		e.Seen = after(now.Sub(t.seen))
	}
	switch before := t.last; {
	case p.Done:
		r.done(e, id, p.Task.Raw, p.Outcome)
	case p.Err != nil:
		e.Event = eventTrouble
		if e.explain(p.Err); answered {
			e.Trouble, e.Error = "unknown status "+string(e.Status), ""
		}
		if before != nil && before.Trouble == e.Trouble && before.Code == e.Code {
			e.Event = eventPoll // the same as before is no news
		}
	default:
		e.Event = newEvent(before, e)
	}
	r.keep(&p, t, t.last == nil || p.Done || t.last.Status != e.Status)
	t.last = e
	r.history.watch(&p.Task)
	r.send(e)
}

// track finds the task with this id. A task that was looked up by its name has no id at first.
func (r *run) track(id string) *tracked {
	t := r.tasks[id]
	if t == nil && r.selection.name != "" && r.tasks[""] != nil {
		t = r.tasks[""]
		delete(r.tasks, "")
	}
	if t == nil {
		t = &tracked{}
	}
	r.tasks[id] = t
	return t
}

// observe reports whether the poll was answered: with the task, be it in an unknown status.
func (t *tracked) observe(p *taskwait.Progress, now time.Time) (answered bool) {
	if p.Polls < t.polls || p.Errors < t.errors { // another phase of an operation
		t.polls, t.errors = 0, 0
	}
	var q *taskwait.QueryError
	failed := p.Errors - t.errors
	answered = !p.Done && failed == 0 && p.Task.Status != "" && (p.Err == nil || !errors.As(p.Err, &q))
	if answered {
		t.seen, t.failed = now, 0
	}
	t.failed += failed
	t.polls, t.errors = p.Polls, p.Errors
	return answered
}

// newEvent is the kind of event of an answer without trouble, or of none yet: a poll that waits for its permit. That a
// task has ended is reported by "done".
func newEvent(before, e *event) string {
	switch {
	case e.Status == "" || e.Status.Terminal():
		return eventPoll
	case before == nil || before.Status != e.Status:
		return eventStatus
	case e.Percent != nil && (before.Percent == nil || *before.Percent != *e.Percent):
		return eventProgress
	}
	return eventPoll
}

// only is the id of the single task that is waited for; empty: there are several, or its id is not known.
func (r *run) only() string {
	if len(r.selection.ids) == 1 {
		return r.selection.ids[0]
	}
	return ""
}

// done makes e the end of the wait for a task; raw is the task as the source has it.
func (r *run) done(e *event, id string, raw any, err error) {
	e.Event, e.Outcome = eventDone, outcomeOf(err, e)
	r.outcomes = append(r.outcomes, e.Outcome)
	if id != "" && e.Outcome.maybeRunning() {
		r.open = append(r.open, id)
	}
	if err == nil {
		r.value(e, raw)
		return
	}
	e.Error = reason(err)
	if e.Failed == 0 && slices.Contains([]outcome{timedOut, unknown, stopped}, e.Outcome) {
		e.Error = lastSeen(e) // an error in between was recovered from
	}
	r.refused = r.refused || unauthorized(err)
	if r.failFast && e.Outcome != stopped {
		r.failed(errors.New("another task has not succeeded"))
	}
}

// observeList takes the state of the list that many tasks share; nil: it was readable.
func (r *run) observeList(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.listTrouble = ""
		return
	}
	e := &event{Event: eventTrouble, Elapsed: seconds(time.Since(r.begun))}
	e.explain(err)
	var q *taskwait.QueryError
	if errors.As(err, &q) && q.RetryAfter > 0 {
		e.Next = after(q.RetryAfter)
	}
	if key := e.Trouble + e.Code; r.listTrouble != key {
		r.listTrouble = key
		r.send(e)
	}
}

// emit reports an event.
func (r *run) emit(e *event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(e)
}

// warn reports something beside the tasks.
func (r *run) warn(message string) { r.emit(&event{Event: eventWarning, Message: clip(message)}) }

func (r *run) send(e *event) {
	e.Time = time.Now().UTC()
	beside := e.Event == eventHeartbeat || e.Event == eventWarning // as text on standard error, apart from the others
	if beside || e.Event != eventPoll && r.printing.output == outputJSON {
		r.printed = e.Time
	}
	if e.Event == eventDone || e.Event == eventOpen {
		r.last = append(r.last, e)
	}
	r.reporter.report(e)
}

// beat reports that the wait goes on, whenever nothing was written to the stream of the heartbeats for that time, until
// stop is called.
func (r *run) beat() (stop func()) {
	if r.heartbeat == 0 {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-time.After(r.beatIfSilent()):
			case <-over:
				return
			}
		}
	}()
	return func() { close(over); <-ended }
}

// beatIfSilent reports a heartbeat if it is time for one, and returns how long to wait for the next.
func (r *run) beatIfSilent() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if left := r.heartbeat - time.Since(r.printed); left > 0 {
		return left
	}
	e := r.single()
	e.Event, e.Elapsed = eventHeartbeat, seconds(time.Since(r.begun))
	e.Open = max(len(r.selection.ids)-len(r.outcomes), 0)
	r.send(e)
	return r.heartbeat
}

// single is the last event of the task, as it would be now, if there is only one; else an empty event.
func (r *run) single() *event {
	e := &event{}
	if len(r.tasks) != 1 || len(r.selection.ids) > 1 {
		return e
	}
	for _, t := range r.tasks {
		if t.last == nil {
			return e
		}
		*e = *t.last
		since := seconds(time.Since(t.last.Time))
		if e.Seen != nil {
			e.Seen = after(time.Duration(*e.Seen + since))
		}
		e.Next = after(time.Duration(max(e.next()-since, 0)))
	}
	return e
}
