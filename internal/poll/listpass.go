package poll

import (
	"time"

	"github.com/taskwait/taskwait/internal/guard"
)

const (
	// sparePages is how many pages more than there are ids a pass may take: by then polling each alone would have cost
	// less, and the list may have no end.
	sparePages = 10

	// listRetry and maxListRetry bound the pause before a page that failed is asked for again: it doubles.
	listRetry    = time.Second
	maxListRetry = 30 * time.Second
)

// listPass is one pass over the list, page by page. What a pass has read stays read: after a failure it goes on with
// the page that failed.
type listPass[T any] struct {
	number       uint32
	active       bool     // a pass is in progress
	urgent       bool     // there are final polls: passes follow each other at once
	asking       bool     // a page is in flight
	hung         bool     // one was abandoned, and is not back
	call         *call[T] // for the page that is in flight
	off          bool     // the list cannot be asked
	request      ListRequest
	pages        int           // of this pass so far
	taken        uint32        // pages of all passes
	cost         float64       // pages of the last finished pass
	gap          time.Duration // the shortest pause that was planned since the pass began, at most passGap
	began        time.Duration
	progress     time.Duration // when the last page came, or the pass began
	awaited      int           // entries that this pass is to show, and has not
	blockedUntil time.Duration
	saidUntil    time.Duration // the part of blockedUntil that the service has asked for
	failedAt     time.Duration // when the last page failed
	failed       int           // pages, one after the other
}

// ready reports whether a page may be asked for.
func (w *listPass[T]) ready(now time.Duration) bool {
	return !w.off && !w.asking && !w.hung && now >= w.readyAt()
}

// readyAt is when a page may be asked for, as far as time goes.
func (w *listPass[T]) readyAt() time.Duration {
	if w.active || w.urgent {
		return w.blockedUntil
	}
	return max(w.blockedUntil, w.began+w.gap)
}

// price is what a poll of everything must be worth for the next page. The first call guesses what that costs.
func (w *listPass[T]) price(ids int) float64 {
	if w.cost == 0 {
		w.cost = float64(1 + (ids-1)/rowsGuess)
	}
	remaining := w.cost
	if w.active {
		remaining = max(1, w.cost-float64(w.pages))
	}
	return passPrice(remaining, w.cost, ids)
}

// missed takes e out of the pass.
func (w *listPass[T]) missed(e *entry[T]) {
	if e.pass == w.number {
		w.awaited--
	}
	e.pass = 0
}

// pollPage asks for the next page. It reports false if there is no permit for that yet.
func (p *Poller[T]) pollPage(now time.Duration) bool {
	w := &p.pass
	due := now
	e, _, ok := p.ready.top()
	if ok {
		due = e.due
	} else {
		e, _, _ = p.waiting.top()
	}
	if !p.permitted(due, p.finals > 0) {
		return false
	}
	if !w.active {
		p.beginPass(now)
	}
	w.asking = true
	c := p.begin(e.firstDue(), now)
	c.entry, c.request, w.call = nil, w.request, c
	return true
}

// beginPass begins a pass over all that is planned and listed.
func (p *Poller[T]) beginPass(now time.Duration) {
	w := &p.pass
	w.number++
	w.urgent = false
	w.active, w.pages, w.awaited, w.began, w.progress, w.gap = true, 0, 0, now, now, passGap
	w.request = ListRequest{IDs: make([]string, 0, p.planned())}
	oldest := p.start.Add(now).UnixNano()
	for _, queue := range []dueQueue[*entry[T]]{p.waiting, p.ready} {
		for _, e := range queue {
			if e.unseen {
				continue
			}
			w.request.IDs = append(w.request.IDs, e.id)
			e.pass = w.number
			w.awaited++
			for i := e.first; i != nil; i = i.next {
				oldest = min(oldest, p.start.Add(i.sub.began).UnixNano())
			}
			if e.created != 0 {
				oldest = min(oldest, e.created)
			}
		}
	}
	w.request.Since = time.Unix(0, oldest)
}

