package taskwait

import (
	"cmp"
	"math"
	"time"
)

// deadlinePollLead is how long before the context's deadline one poll is planned; a tenth of the time left, if that is
// less.
const deadlinePollLead = time.Second

// refusalTolerance is how long a wait that has had a good answer bears refusals for good that may pass: IAM is
// consistent after seconds, keys are rotated, and clocks step after sleep.
const refusalTolerance = time.Minute

// notFoundRetry is the longest pause after an answer that there is no such task, within the grace: the next one
// confirms it. Huawei's Sources take two answers within ten seconds that the instance does not exist for the end of it.
const notFoundRetry = 8 * time.Second

// deadlines are the bounds of a wait.
type deadlines struct {
	began         time.Time     // when the wait did
	timeout       time.Duration // 0: none
	run           time.Duration // from the first answer that is not CREATED; 0: none
	tolerance     time.Duration
	grace         time.Duration
	stall         time.Duration // 0: none
	confirmations int           // SUCCESS in a row that it takes; 0 is as good as 1
	stalePhase    string        // the phase that does not count until it was left; "": there is none
	ctxEnd        time.Time     // the context's deadline; zero: none
	passedAt      time.Time     // when the wait went on, if its end had passed while nobody waited; zero: it had not
}

// concludes reports whether what a says is the end of it, for a wait that remembers s, unless its task is in a stale
// phase.
func (l *deadlines) concludes(s *state, a *answer) bool {
	t := &a.Value
	if !t.Status.Terminal() {
		return false
	}
	return !t.Status.Succeeded() || l.confirmations <= 1 || s.confirms(a) && int(s.successStreak)+1 >= l.confirmations
}

// stale reports whether t is still in the phase that it must leave first.
func (l *deadlines) stale(s *state, t *Task) bool {
	return l.stalePhase != "" && !s.leftStalePhase && cmp.Or(t.Phase, string(t.Status)) == l.stalePhase
}

// stalled reports whether a task had not changed for too long when the poll was begun that has shown it.
func (l *deadlines) stalled(s *state, sent time.Time) bool {
	return l.stall > 0 && s.successStreak == 0 && sent.Sub(s.lastChangedAt) >= l.stall
}

// end is the instant at which a wait that remembers s has used up its timeout, or that of the run; ok is false if it
// never does.
func (l *deadlines) end(s *state) (end time.Time, ok bool) {
	end, ok = endOf(l.began, l.timeout)
	if run, limited := endOf(s.runAt, l.run); limited && (!ok || run.Before(end)) {
		end, ok = run, true
	}
	if ok && l.passedAt.After(end) { // there is a final poll all the same
		end = l.passedAt
	}
	return end, ok
}

func endOf(began time.Time, limit time.Duration) (end time.Time, ok bool) {
	if began.IsZero() || limit <= 0 || limit == math.MaxInt64 {
		return time.Time{}, false
	}
	return began.Add(limit), true
}

// shorten makes a pause after the observation o so short that a poll falls at the grace's end, at that of the tolerance
// for refusals, or where the task will have stalled.
func (l *deadlines) shorten(s *state, o *observation, now time.Time, pause time.Duration) time.Duration {
	var left time.Duration
	switch {
	case o.is(ClassNotFound):
		left = min(s.notFoundStreak.since.Add(l.grace).Sub(now), notFoundRetry)
	case o.is(ClassPermanent):
		left = s.refusalStreak.since.Add(refusalTolerance).Sub(now)
	case o.seen:
		left = s.lastChangedAt.Add(l.stall).Sub(now)
	}
	if left > 0 {
		pause = min(pause, left)
	}
	return pause
}

// clamp makes a pause so short that it passes neither the timeout nor the poll before the context's deadline. The
// latter is planned once, and kept until it was made: sent is when the last poll was begun.
func (l *deadlines) clamp(s *state, sent, now time.Time, pause time.Duration) time.Duration {
	if left := l.ctxEnd.Sub(now); !l.ctxEnd.IsZero() && left > 0 {
		lead := left - min(deadlinePollLead, left/10)
		switch {
		case s.deadlinePollAt.IsZero() && pause >= lead:
			s.deadlinePollAt = now.Add(lead)
			pause = lead
		case sent.Before(s.deadlinePollAt):
			pause = min(pause, s.deadlinePollAt.Sub(now))
		}
	}
	if end, limited := l.end(s); limited {
		pause = min(pause, end.Sub(now))
	}
	return max(pause, 0)
}

// bears reports whether the refusal o, by a query that was sent then, may pass yet.
func (s *state) bears(o *observation, sent time.Time) bool {
	r := &s.refusalStreak
	return o.mayPass && (s.seen() || s.listReadable) && (r.count < 2 || sent.Before(r.since.Add(refusalTolerance)))
}
