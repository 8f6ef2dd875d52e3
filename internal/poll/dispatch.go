package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
	"github.com/taskwait/taskwait/internal/text"
)

const (
	// maxYoung is how many calls for single ids may be in flight that are younger than youngFor: enough for 300 a second
	// at 50 ms each, and no flood where there is no limiter. An older call gives its place back, so that what hangs is in
	// nobody's way.
	maxYoung = 16
	youngFor = time.Second

	// finalSpacing is the least that lies between two final polls where many fall on one instant and there is no limiter.
	finalSpacing = 10 * time.Millisecond

	// queuedAfter is how long a poll has been due without a permit before its caller is told, and how often from then on.
	queuedAfter = 10 * time.Second
)

// call is one request on behalf of an entry, or for a page of the list. While it is in flight it stands in a list, the
// oldest first; as all have the same time limit, that is the one to be given up first.
type call[T any] struct {
	guard.Call
	poller       *Poller[T]
	start        func()           // runs it
	sub          *Subscription[T] // for which it was made
	key          int32            // of the id whose own context's values it has; 0: it has those of all
	base         context.Context  // whose values it has
	entry        *entry[T]        // nil: it is for a page
	began        time.Duration
	left         bool // it was abandoned
	older, newer *call[T]
	next         *call[T] // in the list of those begun in one step, or of those that can be used again

	request  ListRequest
	answer   Answer[T] // for one id; its Err is that of a page, too
	items    []T
	nextPage string
	trouble  Trouble
}

// dispatch is the part of a Poller that holds its calls and permits.
type dispatch[T any] struct {
	members        *Subscription[T]
	oldest, newest *call[T] // in flight, pages too
	begun          *call[T] // in this step
	free           *call[T] // to be used again
	frees          int
	orphans        []orphan // of this step

	holdOff   *limiter.Limiter // after a throttle, where there is no limiter; nil: there was none
	permit    *limiter.Permit  // waited for; nil: none
	granted   bool
	forFinal  bool          // it was granted for a final poll
	queuedAt  time.Duration // when callers are told next that there is no permit
	lastFinal time.Duration // when the last final poll was begun
}

// orphan is a panic that nobody is there to raise.
type orphan struct {
	late  *guard.PanicError
	owner any
}

// NoAnswer is the error of a call that was given up after d.
func NoAnswer(d time.Duration) error { return fmt.Errorf("no answer within %v", text.Round(d)) }

var errQuotaPanic = errors.New("the limiter's quota panicked")

func stillRunning(d time.Duration) error {
	return fmt.Errorf("the query begun %v ago is still running", text.Round(d))
}

// pollOne polls the id that comes first. It reports false if there is no permit for that yet.
func (p *Poller[T]) pollOne(now time.Duration) bool {
	e, _, _ := p.ready.top()
	if e.call != nil { // abandoned, and not back: there is at most one for each id
		p.tell(e, &Answer[T]{Err: stillRunning(now - e.call.began)}, now)
		return true
	}
	final := e.state == isReadyFinal
	if !p.permitted(e.due, final && !p.leftToList(e, now)) {
		if final || p.finals == 0 || !p.permits().Holds() {
			return false
		}
		p.raiseFinal()
		return true
	}
	if final {
		p.lastFinal = now
	}
	first := e.firstDue()
	p.unplan(e)
	c := p.begin(first, now)
	c.entry, e.call = e, c
	for i := e.first; i != nil; i = i.next {
		i.asking = i.planned && i.due <= now
	}
	return true
}

// raiseFinal puts the first of the final polls before all that a hold-off delays.
func (p *Poller[T]) raiseFinal() {
	var first *entry[T]
	for _, e := range p.ready {
		if e.state == isReadyFinal && (first == nil || e.at < first.at) {
			first = e
		}
	}
	p.ready.set(first, -never)
}

// firstDue is the interest whose poll of e is due first; where none is planned, any; nil: nobody wants e any more.
func (e *entry[T]) firstDue() *interest[T] {
	first := e.first
	for i := e.first; i != nil; i = i.next {
		if i.planned && (!first.planned || i.due < first.due) {
			first = i
		}
	}
	return first
}

// raises is the subscription on whose goroutine a panic of c is raised: the one that c was made for, or where that is
// closed, one that wants the id.
func (c *call[T]) raises() *Subscription[T] {
	if first := c.entry.firstDue(); c.sub.closed && first != nil {
		return first.sub
	}
	return c.sub
}

// begin makes a call with the values of the context of first, to be sent on its way at the end of the step.
func (p *Poller[T]) begin(first *interest[T], now time.Duration) *call[T] {
	sub, key := first.sub, first.key
	if sub.bases == nil {
		key = 0
	}
	c := p.free
	if c == nil {
		c = &call[T]{poller: p}
		c.start = func() { p.run(c) } // made once, as a go statement with arguments allocates
	} else {
		p.free, c.next = c.next, nil
		p.frees--
	}
	if c.sub != sub || c.key != key {
		c.Cancel()
		c.sub, c.key = sub, key
	}
	if c.Cancelled() {
		c.base = first.context()
	}
	c.Begin(c.base, p.cfg.Abandoned)
	c.began = now
	if c.older = p.newest; c.older != nil {
		c.older.newer = c
	} else {
		p.oldest = c
	}
	p.newest = c
	c.next, p.begun = p.begun, c
	return c
}

