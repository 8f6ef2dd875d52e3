// Package chaos plays random scripts of answers, faults and latencies against a Source, for its tests: an oracle, which
// is written from the rules, says how each wait must end, and by which answer.
package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

// Meaning is what an answer must mean to a wait, in the oracle's eyes.
type Meaning string

// The meanings.
const (
	Rows      Meaning = "rows" // what the task's script says at that moment
	Unknown   Meaning = "unknown status"
	Blank     Meaning = "empty status" // transient, where there is a row
	Missing   Meaning = "not found"
	Absent    Meaning = "no such instance" // not found, and permanent if it comes again within 10 s
	Throttled Meaning = "throttled"
	Transient Meaning = "transient"
	Permanent Meaning = "permanent"
	Denied    Meaning = "denied"                 // permanent, but it may pass where there was a good answer
	Lagging   Meaning = "lagging"                // a row of a task that runs, whatever the truth
	Unsigned  Meaning = "unsigned"               // the request could not be signed: transient
	Bare      Meaning = "a row without a status" // transient alone, nothing in a list; but the instance is there
)

// Fault is what can befall a request, how often, and what it must mean.
type Fault struct {
	Weight int // 1 where it is 0
	Means  Meaning
	Fault  fakecloud.Fault
	Says   string // where it is known by what it says
}

// Faults are those of any API: each call gives a slice of its own.
func Faults() []Fault {
	return []Fault{
		{Weight: 60, Means: Rows, Fault: fakecloud.Serve()},
		{Weight: 10, Means: Rows, Fault: fakecloud.Slow(1500 * time.Millisecond)},
		{Weight: 3, Means: Throttled, Fault: fakecloud.Throttle(0)},
		{Weight: 3, Means: Throttled, Fault: fakecloud.Throttle(17 * time.Second)},
		{Weight: 2, Means: Throttled, Fault: fakecloud.Respond(503, "", "Retry-After", "9")},
		{Weight: 6, Means: Transient, Fault: fakecloud.Unavailable()},
		{Weight: 6, Means: Transient, Fault: fakecloud.Drop()},
		{Weight: 3, Means: Transient, Fault: fakecloud.Truncate()},
		{Weight: 2, Means: Transient, Fault: fakecloud.Stall()},
		{Weight: 4, Means: Transient, Fault: fakecloud.Hang()},
		{Weight: 3, Means: Transient, Fault: fakecloud.HTML(200)},
		{Weight: 3, Means: Transient, Fault: fakecloud.HTML(502)},
		{Weight: 2, Means: Transient, Fault: fakecloud.Respond(200, "{}")},
		{Weight: 2, Means: Transient, Fault: fakecloud.Respond(200, "null")},
		{Weight: 2, Means: Transient, Fault: fakecloud.Respond(200, "")},
		{Weight: 2, Means: Transient, Fault: fakecloud.Respond(204, "")},
		{Weight: 2, Means: Transient, Fault: fakecloud.Respond(302, "", "Location", "/login")},
		{Weight: 2, Means: Transient, Fault: fakecloud.Error(408, "X.408", "Timeout.")},
		{Weight: 2, Means: Transient, Fault: fakecloud.HTML(404)},
		{Weight: 2, Means: Transient, Fault: fakecloud.Respond(404, `{"code":"not_found","message":"No such route."}`)},
		{Weight: 1, Means: Transient, Fault: fakecloud.Respond(409, "")},
		{Weight: 1, Means: Transient, Fault: fakecloud.Respond(423, "")},
		{
			Weight: 2, Means: Transient,
			Fault: fakecloud.Respond(200, `{"error_code":"X.500","error_msg":"Internal error."}`),
		},
	}
}

// Service is what scripts are played against.
type Service struct {
	Faults []Fault
	Odd    []Fault // come in place of one fault in eight

	// Start puts the task of a script behind a Source, with the script's faults on its routes.
	Start func(t *testing.T, s *Script) Started
}

// Started is a task, and the Sources that show it. If Source is a Lister, the list is asked too.
type Started struct {
	ID       string
	Source   taskwait.Source
	Unsigned taskwait.Source // whose credential fails; nil: Unsigned is no fault of the service
}

// Script is what is played.
type Script struct {
	Steps       []Step // of the task
	ListedAfter time.Duration
	Latency     time.Duration
	Show        []fakecloud.Fault // of the queries for the task, in this order
	List        []fakecloud.Fault // of the pages of the list
	Others      int               // further tasks that never end, so that the list has several pages
}

