package taskwait_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	"go.uber.org/zap/zaptest/observer"
)

// What the documentation promises in figures.
const (
	overAfter     = 5 * time.Second // after the timeout
	deadlineAhead = time.Second     // the poll before a context's deadline is planned at most so early
	maxRetryAfter = 5 * time.Minute
	plainThrottle = time.Second // the hold-off where the service does not say how long
	never         = time.Duration(1 << 62)
)

// judge holds what happened in a script against the rules. A rule says only what must be true of every engine that
// keeps the documentation: where sharing or chance leaves two ways open both are right.
func judge(m *model) {
	for _, j := range m.jobs {
		m.judgeJob(j)
		for _, id := range slices.Sorted(maps.Keys(j.waits)) {
			if w := j.waits[id]; validID(id) {
				newJudge(w).all()
			}
		}
	}
	m.judgePanics()
	m.judgeCalls()
	m.judgeQuota()
	m.judgeLeaks()
}

// judgeJob: each id is answered as often as it was given, unless the loop was left; who is invalid is told so.
func (m *model) judgeJob(j *job) {
	if j.over < 0 {
		m.fail("return", "job %d has not returned", j.n)
	}
	given := map[string]int{}
	for _, id := range j.ids {
		given[id]++
	}
	for id, w := range j.waits {
		if j.many && !j.left && j.panic == nil && j.yields[id] != given[id] {
			m.fail("yield", "job %d: %q was given %d times and answered %d times", j.n, id, given[id], j.yields[id])
		}
		if w.ret < 0 {
			w.ret = j.over
			w.failed = errLeft
		} else if !validID(id) && !errors.Is(w.err, taskwait.ErrInvalidID) {
			m.fail("invalid-id", "job %d: %q: %v", j.n, id, w.err)
		}
	}
}

var errLeft = errors.New("the loop was left, or the call panicked")

// judgement is the oracle's view of one wait.
type judgement struct {
	*waited
	m        *model
	overBy   time.Duration // the latest at which its timeout, or that of the run, has passed; never: not at all
	by       error         // how the wait ended; nil: with success
	relevant []answered    // what the wait may have heard, in order
}

// answered is one call as far as it concerns one id.
type answered struct {
	*call
	out    outcome
	status taskwait.Status
	phase  string
	own    bool // the call was made for this very wait
	late   bool // it took longer than one query may
}

func newJudge(w *waited) *judgement {
	g := &judgement{waited: w, m: w.model, by: w.err}
	for _, c := range g.m.service.calls {
		if c.begin < w.begin || !c.returned() || c.end > w.ret {
			continue
		}
		a := answered{call: c, out: c.out, status: c.status, phase: c.phase, own: c.job == w.job}
		a.late = c.end-c.begin >= w.query
		switch {
		case c.id == w.id:
			g.relevant = append(g.relevant, a)
		case c.id == "" && c.out == outSeen:
			for i := range c.rows {
				if row := &c.rows[i]; row.ID == w.id {
					a.status, a.phase = row.Status, row.Phase
					g.relevant = append(g.relevant, a)
				}
			}
		}
	}
	slices.SortStableFunc(g.relevant, func(a, b answered) int { return cmp.Compare(a.end, b.end) })
	g.timeUp = g.endOfTime(func(answered) bool { return true })
	g.overBy = g.endOfTime(func(a answered) bool { // the wait has heard of it for certain
		return a.own && !a.late && !g.superseded(a) && a.end >= g.begin+g.initial
	})
	return g
}

// endOfTime is when the timeout passes, or that of the run if it begins with the first answer that counts.
func (g *judgement) endOfTime(counts func(answered) bool) time.Duration {
	end := never
	if g.timeout > 0 {
		end = g.begin + g.timeout
	}
	for _, a := range g.relevant {
		if g.runLimit > 0 && a.out == outSeen && a.status != taskwait.StatusCreated && counts(a) {
			return min(end, a.end+g.runLimit)
		}
	}
	return end
}

