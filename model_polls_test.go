package taskwait_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
)

// polls checks when the wait was polled.
func (g *judgement) polls() {
	if g.ret < 0 {
		return
	}
	own := g.ownCalls()
	for _, c := range own {
		if c.begin > g.ret {
			g.fail("orphan", "call %d began at %v, the wait returned at %v", c.n, c.begin, g.ret)
		}
	}
	g.first(own)
	if g.slow == 0 {
		g.spacing(own)
		g.deadlinePoll()
		g.liveness()
	}
}

// ownCalls are the calls for this id with the context of this wait, in order.
func (g *judgement) ownCalls() (own []*call) {
	for _, c := range g.m.service.calls {
		if c.job == g.job && c.id == g.id {
			own = append(own, c)
		}
	}
	return own
}

// spacing: between an answer and the wait's next call lies the shortest pause, or what a throttle asked for, unless a
// poll is due that does not go by the schedule: at the end of the grace or of what may stall, before a deadline, or the
// final one. One call is in flight at a time, an abandoned one too.
func (g *judgement) spacing(own []*call) {
	for i, c := range own[min(1, len(own)):] {
		before := own[i]
		if before.during(c) {
			g.fail("two-calls", "call %d began at %v, while call %d was in flight", c.n, c.begin, before.n)
		}
		from := g.answeredBy(before)
		pause, after := g.shortest(), time.Duration(0)
		if before.end < before.begin+g.query {
			after = min(before.after, maxRetryAfter)
		}
		pause = max(pause, after)
		free := from >= g.timeUp || g.offSchedule(c.begin) || after == 0 && (g.stall > 0 || g.graceEnds(from, c.begin))
		if rule := g.spacingRule(before, c); rule != "" && !free && c.begin < from+pause {
			g.fail(rule, "call %d began at %v, only %v after call %d, want %v", c.n, c.begin,
				c.begin-from, before.n, pause)
		}
	}
}

// answeredBy is when the wait's pause after one of its calls began: with its answer, or when the call was abandoned, or
// with an answer that came while it was in flight, if that was asked for later (the call's own is older news then and
// is dropped), or was the first SUCCESS of several, or the pause is a BackOff's: such a pause is not begun anew.
func (g *judgement) answeredBy(c *call) time.Duration {
	at := min(c.end, c.begin+g.query)
	first, _ := slices.BinarySearchFunc(g.relevant, c.begin, func(a answered, t time.Duration) int {
		return cmp.Compare(a.end, t)
	})
	for _, a := range g.relevant[first:] {
		if a.end >= at {
			break
		}
		keeps := g.pauses != nil || g.confirmations > 1 && a.status == taskwait.StatusSuccess
		if a.out == outSeen && (keeps || a.begin >= c.begin) {
			return a.end
		}
	}
	return at
}

// graceEnds reports whether the grace of any answer that the task is not known ends between from and to.
func (g *judgement) graceEnds(from, to time.Duration) bool {
	return slices.ContainsFunc(g.relevant, func(a answered) bool {
		return a.out == outNotFound && a.end+g.grace >= from && a.end+g.grace <= to
	})
}

// offSchedule reports whether a poll at t may be the final one, or the one before the context's deadline.
func (g *judgement) offSchedule(t time.Duration) bool {
	return t >= g.timeUp || g.deadline && t >= g.job.end-deadlineAhead
}

// spacingRule names what may have made the second call come early; empty: that is as it should be.
func (g *judgement) spacingRule(before, c *call) string {
	switch {
	case before.after > 0 && g.heardBetween(before, c):
		return "" // a good answer to a neighbour shows that the service is well again
	case g.sharedSince(before.begin, c.begin):
		return "spacing-shared"
	}
	return "spacing"
}

// heardBetween reports whether the task was seen between two calls of its wait, by a call that was made after the
// first one had its answer.
func (g *judgement) heardBetween(first, second *call) bool {
	return slices.ContainsFunc(g.relevant, func(a answered) bool {
		return a.out == outSeen && a.begin >= first.end && a.end <= second.begin
	})
}

