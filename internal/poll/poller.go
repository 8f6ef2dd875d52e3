// Package poll decides who is polled when. It knows ids, times and answers, and nothing of tasks.
//
// A Poller is a monitor: one lock and one timer. Whatever happens (a plan, a call that returns, a permit, the timer)
// takes a step under the lock: what is due is chosen (see choose), and calls are begun. The calls themselves, and all
// foreign code, run outside the lock: the functions of Config do, but for ID and Terminal, which are the caller's own.
package poll

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
)

// Config is what a Poller asks, and how.
type Config[T any] struct {
	// Poll asks for one id.
	Poll func(ctx context.Context, id string) (T, error)

	// List asks for one page of a list that shows many; nil: there is none. next is the Page to go on with; empty: that
	// was all.
	List func(ctx context.Context, r ListRequest) (items []T, next string, err error)

	// ID is the id of what List has returned.
	ID func(*T) string

	// Terminal reports whether an answer is the last one there can be for its id.
	Terminal func(*T) bool

	// Classify says what an error means. It is called outside the lock.
	Classify func(error) Trouble

	// Limiter gives each request its permit; nil: there is none.
	Limiter *limiter.Limiter

	// QueryTimeout is how long a call may take before it is cancelled, and abandoned if it does not react. It must be
	// positive.
	QueryTimeout time.Duration

	// Abandoned counts the abandoned calls that have not returned.
	Abandoned *atomic.Int64

	// LatePanic is given the panic of a call that nobody waits for any more, and the Owner of the subscription for which
	// it was made. It is called outside the lock.
	LatePanic func(late *guard.PanicError, owner any)
}

// ListRequest is one request for a page.
type ListRequest struct {
	IDs   []string  // those awaited, the same ones for all pages; not to be changed
	Since time.Time // none of those awaited was created earlier, as far as is known
	Page  string    // where to go on, as the page before has said; empty: the first page
}

// Trouble is what an error means for those who ask.
type Trouble struct {
	Throttled bool
	Refused   bool          // asking again is of no use
	ByContext bool          // it is what becomes of a call whose context was cancelled
	After     time.Duration // not to be asked again before; 0: not said
}

// Answer is what was learned about one id.
type Answer[T any] struct {
	Key    int           // of the id, in its subscription
	Value  T             // where Err is nil
	Err    error         // why there is no Value; nil: there is one
	Sent   time.Time     // when the request was made, or could not be made
	Polled bool          // a request was made
	Listed bool          // it was made for many
	Queued time.Duration // not 0: no answer, but the poll has been due for so long, and there is no permit

	Context context.Context // whose values the request had; nil: there was none
}

// Poller polls the ids of its subscriptions. It is safe for concurrent use.
type Poller[T any] struct {
	cfg   Config[T]
	start time.Time

	mu      sync.Mutex
	timer   *time.Timer
	armed   time.Duration // when the timer fires; 0: it is not set
	entries entries[T]
	waiting dueQueue[*entry[T]] // planned, and not due
	ready   dueQueue[*entry[T]] // due, the least rank first
	backing [2]*entry[T]        // of the two queues, for one entry
	finals  int                 // entries that are ready for a final poll
	sum     urgency             // of the listed entries that were polled before, or are due
	ends    dueQueue[*ending[T]]
	pass    listPass[T]
	dispatch[T]
}

// entry is one id. It is waiting, ready, or in flight; or neither, while those who want it are busy.
type entry[T any] struct {
	id      string
	first   *interest[T]  // who wants it
	call    *call[T]      // in flight, or abandoned and not yet back; nil: none
	place                 // in waiting or ready
	last    time.Duration // when its task was last seen, or one pause before due
	due     time.Duration
	created int64  // by the service's clock, in Unix nanoseconds; 0: unknown
	pass    uint32 // the list pass that is to show it; 0: none
	shown   uint32 // the last page that has shown it
	misses  uint8  // passes that have not shown it, since it was last found alone
	state   entryState
	counted bool // it is in the sum
	unseen  bool // the list does not show it: it is polled alone
}

type entryState uint8

const (
	idle entryState = iota
	isWaiting
	isReady
	isReadyFinal
)

