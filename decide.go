package taskwait

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/text"
)

const (
	// MaxRetryAfter is the most that a service's wish to be asked later is honoured. A day has been seen for real, from
	// a gateway set up wrongly, and a wait that sleeps for a day is a wait that hangs. Only the timeout and the context's
	// deadline cut it short.
	MaxRetryAfter = 5 * time.Minute

	// retryJitter spreads waits that were all told the same RetryAfter over this fraction beyond it: none comes early,
	// and they do not come back in a herd.
	retryJitter = 0.1

	// minErrors and minMissing are the answers it takes to give up, however much time has passed: one hung query, or one
	// look at a replica that lags, is no evidence.
	minErrors  = 3
	minMissing = 2
)

// state is all that a wait remembers.
type state struct {
	ID      string
	Started time.Time
	Step    int       // delays planned so far
	Polls   int       // queries begun
	Errors  int       // queries that brought an error instead of a task
	Task    Task      // the last one seen; its ID is empty as long as none was
	Born    time.Time // when the task began, by our clock; zero: not known yet
	Alive   time.Time // when the last look began that found it not ended
	Moved   time.Time // when the task was last seen to change; zero: it never was seen
	Told    time.Time // when a Detailer last told how far the task is; zero: never
	Good    int       // SUCCESS in a row, errors in between not counted
	Left    bool      // the phase of WithLeaving was left
	Trouble run       // transient errors in a row
	Missing run       // "not found" in a row, errors in between not counted
	Early   bool      // the look before the context's deadline has been planned
}

// run is an unbroken run of answers of one kind: when its first one came, and how many there were.
type run struct {
	Since time.Time
	Count int
}

func (r *run) add(now time.Time) {
	if r.Count == 0 {
		r.Since = now
	}
	r.Count++
}

// answer is what one query brought.
type answer struct {
	task   Task
	err    error
	sent   time.Time // when the query began
	shared bool      // it was made for others too
}

// verdict is what follows from an answer: the wait is done (kind nil: SUCCESS), or it asks again after a pause.
type verdict struct {
	note
	done bool
	kind error         // one of the sentinels
	wait time.Duration // from now
}

// note is an answer, read: either a task with our id was seen, or class says what came instead.
type note struct {
	seen       bool
	final      bool // it was seen, and this is how it ended
	class      Class
	retryAfter time.Duration
	trouble    error // what was wrong with the answer, for people; nil: nothing
}

func (n *note) is(c Class) bool { return !n.seen && n.class == c }

// decide is the library's whole judgement: what the answer a, which arrived now, means for a wait that remembers s, and
// s brought up to date. planned is the schedule's delay (backoff.Stop: no more) and rnd a random number in [0, 1).
// Nothing else goes in or comes out: no clock, no I/O, no goroutine, no randomness of its own.
func decide(l *limits, s *state, a *answer, now time.Time, planned time.Duration, rnd float64) verdict {
	n := s.note(l, a, now)
	end, limited := l.end(s.Started)
	switch {
	case n.final:
		return n.over(terminalKind(s.Task.Status))
	case limited && !a.sent.Before(end): // that was the last look
		return s.enough(n, ErrTimeout)
	case n.is(ClassPermanent):
		return n.over(permanentKind(n.trouble))
	case limited && !now.Before(end): // the time ran out while it was in flight: the last look comes at once
		return verdict{note: n}
	case n.is(ClassNotFound) && s.Missing.Count >= minMissing && !a.sent.Before(s.Missing.Since.Add(l.grace)):
		return n.over(ErrTaskNotFound)
	case n.is(ClassTransient) && s.Trouble.Count >= minErrors && now.Sub(s.Trouble.Since) >= l.tolerance:
		return n.over(ErrQuery)
	case n.seen && l.stalled(s, now):
		return n.over(ErrStalled)
	case planned == backoff.Stop:
		return s.enough(n, ErrBackOffStopped)
	}
	s.Step++
	planned = max(l.upTo(s, &n, now, planned), spread(min(n.retryAfter, MaxRetryAfter), rnd))
	return verdict{note: n, wait: l.cut(s, now, planned)}
}

func (n note) over(kind error) verdict { return verdict{note: n, done: true, kind: kind} }

// enough ends the wait where no more can be asked: a SUCCESS that was not confirmed counts then, and says so.
func (s *state) enough(n note, kind error) verdict {
	if s.Good > 0 {
		s.Task.Unsettled = true
		return n.over(nil)
	}
	return n.over(kind)
}

// spread lengthens d by up to retryJitter of it.
func spread(d time.Duration, rnd float64) time.Duration {
	return d + time.Duration(rnd*retryJitter*float64(d))
}

// note reads a and remembers what it says.
func (s *state) note(l *limits, a *answer, now time.Time) note {
	n := s.read(a)
	switch {
	case n.seen:
		n.final = l.final(s, &a.task)
		s.see(l, a, now)
		return n
	case n.class == ClassNotFound:
		s.Missing.add(now)
		s.Trouble, s.Good = run{}, 0
	case n.class == ClassThrottled || n.class == ClassConflict:
		s.Trouble = run{} // the service is well, and said so
	default:
		s.Trouble.add(now)
	}
	s.Errors++
	return n
}

