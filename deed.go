package taskwait

import (
	"context"
	"time"
)

// unclearLook is for how long a task is looked for where it is not known whether the operation was started. Tasks
// appear within seconds, and whoever made the call is waiting.
const unclearLook = 10 * time.Second

// deed is one call of Do: a row of waits that share their time. The first waits until the operation has been accepted, the
// second until its task is found, the third is for the task, and the last makes sure that it was the right one.
type deed struct {
	waiter   *Waiter
	settings *settings
	op       *Operation
	began    time.Time
	now      *wait // the one that ends the deed, should it end now
}

func (d *deed) run(ctx context.Context) *WaitError {
	a := &attempt{op: d.op, end: d.began.Add(d.settings.timeout), limited: d.settings.timeout > 0}
	if e := d.prelude(ctx, a, d.settings.grace); e != nil {
		return d.notAccepted(ctx, a, e)
	}
	started, _, _ := a.outcome()
	if started.ID != "" {
		return d.await(ctx, started.ID)
	}
	f := &finder{find: started.Find}
	if e := d.prelude(ctx, f, d.settings.grace); e != nil {
		e.Candidates = f.candidates()
		return e
	}
	id := f.candidates()[0].ID
	f.id = id
	e := d.await(ctx, id)
	if e != nil && !e.Task.Status.Terminal() {
		return e
	}
	if doubt := d.confirm(ctx, f, id); doubt != nil {
		return doubt
	}
	return e
}

// notAccepted completes the error e of a deed that has ended before the operation was accepted, as far as we know.
func (d *deed) notAccepted(ctx context.Context, a *attempt, e *WaitError) *WaitError {
	started, sent, err := a.outcome()
	switch {
	case !sent:
		e.start = ErrNotStarted
	case err == nil && started.ID != "": // it was accepted in the very moment in which we stopped
		e.ID = started.ID
	default:
		e.ID = started.ID // where it says what the operation is about
		e.start = ErrOutcomeUnknown
		e.Candidates = d.lookAround(ctx, &started)
	}
	return e
}

// lookAround looks for a task that has appeared, though nobody knows whether the operation was carried out.
func (d *deed) lookAround(ctx context.Context, started *Started) []Task {
	left := unclearLook
	if d.settings.timeout > 0 {
		left = min(left, time.Until(d.began.Add(d.settings.timeout+lastLook)))
	}
	if ctx.Err() != nil || started.Find == nil || left <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	last, f := d.now, &finder{find: started.Find}
	_ = d.prelude(ctx, f, 2*unclearLook) // what comes of it otherwise is beside the point
	d.now = last
	return f.candidates()
}

// confirm looks once more whether the task that was waited for is the only one that may be the operation's: one that
// began at the same time may have been listed later.
func (d *deed) confirm(ctx context.Context, f *finder, id string) *WaitError {
	last := d.now
	e := d.prelude(ctx, f, d.settings.grace)
	if e != nil {
		e.ID, e.Task, e.Candidates, e.doubt = id, last.state.Task, f.candidates(), true
	}
	d.now = last
	return e
}

// prelude is a wait for something other than the task.
func (d *deed) prelude(ctx context.Context, src Source, grace time.Duration) *WaitError {
	s := *d.settings
	s.grace = grace
	s.initial, s.settle, s.leave, s.stall, s.history, s.kind = 0, 1, "", 0, nil, ""
	w := d.next(ctx, src, &s, d.op.Name)
	w.prelude = true
	e := w.untilDone(ctx)
	if e != nil {
		e.ID, e.Task, e.Operation = "", Task{}, d.op.Name
	}
	return e
}

// await is the wait for the operation's task.
func (d *deed) await(ctx context.Context, id string) *WaitError {
	w := d.next(ctx, d.waiter.src, d.settings, id)
	w.state.Born = time.Now()
	var e *WaitError
	if err := CheckID("task id", id); err != nil {
		w.err = err
		e = w.failure(ErrInvalidID)
	} else {
		e = w.untilDone(ctx)
	}
	if e != nil {
		e.Operation = d.op.Name
	}
	return e
}

// next makes the deed's next wait, which goes on with its time and its counts.
func (d *deed) next(ctx context.Context, src Source, s *settings, id string) *wait {
	own, _ := s.schedule() // a BackOff of nil: the default
	w := newWait(ctx, d.waiter, src, s, id, own)
	w.state.Started = d.began
	if d.now != nil {
		w.state.Polls, w.state.Errors = d.now.state.Polls, d.now.state.Errors
	}
	d.now = w
	return w
}
