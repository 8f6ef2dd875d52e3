package taskwait

import (
	"context"
	"time"
)

// lastHold is how long after the timeout a wait behind a limiter leaves its last look to the group, whose next sweep may
// answer many. It leaves the wait time for one of its own.
const lastHold = 2 * time.Second

// listen returns what others have learnt; or else whether it is time to look; or else it sets wake.
func (w *wait) listen() (a *answer, look bool) {
	var told mail
	shared := false
	if w.member != nil {
		told, shared = w.member.read()
	}
	w.wake = w.wakeAt(shared)
	switch {
	case w.news(told.answer):
		return told.answer, false
	case told.ask, time.Until(w.wake) <= 0:
		if w.granted = told.ask; !told.ask && shared {
			w.part() // for the last look
		}
		return nil, true
	case told.answer != nil:
		w.plan(w.next)
	case told.starved > 0 && w.progress != nil:
		w.tell(&Progress{Starved: told.starved})
	}
	return nil, false
}

// plan says when the wait looks next, if others have not learnt anything before.
func (w *wait) plan(next time.Time) {
	w.next = next
	if w.member != nil {
		w.member.plan(w.looked, next, w.state.Task.CreatedAt)
	}
}

// news reports whether a, which others have learnt, is newer than what the wait knows; nil is not. What was asked before the
// wait began may be of a time before that, when the task had another life.
func (w *wait) news(a *answer) bool {
	if a == nil {
		return false
	}
	raise(a)
	switch {
	case a.sent.Before(w.begun):
		return false
	case a.sent.After(w.looked):
		return true
	}
	return a.err == nil && a.task.Status.Terminal()
}

// wakeAt is when the wait must look by itself: when it is due, or if others see to that, when its last look is.
func (w *wait) wakeAt(shared bool) time.Time {
	end, limited := w.limits.end(w.state.Started)
	switch {
	case !shared:
		return w.next
	case !limited:
		return w.next.Add(time.Hour)
	case w.limiter != nil:
		return end.Add(lastHold)
	}
	return end
}

// rest sleeps until wake, the bell or the end of ctx.
func (w *wait) rest(ctx context.Context) {
	var bell chan struct{}
	if w.member != nil {
		bell = w.member.bell
	}
	select {
	case <-ctx.Done():
	case <-bell:
	case <-w.query.alarm.at(w.wake):
	}
}

// lookForAll makes a look, and lets others know what it brings.
func (w *wait) lookForAll(ctx context.Context) *answer {
	if w.member != nil {
		w.member.asks()
	}
	a := w.look(ctx)
	w.granted = false
	if w.member != nil {
		shared := a
		if a != nil && a.err != nil && ctx.Err() != nil {
			shared = nil // our own end is nobody else's trouble
		}
		w.member.asked(shared)
	}
	return a
}

// part leaves the group.
func (w *wait) part() {
	if w.member != nil {
		w.member.leave()
		w.member = nil
	}
}

// overheard decides on an answer that came before the wait's own pause, which ends at w.next, was over.
func (w *wait) overheard(a *answer) (v verdict, now time.Time) {
	step, own := w.state.Step, w.own
	defer func() { w.state.Step, w.own = step, own }()
	if w.newBackOff != nil {
		w.own = func(int, string, time.Duration, float64) time.Duration { return time.Until(w.next) }
	} else {
		w.state.Step = w.exponential.StepAt(time.Since(w.state.Started))
	}
	return w.judge(a)
}
