package poll

import (
	"context"
	"errors"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
)

const (
	// FinalAllowance is how long after its End a subscription still gets an answer: what is in flight then, and the final
	// polls, must be over.
	FinalAllowance = limiter.FinalHeadStart

	// FinalReserve is what of that is kept for a final poll should the one that is in flight at End hang.
	FinalReserve = time.Second
)

// Terms are what a subscription asks for.
type Terms struct {
	First time.Time     // when the ids are polled first
	Pause time.Duration // the shortest pause of the schedule: how urgent a first poll is
	Order bool          // all Values matter, in the order in which they were sent: not the last one alone
	Fixed bool          // the instants are the caller's own: a list pass is not begun for them before they are due
	End   time.Time     // polls due then or later are final ones; zero: there are none
	Owner any           // what LatePanic is given

	// Context is that whose values the queries for one id have, by its key; nil: that of Subscribe, for all of them.
	Context func(key int) context.Context
}

// Subscription is the interest of one caller in one id, or in many. Its methods are for one goroutine at a time.
type Subscription[T any] struct {
	poller *Poller[T]
	base   context.Context // whose values reach the queries made for this subscription
	bases  func(key int) context.Context
	notify chan struct{}

	// Guarded by the poller's lock.
	ending[T]             // of all ids but those that have their own
	own       []ending[T] // by key; nil: no id has its own
	began     time.Duration
	ctxEnd    time.Duration // the context's deadline; never: there is none
	toldAt    time.Duration // when it was told last that there is no permit
	pause     time.Duration // the shortest of the schedule
	fixed     bool
	order     bool
	closed    bool
	interests []interest[T] // by key
	owner     any
	inbox     []Answer[T]
	read      int // how much of inbox was read
	panics    []*guard.PanicError
	prev, nxt *Subscription[T]

	oneEntry [1]entry[T]
	oneWant  [1]interest[T]
	oneRoom  [1]Answer[T]
}

// interest is that of one subscription in one id.
type interest[T any] struct {
	sub     *Subscription[T]
	entry   *entry[T] // nil: it is over
	next    *interest[T]
	due     time.Duration // of the next poll, if it is planned
	last    time.Duration // when the newest Value that was delivered was sent; unknown: none was
	key     int32
	unread  int32 // place in the inbox, counted from 1; 0: nothing there
	planned bool
	asking  bool // a call for it alone is in flight that was due for this interest; once that is over: was, at its end
	first   bool // it has had no answer
}

// ending is when interests end: those of a subscription, or one of them.
type ending[T any] struct {
	place                   // in the queue of ends
	end, over time.Duration // over: until when there are answers; end 0: there is no end
	sub       *Subscription[T]
	key       int32 // of the one interest
	extended  bool  // over was put off, as nobody could poll before
}

func (x *ending[T]) placed() *place { return &x.place }

// interests are those that x may hold for: see ending.
func (x *ending[T]) interests() []interest[T] {
	if x == &x.sub.ending {
		return x.sub.interests
	}
	return x.sub.interests[x.key : x.key+1]
}

// ending is what holds for i.
func (i *interest[T]) ending() *ending[T] {
	if own := i.sub.own; own != nil && own[i.key].end > 0 {
		return &own[i.key]
	}
	return &i.sub.ending
}

// maxRoom is how many answers an inbox keeps room for while there are none.
const maxRoom = 64

// unknown is before any time.
const unknown = time.Duration(-1)