// entries are found by their ids. A Poller mostly has one, which needs no map.
type entries[T any] struct {
	one  *entry[T]            // while there is no other
	many map[string]*entry[T] // nil: there was never more than one
}

func (x *entries[T]) find(id string) *entry[T] {
	if x.one != nil && x.one.id == id {
		return x.one
	}
	return x.many[id]
}

func (x *entries[T]) add(e *entry[T]) {
	if x.one == nil && x.many == nil {
		x.one = e
		return
	}
	if x.many == nil {
		x.many = map[string]*entry[T]{x.one.id: x.one}
		x.one = nil
	}
	x.many[e.id] = e
}

func (x *entries[T]) remove(e *entry[T]) {
	if x.one == e {
		x.one = nil
	}
	delete(x.many, e.id)
}

// len is how many there are.
func (x *entries[T]) len() int {
	if x.one != nil {
		return 1
	}
	return len(x.many)
}

func (e *entry[T]) placed() *place { return &e.place }

// New returns a Poller.
func New[T any](cfg Config[T]) *Poller[T] {
	p := &Poller[T]{cfg: cfg, start: time.Now()}
	p.waiting, p.ready = p.backing[0:0:1], p.backing[1:1:2]
	return p
}

func (p *Poller[T]) now() time.Duration { return time.Since(p.start) }

func (p *Poller[T]) at(t time.Time) time.Duration { return t.Sub(p.start) }

// tick is the timer's.
func (p *Poller[T]) tick() {
	p.mu.Lock()
	p.armed = 0
	p.run(p.stepAndKeepOne())
}

// stepAndUnlock takes a step and ends it: the timer is set, and the calls that were begun are sent on their way.
func (p *Poller[T]) stepAndUnlock() {
	if c := p.stepAndKeepOne(); c != nil {
		go c.start()
	}
}

// stepAndKeepOne does the same, and unlocks too, for a goroutine that has nothing else to do: it is to run the call
// that is returned.
func (p *Poller[T]) stepAndKeepOne() *call[T] {
	p.step()
	begun, orphans := p.begun, p.orphans
	p.begun, p.orphans = nil, nil
	p.mu.Unlock()
	for _, o := range orphans {
		p.cfg.LatePanic(o.late, o.owner)
	}
	if begun == nil {
		return nil
	}
	for c := begun.next; c != nil; {
		next := c.next
		c.next = nil
		go c.start()
		c = next
	}
	begun.next = nil
	return begun
}

// step does what is due, as far as there are permits.
func (p *Poller[T]) step() {
	now := p.now()
	p.expire(now)
	if w := &p.pass; w.active && w.awaited <= 0 && !w.asking {
		p.endPass()
	}
	p.ripen(now)
	for more := true; more; {
		s := p.situation(now)
		switch choose(&s) {
		case pollOne:
			more = p.pollOne(now)
		case pollList:
			more = p.pollPage(now)
		case nothing:
			p.cancelPermit()
			more = false
		}
	}
	p.tellQueued(now)
	p.arm(now)
}

// situation is what choose decides on.
func (p *Poller[T]) situation(now time.Duration) (s situation) {
	w := &p.pass
	if e, _, ok := p.ready.top(); ok {
		s.due, s.dueAt, s.worth = p.room(e, now), e.due, worth(e.last, e.due, now)
		s.held = now < p.holdUntil(e, now)
	}
	if s.list = w.ready(now) && (w.active || p.planned() > 1) && p.planned() > 0; s.list {
		s.inPass, s.total, s.price = w.active, p.sum.sum(now), w.price(p.planned())
		s.failed, s.failedTill = w.failed > p.patience(), w.blockedUntil
	}
	return s
}

// patience is how many pages may fail before what was due goes first. Many final polls at once are best answered by the
// list, even if it was throttled once.
func (p *Poller[T]) patience() int {
	if p.finals > maxYoung {
		return 1
	}
	return 0
}

func (p *Poller[T]) planned() int { return len(p.waiting) + len(p.ready) }

// ripen makes ready what is due.
func (p *Poller[T]) ripen(now time.Duration) {
	for {
		e, at, ok := p.waiting.top()
		if !ok || at > now {
			return
		}
		p.waiting.remove(e)
		p.setReady(e)
	}
}