func (g *judgement) fail(rule, format string, args ...any) {
	g.m.fail(rule, "job %d %s: %s", g.n, g.id, fmt.Sprintf(format, args...))
}

// all checks every rule for one wait.
func (g *judgement) all() {
	g.polls()
	if g.failed != nil { // it has no outcome
		return
	}
	g.callbacks()
	g.shape()
	g.decision()
	g.end()
	g.finalPoll()
}

// callbacks: one Done, and it was right.
func (g *judgement) callbacks() {
	if g.done != 1 || g.final != g.err {
		g.fail("progress", "%d calls with Done, and the outcome %v; want one, with %v", g.done, g.final, g.err)
	}
}

// badText is what a message must not show.
var badText = regexp.MustCompile(`%!|<nil>`)

var simSentinels = []error{
	taskwait.ErrTaskFailed, taskwait.ErrTaskDeleted, taskwait.ErrTaskCancelled, taskwait.ErrTimeout,
	taskwait.ErrTaskNotFound, taskwait.ErrQuery, taskwait.ErrStalled, taskwait.ErrBackOffStopped, taskwait.ErrInvalidID,
	taskwait.ErrInvalidOption, taskwait.ErrNotStarted, taskwait.ErrOutcomeUnknown, taskwait.ErrAmbiguous,
}

// shape: an error is a *WaitError for this id that is one thing and says so.
func (g *judgement) shape() {
	if g.err == nil {
		if g.task.ID != g.id || g.task.Status != taskwait.StatusSuccess {
			g.fail("shape", "success with the task %v", g.task)
		}
		return
	}
	var e *taskwait.WaitError
	if !errors.As(g.err, &e) || e.ID != g.id || badText.MatchString(e.Error()) {
		g.fail("shape", "%T: %v", g.err, g.err)
		return
	}
	if !g.isOneThing() {
		g.fail("shape", "it is several things at once, or none: %v", g.err)
	}
	if over := e.Task.Status.Terminal(); e.StillRunning() == over || g.taskFailed() && !over {
		g.fail("shape", "StillRunning is %v, and the task %v: %v", e.StillRunning(), e.Task, g.err)
	}
}

// isOneThing reports whether the error is one of the sentinels, or the context's error; ErrTimeout is both.
func (g *judgement) isOneThing() bool {
	n := 0
	for _, s := range simSentinels {
		if errors.Is(g.err, s) {
			n++
		}
	}
	stopped := errors.Is(g.err, context.Canceled) || errors.Is(g.err, context.DeadlineExceeded)
	return n == 0 && stopped || n == 1 && stopped == errors.Is(g.err, taskwait.ErrTimeout)
}

var terminalErrors = map[taskwait.Status]error{
	taskwait.StatusFailed: taskwait.ErrTaskFailed, taskwait.StatusDeleted: taskwait.ErrTaskDeleted,
	taskwait.StatusCancelled: taskwait.ErrTaskCancelled,
}

// taskFailed reports whether the wait says that the service has reported the task's failure.
func (g *judgement) taskFailed() bool {
	for _, err := range terminalErrors {
		if errors.Is(g.err, err) {
			return true
		}
	}
	return false
}

// decision: what the wait says follows from answers that were given while it ran.
func (g *judgement) decision() {
	switch err := g.err; {
	case err == nil:
		g.succeeded()
	case g.taskFailed():
		status := taskwait.StatusFailed
		for s, kind := range terminalErrors {
			if errors.Is(err, kind) {
				status = s
			}
		}
		if !g.reported(status) {
			g.fail("decision", "nobody said %s: %v", status, err)
		}
	case errors.Is(err, taskwait.ErrTimeout):
		if g.ret < g.timeUp {
			g.fail("timeout", "ErrTimeout at %v, before %v: %v", g.ret, g.timeUp, err)
		}
	case errors.Is(err, taskwait.ErrTaskNotFound):
		g.unknown()
	case errors.Is(err, taskwait.ErrQuery):
		g.gaveUp()
	case errors.Is(err, taskwait.ErrStalled):
		g.stalled()
	case errors.Is(err, taskwait.ErrBackOffStopped):
		if !slices.Contains(g.pauses, backoff.Stop) {
			g.fail("decision", "no BackOff said stop: %v", err)
		}
	case errors.Is(err, taskwait.ErrInvalidID), errors.Is(err, taskwait.ErrInvalidOption):
		g.fail("decision", "id and options are valid: %v", err)
	default:
		g.contextEnded()
	}
}