// pageReturned takes in a page, or why there is none.
func (p *Poller[T]) pageReturned(c *call[T], late bool) {
	w := &p.pass
	if late {
		w.hung = false
	} else {
		w.asking, w.call = false, nil
	}
	err, panicked := c.answer.Err.(*guard.PanicError) //nolint:errorlint // never wrapped
	switch {
	case panicked:
		w.off, w.active = true, false
		p.hand(err, c.sub)
	case late:
	case c.Cancelled() && c.trouble.ByContext:
		p.pageFailed(Trouble{})
	case c.answer.Err != nil:
		p.pageFailed(c.trouble)
	default:
		p.takePage(c)
	}
}

// takePage delivers what a page shows. A row counts once a page, unless it is final.
func (p *Poller[T]) takePage(c *call[T]) {
	w := &p.pass
	w.failed, w.progress = 0, p.now()
	w.pages++
	w.taken++
	for k := range c.items {
		e := p.entries.find(p.cfg.ID(&c.items[k]))
		if e == nil || e.shown == w.taken && !p.cfg.Terminal(&c.items[k]) {
			continue
		}
		e.shown, e.misses, e.unseen = w.taken, 0, false
		w.missed(e)
		p.tell(e, &Answer[T]{Value: c.items[k], Polled: true, Listed: true, Context: c.base}, c.began)
	}
	endless := c.nextPage == w.request.Page || w.pages >= len(w.request.IDs)+sparePages
	if w.request.Page = c.nextPage; c.nextPage == "" || endless {
		p.endPass()
	}
}

// endPass ends a pass. What it has not shown is polled alone from now on.
func (p *Poller[T]) endPass() {
	w := &p.pass
	w.active, w.cost = false, float64(max(w.pages, 1))
	w.request = ListRequest{}
	for _, queue := range []dueQueue[*entry[T]]{p.waiting, p.ready} {
		for _, e := range queue {
			if e.pass == w.number {
				p.count(e, false)
				e.misses++
				e.unseen = true
			}
		}
	}
}

// pageFailed decides when the list is asked again. The ids are polled alone meanwhile, and it is those errors that
// count.
func (p *Poller[T]) pageFailed(t Trouble) {
	w := &p.pass
	switch {
	case t.Refused && w.pages > 0: // it will not go on from there
		p.endPass()
		return
	case t.Refused:
		w.off, w.active = true, false
		return
	}
	w.failedAt = p.now()
	w.saidUntil = add(w.failedAt, t.After)
	w.blockedUntil = max(w.saidUntil, add(w.failedAt, min(listRetry<<min(w.failed, 5), maxListRetry)))
	w.failed++
}

// excuse forgets how often pages have failed, but not what the service has asked for. It is called when there are many
// final polls: a pause that has doubled would last until it is too late for them.
func (w *listPass[T]) excuse() {
	w.blockedUntil = min(w.blockedUntil, max(w.saidUntil, add(w.failedAt, listRetry)))
	w.failed = 0
}

// holdUntil is until when the poll of e, which is ready, waits for the list pass in progress to show it.
func (p *Poller[T]) holdUntil(e *entry[T], now time.Duration) time.Duration {
	w := &p.pass
	if !w.active || now < w.blockedUntil || e.pass != w.number {
		return 0
	}
	longest := max(pause(e.last, e.due), holdFor)
	if p.finals > 0 {
		longest = holdFor
	}
	until := min(add(e.due, longest), add(w.progress, holdFor))
	for i := e.first; i != nil; i = i.next {
		if i.planned && i.sub.ctxEnd <= until {
			return 0 // the page may come too late for the poll before the context's deadline
		}
	}
	return until
}

// passAt says when a poll of everything will be worth its price.
func (p *Poller[T]) passAt(sooner func(time.Duration), now time.Duration) {
	w := &p.pass
	if !w.ready(now) || p.planned() < 2 {
		return
	}
	price := w.price(p.planned())
	if t, ok := p.sum.reaches(price); ok && p.sum.sum(now) < price {
		sooner(max(t, now+minPause)) // what is worth its price already waits for something else
	}
}