// Subscribe begins a subscription for ids, whose keys are their places. It must be closed. An id may stand there twice.
func (p *Poller[T]) Subscribe(ctx context.Context, ids []string, terms Terms) *Subscription[T] {
	s := &Subscription[T]{
		poller: p, base: ctx, fixed: terms.Fixed, order: terms.Order, owner: terms.Owner, pause: max(terms.Pause, minPause),
		notify: make(chan struct{}, 1), bases: terms.Context,
	}
	s.sub = s
	if p.cfg.Limiter != nil {
		s.base = limiter.NewContext(ctx, p.cfg.Limiter)
	}
	s.interests, s.inbox = s.oneWant[:], s.oneRoom[:0]
	entries := s.oneEntry[:]
	if len(ids) > 1 {
		s.interests, s.inbox = make([]interest[T], len(ids)), nil
		entries = make([]entry[T], len(ids))
	}
	s.interests = s.interests[:len(ids)]
	alive := ctx.Err() == nil // else nothing is polled
	p.mu.Lock()
	s.began, s.ctxEnd = p.now(), never
	if deadline, limited := ctx.Deadline(); limited {
		s.ctxEnd = p.at(deadline)
	}
	if !terms.End.IsZero() {
		end := p.at(terms.End) // negative: it was over when the Poller was made
		s.end, s.over = max(end, 1), min(end, never-FinalAllowance)+FinalAllowance
		from := s.end
		if s.began >= s.over-FinalReserve { // it begins late, as a later phase does: that puts the end off for nobody
			from = s.over
		}
		p.ends.set(&s.ending, from)
	}
	p.join(s)
	for key, id := range ids {
		e := p.entries.find(id)
		if e == nil {
			e = &entries[key]
			e.id = id
			p.entries.add(e)
		}
		i := &s.interests[key]
		//nolint:gosec // a million fits
		*i = interest[T]{sub: s, entry: e, next: e.first, key: int32(key), last: unknown, first: true}
		e.first = i
		i.due, i.planned = p.at(terms.First), alive
		p.plan(e)
	}
	p.stepAndUnlock()
	return s
}

// context is that whose values reach the queries made for i.
func (i *interest[T]) context() context.Context {
	s := i.sub
	if s.bases == nil {
		return s.base
	}
	ctx := s.bases(int(i.key))
	if l := s.poller.cfg.Limiter; l != nil {
		ctx = limiter.NewContext(ctx, l)
	}
	return ctx
}

// add is a sum that stays below the end of time.
func add(t, d time.Duration) time.Duration {
	return t + min(d, never-t)
}

func (p *Poller[T]) join(s *Subscription[T]) {
	if s.nxt = p.members; s.nxt != nil {
		s.nxt.prev = s
	}
	p.members = s
}

func (p *Poller[T]) leave(s *Subscription[T]) {
	s.closed = true
	if s.prev == nil {
		p.members = s.nxt
	} else {
		s.prev.nxt = s.nxt
	}
	if s.nxt != nil {
		s.nxt.prev = s.prev
	}
}

// Next waits for the next answer for one of the ids. ok is false if ctx has ended, and all that had
// come before was read. An id that has had its answer is not polled for this subscription until Plan says when. If a
// call has panicked, so does Next.
func (s *Subscription[T]) Next(ctx context.Context) (a Answer[T], ok bool) {
	for {
		if s.Receive(&a) {
			return a, true
		}
		if ctx.Err() != nil {
			return a, false
		}
		select {
		case <-ctx.Done():
		case <-s.notify:
		}
	}
}

// Ready is received from when Receive may find an answer.
func (s *Subscription[T]) Ready() <-chan struct{} { return s.notify }

// Receive takes the oldest answer out of the inbox. It panics where a call has.
func (s *Subscription[T]) Receive(a *Answer[T]) bool {
	s.poller.mu.Lock()
	defer s.poller.mu.Unlock()
	if len(s.panics) > 0 {
		late := s.panics[0]
		s.panics = s.panics[1:]
		panic(late)
	}
	for s.read < len(s.inbox) {
		at := s.read
		*a = s.inbox[at]
		s.inbox[at] = Answer[T]{}
		if s.read++; s.read == len(s.inbox) {
			s.inbox, s.read = s.inbox[:0], 0
			if cap(s.inbox) > maxRoom {
				s.inbox = nil
			}
		}
		i := &s.interests[a.Key]
		if int(i.unread) == at+1 {
			i.unread = 0
		}
		if i.entry != nil {
			return true
		}
	}
	return false
}

// Plan makes due when id key is polled next, unless an answer comes before, and created when its task was created, by
// the service's clock; zero: unknown.
func (s *Subscription[T]) Plan(key int, due, created time.Time) {
	p, i := s.poller, &s.interests[key]
	p.mu.Lock()
	if y := created.Year(); 1970 <= y && y < 2262 { // what fits into nanoseconds; else it is unknown, as where it is zero
		i.entry.created = created.UnixNano()
	}
	i.due, i.planned = p.at(due), true
	if x, now := i.ending(), p.now(); x.end > 0 && now >= x.over {
		x.over = add(now, FinalReserve) // the caller, or the machine, has slept; one final poll there is all the same
		p.ends.set(x, x.over)
	}
	p.plan(i.entry)
	p.stepAndUnlock()
}