// sharedSince reports whether another wait for the same id ran between from and to.
func (g *judgement) sharedSince(from, to time.Duration) bool {
	return slices.ContainsFunc(g.m.jobs, func(j *job) bool {
		w := j.waits[g.id]
		return w != nil && j != g.job && g.shares(j) && j.begin <= to && w.ret >= from
	})
}

// first: nothing is asked for a wait before its initial delay is over.
func (g *judgement) first(own []*call) {
	from := min(g.begin+g.initial, g.timeUp)
	if g.deadline {
		from = min(from, g.job.end-deadlineAhead)
	}
	early := own[:min(len(own), 1)]
	for _, c := range g.m.service.calls {
		if c.job == g.job && c.id == "" && g.many {
			early = append(slices.Clone(early), c)
			break
		}
	}
	for _, c := range early {
		rule := "initial-delay"
		if slices.ContainsFunc(g.relevant, func(a answered) bool { return a.end < c.begin }) {
			rule = "initial-delay-kept" // it had heard an answer before
		}
		if c.begin < from {
			g.fail(rule, "call %d began at %v, want %v at the earliest", c.n, c.begin, from)
		}
	}
}

// deadlinePoll: who was stopped by a deadline was polled within the last second before it, if nothing was in the way:
// many tasks may have to wait for one another.
func (g *judgement) deadlinePoll() {
	if len(g.m.service.tasks) > 16 {
		return
	}
	from, to := g.job.end-deadlineAhead, g.job.end
	if !g.deadline || g.ret != to || to-g.begin < 2*time.Second || g.limited || g.timeUp <= to ||
		!g.healthy(from-g.query, to) || g.heldOff(from, to) {
		return
	}
	for _, c := range g.m.service.calls {
		hung := c.id == g.id && c.begin < from && (c.end > from || !c.returned())
		if g.concerns(c) && c.end >= from && c.begin < to || hung {
			return
		}
	}
	g.fail("deadline-poll", "no poll between %v and the deadline at %v", from, to)
}

// concerns reports whether a call brings news of this wait's id, if it brings any.
func (g *judgement) concerns(c *call) bool {
	if c.id != "" {
		return c.id == g.id && c.job != nil && g.shares(c.job)
	}
	return (c.job == nil && !g.many || c.job != nil && g.shares(c.job)) &&
		slices.ContainsFunc(c.rows, func(row taskwait.Task) bool { return row.ID == g.id })
}

// excuse is a time in which a wait need not be polled.
type excuse struct {
	from, to time.Duration
	why      string
}

// excuses are those of this wait: throttles on equal terms, and calls for the id that are in flight.
func (g *judgement) excuses() (all []excuse) {
	for _, c := range g.m.service.calls {
		related := c.job == nil || g.shares(c.job) || g.limited && c.job.limited
		switch {
		case !related:
		case c.out == outThrottled:
			all = append(all, excuse{c.end, c.end + 22*holdOff(c)/10, "throttled"})
		case c.id == g.id && c.returned():
			all = append(all, excuse{c.begin, c.end, "in flight"})
		}
	}
	slices.SortFunc(all, func(a, b excuse) int { return cmp.Compare(a.from, b.from) })
	return all
}

func (g *judgement) heldOff(from, to time.Duration) bool {
	return slices.ContainsFunc(g.excuses(), func(e excuse) bool { return e.from < to && e.to > from })
}

// liveness: a wait is polled again after its longest pause at the latest, unless the service asks for patience.
func (g *judgement) liveness() {
	times := []time.Duration{}
	for _, c := range g.m.service.calls {
		if g.concerns(c) && c.begin >= g.begin {
			times = append(times, c.begin)
			if c.id == "" {
				times = append(times, c.end)
			}
		}
	}
	times = append(times, g.ret)
	slices.Sort(times)
	excuses := g.excuses()
	at, first := g.begin, g.begin+g.initial
	for _, t := range times {
		if t > g.ret {
			break
		}
		by := first
		if at > g.begin {
			by = max(by, at+g.longest())
		}
		by = g.patience(by+g.slack(), excuses)
		if t > by {
			g.fail(g.livenessRule(at, t), "no poll from %v to %v, want one by %v", at, t, by)
			return
		}
		at = t
	}
}

