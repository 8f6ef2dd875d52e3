package taskwait

import (
	"context"
	"time"
)

// lastHold is how long after the timeout a wait behind a limiter leaves its last look to the group, whose next sweep may
// answer many. It leaves the wait time for one of its own.
const lastHold = 2 * time.Second

// hear sleeps until next, or until others know something, and returns that; nil: it is time to look, or ctx has ended.
func (w *wait) hear(ctx context.Context, next time.Time) *answer {
	shared := w.plan(next)
	for ctx.Err() == nil {
		var told mail
		if w.member != nil {
			told, shared = w.member.read()
		}
		wake := w.wake(next, shared)
		late := time.Until(wake) <= 0
		switch {
		case w.news(told.answer):
			return told.answer
		case told.ask, late:
			if w.granted = told.ask; !told.ask && shared {
				w.part() // for the last look
			}
			return nil
		case told.answer != nil:
			w.plan(next)
		case told.starved > 0 && w.progress != nil:
			w.tellStarved(told.starved)
		}
		w.rest(ctx, wake)
	}
	return nil
}

// tellStarved tells the progress callback that there is no turn. Inlined, its Progress would stand on the stack that a wait
// holds while it sleeps.
//
//go:noinline
func (w *wait) tellStarved(d time.Duration) { w.tell(&Progress{Starved: d}) }

// plan tells the group when the wait would look next. It reports whether others see to that.
func (w *wait) plan(next time.Time) bool {
	return w.member != nil && w.member.plan(w.looked, next, w.state.Task.CreatedAt)
}

// news reports whether a, which others have learnt, is newer than what the wait knows; nil is not.
func (w *wait) news(a *answer) bool {
	if a == nil {
		return false
	}
	raise(a)
	return a.sent.After(w.looked) || a.err == nil && a.task.Status.Terminal()
}

// wake is when the wait must look by itself: when it is due, or if others see to that, when its last look is.
func (w *wait) wake(next time.Time, shared bool) time.Time {
	end, limited := w.limits.end(w.state.Started)
	switch {
	case !shared:
		return next
	case !limited:
		return next.Add(time.Hour)
	case w.limiter != nil:
		return end.Add(lastHold)
	}
	return end
}

// rest sleeps until the given time, the bell or the end of ctx.
func (w *wait) rest(ctx context.Context, until time.Time) {
	var bell chan struct{}
	if w.member != nil {
		bell = w.member.bell
	}
	if time.Until(until) <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-bell:
	case <-w.query.alarm.at(until):
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

// overheard decides on an answer that came before the wait's own pause, which ends at next, was over.
func (w *wait) overheard(a *answer, next time.Time) (v verdict, now time.Time) {
	step, own := w.state.Step, w.own
	defer func() { w.state.Step, w.own = step, own }()
	if w.newBackOff != nil {
		w.own = func(int, *Task, time.Duration, float64) time.Duration { return time.Until(next) }
	} else {
		w.state.Step = w.exponential.stepAt(time.Since(w.state.Started))
	}
	return w.judge(a)
}