// see remembers a task that was seen.
func (s *state) see(l *limits, a *answer, now time.Time) {
	t := a.task
	t.ID, t.Unsettled = s.ID, false
	if l.held(s, &t) {
		t.Status = StatusExecuting // what it was before we began does not count
	} else if l.leave != "" {
		s.Left = true
	}
	s.keepDetails(&t, now)
	if s.Moved.IsZero() || moved(&s.Task, &t) {
		s.Moved = now
	}
	if s.Good++; !t.Status.Succeeded() {
		s.Good = 0
	}
	if !t.Status.Terminal() {
		s.Alive = a.sent
	}
	s.Born = s.born(&t, now)
	s.Task, s.Trouble, s.Missing = t, run{}, run{}
}

// keepDetails keeps in t what a Detailer has told of it: a look does not bring that, and the next details come after it.
func (s *state) keepDetails(t *Task, now time.Time) {
	if s.Told.IsZero() || t.Status.Succeeded() || t.detailed() {
		return
	}
	t.Percent, t.Steps = s.Task.Percent, s.Task.Steps
	if !t.Status.Terminal() {
		t.Remaining = s.left(now)
	}
	s.Told = now
}

// left is what remains of the time that was last told.
func (s *state) left(now time.Time) time.Duration {
	if s.Told.IsZero() {
		return 0
	}
	return max(s.Task.Remaining-now.Sub(s.Told), 0)
}

// learnDetails takes over what a Detailer tells of the task.
func (s *state) learnDetails(d *Task, now time.Time) {
	t := s.Task
	t.Percent, t.Remaining, t.Steps = d.Percent, max(d.Remaining, 0), d.Steps
	if moved(&s.Task, &t) {
		s.Moved = now
	}
	s.Task, s.Told = t, now
}

func (t *Task) detailed() bool { return t.Percent != nil || t.Remaining > 0 || t.Steps != nil }

// moved reports whether a task has changed from a to b, other than in its times.
func moved(a, b *Task) bool {
	same := a.Status == b.Status && a.Phase == b.Phase && percent(a) == percent(b) &&
		slices.EqualFunc(a.Steps, b.Steps, func(x, y Step) bool { return x.Name == y.Name && x.Status == y.Status })
	return !same
}

func percent(t *Task) int {
	if t.Percent == nil {
		return -1
	}
	return *t.Percent
}

// born is when the task began, by our clock. The first answer says it: clocks disagree, so both times are the service's
// own where it tells them, and a task is never younger than the wait for it.
func (s *state) born(t *Task, now time.Time) time.Time {
	if !s.Born.IsZero() {
		return s.Born
	}
	if asOf := orElse(t.AsOf, now); !t.CreatedAt.IsZero() {
		return earlier(s.Started, now.Add(t.CreatedAt.Sub(asOf)))
	}
	return s.Started
}

func orElse[T comparable](v, otherwise T) T {
	if v == *new(T) {
		return otherwise
	}
	return v
}

func (s *state) read(a *answer) note {
	switch {
	case a.err != nil:
		n := note{trouble: a.err}
		if q, ok := asQueryError(a.err); ok && q.Class >= ClassTransient && q.Class <= ClassConflict {
			n.class, n.retryAfter = q.Class, q.RetryAfter
		}
		if errors.Is(a.err, ErrInvalidID) {
			n.class = ClassPermanent // the Source says so itself, however it wraps it
		}
		return n
	case a.task.ID != "" && a.task.ID != s.ID:
		other := fmt.Errorf("the service answered for another task, %q", text.Clip(a.task.ID))
		return note{class: ClassNotFound, trouble: &QueryError{Class: ClassNotFound, Err: other}}
	case !a.task.Status.Known():
		return note{seen: true, trouble: fmt.Errorf("unknown status %q", text.Clip(string(a.task.Status)))}
	}
	return note{seen: true}
}

// asQueryError is errors.As without its allocation for what a Source usually returns.
func asQueryError(err error) (*QueryError, bool) {
	if q, ok := err.(*QueryError); ok { //nolint:errorlint // the general case follows
		return q, q != nil
	}
	var q *QueryError
	return q, errors.As(err, &q) && q != nil
}

func terminalKind(s Status) error {
	switch s {
	case StatusFailed:
		return ErrTaskFailed
	case StatusDeleted:
		return ErrTaskDeleted
	case StatusCancelled:
		return ErrTaskCancelled
	}
	return nil // SUCCESS: decide asks only about terminal statuses
}

// permanentKind tells what was refused: the id, by the Source itself; an operation; or else a query.
func permanentKind(err error) error {
	for _, kind := range []error{ErrInvalidID, ErrNotStarted, ErrOutcomeUnknown, ErrAmbiguous, ErrTaskNotFound} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return ErrQuery
}
