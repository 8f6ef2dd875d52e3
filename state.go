package taskwait

import (
	"cmp"
	"time"
)

// state is all that a wait remembers.
type state struct {
	task     Task      // the last one seen; only its ID is set as long as none was
	reported *reported // what a Detailer has last reported; nil: nothing
	step     int32     // pauses that its own polls have begun; of a BackOff, those that it was asked for
	polls    int32     // queries made
	errors   int32     // answers that were an error instead of a task
	failing  int32     // and those of them that came after the task was last seen, also where no poll was made
	looks    uint32    // the appearance of the task, when it was last seen

	taskStartedAt  time.Time // by our clock; when the wait began, as long as none was seen
	runAt          time.Time // when the first answer came that was not CREATED; zero: none has
	lastRunningAt  time.Time // when the last poll was begun that found the task not ended; zero: none has
	lastChangedAt  time.Time // when the task was last seen to change; zero: it was not seen yet
	plannedAt      time.Time // when the wait's own next poll is due; zero: none was planned yet
	deadlinePollAt time.Time // when the poll before the context's deadline is due; zero: it is not planned yet
	errorStreak    streak    // transient errors in a row
	notFoundStreak streak    // "not found" in a row, errors in between not counted
	refusalStreak  streak    // refusals for good in a row that may pass, other errors in between not counted
	successStreak  int32     // SUCCESS in a row, errors in between not counted
	requested      bool      // the service has asked for the pause that runs
	leftStalePhase bool      // the phase of WithStalePhase was left
	listReadable   bool      // the Source could list, or find, tasks: the credentials were good
	noDetails      bool      // a Detailer has said that there are none
	concluded      bool      // the task has ended, by all that the wait asks of it
	ended          bool      // the outcome was reported
}

// reported is what a Detailer has said of the task.
type reported struct {
	at      time.Time
	percent *int
	steps   []Step        // nil: there are none, or the Wait was stored
	looks   uint32        // their appearance; 0: there are none
	left    time.Duration // the service's estimate, then; 0: unknown
}

// streak is an unbroken run of answers of one kind: when its first one came, and how many there were.
type streak struct {
	since time.Time
	count int
}

func (s *streak) add(now time.Time) {
	if s.count == 0 {
		s.since = now
	}
	s.count++
}

// record remembers an answer that arrived now, and that was classified. stale: its task is still in a phase that does
// not count.
func (s *state) record(o *observation, a *answer, stale bool, now time.Time) {
	if a.Polled {
		s.polls++
	}
	switch {
	case o.seen:
		s.recordTask(a, stale, now)
		return
	case o.class == ClassNotFound:
		s.notFoundStreak.add(now)
		s.errorStreak, s.refusalStreak, s.successStreak = streak{}, streak{}, 0
	case o.class == ClassThrottled || o.class == ClassConflict:
		s.errorStreak = streak{} // the service is well, and said so
	case o.mayPass:
		s.refusalStreak.add(now)
	default:
		s.errorStreak.add(now)
	}
	s.errors++
	s.failing++
}

// recordTask remembers a task that was seen.
func (s *state) recordTask(a *answer, stale bool, now time.Time) {
	t := a.Value
	t.ID, t.Kind, t.Unconfirmed = s.task.ID, cmp.Or(t.Kind, s.task.Kind), false
	if stale {
		t.Status = StatusExecuting // what it was before the wait began does not count
	} else {
		s.leftStalePhase = true
	}
	steps := stepsAppearance(t.Steps)
	if s.keepDetails(&t, now) {
		steps = s.reported.looks
	}
	s.taskStartedAt = s.startOf(&t, now)
	s.noteChange(&t, steps, now)
	switch {
	case !t.Status.Succeeded():
		s.successStreak = 0
	case s.confirms(a):
		s.successStreak++
	}
	if !t.Status.Terminal() {
		s.lastRunningAt = a.Sent
	}
	if s.runAt.IsZero() && t.Status != StatusCreated {
		s.runAt = now
	}
	s.task, s.failing = t, 0
	s.errorStreak, s.notFoundStreak, s.refusalStreak = streak{}, streak{}, streak{}
}

// confirms reports whether a SUCCESS counts: the first one does, and then one for each pause of the wait's own. What
// other waits' polls show in between does not.
func (s *state) confirms(a *answer) bool { return s.successStreak == 0 || !s.beforeDue(a) }

// beforeDue reports whether an answer comes from a poll that was made before the wait's own was due.
func (s *state) beforeDue(a *answer) bool { return a.Sent.Before(s.plannedAt) }