// patience is by, put off by the excuses that overlap the time before it.
func (g *judgement) patience(by time.Duration, excuses []excuse) time.Duration {
	for _, e := range excuses {
		if e.from <= by {
			by = max(by, e.to+g.longest()+g.slack())
		}
	}
	return by
}

// slack is what a poll that is due may have to wait: for a pass over the list, for the answers to others, and for the
// limiter's permit.
func (g *judgement) slack() time.Duration {
	slack := 2*time.Second + 2*g.m.service.latency
	n := float64(len(g.m.service.tasks) + len(g.m.jobs))
	slack += seconds(n / 16) // calls in flight
	if g.m.list {
		slack += max(g.longest(), time.Second) + g.query
	}
	if g.limited {
		slack += seconds((3*n+10)/float64(g.m.rate)) + 10*time.Second
		if g.m.moody { // an error of the limiter counts as a failed poll
			slack += 4 * g.longest()
		}
	}
	return slack
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// livenessRule names what may have been in the way.
func (g *judgement) livenessRule(from, to time.Duration) string {
	n := 0
	for _, c := range g.m.service.calls {
		if c.id != "" && c.id != g.id && c.begin < to && c.took(to) > 2*time.Second && c.end > from {
			n++
		}
	}
	switch {
	case n >= 16:
		return "liveness-hung-neighbours"
	case g.limited && g.m.moody:
		return "liveness-behind-failing-limiter"
	}
	return "liveness"
}

// pollerKey is what single calls have in common that one poller makes.
type pollerKey struct {
	terms
	many *job
}

// idKey is an id of a Poller's.
type idKey struct {
	pollerKey
	id string
}

// judgeCalls checks what is in flight at the same time.
func (m *model) judgeCalls() {
	last := map[idKey]*call{}
	young := map[pollerKey][]*call{}
	for _, c := range m.service.calls {
		if c.id == "" {
			m.judgePage(c)
			continue
		}
		if c.job == nil || c.job.waits[c.id] == nil {
			m.fail("orphan", "call %d for %s has the context of nobody who waits for it", c.n, c.id)
			continue
		}
		poller := pollerKey{terms: c.job.terms()}
		if c.job.many {
			poller.many = c.job
		}
		of := idKey{poller, c.id}
		if before := last[of]; before != nil && before.during(c) && !m.forgotten(of, before.begin, c.begin) {
			m.fail("two-calls", "%s: call %d began at %v, while call %d for it was in flight", c.id, c.n, c.begin,
				before.n)
		}
		last[of] = c
		young[poller] = m.stillYoung(young[poller], c)
	}
}

// forgotten reports whether an id's last wait on a Poller ended between from and to: what was abandoned for it does not
// keep a new one from polling.
func (m *model) forgotten(id idKey, from, to time.Duration) bool {
	var all []*waited
	for _, j := range m.jobs {
		if w := j.waits[id.id]; w != nil && j.terms() == id.terms && (j == id.many || id.many == nil && !j.many) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *waited) int { return cmp.Compare(a.begin, b.begin) })
	held := from
	for _, w := range all {
		if w.begin < held || w.begin == from {
			held = max(held, min(w.ret, w.job.end))
		}
	}
	return held <= to
}

// stillYoung adds c to the calls that are younger than a second, and checks how many they are.
func (m *model) stillYoung(young []*call, c *call) []*call {
	young = slices.DeleteFunc(append(young, c), func(b *call) bool {
		over := min(b.job.waits[b.id].ret, b.job.end) // the callback that says so may take long
		return b != c && (c.begin-b.begin >= min(time.Second, c.job.query) || !b.during(c) || over <= c.begin)
	})
	if n := len(young); n > 17 {
		rule := map[bool]string{true: "in-flight-many", false: "in-flight"}[c.job.many]
		m.fail(rule, "%d calls younger than a second at %v", n, c.begin)
	}
	return young
}

