package taskwait

import (
	"slices"
	"time"

	"github.com/taskwait/taskwait/internal/text"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// report tells the log and the progress callback of one answer.
func (w *wait) report(v *verdict, changed bool) {
	w.write(zap.DebugLevel, "polled", v.wait, v.trouble)
	if changed {
		w.write(zap.InfoLevel, "status changed", v.wait, nil)
	}
	if v.trouble != nil && w.warned.first(&v.note, w.state.Task.Status) {
		w.write(zap.WarnLevel, "trouble", v.wait, v.trouble)
	}
	if w.progress != nil {
		w.tell(&Progress{Next: v.wait, Err: v.trouble, Changed: changed})
	}
}

// end tells the log and the progress callback of the outcome, and returns it.
func (w *wait) end(e *WaitError) error {
	var outcome error // not e itself: a nil *WaitError in an error is not nil
	if e != nil {
		outcome = e
	}
	if w.learn != nil {
		observe(w.learn.History, &w.state, time.Now())
	}
	w.write(zap.InfoLevel, "wait ended", 0, outcome)
	if w.progress != nil {
		w.tell(&Progress{Done: true, Outcome: outcome})
	}
	return outcome
}

// tell calls the progress callback with p and the state of things.
func (w *wait) tell(p *Progress) {
	s := &w.state
	p.Task, p.Polls, p.Errors, p.Elapsed, p.Good = s.Task, s.Polls, s.Errors, w.elapsed(), s.Good
	if !s.Moved.IsZero() {
		p.Unchanged = time.Since(s.Moved)
	}
	if w.learn != nil && !p.Done && !s.Born.IsZero() {
		p.Estimate = estimate(w.learn, &s.Task, time.Since(s.Born))
	}
	if w.whole != nil {
		p.All, p.Task.ID = *w.whole, s.ID
	}
	w.progress(*p)
}

// write writes a log line, if its level is on: asked first, because what follows needs a stack that a wait with its log
// off would keep for as long as it sleeps.
func (w *wait) write(level zapcore.Level, msg string, next time.Duration, err error) {
	if w.log.Core().Enabled(level) {
		w.writeLine(level, msg, next, err)
	}
}

// writeLine is the log line. Text from the service is clipped in it, and Raw is not in it.
func (w *wait) writeLine(level zapcore.Level, msg string, next time.Duration, err error) {
	line := w.log.Check(level, msg)
	if line == nil {
		return
	}
	s := &w.state
	fields := []zap.Field{
		zap.String("task", s.ID), zap.String("name", text.Clip(s.Task.Name)), zap.String("status", text.Clip(string(s.Task.Status))),
		zap.Int("polls", s.Polls), zap.Int("errors", s.Errors),
		zap.Duration("elapsed", w.elapsed()), zap.Duration("next", next),
	}
	if err != nil {
		fields = append(fields, zap.String("error", errorText(err)))
	}
	line.Write(fields...)
}

// warned remembers which kinds of trouble have been logged, so that each is logged once in a wait.
type warned struct {
	classes  [ClassConflict + 1]bool
	statuses []Status
}

// maxWarned bounds the unknown statuses that are remembered: a service that invents a new one each time is not logged for ever.
const maxWarned = 16

// first reports whether n is the first trouble of its kind; status is the unknown one, if that is what it is about.
func (r *warned) first(n *note, status Status) bool {
	if n.seen {
		if len(r.statuses) == maxWarned || slices.Contains(r.statuses, status) {
			return false
		}
		r.statuses = append(r.statuses, status)
		return true
	}
	first := !r.classes[n.class]
	r.classes[n.class] = true
	return first
}