// Step is a status that the task has from a time on.
type Step struct {
	After  time.Duration
	Status taskwait.Status
}

// Pick draws one of the faults by their weights.
func Pick(rnd *rand.Rand, faults []Fault) Fault {
	total := 0
	for _, f := range faults {
		total += max(f.Weight, 1)
	}
	n := rnd.IntN(total)
	for _, f := range faults {
		if n -= max(f.Weight, 1); n < 0 {
			return f
		}
	}
	panic("not reached")
}

// Span draws a time between two.
func Span(rnd *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(rnd.Int64N(int64(to-from)))
}

// event is one query, as it really was.
type event struct {
	sent, arrived time.Duration // since the start
	means         Meaning
	status        taskwait.Status // of the task in the cloud when the answer was made
	cut           bool            // the wait cancelled the query
	list          bool            // it was a page of the list
}

// chaos is one random script, and what came of it.
type chaos struct {
	Script
	Started
	timeout, ctxEnd  time.Duration // 0: none
	tolerance, grace time.Duration

	start  time.Time
	mu     sync.Mutex
	means  []Meaning
	asked  int
	events []*event
}

func newChaos(t *testing.T, s *Service, rnd *rand.Rand) *chaos {
	c := &chaos{tolerance: Span(rnd, 0, 3*time.Minute), grace: Span(rnd, 0, 2*time.Minute), start: time.Now()}
	if rnd.IntN(2) == 0 {
		c.timeout = Span(rnd, time.Second, 10*time.Minute)
	}
	if c.timeout == 0 || rnd.IntN(3) == 0 {
		c.ctxEnd = Span(rnd, time.Second, 12*time.Minute)
	}
	ends := []taskwait.Status{
		taskwait.StatusSuccess, taskwait.StatusSuccess, taskwait.StatusFailed, taskwait.StatusDeleted,
		taskwait.StatusCancelled, taskwait.StatusExecuting,
	}
	c.Steps = []Step{
		{Status: taskwait.StatusCreated}, {After: Span(rnd, 1, time.Minute), Status: taskwait.StatusExecuting},
		{After: Span(rnd, time.Minute, 8*time.Minute), Status: ends[rnd.IntN(len(ends))]},
	}
	if rnd.IntN(4) == 0 {
		c.ListedAfter = Span(rnd, 1, time.Minute)
	}
	c.Latency = Span(rnd, 0, 300*time.Millisecond)
	c.draw(s, rnd)
	c.Others = rnd.IntN(3) * rnd.IntN(150)
	c.Started = s.Start(t, &c.Script)
	return c
}

// draw draws the faults.
func (c *chaos) draw(s *Service, rnd *rand.Rand) {
	for range rnd.IntN(60) {
		f := Pick(rnd, s.Faults)
		if len(s.Odd) > 0 && rnd.IntN(8) == 0 {
			f = s.Odd[rnd.IntN(len(s.Odd))]
		}
		if f.Means != Unsigned {
			c.Show = append(c.Show, f.Fault)
		}
		c.means = append(c.means, f.Means)
	}
	if rnd.IntN(5) == 0 { // bad to the end
		f := Pick(rnd, s.Faults)
		c.Show = append(c.Show, f.Fault.For(time.Hour))
		for range 1000 {
			c.means = append(c.means, f.Means)
		}
	}
	for range rnd.IntN(60) {
		f := Pick(rnd, s.Faults)
		if len(s.Odd) > 0 && rnd.IntN(8) == 0 {
			f = s.Odd[rnd.IntN(len(s.Odd))]
		}
		if f.Means != Unsigned {
			c.List = append(c.List, f.Fault)
		}
	}
}