// judgePage: somebody needs the page, and it has a context with somebody's values.
func (m *model) judgePage(c *call) {
	if c.job == nil {
		m.fail("page-values", "page call %d has nobody's context", c.n)
	}
	needed := slices.ContainsFunc(m.jobs, func(j *job) bool {
		if c.job != nil && c.job.many && c.job != j {
			return false
		}
		return j.begin <= c.begin && j.over >= c.begin
	})
	if !needed {
		m.fail("orphan", "page call %d began at %v, and nobody waits", c.n, c.begin)
	}
}

// judgeQuota: the calls behind the limiter keep its rate, and hold off after a throttle.
func (m *model) judgeQuota() {
	bucket, withFinal := newBucket(m), newBucket(m)
	for _, c := range m.service.calls {
		if !m.behindLimiter(c) {
			continue
		}
		over, rule := withFinal.takes(c), "quota-final-poll"
		final := m.isFinal(c)
		if !final {
			over, rule = bucket.takes(c), "quota"
		}
		if over {
			m.fail(rule, "call %d at %v is over %v/s, burst %d", c.n, c.begin, m.rate, m.burst)
		}
		if by, why := m.heldOffUntil(c); c.begin < by && !final { // a throttle does not postpone a final poll
			m.fail("quota-hold-off", "call %d at %v, all were to hold off until %v for call %d", c.n, c.begin, by, why.n)
		}
	}
}

// isFinal reports whether a call is a final poll: of the wait whose context it has, or of one that shares it.
func (m *model) isFinal(c *call) bool {
	return c.job != nil && slices.ContainsFunc(m.jobs, func(j *job) bool {
		likes := !j.many && !c.job.many && j.terms() == c.job.terms()
		waits := j == c.job || likes && (j.over < 0 || j.over >= c.begin)
		return waits && slices.ContainsFunc(slices.Collect(maps.Values(j.waits)), func(w *waited) bool {
			return (c.id == "" || c.id == w.id) && c.begin >= w.timeUp
		})
	})
}

// behindLimiter reports whether a call certainly took a permit.
func (m *model) behindLimiter(c *call) bool {
	if c.job != nil {
		return c.job.limited
	}
	return m.rate > 0 && !slices.ContainsFunc(m.jobs, func(j *job) bool { return !j.limited })
}

// bucket counts tokens at the limiter's rate.
type bucket struct {
	rate, size, tokens float64
	at                 time.Duration
}

func newBucket(m *model) *bucket {
	size := float64(m.burst) + 1 // a permit may have been granted a moment before it is used
	return &bucket{rate: float64(m.rate), size: size, tokens: size}
}

// takes reports whether the call is over the rate.
func (b *bucket) takes(c *call) (over bool) {
	b.tokens = min(b.tokens+(c.begin-b.at).Seconds()*b.rate, b.size) - 1
	b.at = c.begin
	return b.tokens < -1e-6
}

// heldOffUntil is until when a call behind the limiter is to hold off, after what another one was told before.
func (m *model) heldOffUntil(late *call) (until time.Duration, why *call) {
	for _, c := range m.service.calls {
		if c.begin >= late.begin {
			break
		}
		if by := c.end + holdOff(c); m.holdsOff(c, late) && by > until {
			until, why = by, c
		}
	}
	return until, why
}

// holdsOff reports whether a throttled call was heard of, and concerns the later one: what a page was told is for the
// same list alone.
func (m *model) holdsOff(c, late *call) bool {
	if c.out != outThrottled || c.conflict || c.job == nil || !c.job.limited || c.job.slow > 0 || c.end >= late.begin ||
		c.end-c.begin >= c.job.query {
		return false
	}
	if c.id == "" {
		return late.id == "" && late.job == c.job && c.job.over > c.end
	}
	w := c.job.waits[c.id]
	return w != nil && w.ret > c.end
}