func (p *Poller[T]) setReady(e *entry[T]) {
	rank := e.due
	e.state = isReady
	now := p.now()
	for i := e.first; i != nil; i = i.next {
		end := i.ending().end
		final := i.planned && end > 0 && now >= end
		if final {
			e.state = isReadyFinal // one that is repeated does not wait behind another's poll
		}
		if final || i.planned && i.sub.ctxEnd <= add(now, holdFor) { // or the poll before the end of a context
			rank = min(rank, i.due-limiter.FinalHeadStart) // one that is repeated stands behind all that are made first
		}
	}
	if e.state == isReadyFinal {
		p.pass.urgent = true
		if p.finals++; p.finals == maxYoung+1 {
			p.pass.excuse()
		}
	}
	p.ready.set(e, rank)
	p.count(e, true)
}

// plan brings e up to date with what those who want it have planned.
func (p *Poller[T]) plan(e *entry[T]) {
	p.unplan(e)
	if e.call != nil && !e.call.left {
		return // its answer is on the way
	}
	next := e.firstDue()
	if next == nil || !next.planned {
		return
	}
	e.last, e.due, e.state = next.last, next.due, isWaiting
	if e.last == unknown {
		e.last = e.due - next.sub.pause
	}
	if now := p.now(); e.due <= now {
		p.setReady(e)
	} else {
		p.waiting.set(e, e.due)
		p.count(e, next.last != unknown && !next.sub.fixed) // what was not seen yet has no pause that has begun
	}
	p.pass.gap = min(p.pass.gap, pause(e.last, e.due))
	if p.sum.changes > p.planned()+1000 {
		p.recount()
	}
}

// unplan takes e out of its queue.
func (p *Poller[T]) unplan(e *entry[T]) {
	p.count(e, false)
	switch e.state {
	case isWaiting:
		p.waiting.remove(e)
	case isReadyFinal:
		p.finals--
		p.ready.remove(e)
	case isReady:
		p.ready.remove(e)
	case idle:
	}
	e.state = idle
}

// count puts e into the sum, or takes it out. What the list does not show is not in it.
func (p *Poller[T]) count(e *entry[T], in bool) {
	if p.cfg.List == nil {
		return
	}
	if in = in && !e.unseen; in == e.counted {
		return
	}
	e.counted = in
	if in {
		p.sum.add(e.last, e.due, 1)
	} else {
		p.sum.add(e.last, e.due, -1)
	}
}

// recount makes the sum anew.
func (p *Poller[T]) recount() {
	p.sum.restart(p.now())
	for _, queue := range []dueQueue[*entry[T]]{p.waiting, p.ready} {
		for _, e := range queue {
			if e.counted {
				p.sum.add(e.last, e.due, 1)
			}
		}
	}
	p.sum.changes = 0
}

// arm sets the timer to when there will be something to do, if nothing happens before.
func (p *Poller[T]) arm(now time.Duration) {
	at := p.wakeAt(now)
	switch {
	case at == never:
		if p.armed != 0 {
			p.timer.Stop()
			p.armed = 0
		}
	case at == p.armed:
	case p.timer == nil:
		p.armed = at
		p.timer = time.AfterFunc(at-now, p.tick)
	default:
		p.armed = at
		p.timer.Reset(at - now)
	}
}

// never is later than any time.
const never = time.Duration(1<<63 - 1)

// wakeAt is when there will be something to do.
func (p *Poller[T]) wakeAt(now time.Duration) time.Duration {
	at := never
	sooner := func(t time.Duration) {
		if t > now {
			at = min(at, t)
		}
	}
	if _, t, ok := p.waiting.top(); ok {
		sooner(t)
	}
	if _, t, ok := p.ends.top(); ok {
		sooner(t)
	}
	if e, _, ok := p.ready.top(); ok {
		sooner(p.holdUntil(e, now))
		sooner(p.roomAt(e, now))
	}
	p.dispatchAt(sooner)
	if p.planned() > 0 {
		sooner(p.pass.readyAt())
		p.passAt(sooner, now)
	}
	return at
}