// SetEnd makes end, which is still to come, that of id key, in place of the one before.
func (s *Subscription[T]) SetEnd(key int, end time.Time) {
	p, i := s.poller, &s.interests[key]
	p.mu.Lock()
	if at := max(p.at(end), 1); i.entry != nil && at != i.ending().end {
		if s.own == nil {
			s.own = make([]ending[T], len(s.interests))
		}
		x := &s.own[key]
		x.end, x.over, x.extended, x.sub, x.key = at, add(at, FinalAllowance), false, s, i.key
		p.ends.set(x, x.end)
	}
	p.stepAndUnlock()
}

// Done ends the interest in id key. It reports whether a poll for it was in flight.
func (s *Subscription[T]) Done(key int) (polling bool) {
	s.poller.mu.Lock()
	polling = s.poller.drop(&s.interests[key])
	s.poller.stepAndUnlock()
	return polling
}

// Close ends the subscription. What runs for it alone is cancelled, and abandoned.
func (s *Subscription[T]) Close() {
	p := s.poller
	p.mu.Lock()
	if s.closed {
		p.mu.Unlock()
		return
	}
	for key := range s.interests {
		p.drop(&s.interests[key])
	}
	p.ends.remove(&s.ending)
	p.leave(s)
	p.forget(s)
	if w := &p.pass; p.members == nil && w.call != nil && p.abandon(w.call) {
		w.asking, w.hung, w.call = false, true, nil
	}
	for _, late := range s.panics {
		p.hand(late, s)
	}
	s.panics = nil
	p.stepAndUnlock()
}

// drop ends an interest. It reports whether a call on its behalf was in flight when it ended.
func (p *Poller[T]) drop(i *interest[T]) (polling bool) {
	e := i.entry
	if e == nil {
		return i.asking
	}
	i.entry = nil
	if x := i.ending(); x != &i.sub.ending {
		p.ends.remove(x)
	}
	for at := &e.first; *at != nil; at = &(*at).next {
		if *at == i {
			*at = i.next
			break
		}
	}
	i.next = nil
	polling = e.call != nil && !e.call.left && i.planned && i.due <= e.call.began
	i.asking = polling
	if e.first != nil {
		p.plan(e)
		return polling
	}
	p.unplan(e)
	p.pass.missed(e)
	p.entries.remove(e)
	if e.call != nil {
		p.abandon(e.call)
	}
	return polling
}

// deliver puts an answer into the inbox of i. Of answers that were not read the newest is kept, but a Value rather than
// an error, and the last one there can be; where the order matters, all Values.
func (p *Poller[T]) deliver(i *interest[T], a *Answer[T], sent time.Duration) {
	s := i.sub
	i.planned, i.first = false, false
	if a.Err == nil {
		i.last = sent // a last answer may be older than one before
	}
	at := int(i.unread) - 1
	switch {
	case at < 0, s.order && a.Err == nil && s.inbox[at].Err == nil:
		at = s.append(Answer[T]{})
		i.unread = int32(at) + 1 //nolint:gosec // a million fits
	case s.inbox[at].Err == nil && (a.Err != nil || p.cfg.Terminal(&s.inbox[at].Value)):
		return
	}
	s.inbox[at] = *a
	s.inbox[at].Key = int(i.key)
	s.wake()
}

// append puts an answer at the end of the inbox, and returns its place. What was read makes room first.
func (s *Subscription[T]) append(a Answer[T]) int {
	if len(s.inbox) == cap(s.inbox) {
		n := copy(s.inbox, s.inbox[s.read:])
		clear(s.inbox[n:])
		s.inbox = s.inbox[:n]
		for k := range s.inbox {
			if s.inbox[k].Queued == 0 {
				s.interests[s.inbox[k].Key].unread = int32(k) + 1 //nolint:gosec // a million fits
			}
		}
		s.read = 0
	}
	s.inbox = append(s.inbox, a)
	return len(s.inbox) - 1
}

