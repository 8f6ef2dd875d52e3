package taskwait_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	"golang.org/x/time/rate"
)

// plan is one call of WaitForTask or WaitForTasks in a script.
type plan struct {
	ids        []string
	many       bool
	begin, end time.Duration // when it begins, and when its context ends at the latest
	deadline   bool          // the context ends by a deadline
	limited    bool          // behind the script's limiter
	leave      int           // the loop is left after so many results; 0: never
	slow       time.Duration // what a round of the loop or a progress callback takes

	timeout, runLimit, lo, hi, initial, query, tolerance, grace, stall time.Duration
	confirmations                                                      int
	stale                                                              string
	pauses                                                             []time.Duration // of a BackOff, the last for ever
}

// script is one random situation.
type script struct {
	seed    uint64
	service *simService
	list    bool
	rate    rate.Limit
	burst   int
	moody   bool // the limiter's own Wait fails at times
	plans   []*plan
}

// dice draws what a script is made of.
type dice struct{ *rand.Rand }

// one is true once in n times.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// upTo draws a time up to most, odd enough that no two events of a script fall on one instant.
func (d dice) upTo(most time.Duration) time.Duration { return time.Duration(d.Int64N(int64(most))) | 1 }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// newScript draws a script.
func newScript(seed uint64, many bool) *script {
	d := dice{rand.New(rand.NewPCG(seed, 13))}
	s := &script{seed: seed, list: d.one(2)}
	n := pick(d, 1, 1, 2, 3, 4, 6, 12)
	if many {
		n = pick(d, 1, 3, 8, 20, 40)
	}
	if d.one(25) {
		n = 50 + d.IntN(60)
	}
	s.service = newSimService(d, seed, n)
	if d.one(4) {
		s.rate, s.burst = pick[rate.Limit](d, 2, 5, 10, 50), pick(d, 1, 5)
		s.moody = d.one(6)
	}
	if d.one(8) {
		s.service.quota = rate.NewLimiter(pick[rate.Limit](d, 2, 5, 10), pick(d, 1, 5))
		s.service.window = pick(d, 0, time.Second, 10*time.Second)
	}
	s.drawFaults(d)
	queries := []time.Duration{pick(d, 300*time.Millisecond, time.Second, 2*time.Second), 10 * time.Second,
		30 * time.Second}[:1+d.IntN(3)]
	calls := pick(d, 1, 2, 3, 5, 8, 12)
	switch {
	case many:
		calls = pick(d, 1, 1, 1, 2, 3)
	case n > 20:
		calls = n
	}
	for i := range calls {
		p := newPlan(d, queries)
		p.limited = s.rate > 0 && !d.one(6)
		p.ids, p.many = []string{s.service.tasks[(i+d.IntN(n))%n].id}, many && (i == 0 || d.one(2))
		if n > 20 && !many {
			p.ids[0] = s.service.tasks[i].id
		}
		if p.many {
			p.drawIDs(d, s.service.tasks)
		}
		s.plans = append(s.plans, p)
	}
	s.drawTogether(d)
	s.drawAimed(d)
	s.drawRuns(d)
	return s
}

// drawTogether makes many waits time out in one instant.
func (s *script) drawTogether(d dice) {
	if !d.one(8) {
		return
	}
	timeout := d.upTo(30 * time.Second)
	for _, p := range s.plans {
		p.begin, p.timeout, p.slow = 0, timeout, 0
		p.end = max(p.end, timeout+time.Minute)
	}
}

// drawAimed lets a task end just before a wait for it times out, and makes the service fail, or calls hang, for a
// moment just then.
func (s *script) drawAimed(d dice) {
	for _, p := range s.plans[:min(len(s.plans), 3)] {
		if len(p.ids) == 0 {
			continue
		}
		if i, ok := s.service.index[p.ids[0]]; ok && p.timeout > 0 && d.one(6) {
			at := p.begin + p.timeout
			l := &s.service.tasks[i]
			l.flap, l.ended = 0, at-d.upTo(2*time.Second)
			l.created, l.running = min(l.created, l.ended/4), min(l.running, l.ended/2)
			f := fault{
				on: i, kind: pick(d, failPlain, failTransient, failThrottled, emptyStatus, hangHonouring, hangIgnoring),
				from: at - 20*time.Millisecond, to: at + d.upTo(1400*time.Millisecond), percent: 100, d: pick(d, 0, 30*time.Second),
			}
			if f.kind == hangHonouring || f.kind == hangIgnoring { // a call is in flight at the timeout
				f.from, f.to, f.d = at-d.upTo(2*time.Second), at, d.upTo(1400*time.Millisecond)
			}
			s.service.faults = append(s.service.faults, f)
			p.end = max(p.end, at+time.Minute)
		}
	}
}

