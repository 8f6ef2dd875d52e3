package taskwait

import (
	"errors"
	"math"
	"time"
)

const (
	// sweepGuess is how many tasks a page is taken to show before the first sweep has told. It is what DMS gives.
	sweepGuess = 100

	// holdFor is how long a look that is due waits for a sweep under way to answer it, counted from the last page.
	holdFor = time.Second

	// sweepGap lies between the beginnings of two sweeps, or the shortest pause of the schedule if that is less: half a
	// second of delay, and nothing that a service would take for a flood where there is no limiter.
	sweepGap = time.Second
)

// sparePages is how many pages more than there are waits a sweep may take: by then asking for each alone would have cost
// less, and the list may have no end.
const sparePages = 10

// sweep is a look at many tasks, page by page.
type sweep struct {
	source   BatchSource // nil: there is none, or no more
	number   uint16      // of the sweep, so that a slot can tell whether it has been shown
	under    bool        // it is under way
	asking   bool        // a page is asked for
	hung     bool        // one was left behind
	batch    Batch
	pages    int           // of this sweep so far
	cost     float64       // pages of the last whole sweep
	began    time.Duration // the last one
	progress time.Duration // when the last page came, or the sweep began
	missing  int           // listed waits that this sweep has not shown yet
	from     time.Duration // not to be gone on with before
	failed   int           // times in a row
}

// left is what the rest of the sweep costs, or a whole one, in requests.
func (w *sweep) left(waits int) float64 {
	if w.cost == 0 {
		w.cost = float64(1 + (waits-1)/sweepGuess)
	}
	if !w.under {
		return w.cost
	}
	return max(1, w.cost-float64(w.pages))
}

// price is how much a look at all must be worth before the sweep is begun, or gone on with. At what it costs, all that
// sharing saves would be requests. At that times pages per wait there would be as many requests as if each asked alone, and
// all would go into less delay. This lies in the middle.
func (w *sweep) price(waits int) float64 {
	left := w.left(waits)
	return left * math.Sqrt(min(1, w.cost/float64(waits)))
}

// ready reports whether a page may be asked for.
func (w *sweep) ready(now time.Duration) bool {
	return w.source != nil && !w.asking && !w.hung && now >= w.from
}

// begin begins a sweep over the waits on the agenda, unless one is under way.
func (s *scheduler) begin() {
	w := &s.sweep
	if w.under {
		return
	}
	w.under, w.pages, w.missing, w.began = true, 0, 0, s.now()
	w.progress = w.began
	w.number += 2
	w.batch = Batch{Since: s.driver.since(), IDs: make([]string, 0, len(s.heap))}
	for _, i := range s.heap {
		if slot := &s.slots[i]; !slot.is(unlisted) {
			w.batch.IDs = append(w.batch.IDs, slot.id)
			slot.sweep = w.number - 1
			w.missing++
		}
	}
}

// page takes in a page that has arrived.
func (s *scheduler) page(c *call) {
	w := &s.sweep
	w.asking = false
	if c.answer.err != nil {
		s.pageFailed(c.answer.err)
		return
	}
	w.failed, w.progress = 0, s.now()
	w.pages++
	for k := range c.tasks {
		t := &c.tasks[k]
		i, ok := s.driver.find(t.ID)
		if !ok || s.slots[i].is(over) {
			continue
		}
		s.shown(i)
		s.driver.deliver(i, &answer{task: *t, sent: c.began, shared: true})
	}
	endless := c.next == c.batch.Page || w.pages >= len(w.batch.IDs)+sparePages
	if w.batch.Page = c.next; c.next == "" || w.missing == 0 || endless {
		s.swept()
	}
}

// shown notes that the sweep shows slot i.
func (s *scheduler) shown(i int32) {
	slot := &s.slots[i]
	switch {
	case slot.is(unlisted):
		slot.misses = 0
		s.list(i, true)
		slot.sweep = s.sweep.number
	case slot.sweep == s.sweep.number-1:
		slot.sweep = s.sweep.number
		s.sweep.missing--
	}
}

// over takes a wait off the agenda for good, and calls its query off.
func (s *scheduler) over(i int32) {
	slot := &s.slots[i]
	s.drop(i)
	if w := &s.sweep; w.under && slot.sweep == w.number-1 {
		slot.sweep = w.number
		w.missing--
	}
	slot.flags |= over
	for _, c := range s.flying {
		if c.slot == i {
			c.cancel()
		}
	}
}

// swept ends a sweep. Who waits and was not shown is asked for alone from now on.
func (s *scheduler) swept() {
	w := &s.sweep
	w.under, w.cost = false, float64(w.pages)
	w.from = w.began + min(sweepGap, s.retry.Min())
	if w.missing <= 0 {
		return
	}
	for _, i := range s.heap {
		if slot := &s.slots[i]; slot.sweep == w.number-1 {
			slot.misses++
			s.list(i, false)
		}
	}
}

// pageFailed decides when to go on with sweeps. What each wait waits for is asked alone meanwhile, and those errors count.
func (s *scheduler) pageFailed(err error) {
	w := &s.sweep
	q, _ := asQueryError(err)
	class, after := ClassTransient, time.Duration(0)
	if q != nil {
		class, after = q.Class, min(q.RetryAfter, MaxRetryAfter)
	}
	switch {
	case w.pages > 0 && (class == ClassPermanent || class == ClassNotFound): // it will not go on from there
		w.cost = float64(w.pages)
		s.swept()
		return
	case class == ClassPermanent, errors.Is(err, errors.ErrUnsupported):
		w.source, w.under = nil, false
		return
	case class == ClassThrottled:
		s.throttled(after)
	}
	w.from = s.now() + max(after, s.retry.Pause(w.failed, 0.5))
	w.failed++
}
