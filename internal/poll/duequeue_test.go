package poll

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

type queued struct {
	place
}

func (q *queued) placed() *place { return &q.place }

// FuzzDueQueue plays operations beside a sorted list: each byte sets an element to a time, or removes it, or takes the
// top.
func FuzzDueQueue(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 200, 100, 50, 3, 1, 250, 251})
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		ops := make([]byte, 300)
		for i := range ops {
			ops[i] = byte(r.Uint32())
		}
		f.Add(ops)
	}
	f.Fuzz(playQueue)
}

func playQueue(t *testing.T, ops []byte) {
	var q dueQueue[*queued]
	elements := make([]queued, 16)
	in := map[*queued]time.Duration{}
	for i, op := range ops {
		e := &elements[op%16]
		switch at := time.Duration(op/16+byte(i)) % 13; {
		case op >= 240:
			if top, _, ok := q.top(); ok {
				q.remove(top)
				delete(in, top)
			}
		case op >= 192:
			q.remove(e)
			delete(in, e)
		default:
			q.set(e, at)
			in[e] = at
		}
		checkQueue(t, q, in)
	}
	var drained []time.Duration
	for e, at, ok := q.top(); ok; e, at, ok = q.top() {
		drained = append(drained, at)
		q.remove(e)
		if q.remove(e); e.pos != 0 {
			t.Errorf("got place %d of an element that was removed, want 0", e.pos)
		}
	}
	if !slices.IsSorted(drained) || len(drained) != len(in) {
		t.Errorf("got %v, want %d in order", drained, len(in))
	}
}

func checkQueue(t *testing.T, q dueQueue[*queued], in map[*queued]time.Duration) {
	t.Helper()
	top, at, ok := q.top()
	if len(q) != len(in) || ok != (len(in) > 0) {
		t.Fatalf("got %d in the queue, a top: %v, want %d", len(q), ok, len(in))
	}
	if ok && (at != in[top] || top.pos != 1) {
		t.Fatalf("got a top at %v in place %d, want %v and 1", at, top.pos, in[top])
	}
	for i, e := range q {
		want, there := in[e]
		if !there || e.at != want || int(e.pos) != i+1 || want < at {
			t.Fatalf("got an element at %v in place %d of %d, under a top at %v, want %v", e.at, e.pos, i+1, at, want)
		}
	}
}

// planned1 is one planned poll.
type planned1 struct{ last, due time.Duration }

// TestUrgency compares the sum with a direct one.
func TestUrgency(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var u urgency
		u.restart(time.Duration(r.Int64N(int64(time.Hour))))
		at := u.origin
		var all []planned1
		for range 1 + r.IntN(30) {
			last := at + time.Duration(r.Int64N(int64(time.Minute))) - 30*time.Second
			e := planned1{last, last + time.Duration(r.Int64N(int64(10*time.Second)))}
			u.add(e.last, e.due, 1)
			if r.IntN(3) == 0 {
				u.add(e.last, e.due, -1)
				continue
			}
			all = append(all, e)
		}
		for _, after := range []time.Duration{0, time.Second, time.Minute} {
			direct := 0.0
			for _, e := range all {
				direct += worth(e.last, e.due, at+after)
			}
			if got := u.sum(at + after); math.Abs(got-direct) > 1e-6*max(1, direct) {
				t.Errorf("got a sum of %v, want %v", got, direct)
			}
		}
		checkReaches(t, &u, len(all))
	}
}

// checkReaches makes sure that the sum is what reaches says, when it says so, and grows.
func checkReaches(t *testing.T, u *urgency, n int) {
	t.Helper()
	floor := u.sum(u.origin + time.Minute) // past all that was polled last, from where it grows
	for _, more := range []float64{0.5, 1, 10, 1000} {
		at, ok := u.reaches(floor + more)
		if n == 0 {
			if ok {
				t.Errorf("got %v of an empty sum, want never", at)
			}
			continue
		}
		if got := u.sum(at); !ok || math.Abs(got-floor-more) > 1e-4*(floor+more) || at < u.origin+time.Minute {
			t.Errorf("got %v at %v, %v, want %v", got, at, ok, floor+more)
		}
	}
}

func TestUrgencyEdges(t *testing.T) {
	var u urgency
	if at, ok := u.reaches(0); ok {
		t.Errorf("an empty sum: got %v, want never", at)
	}
	u.add(0, 10*time.Second, 1) // (t/10s)²
	for n, want := range map[float64]time.Duration{0: 0, 1: 10 * time.Second, 4: 20 * time.Second} {
		if at, ok := u.reaches(n); !ok || at != want {
			t.Errorf("reaches %v: got %v, %v, want %v", n, at, ok, want)
		}
	}
	if at, ok := u.reaches(-1); ok {
		t.Errorf("less than nothing: got %v, want never", at)
	}
	if u.changes != 1 {
		t.Errorf("got %d changes, want 1", u.changes)
	}
	u.restart(time.Minute)
	if u != (urgency{origin: time.Minute}) {
		t.Errorf("got %+v, want an empty sum", u)
	}
	u.add(time.Minute, time.Minute+1000*time.Hour, 1) // about 3e-13 a second squared: nothing
	if at, ok := u.reaches(1); ok {
		t.Errorf("a pause of 1000h: got %v, want never", at)
	}
	u.restart(0)
	u.add(0, 250*time.Hour, 1)
	if at, ok := u.reaches(1e18); ok {
		t.Errorf("past the end of time: got %v, want never", at)
	}
	if at, ok := u.reaches(1); !ok || at.Round(time.Second) != 250*time.Hour {
		t.Errorf("a pause of 250h: got %v, %v, want 250h", at, ok)
	}
	u = urgency{a: 1e-12, c: -1}
	if at, ok := u.reaches(0); ok {
		t.Errorf("as good as nothing: got %v, want never", at)
	}
	const end = math.MaxInt64 / float64(2*time.Second)
	u = urgency{a: 1, b: end / 2}
	if at, ok := u.reaches(0); !ok || at != time.Duration(end*float64(time.Second)) {
		t.Errorf("half the end of time: got %v, %v, want it", at, ok)
	}
	if got := worth(3*time.Second, 5*time.Second, 4*time.Second); got != 0.25 {
		t.Errorf("half the pause: got %v, want 0.25", got)
	}
	if got := worth(3*time.Second, time.Second, 4*time.Second); got != 1e6 {
		t.Errorf("a pause of less than nothing: got %v, want one of 1ms", got)
	}
}
