package taskwait

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/taskwait/taskwait/internal/pacing"
	"github.com/taskwait/taskwait/internal/text"
)

// scheduler asks on behalf of many waits: in sweeps where the Source can tell of many at once, and one by one. It decides
// whom to ask for and when; what an answer means is its driver's. It runs on one goroutine, its driver's.
type scheduler struct {
	agenda
	*calls
	driver  driver
	sweep   sweep
	start   time.Time
	limiter *Limiter
	retry   *pacing.Exponential // the pauses after a page that failed

	turn    *turn         // the place in the limiter's queue; nil: none
	granted bool          // the turn has come
	queued  time.Duration // when the place was taken
	starved time.Duration // when to say so next
	refused time.Duration // when to try again after a refusal
	calm    time.Duration // nothing is asked before, but for last looks; only where there is no limiter
	alarm   alarm
}

// driver is whose waits a scheduler looks after.
type driver interface {
	find(id string) (slot int32, ok bool)
	deliver(slot int32, a *answer)              // plans the slot anew, or ends it
	ask(ctx context.Context, slot int32)        // for this one alone
	bounds(now time.Time) bounds                // of a query that begins now
	since() time.Time                           // for a Batch
	end() (end, by time.Duration, limited bool) // the timeout, and the latest at which a last look may begin
	starving(d time.Duration)                   // a look has been waiting for its turn
}

// action is what can be done next.
type action int

const (
	nothing action = iota
	askOne
	askPage
)

func (s *scheduler) now() time.Duration { return time.Since(s.start) }

// do does what is due, as far as calls and turns are to be had.
func (s *scheduler) do(ctx context.Context) {
	s.enforce(s.now())
	for ctx.Err() == nil {
		now := s.now()
		what, slot := s.choose(now)
		switch {
		case what == nothing:
			s.granted = false
			s.leaveQueue()
			return
		case what == askOne && s.stuck(slot, now):
		case s.limiter != nil && !s.mayAsk(now):
			return
		case what == askOne:
			s.drop(slot)
			s.slots[slot].flags |= asking
			s.driver.ask(ctx, slot)
		default:
			s.begin()
			s.sweep.asking = true
			s.calls.begin(ctx, pageCall, s.sweep.batch, s.driver.bounds(time.Now()))
		}
	}
}

// choose gives what is worth most at this time, per request.
func (s *scheduler) choose(now time.Duration) (what action, slot int32) {
	if now < s.calm && !s.last(now) {
		return nothing, 0
	}
	slot, some := s.top()
	one := some && s.slots[slot].due <= now && !s.held(&s.slots[slot], now) && s.room()
	w, worth := &s.sweep, 0.0
	if w.ready(now) && (w.under || len(s.heap) > 1) {
		worth = s.sum(now) / w.price(len(s.heap))
	}
	switch {
	case (worth >= 1 || w.under && worth > 0) && (!one || worth >= s.slots[slot].urgency(now)):
		return askPage, 0
	case one:
		return askOne, slot
	}
	return nothing, 0
}

// held reports whether a look that is due can wait for the sweep under way to answer it.
func (s *scheduler) held(slot *slot, now time.Duration) bool {
	w := &s.sweep
	if !w.under || w.hung || now < w.from || slot.sweep != w.number-1 {
		return false
	}
	return now < s.holdUntil(slot, now)
}

func (s *scheduler) holdUntil(slot *slot, now time.Duration) time.Duration {
	longest := max(slot.pause(), holdFor)
	if s.last(now) {
		longest = holdFor
	}
	return min(slot.due+longest, s.sweep.progress+holdFor)
}

// room reports whether one call more may be under way.
func (s *scheduler) room() bool { return len(s.flying)-s.left < maxCalls }

// stuck reports whether nothing can be asked for a slot because earlier calls hang, and deals with that.
func (s *scheduler) stuck(i int32, now time.Duration) bool {
	slot := &s.slots[i]
	if !slot.is(hung) && s.left < maxLeft {
		return false
	}
	if end, by, limited := s.driver.end(); limited && now >= end && now < by {
		s.plan(i, slot.last, by) // the last look can wait for it
		return true
	}
	err := fmt.Errorf("the query begun %v ago is still running", text.Round(now-slot.last))
	if !slot.is(hung) {
		err = fmt.Errorf("%d queries that were left behind are still running", s.left)
	}
	s.driver.deliver(i, &answer{err: err, sent: time.Now()})
	return true
}

