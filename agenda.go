package taskwait

import (
	"math"
	"time"

	"github.com/taskwait/taskwait/internal/pacing"
)

// agenda is which of many waits is to look next, and when. Times are counted from the start.
//
// A single look is due when its wait says so. When a look at many is due follows from the same pauses. A pause p is right
// for a task that ends at such a rate that the delay which builds up in it is worth one query, and that delay grows with
// the square of the time since the last look: ((t−last)/p)² queries' worth. So a look at many, which costs some queries,
// is due as soon as the sum over all waits reaches that number.
type agenda struct {
	slots []slot
	heap  []int32 // of those that wait, the one that is due first at the top

	// The sum is a·t² − 2b·t + c, with t in seconds from origin.
	a, b, c float64
	origin  time.Duration
	changes int // since it was added up anew: so that rounding does not
}

// slot is one wait's place in the agenda.
type slot struct {
	id        string
	last, due time.Duration // the last look began, and the next one is to
	pos       int32         // in the heap; -1: not there
	sweep     uint16        // the last sweep that has shown it
	misses    uint8         // sweeps that have not, before a single look brought it back
	flags     slotFlags
}

type slotFlags uint8

const (
	unlisted slotFlags = 1 << iota // no sweep shows it: it is not in the sum
	asking                         // a single look is under way
	hung                           // one that was left behind is
	over                           // the wait has ended
)

func (s *slot) is(f slotFlags) bool { return s.flags&f != 0 }

func (s *slot) pause() time.Duration { return max(s.due-s.last, pacing.Floor) }

// urgency is what a look is worth at t, in queries.
func (s *slot) urgency(t time.Duration) float64 {
	u := float64(t-s.last) / float64(s.pause())
	return u * u
}

// plan makes slot i wait until due, having looked last at last.
func (g *agenda) plan(i int32, last, due time.Duration) {
	s := &g.slots[i]
	g.count(s, -1)
	s.last, s.due = last, due
	if s.pos < 0 {
		s.pos = int32(len(g.heap)) //nolint:gosec // a million fits
		g.heap = append(g.heap, i)
	}
	g.count(s, 1)
	g.fix(s.pos)
	if g.changes++; g.changes > len(g.heap)+1000 {
		g.addUp(due)
	}
}

// drop takes slot i off the agenda, until it is planned again.
func (g *agenda) drop(i int32) {
	s := &g.slots[i]
	if s.pos < 0 {
		return
	}
	g.count(s, -1)
	n, at := int32(len(g.heap))-1, s.pos //nolint:gosec // a million fits
	g.swap(at, n)
	g.heap = g.heap[:n]
	s.pos = -1
	if at < n {
		g.fix(at)
	}
}

// list says whether sweeps show slot i.
func (g *agenda) list(i int32, listed bool) {
	s := &g.slots[i]
	g.count(s, -1)
	s.flags |= unlisted
	if listed {
		s.flags &^= unlisted
	}
	g.count(s, 1)
}

// count adds a slot to the sum, or takes it out of it.
func (g *agenda) count(s *slot, sign float64) {
	if s.pos < 0 || s.is(unlisted) {
		return
	}
	w := sign / (s.pause().Seconds() * s.pause().Seconds())
	l := (s.last - g.origin).Seconds()
	g.a += w
	g.b += w * l
	g.c += w * l * l
}

// addUp makes the sum anew.
func (g *agenda) addUp(origin time.Duration) {
	g.a, g.b, g.c, g.origin, g.changes = 0, 0, 0, origin, 0
	for _, i := range g.heap {
		g.count(&g.slots[i], 1)
	}
}

// sum is what a look at all that wait is worth at t, in queries.
func (g *agenda) sum(t time.Duration) float64 {
	x := (t - g.origin).Seconds()
	return g.a*x*x - 2*g.b*x + g.c
}

// reaches is when the sum has come to n; ok is false if it never does.
func (g *agenda) reaches(n float64) (t time.Duration, ok bool) {
	root := g.b*g.b - g.a*(g.c-n)
	if g.a <= 1e-12 || root < 0 {
		return 0, false
	}
	x := (g.b + math.Sqrt(root)) / g.a
	return g.origin + time.Duration(x*float64(time.Second)), true
}

// top is the slot that is due first.
func (g *agenda) top() (i int32, ok bool) {
	if len(g.heap) == 0 {
		return 0, false
	}
	return g.heap[0], true
}

func (g *agenda) before(x, y int32) bool { return g.slots[g.heap[x]].due < g.slots[g.heap[y]].due }

func (g *agenda) swap(x, y int32) {
	g.heap[x], g.heap[y] = g.heap[y], g.heap[x]
	g.slots[g.heap[x]].pos, g.slots[g.heap[y]].pos = x, y
}

// fix moves what is at x to where it belongs. (container/heap would do, at three times the time.)
func (g *agenda) fix(x int32) {
	for x > 0 && g.before(x, (x-1)/2) {
		g.swap(x, (x-1)/2)
		x = (x - 1) / 2
	}
	for n := int32(len(g.heap)); ; { //nolint:gosec // a million fits
		least := x
		for child := 2*x + 1; child <= 2*x+2 && child < n; child++ {
			if g.before(child, least) {
				least = child
			}
		}
		if least == x {
			return
		}
		g.swap(x, least)
		x = least
	}
}