// drawRuns lets tasks end just before a run timeout passes.
func (s *script) drawRuns(d dice) {
	for _, p := range s.plans {
		if p.runLimit == 0 || !d.one(2) {
			continue
		}
		for _, id := range p.ids {
			if i, ok := s.service.index[id]; ok {
				l := &s.service.tasks[i]
				l.flap, l.ended = 0, max(l.running, p.begin)+p.runLimit-d.upTo(min(p.runLimit, 2*time.Second))
			}
		}
		p.end = max(p.end, p.begin+p.runLimit+time.Minute)
	}
}

// newSimService draws the tasks.
func newSimService(d dice, seed uint64, n int) *simService {
	s := &simService{seed: seed, index: map[string]int{}, count: map[string]uint64{}}
	s.latency = pick(d, 0, 1, 50*time.Millisecond, 200*time.Millisecond, 3*time.Second)
	s.perPage = pick(d, 1, 2, 5, 50, 50)
	span := pick(d, 5*time.Second, 30*time.Second, 2*time.Minute)
	for i := range n {
		l := life{id: fmt.Sprintf("t%d", i), status: pick(d, taskwait.StatusSuccess, taskwait.StatusSuccess,
			taskwait.StatusSuccess, taskwait.StatusFailed, taskwait.StatusDeleted, taskwait.StatusCancelled)}
		if d.one(3) {
			l.created = d.upTo(span / 5)
		}
		l.running = l.created + d.upTo(span/5)
		l.ended = l.running + d.upTo(span)
		if l.phased = d.one(6); !l.phased && d.one(5) {
			l.flap = 100*time.Millisecond + d.upTo(5*time.Second)
		}
		s.tasks, s.index[l.id] = append(s.tasks, l), i
	}
	return s
}

// drawFaults draws what goes wrong.
func (s *script) drawFaults(d dice) {
	mild := []faultKind{failPlain, failTransient, failThrottled, failConflict, failNotFound, otherID, unknownStatus,
		emptyStatus}
	hard := []faultKind{hangHonouring, hangIgnoring, hangHonouring, hangIgnoring, panics, exits, failPermanent}
	lists := []faultKind{dropRows, repeatRows, foreignRows, repeatToken, endlessList, failPlain, failThrottled,
		failPermanent, unsupported, hangHonouring, hangIgnoring, panics, exits}
	n := len(s.service.tasks)
	for range pick(d, 0, 1, 2, 4, 8) {
		f := fault{on: d.IntN(n), kind: pick(d, mild...), percent: pick[uint64](d, 20, 50, 100, 100)}
		switch {
		case s.list && d.one(2):
			f.on, f.kind = listPages, pick(d, lists...)
		case d.one(3):
			f.kind = pick(d, hard...)
		case d.one(3):
			f.on = everyTask
		}
		f.from = d.upTo(40 * time.Second)
		f.to = f.from + d.upTo(pick(d, 2*time.Second, 20*time.Second, 3*time.Minute))
		f.d = s.drawDuration(d, f.kind)
		s.service.faults = append(s.service.faults, f)
	}
	if s.list && d.one(10) {
		s.service.faults = append(s.service.faults, fault{on: listPages, kind: panics, from: d.upTo(20 * time.Second),
			to: time.Hour, percent: pick[uint64](d, 20, 100)})
	}
	if n > 20 && d.one(2) { // many hang, beside some that are well
		kind := pick(d, hangHonouring, hangIgnoring)
		for i := range n * 4 / 5 {
			s.service.faults = append(s.service.faults, fault{on: i, kind: kind, to: time.Hour, percent: 100,
				d: 3 * time.Minute})
		}
	}
}

func (s *script) drawDuration(d dice, kind faultKind) time.Duration {
	switch kind {
	case hangHonouring, hangIgnoring:
		return d.upTo(pick(d, time.Second, 10*time.Second, 2*time.Minute))
	case failPlain, failTransient, failThrottled, failNotFound, failPermanent:
		return pick(d, 0, 0, d.upTo(2*time.Second), d.upTo(20*time.Second))
	default:
		return 0
	}
}

