package poll

import (
	"math"
	"time"
)

// action is what is asked next.
type action int

const (
	nothing  action = iota
	pollOne         // the id that comes first
	pollList        // the list's next page
)

// situation is all that choose looks at.
type situation struct {
	// The id that comes first: final polls and those before a context's deadline, then what has been due for longest.
	due   bool          // there is one, and a call more may be in flight
	dueAt time.Duration // when it was due
	worth float64       // what its poll is worth, in queries
	held  bool          // the list pass in progress is about to show it

	// The list.
	list       bool          // a page may be asked for
	inPass     bool          // it would go on with a pass
	total      float64       // what a poll of everything is worth, in queries
	price      float64       // what that must be worth for a page
	failed     bool          // the last page failed
	failedTill time.Duration // until when the list was left alone for that
}

// choose decides what is asked next: whatever is worth most for each request.
//
// After a page that failed, what was due before the list may be asked again goes first: a list must never starve what
// can be polled alone.
func choose(s *situation) action {
	one := s.due && !s.held
	page := s.list && s.total > 0 && (s.inPass || s.total >= s.price)
	switch {
	case one && s.failed && s.dueAt < s.failedTill:
		return pollOne
	case page && (!one || s.total >= s.worth*s.price):
		return pollList
	case one:
		return pollOne
	}
	return nothing
}

const (
	// rowsGuess is how many tasks a page is taken to show before the first pass has told. It is what DMS gives.
	rowsGuess = 100

	// holdFor is how long a poll that is due waits for the list pass in progress to show its task, counted from the last
	// page.
	holdFor = time.Second

	// passGap lies between the beginnings of two list passes, or the shortest pause that is planned if that is less: half
	// a second of delay, and nothing that a service would take for a flood where there is no limiter.
	passGap = time.Second
)

// passPrice is how much a poll of everything must be worth before a list pass is begun, or gone on with. At what the
// pass costs, all that sharing saves would be requests. At that times pages for each id there would be as many requests
// as if each were polled alone, and all would go into less delay. This lies in the middle.
func passPrice(remaining, cost float64, ids int) float64 {
	return remaining * math.Sqrt(min(1, cost/float64(ids)))
}