// reported reports whether the service said status when that counted: not in the stale phase before it was left.
func (g *judgement) reported(status taskwait.Status) bool {
	left := g.stale == ""
	for _, a := range g.relevant {
		if a.out != outSeen {
			continue
		}
		left = left || cmp.Or(a.phase, string(a.status)) != g.stale
		if left && a.out == outSeen && a.status == status {
			return true
		}
	}
	return false
}

// succeeded: the service said SUCCESS, as often as wanted, with a pause after each that counts.
func (g *judgement) succeeded() {
	if !g.reported(taskwait.StatusSuccess) {
		g.fail("decision", "success, though nobody said so")
		return
	}
	if unconfirmed(&g.task) {
		if g.confirmations < 2 || g.ret < g.timeUp && !slices.Contains(g.pauses, backoff.Stop) {
			g.fail("decision", "unconfirmed, with %d wanted, before the timeout", g.confirmations)
		}
		return
	}
	n, last, event := 0, time.Duration(-1), -1
	for _, a := range g.relevant {
		free := last < 0 || g.stall > 0 || a.end >= g.timeUp || g.deadline && a.end >= g.job.end-deadlineAhead
		another := a.end > last || a.from > event // a poll of its own: the answer before may have come at this very instant
		if a.status == taskwait.StatusSuccess && a.out == outSeen && another && (free || a.end-last >= g.shortest()) {
			n, last, event = n+1, a.end, a.to
		}
	}
	if n < g.confirmations {
		g.fail("confirmations", "%d SUCCESS with a pause between them, want %d", n, g.confirmations)
	}
}

// shortest is the least pause of the schedule.
func (g *judgement) shortest() time.Duration {
	if g.pauses == nil {
		return g.lo
	}
	least := never
	for _, d := range g.pauses {
		if d != backoff.Stop {
			least = min(least, max(d, time.Millisecond))
		}
	}
	return least
}

// longest is the longest pause of the schedule.
func (g *judgement) longest() time.Duration {
	if g.pauses == nil {
		return g.hi
	}
	return max(slices.Max(g.pauses), time.Millisecond)
}

// unknown: the last answer, and one at least the grace before it, said that there is no such task, and none between
// them said otherwise.
func (g *judgement) unknown() {
	for i, a := range g.relevant {
		if a.out == outNotFound && g.stillUnknown(a, g.relevant[i+1:]) {
			return
		}
	}
	g.fail("not-found", "given up at %v without two such answers %v apart: %v", g.ret, g.grace, g.err)
}

// stillUnknown reports whether the run of not-found that begins with first lasts to the end, and for long enough.
func (g *judgement) stillUnknown(first answered, rest []answered) bool {
	for _, a := range rest {
		if a.own && !a.late && a.out == outSeen && !g.superseded(a) {
			return false
		}
		last := a.end == g.ret || g.slow > 0
		if a.out == outNotFound && last && a.begin-first.end >= g.grace {
			return true
		}
	}
	return false
}

