package taskwait

import "time"

// mayAsk reports whether the limiter has given a turn, and uses it up. Otherwise it sees to a place in the queue.
func (s *scheduler) mayAsk(now time.Duration) bool {
	if s.granted {
		s.granted = false
		return true
	}
	if s.turn == nil && now >= s.refused {
		s.turn, s.queued, s.starved = s.limiter.enter(), now, now+starvedAfter
	}
	if s.turn == nil {
		return false
	}
	if now >= s.starved {
		s.starved += starvedAfter
		s.driver.starving(now - s.queued)
	}
	if end, by, limited := s.driver.end(); limited && now >= end {
		s.limiter.before(s.turn, s.start.Add(by))
	}
	return false
}

// turned takes in the limiter's word: the turn has come, or why it never will.
func (s *scheduler) turned(err error) {
	s.turn, s.starved = nil, 0
	if p, panicked := err.(*panicError); panicked { //nolint:errorlint // ours, never wrapped
		panic(p)
	}
	now := s.now()
	last := s.last(now)
	switch {
	case err == nil, last && s.limiter.beyond(time.Now()):
		s.granted = true
	case last:
		s.refused = now + extraEvery
	default:
		s.notGranted(err, now)
	}
}

// notGranted makes the limiter's error that of the query which it was asked for.
func (s *scheduler) notGranted(err error, now time.Duration) {
	switch what, slot := s.choose(now); what {
	case askOne:
		s.driver.deliver(slot, &answer{err: err, sent: time.Now()})
	case askPage:
		s.pageFailed(err)
	case nothing:
	}
}

// leaveQueue gives up the place in the queue.
func (s *scheduler) leaveQueue() {
	if s.turn != nil {
		s.limiter.leave(s.turn)
		s.turn, s.starved = nil, 0
	}
}

// turns is where the turn will be heard of.
func (s *scheduler) turns() <-chan error {
	if s.turn == nil {
		return nil
	}
	return s.turn.done
}