// arrive takes in a call that has come back.
func (s *scheduler) arrive(c *call) {
	late := s.arrived(c)
	switch {
	case c.slot == pageCall && late:
		s.sweep.hung = false
	case c.slot == pageCall:
		s.page(c)
	case late:
		s.freed(c.slot)
	default:
		s.answered(c.slot, &c.answer)
	}
}

// freed notes that the call which a slot had left behind has ended. A last look may be waiting for that.
func (s *scheduler) freed(i int32) {
	slot := &s.slots[i]
	slot.flags &^= hung
	if now := s.now(); slot.pos >= 0 && s.last(now) {
		s.plan(i, slot.last, now)
	}
}

// last reports whether the timeout has passed, and only last looks are made.
func (s *scheduler) last(now time.Duration) bool {
	end, _, limited := s.driver.end()
	return limited && now >= end
}

// throttled makes everybody hold off.
func (s *scheduler) throttled(after time.Duration) {
	if s.limiter != nil {
		s.limiter.throttled(after)
		return
	}
	if after = min(after, MaxRetryAfter); after <= 0 {
		after = holdOffUntold
	}
	s.calm = max(s.calm, s.now()+spread(after, rand.Float64()))
}

// answered hands over the answer to a single look.
func (s *scheduler) answered(i int32, a *answer) {
	slot := &s.slots[i]
	slot.flags &^= asking
	if slot.is(over) {
		return
	}
	if a.err == nil && slot.is(unlisted) && slot.misses < 2 {
		s.list(i, true) // perhaps it was too new for the list
	}
	s.driver.deliver(i, a)
}

// enforce ends calls that take too long.
func (s *scheduler) enforce(now time.Duration) {
	for {
		c, _ := s.calls.enforce(s.start.Add(now))
		if c == nil {
			return
		}
		err := noAnswer(time.Since(c.began))
		if c.slot == pageCall {
			s.sweep.asking, s.sweep.hung = false, true
			s.pageFailed(err)
			continue
		}
		s.slots[c.slot].flags |= hung
		s.answered(c.slot, &answer{err: err, sent: c.began})
	}
}

// event is what a scheduler waits for.
type event struct {
	call *call
	turn bool
	err  error // the turn's
}

// next waits for something to do: until wake, or for a call that comes back, the turn, or a kick.
func (s *scheduler) next(ctx context.Context, wake time.Time, turns <-chan error, kick <-chan struct{}) (e event) {
	select {
	case <-ctx.Done():
	case e.call = <-s.done:
	case e.err = <-turns:
		e.turn = true
	case <-kick:
	case <-s.alarm.at(wake):
	}
	return e
}

// take takes in what has happened.
func (s *scheduler) take(e event) {
	if e.call != nil {
		s.arrive(e.call)
	}
	if e.turn {
		s.turned(e.err)
	}
}

// wake is when there will be something to do, if nothing happens before.
func (s *scheduler) wake() time.Time {
	now := s.now()
	at := now + time.Hour
	sooner := func(t time.Duration) {
		if t > now {
			at = min(at, t)
		}
	}
	if _, t := s.calls.enforce(s.start.Add(now)); !t.IsZero() {
		sooner(t.Sub(s.start))
	}
	if i, ok := s.top(); ok {
		sooner(s.slots[i].due)
		sooner(s.holdUntil(&s.slots[i], now))
	}
	if end, by, limited := s.driver.end(); limited {
		sooner(end)
		sooner(by)
	}
	for _, t := range []time.Duration{s.calm, s.starved, s.refused, s.sweep.from} {
		sooner(t)
	}
	price := s.sweep.price(len(s.heap))
	if t, ok := s.reaches(price); ok && s.sum(now) < price && s.sweep.ready(now) && len(s.heap) > 1 {
		sooner(max(t, now+pacing.Floor)) // what is worth its price already waits for something else
	}
	return s.start.Add(at)
}

// stop ends what the scheduler has started.
func (s *scheduler) stop() {
	s.leaveQueue()
	s.calls.stop()
	if s.alarm.timer != nil {
		s.alarm.timer.Stop()
	}
}
