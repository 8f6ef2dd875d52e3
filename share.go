package taskwait

import (
	"context"
	"sync"
	"time"
)

// shared are the waits that run on one Waiter, those together that can help each other: all of them where the Source is a
// BatchSource, else those for the same id. Waits behind different limiters stay apart.
type shared struct {
	mu     sync.Mutex // of the groups and all that is in them
	alone  map[groupKey]*member
	groups map[groupKey]*group
	cost   float64 // of a sweep, as the last group has left it
}

type groupKey struct {
	limiter *Limiter
	id      string // empty: all ids
}

// group are two waits or more that share what they learn; one alone looks after itself. A scheduler, on a
// goroutine of its own that ends when only one is left, says who asks, and asks for the list itself; who is to ask does it as
// if alone. What the answers mean is decided by each wait for itself, on its own goroutine.
type group struct {
	mu      *sync.Mutex // that of its home
	over    bool
	members []*member
	byID    map[string]int32
	free    []int32     // slots
	at      [][]*member // by slot
	s       *scheduler
	kick    chan struct{}
	cancel  context.CancelFunc
}

// member is one wait in a group.
type member struct {
	group   *group // nil: alone
	wait    *wait
	key     groupKey
	slot    int32
	created time.Time // of the task
	last    time.Time // the last look
	due     time.Time // the next one; zero: the wait is busy with an answer
	asking  bool
	bell    chan struct{} // rung when there is mail, or the group has changed
	mail    mail
}

// mail is what a group tells a member.
type mail struct {
	answer  *answer
	ask     bool          // it is your turn to ask
	starved time.Duration // you are due, but there is no turn
}

// join makes w one of the waits of its Waiter that share. A prelude asks something else; and what [WithSettle] and
// [WithLeaving] want are answers that come one after the other, in the wait's own time.
func (w *wait) join() {
	w.looked = w.begun.Add(-w.lo)
	if !w.prelude && w.limits.settle <= 1 && w.limits.leave == "" {
		w.member = w.enter()
	}
}

// enter finds w its group.
func (w *wait) enter() *member {
	h, m := &w.query.waiter.shared, &w.place
	m.key = groupKey{limiter: w.limiter}
	if _, batch := w.query.waiter.src.(BatchSource); !batch {
		m.key.id = w.state.ID
	}
	m.wait, m.bell = w, make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.groups[m.key]; g != nil {
		g.members = append(g.members, m)
		g.enroll(m)
		return m
	}
	if other := h.alone[m.key]; other != nil {
		delete(h.alone, m.key)
		h.start(other, m)
		return m
	}
	if h.alone == nil {
		h.alone, h.groups = map[groupKey]*member{}, map[groupKey]*group{}
	}
	h.alone[m.key] = m
	return m
}

// leave takes m out of its group, and hands on what it had been told to do.
func (m *member) leave() {
	h := m.home()
	h.mu.Lock()
	defer h.mu.Unlock()
	g := m.group
	if g == nil {
		delete(h.alone, m.key)
		return
	}
	g.expel(m)
	g.members = without(g.members, m)
	if len(g.members) > 1 {
		return
	}
	h.cost = g.s.sweep.cost
	delete(h.groups, m.key)
	g.over = true
	g.cancel()
	last := g.members[0]
	last.group, h.alone[m.key] = nil, last
	last.ring()
}

func (m *member) home() *shared { return &m.wait.query.waiter.shared }

func without(all []*member, m *member) []*member {
	for i := range all {
		if all[i] == m {
			last := len(all) - 1
			all[i], all[last] = all[last], nil
			return all[:last]
		}
	}
	return all
}

// ring makes the member look at its mail, and at its group.
func (m *member) ring() {
	select {
	case m.bell <- struct{}{}:
	default:
	}
}

// plan says when the member would look next, if nobody else does.
func (m *member) plan(last, due, created time.Time) {
	h := m.home()
	h.mu.Lock()
	defer h.mu.Unlock()
	m.last, m.due, m.created = last, due, created
	if m.group != nil {
		m.group.plan(m.slot)
		m.group.poke()
	}
}

// read takes the mail. shared reports whether others see to it that m is told when to ask.
func (m *member) read() (told mail, shared bool) {
	h := m.home()
	h.mu.Lock()
	defer h.mu.Unlock()
	told, m.mail = m.mail, mail{}
	if told.answer != nil {
		m.due = time.Time{}
	}
	if told.ask && told.answer != nil { // there is no need any more
		m.asking, told.ask = false, false
	}
	return told, m.group != nil
}

// asks says that the member is about to ask by itself.
func (m *member) asks() {
	h := m.home()
	h.mu.Lock()
	defer h.mu.Unlock()
	m.asking = true
}

// asked passes on what the member has learnt by itself; nil: nothing.
func (m *member) asked(a *answer) {
	h := m.home()
	h.mu.Lock()
	defer h.mu.Unlock()
	m.asking, m.mail.ask, m.due = false, false, time.Time{}
	g := m.group
	if g == nil {
		return
	}
	if a != nil {
		g.pass(m, a)
	}
	g.plan(m.slot)
	g.poke()
}

// pass gives m's answer to the others that wait for the same id. An error is only for those that were about to ask.
func (g *group) pass(from *member, a *answer) {
	copied := *a
	copied.shared = true
	now := time.Now()
	for _, m := range g.at[from.slot] {
		if m != from && !m.asking && (a.err == nil || !m.due.IsZero() && !m.due.After(now)) {
			m.post(&copied)
		}
	}
}