// gaveUp: the last answer was final, or there were three errors and nothing else for as long as tolerated.
func (g *judgement) gaveUp() {
	since, at := g.begin, g.ret
	for _, a := range g.relevant {
		switch {
		case a.out == outPermanent && (a.end == g.ret || g.slow > 0):
			return
		case a.own && !a.late && a.end < g.ret && (a.out == outSeen || a.out == outThrottled || a.out == outNotFound):
			since = a.end
		}
	}
	if g.slow > 0 { // what was read counts, and when: the last good answer may have come after the decision
		since, at = g.erredAt, g.heard
	}
	var e *taskwait.WaitError
	errors.As(g.err, &e)
	if at-since < g.tolerance || e.Errors < 3 {
		g.fail("query", "%d errors, the last good answer %v before; want 3 and %v: %v", e.Errors, at-since,
			g.tolerance, g.err)
	}
	if g.slow > 0 { // the last good answer may not have been read yet
		since = g.begin
	}
	moody := g.limited && g.m.moody
	failed := func(c *call) bool { return g.wentWrong(c, since) }
	if !moody && !slices.ContainsFunc(g.m.service.calls, failed) {
		g.fail("equal-terms", "given up, though no query of this id failed within %v: %v", g.query, g.err)
	}
}

// wentWrong reports whether a call for the id failed after since under the wait's own terms: not because another wait
// allowed it less time.
func (g *judgement) wentWrong(c *call, since time.Duration) bool {
	if c.id != g.id || c.begin > g.ret || c.returned() && c.end < since || c.cancelled && c.end-c.begin < g.query {
		return false
	}
	return c.out == outTransient || c.out == outExited || c.took(g.ret) >= g.query
}

// stalled: the task was seen, and nothing about it changed for as long as allowed.
func (g *judgement) stalled() {
	var last answered
	moved := g.begin
	for _, a := range g.relevant {
		old := last.call != nil && a.begin < last.begin
		if a.own && !a.late && a.out == outSeen && !old {
			if a.status != last.status || a.phase != last.phase {
				moved = a.end
			}
			last = a
		}
	}
	alone := !slices.ContainsFunc(g.relevant, func(a answered) bool { return !a.own })
	read := g.ret
	if g.slow > 0 { // an answer may have waited to be read: a stall is judged by when it was asked for
		read = never
	}
	if alone && (g.stall == 0 || last.call == nil || read-moved < g.stall && g.stale == "") {
		g.fail("stalled", "moved %v before, want %v: %v", g.ret-moved, g.stall, g.err)
	}
}

// contextEnded: the context ended then, and not earlier.
func (g *judgement) contextEnded() {
	want := context.Canceled
	if g.deadline {
		want = context.DeadlineExceeded
	}
	if !errors.Is(g.err, want) || !g.deadline && !errors.Is(g.err, errModelCause) || g.ret < g.job.end {
		g.fail("context", "at %v, want %v with its cause at %v: %v", g.ret, want, g.job.end, g.err)
	}
}

// end: the wait ends at once where it has to.
func (g *judgement) end() {
	if g.slow > 0 { // what the callback or the loop's body takes is its own affair
		return
	}
	if by := g.job.end; g.ret > by {
		g.fail("context", "returned at %v, the context ended at %v: %v", g.ret, by, g.err)
	}
	if g.overBy < never && g.ret > g.overBy+overAfter+time.Millisecond {
		g.fail("timeout", "returned at %v, the timeout was %v: %v", g.ret, g.overBy, g.err)
	}
	left := g.stale == ""
	for _, a := range g.relevant {
		if a.late || !g.delivered(a) || g.outdated(a) {
			continue
		}
		left = left || a.own && a.out == outSeen && cmp.Or(a.phase, string(a.status)) != g.stale
		if g.ret > a.end && (left && g.endsWith(a) || a.out == outPermanent && a.own && a.end < g.timeUp) {
			g.fail(g.endsRule(a), "call %d came to %s %s at %v, returned at %v: %v", a.n, outcomeNames[a.out], a.status,
				a.end, g.ret, g.err)
			return
		}
	}
}