// holdOff is how long a throttled call asks for patience.
func holdOff(c *call) time.Duration { return min(cmp.Or(c.after, plainThrottle), maxRetryAfter) }

// text shows the script, and what happened. In brief it shows a dozen jobs, and what concerns the first dozen tasks.
func (m *model) text(full bool) string {
	var b strings.Builder
	s := m.service
	fmt.Fprintf(&b, "  latency %v, %d a page (list %v), limiter %v/s burst %d (moody %v)\n", s.latency, s.perPage,
		m.list, m.rate, m.burst, m.moody)
	shown := map[int]bool{everyTask: true, listPages: m.list}
	for i, p := range m.plans {
		if full || i < 12 {
			fmt.Fprintf(&b, "  job %d: %s\n", i, p)
		}
		for _, id := range p.ids {
			shown[s.index[id]] = full || s.index[id] < 12
		}
	}
	for i, l := range s.tasks {
		if shown[i] {
			fmt.Fprintf(&b, "  %s: created %v, running %v, %s %v, flap %v, phased %v\n", l.id, l.created, l.running, l.status,
				l.ended, l.flap, l.phased)
		}
	}
	for _, f := range s.faults {
		if shown[f.on] {
			who := map[int]string{everyTask: "all", listPages: "list"}[f.on]
			fmt.Fprintf(&b, "  %s%d: %v from %v to %v, %d%%, %v\n", cmp.Or(who, "t"), f.on, f.kind, f.from, f.to, f.percent, f.d)
		}
	}
	if full {
		m.history(&b)
	}
	return b.String()
}

// String names what differs from nothing.
func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q from %v to %v, interval %v %v, query %v, tolerance %v, grace %v", p.ids, p.begin, p.end,
		p.lo, p.hi, p.query, p.tolerance, p.grace)
	if p.confirmations > 1 {
		fmt.Fprintf(&b, ", confirmations %d", p.confirmations)
	}
	for _, o := range []struct {
		name  string
		given bool
		value any
	}{
		{"timeout", p.timeout > 0, p.timeout}, {"run", p.runLimit > 0, p.runLimit},
		{"initial", p.initial > 0, p.initial}, {"stall", p.stall > 0, p.stall},
		{"stale", p.stale != "", p.stale}, {"pauses", p.pauses != nil, p.pauses}, {"slow", p.slow > 0, p.slow},
		{"leave", p.leave > 0, p.leave}, {"many", p.many, ""}, {"deadline", p.deadline, ""}, {"limited", p.limited, ""},
	} {
		if o.given {
			fmt.Fprintf(&b, ", %s %v", o.name, o.value)
		}
	}
	return b.String()
}

// history lists the calls and the outcomes in the order of time.
func (m *model) history(b *strings.Builder) {
	type line struct {
		at   time.Duration
		text string
	}
	var lines []line
	for _, c := range m.service.calls {
		who := "nobody"
		if c.job != nil {
			who = fmt.Sprint("job ", c.job.n)
		}
		what := fmt.Sprintf("call %d for %s, %s: %s %s%s after %v", c.n, who, cmp.Or(c.id, "page "+c.page),
			outcomeNames[c.out], c.status, c.phase, c.end-c.begin)
		for _, row := range c.rows {
			what += fmt.Sprintf(" %s=%s%s", row.ID, row.Status, row.Phase)
		}
		lines = append(lines, line{c.begin, what})
	}
	for _, j := range m.jobs {
		for _, w := range j.waits {
			lines = append(lines, line{w.ret, fmt.Sprintf("job %d %s returned: %v %v", j.n, w.id, w.err, w.failed)})
		}
		if j.panic != nil {
			lines = append(lines, line{j.over, fmt.Sprintf("job %d panicked: %.60v", j.n, j.panic)})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	for _, l := range lines {
		fmt.Fprintf(b, "  %14v %s\n", l.at, l.text)
	}
}