// post puts an answer into the mail, unless what is there says more.
func (m *member) post(a *answer) {
	if old := m.mail.answer; old == nil || old.err != nil || !old.task.Status.Terminal() {
		m.mail.answer = a
		m.ring()
	}
}

// poke makes the scheduler look at its agenda again.
func (g *group) poke() {
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

// start makes a group of two.
func (h *shared) start(first, second *member) {
	w := first.wait
	waiter := w.query.waiter
	g := &group{mu: &h.mu, members: []*member{first, second}, byID: map[string]int32{}, kick: make(chan struct{}, 1)}
	g.s = &scheduler{driver: g, calls: newCalls(waiter, waiter.settings.log), start: time.Now(), limiter: w.limiter, retry: waiter.settings.exponential}
	g.s.sweep.cost = h.cost
	if b, ok := waiter.src.(BatchSource); ok {
		g.s.sweep.source, g.s.batch = b, b
	}
	g.enroll(first)
	g.enroll(second)
	first.ring()
	h.groups[first.key] = g
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go g.run(ctx) // nobody's own goroutine: any of the waits may end first. Ends when one is left
}

// enroll gives a member its place on the agenda.
func (g *group) enroll(m *member) {
	i, known := g.byID[m.wait.query.id]
	switch {
	case known:
	case len(g.free) > 0:
		i = g.free[len(g.free)-1]
		g.free = g.free[:len(g.free)-1]
	default:
		i = int32(len(g.s.slots)) //nolint:gosec // goroutines, one for each
		g.s.slots = append(g.s.slots, slot{})
		g.at = append(g.at, nil)
	}
	if !known {
		g.s.slots[i] = slot{id: m.wait.query.id, pos: -1, sweep: g.s.sweep.number}
		g.byID[m.wait.query.id] = i
	}
	m.group, m.slot = g, i
	g.at[i] = append(g.at[i], m)
	g.plan(i)
	g.poke()
}

// expel takes a member off the agenda.
func (g *group) expel(m *member) {
	i := m.slot
	g.at[i] = without(g.at[i], m)
	if len(g.at[i]) > 0 {
		g.plan(i)
		g.poke()
		return
	}
	g.s.over(i)
	delete(g.byID, m.wait.query.id)
	g.free = append(g.free, i)
}

// plan brings slot i up to date: it is due when the first of its members is. While one of them asks the others wait for its
// answer, but not for long.
func (g *group) plan(i int32) {
	s, now := g.s, time.Now()
	var first *member
	asking := false
	for _, m := range g.at[i] {
		asking = asking || m.asking
		if !m.due.IsZero() && !m.asking && (first == nil || m.due.Before(first.due)) {
			first = m
		}
	}
	if s.drop(i); first == nil {
		return
	}
	due := first.due
	if asking {
		due = later(due, now.Add(holdFor))
	}
	s.agenda.plan(i, first.last.Sub(s.start), due.Sub(s.start))
}

// run is the scheduler's goroutine.
func (g *group) run(ctx context.Context) {
	defer g.s.stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.over {
		g.safely(func() { g.s.do(ctx) })
		wake, turns := g.s.wake(), g.s.turns()
		g.mu.Unlock()
		e := g.s.next(ctx, wake, turns, g.kick)
		g.mu.Lock()
		if !g.over {
			g.safely(func() { g.s.take(e) })
		}
	}
}

// safely runs f. A panic of the Source's goes to one of the waits, and the others ask on their own.
func (g *group) safely(f func()) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		p, ours := v.(*panicError)
		if !ours {
			panic(v)
		}
		g.s.sweep.source, g.s.sweep.under = nil, false
		g.members[0].mail.answer = &answer{err: p, sent: time.Now()}
		g.members[0].ring()
	}()
	f()
}

// The group is its scheduler's driver.

func (g *group) find(id string) (int32, bool) {
	i, ok := g.byID[id]
	return i, ok
}

func (g *group) deliver(i int32, a *answer) {
	copied := *a
	for _, m := range g.at[i] {
		if m.asking && a.err != nil {
			continue
		}
		m.post(&copied)
		m.due = time.Time{} // it will say
	}
	g.plan(i)
}

func (g *group) ask(_ context.Context, i int32) {
	g.s.slots[i].flags &^= asking
	var first *member
	for _, m := range g.at[i] {
		if !m.asking && !m.due.IsZero() && (first == nil || m.due.Before(first.due)) {
			first = m
		}
	}
	if first != nil {
		first.asking, first.mail.ask = true, true
		first.ring()
	}
	g.plan(i)
}

func (g *group) bounds(now time.Time) bounds {
	w := g.members[0].wait
	return bounds{free: now, cancel: now.Add(w.queryTimeout), leave: now.Add(w.queryTimeout)}
}

func (g *group) since() time.Time {
	oldest := time.Now()
	for _, m := range g.members {
		oldest = earlier(oldest, m.wait.begun)
		if !m.created.IsZero() {
			oldest = earlier(oldest, m.created)
		}
	}
	return oldest
}

func (g *group) end() (end, by time.Duration, limited bool) { return 0, 0, false } // each wait sees to that itself

func (g *group) starving(d time.Duration) {
	now := time.Now()
	for _, m := range g.members {
		if !m.due.IsZero() && m.due.Before(now) {
			m.mail.starved = min(d, now.Sub(m.due))
			m.ring()
		}
	}
}