// outdated reports whether a wait that counts phases or confirmations has had a newer answer before a.
func (g *judgement) outdated(a answered) bool {
	return (g.stale != "" || g.confirmations > 1) && g.superseded(a)
}

// superseded reports whether the wait has had a newer answer before a, which is dropped then if it is not the last one.
func (g *judgement) superseded(a answered) bool {
	return slices.ContainsFunc(g.relevant, func(b answered) bool {
		return b.out == outSeen && b.begin > a.begin && b.end <= a.end
	})
}

// endsWith reports whether the answer ends the wait, if it is not for a stale phase.
func (g *judgement) endsWith(a answered) bool {
	_, failure := terminalErrors[a.status]
	return a.out == outSeen && (failure || a.status == taskwait.StatusSuccess && g.confirmations == 1)
}

// endsRule names how the wait should have heard of an answer: its own; one of a like wait; one of a wait that wants
// other things of an answer, or that came while the wait's own call was in flight.
func (g *judgement) endsRule(a answered) string {
	plain := func(p *plan) bool { return p.confirmations == 1 && p.stale == "" }
	busy := slices.ContainsFunc(g.m.service.calls, func(c *call) bool {
		return c.job == g.job && c.id == g.id && c.begin <= a.end && (!c.returned() || c.end > a.end)
	})
	switch {
	case a.own:
		return "ends"
	case !plain(g.plan) || a.job != nil && !plain(a.job.plan) || busy:
		return "ends-unlike"
	}
	return "ends-shared"
}

// delivered reports whether an answer was certainly for this wait: its own, or one that it shares on equal terms.
func (g *judgement) delivered(a answered) bool {
	if a.own {
		return true
	}
	if a.begin == g.begin { // the wait may have begun a moment after the call
		return false
	}
	if a.job == nil { // a page for nobody in particular: for all, if there is one poller
		return !g.many && g.m.onePoller()
	}
	return a.id != "" && g.shares(a.job)
}

// shares reports whether the wait and those of another job share: a WaitForTasks shares with nobody.
func (g *judgement) shares(j *job) bool {
	return j == g.job || !j.many && !g.many && j.terms() == g.terms()
}

// terms are what waits have in common that share.
type terms struct {
	limited bool
	query   time.Duration
}

func (p *plan) terms() terms {
	if sharesAnyQueryTimeout {
		return terms{limited: p.limited}
	}
	return terms{p.limited, p.query}
}

// onePoller reports whether all jobs are of WaitForTask and on equal terms.
func (m *model) onePoller() bool {
	return !slices.ContainsFunc(m.jobs, func(j *job) bool { return j.many || j.terms() != m.jobs[0].terms() })
}

// finalPoll: who had finished by the timeout is not timed out, if the service answered in the five seconds after it.
func (g *judgement) finalPoll() {
	if !errors.Is(g.err, taskwait.ErrTimeout) || g.slow > 0 || g.limited || g.stale != "" ||
		g.many && len(g.ids) > 8 || g.timeUp < g.overBy {
		return
	}
	l := &g.m.service.tasks[g.m.service.index[g.id]]
	from := g.timeUp - g.query - 3*time.Second
	if l.flap > 0 || l.ended > g.timeUp || g.m.service.latency > time.Second {
		return
	}
	switch to := g.timeUp + overAfter; {
	case g.healthy(from, to):
		g.fail("final-poll", "the task had ended at %v: %v", l.ended, g.err)
	case g.healthy(g.timeUp+1500*time.Millisecond, to) && g.landed(g.timeUp) <= to-2*time.Second && !g.lastWord(g.timeUp):
		g.fail("final-repeat", "the task had ended at %v, and the service was well from %v on: %v", l.ended,
			g.timeUp+1500*time.Millisecond, g.err)
	}
}

