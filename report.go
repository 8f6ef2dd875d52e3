package taskwait

import (
	"slices"
	"time"

	"github.com/taskwait/taskwait/internal/pacing"

	"github.com/taskwait/taskwait/internal/text"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// reporting is where waits of one call report to.
type reporting struct {
	began     time.Time // when they did
	operation string    // what there is no task of yet; empty: there is one
	to        *zap.Logger
	learned   *pacing.Learned // for estimates; nil: there are none
	totals    *totals         // nil: the wait is alone
}

// log gives one answer to the log.
func (r *reporting) log(s *state, d *decision, w *warned) {
	r.write(zap.DebugLevel, "polled", s, d.pause, d.trouble)
	if d.changed {
		r.write(zap.InfoLevel, "status changed", s, d.pause, nil)
	}
	if d.trouble != nil && w.first(&d.observation, s) {
		r.write(zap.WarnLevel, "trouble", s, d.pause, d.trouble)
	}
}

// progress is what an answer is to those who watch.
func (d *decision) progress() *Progress {
	return &Progress{Next: d.pause, Err: d.trouble, Changed: d.changed, PermitAfter: d.permitAfter, query: d.query}
}

// complete adds to p what the wait remembers.
func (r *reporting) complete(s *state, p *Progress) {
	p.Task, p.Polls, p.Errors, p.Confirmed = s.task, int(s.polls), int(s.errors), int(s.successStreak)
	p.Elapsed, p.Operation = time.Since(r.began), r.operation
	if s.seen() {
		p.Unchanged = time.Since(s.lastChangedAt)
		p.SeenAgo = min(p.Unchanged, time.Since(s.lastRunningAt))
	}
	if r.learned != nil && !p.Done && s.seen() {
		p.Estimate = estimate(r.learned, &s.task, time.Since(s.taskStartedAt))
	}
	if r.totals != nil {
		p.Total, p.Ended, p.Succeeded = r.totals.total, r.totals.ended, r.totals.succeeded
	}
}

// write writes a log line, if its level is on: asked first, because what follows needs a stack that a wait with its log
// off would keep for as long as it sleeps.
func (r *reporting) write(level zapcore.Level, msg string, s *state, next time.Duration, err error) {
	if r.to.Core().Enabled(level) {
		r.writeLine(level, msg, s, next, err)
	}
}

// writeLine is the log line. Text from the service is clipped in it, and Raw is not in it.
func (r *reporting) writeLine(level zapcore.Level, msg string, s *state, next time.Duration, err error) {
	line := r.to.Check(level, msg)
	if line == nil {
		return
	}
	subject := zap.String("task", s.task.ID)
	if r.operation != "" {
		subject = zap.String("operation", text.Clip(r.operation))
	}
	fields := []zap.Field{
		subject, zap.String("kind", text.Clip(s.task.Kind)), zap.String("status", text.Clip(string(s.task.Status))),
		zap.Int32("polls", s.polls), zap.Int32("errors", s.errors),
		zap.Duration("elapsed", time.Since(r.began)), zap.Duration("next", next),
	}
	if err != nil {
		fields = append(fields, zap.String("error", errorText(err)))
	}
	line.Write(fields...)
}

// warned remembers which kinds of trouble have been logged, so that each is logged once in a wait.
type warned struct {
	statuses *[]string // nil: none
	classes  uint8     // a bit for each
}

// maxWarned bounds the unknown statuses that are remembered: a service that invents a new one each time is not logged
// for ever.
const maxWarned = 16

// first reports whether o is the first trouble of its kind: of a class, or with a status that nobody knows.
func (r *warned) first(o *observation, s *state) bool {
	if !o.seen {
		bit := uint8(1) << o.class
		first := r.classes&bit == 0
		r.classes |= bit
		return first
	}
	if r.statuses == nil {
		r.statuses = &[]string{}
	}
	status := string(s.task.Status)
	if len(*r.statuses) == maxWarned || slices.Contains(*r.statuses, status) {
		return false
	}
	*r.statuses = append(*r.statuses, status)
	return true
}