func (s *Subscription[T]) wake() {
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

// tell delivers an answer about e to all who want it. An error is for those alone whose poll was due, and a Value for
// those who do not know a newer one. Nobody gets what was sent before it subscribed; nor, before its first poll is due,
// a Value that is not final.
func (p *Poller[T]) tell(e *entry[T], a *Answer[T], sent time.Duration) {
	now := p.now()
	a.Sent = p.start.Add(sent)
	last := p.cfg.Terminal(&a.Value) // no error is
	for i := e.first; i != nil; i = i.next {
		due := i.planned && i.due <= now || i.asking
		switch {
		case sent < i.sub.began: // it may be about a time before the caller's wait began
		case a.Err != nil && !due:
		case a.Err == nil && sent < i.last && (!last || i.sub.order):
		case a.Err == nil && !last && i.first && !due && !i.sub.order: // before the first poll
		default:
			p.deliver(i, a, sent)
		}
	}
	p.plan(e)
}

// expire ends what has taken too long.
func (p *Poller[T]) expire(now time.Duration) {
	for c := p.oldest; c != nil && add(c.began, p.cfg.QueryTimeout) <= now; c = p.oldest {
		p.giveUp(c, now)
	}
	for {
		x, at, ok := p.ends.top()
		if !ok || at > now {
			return
		}
		switch {
		case at < x.over-FinalReserve:
			p.ends.set(x, x.over-FinalReserve)
			p.beginFinals(x)
		case at < x.over:
			x.over = add(now, FinalReserve) // later, if the machine has slept
			p.ends.set(x, x.over)
			p.endPolls(x, now)
		case x.over < now-FinalReserve && !x.extended: // the machine has slept
			x.extended, x.over = true, add(now, FinalReserve)
			p.ends.set(x, x.over)
		default:
			p.ends.remove(x)
			p.endPlans(x, now)
		}
	}
}

// beginFinals makes final polls of those that should have been made before the end x.
func (p *Poller[T]) beginFinals(x *ending[T]) {
	all := x.interests()
	for k := range all {
		if i := &all[k]; i.entry != nil && i.entry.state == isReady {
			p.unplan(i.entry)
			p.setReady(i.entry)
		}
	}
}

// endPolls cancels what was in flight at the end x, to leave time for a final poll. What ignores that may still
// answer.
func (p *Poller[T]) endPolls(x *ending[T], now time.Duration) {
	all := x.interests()
	for k := range all {
		i := &all[k]
		if i.entry == nil || !i.planned || i.ending() != x {
			continue
		}
		if c := i.entry.call; c != nil && !c.left && c.began < x.end && !i.entry.hasTime(now) {
			c.Cancel()
		}
	}
}

// hasTime reports whether anybody who waits for the call in flight has more time for it.
func (e *entry[T]) hasTime(now time.Duration) bool {
	for i := e.first; i != nil; i = i.next {
		if x := i.ending(); (i.asking || i.planned && i.due <= now) &&
			(x.end == 0 || now < add(x.end, FinalAllowance-FinalReserve)) {
			return true
		}
	}
	return false
}

// errNoPermit is why there was no final poll.
var errNoPermit = errors.New("no permit for the final poll in time")

// endPlans answers what has had no final poll, or no answer to it.
func (p *Poller[T]) endPlans(x *ending[T], now time.Duration) {
	all := x.interests()
	for k := range all {
		i := &all[k]
		if i.entry == nil || !i.planned || i.ending() != x {
			continue
		}
		a := Answer[T]{Err: errNoPermit, Sent: p.start.Add(now)}
		if c := i.entry.call; c != nil {
			a.Err = stillRunning(now - c.began)
			if !c.left {
				a.Err, a.Polled = NoAnswer(now-c.began), true
			}
		}
		p.deliver(i, &a, now)
		p.plan(i.entry)
	}
}

// hand gives a panic to a caller, to be raised on its goroutine: to s, or to another if s is closed; nil: to any.
func (p *Poller[T]) hand(late *guard.PanicError, s *Subscription[T]) {
	if s == nil || s.closed {
		if p.members == nil {
			o := orphan{late: late}
			if s != nil {
				o.owner = s.owner
			}
			p.orphans = append(p.orphans, o)
			return
		}
		s = p.members
	}
	s.panics = append(s.panics, late)
	s.wake()
}

// queued tells those whose poll has been due for long that there is no permit.
func (p *Poller[T]) queued(now time.Duration) {
	for _, e := range p.ready {
		for i := e.first; i != nil; i = i.next {
			if i.planned && now-i.due >= queuedAfter && i.sub.toldAt < now {
				i.sub.toldAt = now
				i.sub.append(Answer[T]{Key: int(i.key), Queued: now - i.due})
				i.sub.wake()
			}
		}
	}
}