// land takes a call off the list of those in flight.
func (p *Poller[T]) land(c *call[T]) {
	switch {
	case c.older != nil:
		c.older.newer = c.newer
	case p.oldest == c:
		p.oldest = c.newer
	}
	switch {
	case c.newer != nil:
		c.newer.older = c.older
	case p.newest == c:
		p.newest = c.older
	}
	c.older, c.newer = nil, nil
}

// keep puts a call that has returned aside, to be used again.
func (p *Poller[T]) keep(c *call[T]) {
	c.entry, c.items, c.answer, c.trouble, c.request = nil, nil, Answer[T]{}, Trouble{}, ListRequest{}
	if c.Cancelled() || p.frees >= maxYoung || c.sub.closed {
		c.Cancel()
		return
	}
	c.next, p.free = p.free, c
	p.frees++
}

// forget frees the calls that were made for a subscription.
func (p *Poller[T]) forget(s *Subscription[T]) {
	for at := &p.free; *at != nil; {
		c := *at
		if c.sub != s {
			at = &c.next
			continue
		}
		c.Cancel()
		*at = c.next
		p.frees--
	}
}

// run makes a call, and those that follow from it on this goroutine.
func (p *Poller[T]) run(c *call[T]) {
	for c != nil {
		c = c.do()
	}
}

// do makes the call. It returns another to be made on this goroutine; nil: none.
func (c *call[T]) do() (then *call[T]) {
	p := c.poller
	c.Run(func(ctx context.Context) {
		if c.entry != nil {
			c.answer.Value, c.answer.Err = p.cfg.Poll(ctx, c.entry.id)
		} else {
			c.items, c.nextPage, c.answer.Err = p.cfg.List(ctx, c.request)
		}
		if c.answer.Err != nil {
			c.trouble = p.cfg.Classify(c.answer.Err)
		}
	}, func(err error, late bool) {
		then = p.returned(c, err, late)
	})
	return then
}

// returned takes in a call that has returned, and takes a step. err is that of guard: a panic, or Goexit.
func (p *Poller[T]) returned(c *call[T], err error, late bool) (then *call[T]) {
	p.mu.Lock()
	p.land(c)
	if err != nil {
		c.answer.Err, c.trouble = err, Trouble{}
	}
	switch {
	case c.entry == nil:
		p.pageReturned(c, late)
	case late:
		p.lateReturned(c)
	default:
		p.oneReturned(c)
	}
	p.keep(c)
	if err == guard.ErrGoexit { //nolint:errorlint // never wrapped
		p.stepAndUnlock() // this goroutine ends here
		return nil
	}
	return p.stepAndKeepOne()
}

// lateReturned takes in an abandoned call: its id can be polled again.
func (p *Poller[T]) lateReturned(c *call[T]) {
	e := c.entry
	e.call = nil
	if late, ok := c.answer.Err.(*guard.PanicError); ok { //nolint:errorlint // never wrapped
		p.hand(late, c.raises())
	}
}

// oneReturned takes in the answer for one id.
func (p *Poller[T]) oneReturned(c *call[T]) {
	e := c.entry
	e.call = nil
	if late, ok := c.answer.Err.(*guard.PanicError); ok { //nolint:errorlint // never wrapped
		raises := c.raises()
		p.hand(late, raises)
		for i := e.first; i != nil; i = i.next { // for the others it is polled again
			i.planned = i.planned && i.sub != raises
		}
		p.plan(e)
		return
	}
	switch {
	case c.Cancelled() && c.trouble.ByContext:
		c.answer.Err, c.trouble = NoAnswer(p.now()-c.began), Trouble{}
	case c.trouble.Throttled:
		p.throttled(c.trouble.After)
	case c.answer.Err == nil && e.misses < 2:
		e.unseen = false // perhaps it was too new for the list
	}
	c.answer.Polled, c.answer.Context = true, c.base
	p.tell(e, &c.answer, c.began)
	e.asked()
}

// asked notes that the call in flight is over.
func (e *entry[T]) asked() {
	for i := e.first; i != nil; i = i.next {
		i.asking = false
	}
}

// giveUp abandons a call that has taken too long, and says so to those who wait for it.
func (p *Poller[T]) giveUp(c *call[T], now time.Duration) {
	if !p.abandon(c) {
		return
	}
	if c.entry == nil {
		p.pass.asking, p.pass.hung, p.pass.call = false, true, nil
		p.pageFailed(Trouble{})
		return
	}
	p.tell(c.entry, &Answer[T]{Err: NoAnswer(now - c.began), Polled: true, Context: c.base}, c.began)
	c.entry.asked()
}

// abandon leaves a call to itself. It reports false if its answer is on the way.
func (p *Poller[T]) abandon(c *call[T]) bool {
	p.land(c)
	c.left = c.Abandon()
	return c.left
}

