package taskwait

import (
	"cmp"
	"fmt"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

// Wait is a wait as a value that outlives its process: JSON stores it, and [Waiter.Resume] and [Waiter.Poll] go on with
// it. It remembers when it began, what it has seen, and when its next poll is due. It does not hold options (those of
// the call that goes on with it hold), Task.Raw, or errors of queries.
//
//	wait := &taskwait.Wait{ID: id}     // or json.Unmarshal of what was stored
//	task, err := waiter.Resume(ctx, wait)
//
// [Progress] and [WaitError] have the Wait of their wait. Its JSON is at most 600 bytes long for an id of 32, and 1.5
// kB if texts of the service are long. That of an operation which has no id yet is longer by Attempt.Seen. A stored
// wait depends on the clock of the machine. If the clock has stepped back, no bound becomes longer; if it has stepped
// ahead, bounds become shorter.
//
// A Wait is for one goroutine at a time.
type Wait struct {
	ID string // of the task; empty: there is none yet, see [Operation.Save]

	savedAt  time.Time // when all this was so; zero: it has not begun
	began    time.Time
	passedAt time.Time // of deadlines
	state    state
	start    *started // of the Operation whose task it is; nil: it is of none
}

// Task returns the last thing that was seen of the task; only its ID is set if there is none. Raw is nil, and long
// texts are cut once the Wait was stored.
func (w *Wait) Task() Task {
	t := w.state.task
	t.ID = w.ID
	return t
}

// String says what the wait is for and what was seen last.
func (w Wait) String() string { return "wait for " + w.Task().String() }

// Format writes what String gives, whatever the verb and its flags.
func (w Wait) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(w.String())) }

// id is the wait's, which may be nil.
func (w *Wait) id() string {
	if w == nil {
		return ""
	}
	return w.ID
}

// update makes w what a wait remembers now.
func (w *Wait) update(l *deadlines, s *state) {
	w.ID, w.savedAt, w.began, w.passedAt, w.state = s.task.ID, time.Now(), l.began, l.passedAt, *s
	w.state.task.Raw = nil
}

// mayResume says why Resume and Poll cannot go on with w; nil: they can.
func (w *Wait) mayResume() error {
	if w != nil && w.start != nil && (w.ID == "" || w.start.found) {
		return fmt.Errorf("taskwait: %w: the Wait is that of operation %s, which Do must go on with: see Operation.Wait",
			ErrInvalidOption, text.Quote(w.start.name))
	}
	return nil
}

// goOn gives a wait that goes on now what w remembers, and says when its next poll is due.
func (w *Wait) goOn(l *deadlines, s *state, kind string, now time.Time) (first time.Time) {
	id := s.task.ID
	*s = w.state
	s.task.ID, s.task.Kind, s.deadlinePollAt, s.ended = id, cmp.Or(s.task.Kind, kind), time.Time{}, false
	l.passedAt = w.passedAt
	if late := now.Sub(s.plannedAt); late > 0 { // while nobody polled, nothing failed
		for _, r := range []*streak{&s.errorStreak, &s.notFoundStreak, &s.refusalStreak} {
			if r.count > 0 {
				r.since = r.since.Add(late)
			}
		}
	}
	s.plannedAt = now.Add(l.goOn(s, now))
	return s.plannedAt
}

// goOn is how long the next poll has to wait, of a wait that goes on now. Where its end has passed meanwhile, and there
// was no final poll yet, there is one now.
func (l *deadlines) goOn(s *state, now time.Time) time.Duration {
	pause := s.plannedAt.Sub(now)
	end, limited := l.end(s)
	switch {
	case !limited || now.Before(end):
		return l.clamp(s, time.Time{}, now, pause)
	case s.plannedAt.After(end) && pause <= 2*finalRetry: // a final poll is repeated then
		return max(pause, 0)
	case now.After(end):
		l.passedAt = now
	}
	return 0
}