// healthy reports whether no fault lies between from and to that concerns the id.
func (g *judgement) healthy(from, to time.Duration) bool {
	if g.m.service.quota != nil {
		return false
	}
	for _, f := range g.m.service.faults {
		concerns := f.on < 0 || g.m.service.tasks[f.on].id == g.id
		until := f.to
		if f.kind == hangHonouring || f.kind == hangIgnoring {
			until += f.d
		}
		if concerns && f.from < to && until > from {
			return false
		}
	}
	return true
}

// lastWord reports whether a final poll got an answer that is not repeated: also one that the service should not have
// given.
func (g *judgement) lastWord(timeUp time.Duration) bool {
	return slices.ContainsFunc(g.relevant, func(a answered) bool {
		return a.begin >= timeUp && (a.conflict || a.out == outSeen || a.out == outNotFound || a.out == outPermanent)
	})
}

// landed is when all calls that may tell of the id and are in flight at t have returned; never: one is abandoned.
func (g *judgement) landed(t time.Duration) (by time.Duration) {
	for _, c := range g.m.service.calls {
		switch {
		case c.id != g.id && c.id != "" || c.begin >= t || c.returned() && c.end <= t:
		case !c.returned() || c.took(t) >= min(g.query, cmp.Or(c.job, g.job).query):
			return never
		default:
			by = max(by, c.end)
		}
	}
	return by
}

// judgePanics: what a Source panicked with is raised by one of those it concerns, or logged. Where nobody is left who
// waits for the id another wait of the Poller raises it, so that it is not hidden.
func (m *model) judgePanics() {
	raised := map[int]bool{}
	for _, j := range m.jobs {
		p, ours := panicOf(j.panic)
		if !ours {
			m.fail("panic", "job %d panicked with %v", j.n, j.panic)
			continue
		}
		if p < 0 {
			continue
		}
		c := m.service.calls[p]
		if raised[p] = true; j.waits[c.id] == nil && c.id != "" && (j.many || m.awaited(j, c.id, c.end)) {
			m.fail("panic-elsewhere", "job %d panicked with call %d, about %s", j.n, c.n, c.id)
		}
	}
	logged := logText(m.logs)
	for _, c := range m.service.calls {
		if c.out == outPanicked && !raised[c.n] && !strings.Contains(logged, modelPanic(c.n).Error()) {
			rule := map[bool]string{true: "panic-of-list", false: "panic"}[c.id == ""]
			m.fail(rule, "call %d panicked, and nobody raised or logged it", c.n)
		}
	}
}

// awaited reports whether a wait for id, on the Poller of the WaitForTask of j, had time to raise a panic at t.
func (m *model) awaited(j *job, id string, t time.Duration) bool {
	return slices.ContainsFunc(m.jobs, func(other *job) bool {
		w := other.waits[id]
		return w != nil && !other.many && other.terms() == j.terms() && other.slow == 0 && other.begin < t &&
			min(w.ret, other.end) > t
	})
}

// panicOf is the number of the call that panicked with v; -1: there was no panic. ours is false for any other panic.
func panicOf(v any) (n int, ours bool) {
	if v == nil {
		return -1, true
	}
	var p modelPanic
	err, _ := v.(error)
	ours = errors.As(err, &p)
	return int(p), ours
}

func logText(logs *observer.ObservedLogs) string {
	var b strings.Builder
	for _, entry := range logs.All() {
		fmt.Fprintln(&b, entry.Message, entry.Context)
	}
	return b.String()
}

// judgeLeaks: what was abandoned is counted, and nothing goes on after the end.
func (m *model) judgeLeaks() {
	if m.abandoned != m.hanging {
		m.fail("abandoned", "%d abandoned calls at the end, %d hang", m.abandoned, m.hanging)
	}
	if m.abandonedLater != 0 {
		m.fail("abandoned", "%d abandoned calls an hour later", m.abandonedLater)
	}
	for _, c := range m.service.calls {
		if c.begin > m.over {
			m.fail("orphan", "call %d began at %v, all was over at %v", c.n, c.begin, m.over)
		}
	}
}