// throttled makes all hold off for d, where there are others than the one who was told.
func (p *Poller[T]) throttled(d time.Duration) {
	switch {
	case p.cfg.Limiter != nil:
		p.cfg.Limiter.Throttled(d)
	case p.entries.len() > 1:
		if p.holdOff == nil {
			p.holdOff = limiter.New(nil)
		}
		p.holdOff.Throttled(d)
	}
}

// permitted reports whether there is a permit for a poll that was due at a time, and uses it up. If there is none, it
// sees to a place in the queue.
func (p *Poller[T]) permitted(due time.Duration, final bool) bool {
	if p.granted {
		p.granted = false
		if final || !p.forFinal || !p.permits().Holds() { // the time of that final poll may be over
			return true
		}
	}
	l := p.permits()
	if l == nil {
		return true
	}
	if p.permit != nil && final == p.permit.Final && !p.start.Add(due).Before(p.permit.Due) {
		return false
	}
	p.cancelPermit()
	permit := &limiter.Permit{Due: p.start.Add(due), Final: final}
	permit.Grant = func(err error) { p.grant(permit, err) }
	if l.Acquire(permit) {
		return true
	}
	p.permit = permit
	p.queuedAt = max(p.queuedAt, add(due, queuedAfter))
	return false
}

// leftToList reports whether the final poll of e can be left to the list, as one of many: it is on its way, or is asked
// again in time.
func (p *Poller[T]) leftToList(e *entry[T], now time.Duration) bool {
	w := &p.pass
	soon := w.asking || now < w.readyAt() && w.readyAt() < p.overAt(e)-FinalReserve
	return p.cfg.Limiter == nil && p.finals > maxYoung && soon && !w.off && !w.hung && !e.unseen &&
		w.failed <= p.patience()
}

// cancelPermit gives up the place in the queue.
func (p *Poller[T]) cancelPermit() {
	p.granted = false
	if p.permit == nil {
		return
	}
	p.permits().Cancel(p.permit)
	p.permit = nil
}

// permits is what gives permits; nil: there was no need for any.
func (p *Poller[T]) permits() *limiter.Limiter {
	if p.cfg.Limiter != nil {
		return p.cfg.Limiter
	}
	return p.holdOff
}

// grant takes in what the limiter says: there is a permit, or why there is none.
func (p *Poller[T]) grant(permit *limiter.Permit, err error) {
	p.mu.Lock()
	if p.permit != permit {
		p.mu.Unlock()
		return // it was given up in this very moment
	}
	p.permit = nil
	late, panicked := err.(*guard.PanicError) //nolint:errorlint // never wrapped
	switch {
	case err == nil:
		p.granted, p.forFinal = true, permit.Final
	case panicked:
		p.hand(late, nil)
		p.refused(errQuotaPanic) // or it would be asked again at once
	default:
		p.refused(err)
	}
	p.stepAndUnlock()
}

// refused makes the limiter's error that of the poll which the permit was for.
func (p *Poller[T]) refused(err error) {
	now := p.now()
	p.ripen(now)
	s := p.situation(now)
	switch choose(&s) {
	case pollOne:
		e, _, _ := p.ready.top()
		p.tell(e, &Answer[T]{Err: err}, now)
	case pollList:
		p.pageFailed(Trouble{})
	case nothing:
	}
}

// room reports whether the poll of e may be begun now, as far as other calls in flight go.
func (p *Poller[T]) room(e *entry[T], now time.Duration) bool { return p.roomAt(e, now) <= now }

// roomAt is when there is room for the poll of e.
func (p *Poller[T]) roomAt(e *entry[T], now time.Duration) time.Duration {
	if e.call != nil {
		return now // there is nothing to begin
	}
	at, newer := now, 0
	for c := p.newest; c != nil; c = c.older {
		if c.entry == nil {
			continue
		}
		if newer++; newer == maxYoung { // if it is young, so are the others
			at = add(c.began, youngFor)
			break
		}
	}
	if e.state == isReadyFinal && p.cfg.Limiter == nil && p.finals > maxYoung {
		at = max(at, p.lastFinal+max(finalSpacing, (p.overAt(e)-FinalReserve-now)/time.Duration(p.finals)))
	}
	return at
}

// overAt is until when a final poll of e must be over.
func (p *Poller[T]) overAt(e *entry[T]) time.Duration {
	at := never
	for i := e.first; i != nil; i = i.next {
		if x := i.ending(); x.end > 0 {
			at = min(at, x.over)
		}
	}
	return at
}

// dispatchAt says when calls are to be given up, and when callers are to be told that there is no permit.
func (p *Poller[T]) dispatchAt(sooner func(time.Duration)) {
	if p.oldest != nil {
		sooner(add(p.oldest.began, p.cfg.QueryTimeout))
	}
	if p.permit != nil {
		sooner(p.queuedAt)
	}
}

// tellQueued tells callers every now and then that there is no permit.
func (p *Poller[T]) tellQueued(now time.Duration) {
	if p.permit != nil && now >= p.queuedAt {
		p.queuedAt = add(now, queuedAfter)
		p.queued(now)
	}
}