// inFirstDelay reports whether an answer comes from others' polls, in the delay before the wait's own first one.
func (s *state) inFirstDelay(a *answer) bool { return s.step == 0 && s.beforeDue(a) }

// keepsPlan reports whether an answer to others' polls does not bring the wait's own next poll forward: its first one,
// or one after a pause that the service has asked for.
func (s *state) keepsPlan(a *answer) bool { return s.inFirstDelay(a) || s.requested && s.beforeDue(a) }

// endsPause reports whether the wait's next pause begins with an answer: its own poll brought it, or it is the first
// SUCCESS of several that are wanted.
func (s *state) endsPause(confirmations int, a *answer) bool {
	first := confirmations > 1 && s.successStreak == 0 && a.Err == nil && a.Value.Status.Succeeded()
	return first || !s.beforeDue(a)
}

// keepDetails keeps in t what a Detailer has reported: a poll does not bring that, and the next details come after it.
// It reports whether there was anything to keep.
func (s *state) keepDetails(t *Task, now time.Time) bool {
	if s.reported == nil || t.Status.Succeeded() || t.detailed() {
		return false
	}
	t.Percent, t.Steps = s.reported.percent, s.reported.steps
	if !t.Status.Terminal() {
		t.Remaining = s.remaining(now)
	}
	return true
}

// remaining is what remains of the time that was last reported.
func (s *state) remaining(now time.Time) time.Duration {
	if s.reported == nil {
		return 0
	}
	return max(s.reported.left-now.Sub(s.reported.at), 0)
}

// recordDetails remembers what a Detailer reports.
func (s *state) recordDetails(d *Task, now time.Time) {
	t := s.task
	t.Percent, t.Remaining, t.Steps = d.Percent, max(d.Remaining, 0), d.Steps
	steps := stepsAppearance(t.Steps)
	s.noteChange(&t, steps, now)
	s.task, s.reported = t, &reported{at: now, percent: t.Percent, steps: t.Steps, looks: steps, left: t.Remaining}
}

// sighting is what was last seen of the task.
func (s *state) sighting(now time.Time) sighting {
	return sighting{
		known: !s.lastRunningAt.IsZero(), ago: max(now.Sub(s.lastRunningAt), 0),
		failing: int(s.failing), refused: s.notFoundStreak.count > 0,
	}
}

func (t *Task) detailed() bool { return t.Percent != nil || t.Remaining > 0 || t.Steps != nil }

// noteChange notes whether a task that is seen now, with steps that look so, has changed, other than in its times.
func (s *state) noteChange(t *Task, steps uint32, now time.Time) {
	if looks := appearance(t, steps); !s.seen() || looks != s.looks {
		s.looks, s.lastChangedAt = looks, now
	}
}

// appearance is a number for what is seen of a task beside its times, with steps that look so. It is part of a stored
// [Wait], so it never becomes another one for the same task.
func appearance(t *Task, steps uint32) uint32 {
	h := withText(withText(hashBasis, string(t.Status)), t.Phase)
	if t.Percent != nil {
		h = (h ^ uint32(*t.Percent+1)) * hashPrime //nolint:gosec // only its change counts
	}
	return (h ^ steps) * hashPrime
}

// stepsAppearance is a number for what is seen of steps beside their times; 0: there are none.
func stepsAppearance(steps []Step) uint32 {
	if len(steps) == 0 {
		return 0
	}
	h := uint32(hashBasis)
	for i := range steps {
		h = withText(withText(h, steps[i].Name), steps[i].Status)
	}
	return h
}

// The numbers of FNV-1a for 32 bits.
const (
	hashBasis = 2166136261
	hashPrime = 16777619
)

// withText is the hash h, gone on with through a text and its end.
func withText(h uint32, text string) uint32 {
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * hashPrime
	}
	return h * hashPrime
}

// seen reports whether the task was seen.
func (s *state) seen() bool { return !s.lastChangedAt.IsZero() }

// startOf is when the task began, by our clock. The first answer says it: clocks disagree, so both times are the
// service's own where it reports them, and a task is never younger than the wait for it.
func (s *state) startOf(t *Task, now time.Time) time.Time {
	if asOf := cmp.Or(t.AsOf, now); !s.seen() && !t.CreatedAt.IsZero() {
		return earlier(s.taskStartedAt, now.Add(t.CreatedAt.Sub(asOf)))
	}
	return s.taskStartedAt
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