// Task asks the real source, and notes what really happened.
func (c *chaos) Task(ctx context.Context, id string) (taskwait.Task, error) {
	c.mu.Lock()
	e := &event{sent: time.Since(c.start), means: Rows}
	if c.asked < len(c.means) {
		e.means = c.means[c.asked]
	}
	c.asked++
	c.events = append(c.events, e)
	c.mu.Unlock()
	source := c.Source
	if e.means == Unsigned {
		source, e.means = c.Unsigned, Transient
	}
	task, err := source.Task(ctx, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	e.arrived, e.cut = time.Since(c.start), ctx.Err() != nil
	for _, s := range c.Steps {
		if e.arrived >= s.After {
			e.status = s.Status
		}
	}
	switch listed := e.arrived >= c.ListedAfter; {
	case !listed && (e.means == Rows || e.means == Unknown || e.means == Blank):
		e.means = Missing
	case e.means == Blank:
		e.means = Bare
	}
	return task, err
}

// Run plays the scripts from one seed to another through each way to wait, each in a bubble, and compares each outcome
// with the oracle's. again is the command that plays the script of a seed again.
func Run(t *testing.T, s *Service, from, to uint64, again string) {
	t.Helper()
	for i := range drivers {
		t.Run(drivers[i].name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]int{}
			for seed := from; seed <= to; seed++ {
				synctest.Test(t, func(t *testing.T) { seen[play(t, s, seed, i)]++ })
				if t.Failed() {
					t.Fatalf("to play it again: %s %d", again, seed)
				}
			}
			t.Logf("%d scripts: %v", to-from+1, seen)
		})
	}
}

func play(t *testing.T, s *Service, seed uint64, driver int) string {
	c := newChaos(t, s, rand.New(rand.NewPCG(seed, seed)))
	ctx := t.Context()
	if c.ctxEnd > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.ctxEnd)
		defer cancel()
	}
	task, err := drivers[driver].wait(ctx, c, taskwait.WithTimeout(c.timeout), taskwait.WithErrorTolerance(c.tolerance),
		taskwait.WithNotFoundGrace(c.grace), taskwait.WithQueryTimeout(10*time.Second))
	elapsed := time.Since(c.start)
	synctest.Wait() // a call that was left behind ends
	got := Outcome(err)
	want, ok := c.expects(got, elapsed)
	switch {
	case !ok:
		t.Errorf("seed %d: %s after %v, want %s\n%v", seed, got, elapsed, want, c)
	case got == "context" && elapsed != c.ctxEnd:
		t.Errorf("seed %d: the context ended after %v, the wait after %v", seed, c.ctxEnd, elapsed)
	case c.timeout > 0 && elapsed > c.timeout+5*time.Second:
		t.Errorf("seed %d: over %v after the start, with a timeout of %v", seed, elapsed, c.timeout)
	case (got == "SUCCESS") != task.Status.Succeeded() || err != nil && !strings.Contains(err.Error(), c.ID):
		t.Errorf("seed %d: %v with %v", seed, err, task)
	}
	return got
}

// expects asks the oracle whether got is right, and whether the wait has ended with the answer that brought it. Of
// answers that came at one instant, from the list and alone, either may have been looked at first; and beside a row of
// the list, what is not a row may not have been looked at.
func (c *chaos) expects(got string, elapsed time.Duration) (want string, ok bool) {
	all := c.events
	defer func() { c.events = all }()
	for variant := range 3 {
		listFirst := variant > 0
		if variant == 2 {
			c.events = withoutBesideList(all)
		}
		slices.SortStableFunc(c.events, func(a, b *event) int {
			if a.arrived != b.arrived || a.list == b.list {
				return cmp.Compare(a.arrived, b.arrived)
			}
			if a.list == listFirst {
				return -1
			}
			return 1
		})
		var last int
		want, last = c.oracle()
		late := slices.IndexFunc(c.events[last+1:], func(e *event) bool { return e.arrived < elapsed || e.sent > elapsed })
		if got == want && late < 0 {
			return want, true
		}
		want = fmt.Sprintf("%s by query %d of %d", want, last+1, len(c.events))
	}
	return want, false
}

// withoutBesideList are the events without those that are no row, and came at the same instant as one from the list.
func withoutBesideList(all []*event) []*event {
	return slices.DeleteFunc(slices.Clone(all), func(e *event) bool {
		return e.means != Rows && e.means != Unknown && e.means != Lagging &&
			slices.ContainsFunc(all, func(l *event) bool { return l.list && l.arrived == e.arrived })
	})
}

func (c *chaos) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "timeout %v, context %v, tolerance %v, grace %v, listed after %v, steps %v\n", c.timeout, c.ctxEnd,
		c.tolerance, c.grace, c.ListedAfter, c.Steps)
	for i, e := range c.events {
		fmt.Fprintf(&b, "%3d sent %v arrived %v: %s (%s, cut %v, list %v)\n", i+1, e.sent, e.arrived, e.means, e.status,
			e.cut, e.list)
	}
	return b.String()
}
