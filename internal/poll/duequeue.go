package poll

import (
	"container/heap"
	"math"
	"time"
)

// minPause is the least pause that counts: a pause of 0 would be worth infinitely many polls.
const minPause = time.Millisecond

// place is where something stands in a dueQueue.
type place struct {
	at  time.Duration // its rank: the least is first; see setReady, and of endings expire
	pos int32         // counted from 1; 0: in no queue
}

// dueQueue is a heap: what is due first is at the top.
type dueQueue[E interface{ placed() *place }] []E

// set puts e into the queue, or moves it there.
func (q *dueQueue[E]) set(e E, at time.Duration) {
	p := e.placed()
	p.at = at
	if p.pos == 0 {
		heap.Push(q, e)
		return
	}
	heap.Fix(q, int(p.pos-1))
}

// remove takes e out of the queue, if it is there.
func (q *dueQueue[E]) remove(e E) {
	if p := e.placed(); p.pos > 0 {
		heap.Remove(q, int(p.pos-1))
	}
}

// top is what is due first, and when.
func (q *dueQueue[E]) top() (e E, at time.Duration, ok bool) {
	if len(*q) == 0 {
		return e, 0, false
	}
	e = (*q)[0]
	return e, e.placed().at, true
}

// Len implements heap.Interface.
func (q *dueQueue[E]) Len() int { return len(*q) }

// Less implements heap.Interface.
func (q *dueQueue[E]) Less(i, j int) bool { return (*q)[i].placed().at < (*q)[j].placed().at }

// Swap implements heap.Interface.
func (q *dueQueue[E]) Swap(i, j int) {
	s := *q
	s[i], s[j] = s[j], s[i]
	s[i].placed().pos, s[j].placed().pos = int32(i+1), int32(j+1) //nolint:gosec // a million fits
}

// Push implements heap.Interface.
func (q *dueQueue[E]) Push(x any) {
	e := x.(E)                          //nolint:errcheck,forcetypeassert // it holds nothing else
	e.placed().pos = int32(len(*q)) + 1 //nolint:gosec // a million fits
	*q = append(*q, e)
}

// Pop implements heap.Interface.
func (q *dueQueue[E]) Pop() any {
	s := *q
	e := s[len(s)-1]
	var none E
	s[len(s)-1] = none
	*q = s[:len(s)-1]
	e.placed().pos = 0
	return e
}

// urgency is what one poll of everything that is planned would be worth, in queries.
//
// A pause p is right for a task that ends at such a rate that the delay which builds up in p is worth one query. That
// delay grows with the square of the time since the last poll. So at time t a poll is worth ((t − last) / p)²
// queries, and the sum over all entries is a·t² − 2b·t + c, with t in seconds from origin.
type urgency struct {
	a, b, c float64
	origin  time.Duration
	changes int // since the sum was made anew, as rounding errors grow
}

// pause is that between the last poll and the next one.
func pause(last, due time.Duration) time.Duration { return max(due-last, minPause) }

// worth is what one poll is worth at t, in queries.
func worth(last, due, t time.Duration) float64 {
	u := float64(t-last) / float64(pause(last, due))
	return u * u
}

// add adds a planned poll to the sum (sign 1), or takes it out (sign −1).
func (u *urgency) add(last, due time.Duration, sign float64) {
	p := pause(last, due).Seconds()
	w, l := sign/(p*p), (last - u.origin).Seconds()
	u.a += w
	u.b += w * l
	u.c += w * l * l
	u.changes++
}

// sum is what a poll of everything is worth at t, in queries.
func (u *urgency) sum(t time.Duration) float64 {
	x := (t - u.origin).Seconds()
	return u.a*x*x - 2*u.b*x + u.c
}

// reaches is when the sum has grown to n; ok is false if it never does.
func (u *urgency) reaches(n float64) (t time.Duration, ok bool) {
	root := u.b*u.b - u.a*(u.c-n)
	if u.a <= 1e-12 || root < 0 {
		return 0, false
	}
	x := (u.b + math.Sqrt(root)) / u.a
	if x > math.MaxInt64/float64(2*time.Second) {
		return 0, false
	}
	return u.origin + time.Duration(x*float64(time.Second)), true
}

// restart empties the sum, and counts time from origin.
func (u *urgency) restart(origin time.Duration) { *u = urgency{origin: origin} }
