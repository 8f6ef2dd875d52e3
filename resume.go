package taskwait

import (
	"context"
	"time"
)

// Resume goes on with a wait, as if it had never been interrupted: WithTimeout counts from its beginning. A Wait that
// has not begun begins. One that has seen the end of its task returns that again, without a query. If a bound has
// passed meanwhile, a final poll is made; if the bound is longer now, the wait goes on. Progress.Wait and
// WaitError.Wait are the Wait that was given, kept up to date: store it inside the callback.
//
// The next poll is made when it was due, or at once if that time has passed. A BackOff replays the pauses that were
// made, 64 at most.
func (w *Waiter) Resume(ctx context.Context, wait *Wait, opts ...Option) (Task, error) {
	r, err := w.newWait(ctx, wait.id(), wait, opts)
	if err != nil {
		return Task{ID: wait.id()}, err
	}
	ctx = r.enter(ctx, &w.stays)
	defer r.leave()
	if r.state.concluded {
		return r.state.task, r.concludedBefore()
	}
	w.subscribe(ctx, r)
	err = r.end(r.run(ctx, r.sub.Subscription))
	r.keep()
	return r.state.task, err
}

// Poll makes the next poll of a wait, if it is due, and returns: for engines that hold no goroutine for each wait. A
// loop that sleeps for Progress.Next between two calls polls when WaitForTask does, and ends as it does.
//
// If Done is set the wait is over, and the error is that of WaitForTask; nil means SUCCESS. If Done is not set and the
// error is nil, store the Wait, and call Poll again after Next. A call that comes early, or while the service has asked
// this Waiter to hold off, makes no query, and Next is the time that is left. An error without Done means that ctx has
// ended, and that nothing has changed. Let ctx live longer than WithQueryTimeout. A deadline of ctx bounds the call,
// not the wait.
//
// Calls of Poll that run at the same moment on one Waiter share queries as WaitForTask does. They share the answers of
// a list, but a call that comes a moment later does not.
func (w *Waiter) Poll(ctx context.Context, wait *Wait, opts ...Option) (Progress, error) {
	forever := ctx
	if ctx != nil {
		forever = context.WithoutCancel(ctx) // its deadline is not the wait's
	}
	r, err := w.newWait(forever, wait.id(), wait, opts)
	if err != nil {
		return Progress{Task: Task{ID: wait.id()}, Wait: wait, Done: true, Outcome: err}, err
	}
	if !r.state.concluded {
		if pause := r.untilNext(&w.pollers); pause > 0 {
			return r.polled(&Progress{Next: pause}), nil
		}
	}
	ctx = r.enter(ctx, &w.stays)
	defer r.leave()
	if r.state.concluded {
		err := r.concludedBefore()
		return r.polled(&Progress{Done: true, Outcome: err}), err
	}
	w.subscribe(ctx, r)
	before := *wait
	p, err := r.pollOnce(ctx, &r.sub)
	if err != nil && !p.Done {
		*wait = before
	}
	return p, err
}

// untilNext is how long Poll has nothing to do: until the poll is due, or while all hold off.
func (w *wait) untilNext(h *pollers) time.Duration {
	now := time.Now()
	pause := max(w.first.Sub(now), 0)
	if end, limited := w.deadlines.end(&w.state); limited && !now.Before(end) {
		return pause // nothing holds off a final poll
	}
	return w.deadlines.clamp(&w.state, now, now, max(pause, h.heldFor(w.settings, w.first, now)))
}

// pollOnce waits for one answer, and says what follows from it.
func (w *wait) pollOnce(ctx context.Context, sub *subscription) (Progress, error) {
	for {
		a, ok := sub.Next(ctx)
		if !ok {
			return w.polled(&Progress{}), w.stopped(ctx, false)
		}
		d := w.handle(&a)
		switch {
		case a.Queued > 0: // its poll is still due
			continue
		case d.done:
			err := w.end(w.finish(&d))
			return w.polled(&Progress{Done: true, Outcome: err, Changed: d.changed}), err
		case d.is(ClassThrottled):
			sub.pollers.holdOff(w.settings, min(d.retryAfter, maxRetryAfter), w.state.plannedAt)
		case d.seen && !a.Listed:
			w.pollDetails(ctx)
		}
		p := d.progress()
		p.Next = max(time.Until(w.state.plannedAt), 0)
		return w.polled(p), nil
	}
}

// polled is what Poll returns.
func (w *wait) polled(p *Progress) Progress {
	w.complete(p)
	return *p
}

// concludedBefore is how a wait ends, again, whose task has ended.
func (w *wait) concludedBefore() error {
	var outcome error
	if e := w.conclusion(); e != nil {
		outcome = e
	}
	w.state.ended = true
	w.tell(&Progress{Done: true, Outcome: outcome})
	return outcome
}