// newPlan draws the options of one call.
func newPlan(d dice, queries []time.Duration) *plan {
	p := &plan{confirmations: 1, begin: pick(d, 0, 0, d.upTo(time.Second), d.upTo(20*time.Second))}
	p.end = p.begin + pick(d, d.upTo(20*time.Second), d.upTo(3*time.Minute), 10*time.Minute, 10*time.Minute)
	p.deadline = d.one(2)
	if !d.one(3) {
		p.timeout = d.upTo(pick(d, 10*time.Second, time.Minute, 4*time.Minute))
	}
	if d.one(4) {
		p.runLimit = d.upTo(pick(d, 5*time.Second, 30*time.Second, 2*time.Minute))
	}
	p.lo = pick(d, 100*time.Millisecond, 500*time.Millisecond, time.Second, 4*time.Second)
	p.hi = pick(d, p.lo, 2*p.lo, 8*p.lo)
	p.query = pick(d, queries...)
	p.tolerance = pick(d, 0, 5*time.Second, time.Minute, 5*time.Minute)
	p.grace = pick(d, 0, 2*time.Second, 10*time.Second, time.Minute)
	if d.one(5) {
		p.initial = d.upTo(10 * time.Second)
	}
	if d.one(6) {
		p.confirmations = pick(d, 2, 3)
	}
	if d.one(6) {
		p.stale = stalePhase
	}
	if d.one(8) {
		p.stall = pick(d, time.Second, 10*time.Second, time.Minute)
	}
	if d.one(6) {
		for range 1 + d.IntN(4) {
			p.pauses = append(p.pauses, pick(d, 0, 200*time.Millisecond, time.Second, 7*time.Second))
		}
		p.pauses = append(p.pauses, pick(d, backoff.Stop, time.Second, 3*time.Second, 10*time.Second))
	}
	if d.one(10) {
		p.slow = d.upTo(2 * time.Second)
	}
	return p
}

// drawIDs draws the ids of a WaitForTasks: most of the tasks, some twice, and some ids that are invalid.
func (p *plan) drawIDs(d dice, tasks []life) {
	p.ids = nil
	for i := range tasks {
		if !d.one(8) {
			p.ids = append(p.ids, tasks[i].id)
		}
		if d.one(15) {
			p.ids = append(p.ids, tasks[d.IntN(len(tasks))].id)
		}
	}
	if d.one(5) {
		p.ids = append(p.ids, pick(d, "", "a/b", "..", "a b"))
	}
	d.Shuffle(len(p.ids), func(i, j int) { p.ids[i], p.ids[j] = p.ids[j], p.ids[i] })
	if d.one(5) {
		p.leave = 1 + d.IntN(len(tasks))
	}
}

// options are those of the plan.
func (p *plan) options(limit *taskwait.Limiter, told func(taskwait.Progress)) []taskwait.Option {
	opts := []taskwait.Option{
		taskwait.WithTimeout(p.timeout), taskwait.WithRunTimeout(p.runLimit), taskwait.WithInterval(p.lo, p.hi),
		taskwait.WithInitialDelay(p.initial),
		taskwait.WithQueryTimeout(p.query), taskwait.WithErrorTolerance(p.tolerance), taskwait.WithNotFoundGrace(p.grace),
		taskwait.WithStallTimeout(p.stall), withConfirmations(p.confirmations), withStalePhase(p.stale),
		taskwait.WithProgress(told),
	}
	if p.limited {
		opts = append(opts, taskwait.WithLimiter(limit))
	}
	if p.pauses != nil {
		opts = append(opts, taskwait.WithBackOff(func() backoff.BackOff { return &pauses{of: p.pauses} }))
	}
	return opts
}

// pauses is a BackOff.
type pauses struct {
	of   []time.Duration
	next int
}

func (p *pauses) Reset() { p.next = 0 }

func (p *pauses) NextBackOff() time.Duration {
	d := p.of[min(p.next, len(p.of)-1)]
	p.next++
	return d
}

// context is one that ends as planned.
func (p *plan) context(parent context.Context) (ctx context.Context, cancel func()) {
	left := p.end - p.begin
	if p.deadline {
		return context.WithTimeout(parent, left)
	}
	ctx, stop := context.WithCancelCause(parent)
	timer := time.AfterFunc(left, func() { stop(errModelCause) })
	return ctx, func() {
		timer.Stop()
		stop(nil)
	}
}
