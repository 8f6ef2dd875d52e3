package taskwait

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/poll"
)

const (
	// retryJitter spreads waits that were given the same RetryAfter over this fraction beyond it: none comes early, and
	// they do not come back in a herd.
	retryJitter = 0.1

	// minErrors and minNotFound are the answers it takes to give up, however much time has passed: one hung query, or one
	// poll of a replica that lags, is no evidence.
	minErrors   = 3
	minNotFound = 2

	// finalRetry is the pause before a final poll that was throttled, or failed, is repeated; up to twice as much, at
	// random.
	finalRetry = 500 * time.Millisecond
)

// decision is what follows from an answer: the wait is done (reason nil: SUCCESS), or polls again after a pause.
type decision struct {
	observation
	done   bool
	reason error         // one of the sentinels
	pause  time.Duration // from now

	changed     bool // the status or the phase, since the answer before
	permitAfter time.Duration
	query       context.Context // of Progress.Context
}

// decide is the library's whole judgement: what the answer a, which arrived now, means for a wait that remembers s, and
// s brought up to date. planned is the schedule's pause (backoff.Stop: no more) and rnd a random number in [0, 1).
// Nothing else goes in or comes out: no clock, no I/O, no goroutine, no randomness of its own.
func decide(l *deadlines, s *state, a *answer, now time.Time, planned time.Duration, rnd float64) decision {
	own := s.endsPause(l.confirmations, a)
	o := classify(s.task.ID, a)
	stale := o.seen && l.stale(s, &a.Value)
	o.terminal = o.seen && !stale && l.concludes(s, a)
	s.record(&o, a, stale, now)
	end, limited := l.end(s)
	switch {
	case o.terminal:
		s.concluded = true
		outcome, _ := s.task.Status.outcome()
		return o.ends(outcome)
	case limited && !a.Sent.Before(end): // it was a final poll
		return s.afterFinalPoll(o, end, now, rnd)
	case o.is(ClassPermanent) && !s.bears(&o, a.Sent):
		return o.ends(permanentReason(o.trouble))
	case limited && !now.Before(end): // the timeout passed while the poll was in flight: the final poll comes at once
		return s.pollAgain(o, now, 0)
	case o.is(ClassNotFound) && s.notFoundStreak.count >= minNotFound &&
		!a.Sent.Before(s.notFoundStreak.since.Add(l.grace)):
		return o.ends(ErrTaskNotFound)
	case o.is(ClassTransient) && s.errorStreak.count >= minErrors && now.Sub(s.errorStreak.since) >= l.tolerance:
		return o.ends(ErrQuery)
	case o.seen && l.stalled(s, a.Sent):
		return o.ends(ErrStalled)
	case planned == backoff.Stop:
		return s.endUnconfirmed(o, ErrBackOffStopped)
	}
	if !own && o.seen && s.successStreak > 0 { // a confirmation that others' polls put off for ever would never come
		return decision{observation: o, pause: max(s.plannedAt.Sub(now), 0)}
	}
	planned = max(l.shorten(s, &o, now, planned), jittered(min(o.retryAfter, maxRetryAfter), rnd))
	switch {
	case s.keepsPlan(a):
		planned = max(planned, s.plannedAt.Sub(now))
	case own:
		s.step++
	}
	s.requested = o.retryAfter > 0 || s.requested && !own
	return s.pollAgain(o, now, l.clamp(s, a.Sent, now, planned))
}

func (o observation) ends(reason error) decision {
	return decision{observation: o, done: true, reason: reason}
}

func (s *state) pollAgain(o observation, now time.Time, pause time.Duration) decision {
	s.plannedAt = now.Add(pause)
	return decision{observation: o, pause: pause}
}

// afterFinalPoll decides on the answer to a final poll. One that was throttled, or failed, is repeated as long as there
// is time: it is the most important poll of all.
func (s *state) afterFinalPoll(o observation, end, now time.Time, rnd float64) decision {
	left := end.Add(poll.FinalAllowance - poll.FinalReserve).Sub(now)
	if again := o.is(ClassThrottled) || o.is(ClassTransient) || s.bears(&o, now); again && left > 0 {
		return s.pollAgain(o, now, min(left, finalRetry+time.Duration(rnd*float64(finalRetry))))
	}
	return s.endUnconfirmed(o, ErrTimeout)
}

// endUnconfirmed ends the wait where no more can be polled: a SUCCESS that was not confirmed counts then, and says so.
func (s *state) endUnconfirmed(o observation, reason error) decision {
	if s.successStreak > 0 {
		s.task.Unconfirmed, s.concluded = true, true
		return o.ends(nil)
	}
	return o.ends(reason)
}

// jittered lengthens d by up to retryJitter of it.
func jittered(d time.Duration, rnd float64) time.Duration {
	return d + time.Duration(rnd*retryJitter*float64(d))
}

// permanentReason is the reason for the end of a wait whose query was refused for good: the id is what the Source
// refuses, or the query.
func permanentReason(err error) error {
	if errors.Is(err, ErrInvalidID) {
		return ErrInvalidID
	}
	return ErrQuery
}
