package taskwait

import (
	"context"
	"time"
)

// turn waits for the limiter's turn to make a look that is due; nil: it has come. Otherwise there is an answer in place of
// one, or ok is false because ctx has ended.
func (w *wait) turn(ctx context.Context) (a *answer, ok bool) {
	t, due := w.limiter.enter(), time.Now()
	defer w.limiter.leave(t)
	for {
		wake, last := w.turnBy(t)
		select {
		case <-ctx.Done():
			return nil, false
		case err := <-t.done:
			return w.turned(err), ctx.Err() == nil
		case <-w.query.alarm.at(wake):
		}
		switch starved := time.Since(due); {
		case last && !time.Now().Before(wake):
			return w.turned(errNoTurn), true
		case !last && starved >= starvedAfter && w.progress != nil:
			w.tell(&Progress{Starved: starved})
		}
	}
}

// turnBy is when to look up from waiting for t: for the next word on it, for the timeout, or, past it, for the last moment
// at which a query can still be over in time.
func (w *wait) turnBy(t *turn) (wake time.Time, last bool) {
	now := time.Now()
	wake = now.Add(starvedAfter)
	end, limited := w.limits.end(w.state.Started)
	switch {
	case !limited:
	case now.Before(end):
		wake = earlier(wake, end)
	default:
		wake, last = later(end.Add(lastLook-lastLookReserve), now), true
		w.limiter.before(t, wake)
	}
	return wake, last
}

// turned is what the limiter's word means: nil, to ask now. A last look that has no turn is made all the same, if not too
// many are.
func (w *wait) turned(err error) *answer {
	if p, panicked := err.(*panicError); panicked { //nolint:errorlint // ours, never wrapped
		panic(p)
	}
	now := time.Now()
	end, limited := w.limits.end(w.state.Started)
	if err == nil || limited && !now.Before(end) && w.limiter.beyond(now) {
		return nil
	}
	return &answer{err: err, sent: now}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// WithLimiter makes every query wait for its turn behind l, together with all that other Waiters ask behind it, and makes
// all hold off when one is throttled. A look that has no turn for ten seconds says so in its [Progress]. The timeout holds
// all the same: the last look is made then, at most one a second beyond the quota; for those that have no turn within
// 4 s, [ErrTimeout] says that they were not asked a last time. nil: no limit, the default.
func WithLimiter(l *Limiter) Option { return func(s *settings) { s.limiter = l } }
