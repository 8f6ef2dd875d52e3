package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
	"golang.org/x/time/rate"
)

// life is what becomes of one task. Times are counted from the start of the script.
type life struct {
	id                      string
	created, running, ended time.Duration // before created the service does not know the id
	status                  taskwait.Status
	flap                    time.Duration // the task is seen EXECUTING again from ended+flap to ended+2*flap; 0: never
	phased                  bool          // a restart: SUCCESS in phase RUNNING until running, then RESTARTING until ended
}

// at is the service's row at t; false: there is none.
func (l *life) at(t time.Duration) (taskwait.Task, bool) {
	row := taskwait.Task{ID: l.id, Status: taskwait.StatusExecuting}
	flapping := l.flap > 0 && t >= l.ended+l.flap && t < l.ended+2*l.flap
	switch {
	case t < l.created:
		return row, false
	case t >= l.ended && !flapping:
		row.Status = l.status
	case t < l.running && l.phased:
		row.Status = taskwait.StatusSuccess
	case t < l.running:
		row.Status = taskwait.StatusCreated
	}
	if l.phased {
		row.Phase = stalePhase
		if t >= l.running && t < l.ended || flapping {
			row.Phase = "RESTARTING"
		}
	}
	return row, true
}

const stalePhase = "RUNNING"

type faultKind int

const (
	failPlain faultKind = iota
	failTransient
	failThrottled
	failConflict
	failNotFound
	failPermanent
	otherID
	unknownStatus
	emptyStatus
	hangHonouring // until the context ends, or for the fault's duration
	hangIgnoring  // for the fault's duration, whatever the context does
	panics
	exits // runtime.Goexit
	unsupported
	dropRows
	repeatRows
	foreignRows
	repeatToken
	endlessList
)

var faultNames = [...]string{
	"plain", "transient", "throttled", "conflict", "not-found", "permanent", "other-id", "unknown-status", "empty-status",
	"hang", "hang-heedless", "panic", "goexit", "unsupported", "drop-rows", "repeat-rows", "foreign-rows", "repeat-token",
	"endless",
}

func (k faultKind) String() string { return faultNames[k] }

// Whom a fault concerns, if it is not one task.
const (
	everyTask = -1
	listPages = -2
)

// fault is what a share of the calls meets that begin between from and to.
type fault struct {
	on       int // the index of a task, everyTask or listPages
	kind     faultKind
	from, to time.Duration
	percent  uint64
	d        time.Duration // RetryAfter, or how long the call hangs
}

// outcome is what a call came to.
type outcome int

const (
	outInFlight outcome = iota
	outSeen
	outTransient
	outThrottled // a conflict too
	outNotFound
	outPermanent
	outPanicked
	outExited
)

var outcomeNames = [...]string{
	"…", "seen", "transient", "throttled", "not-found", "permanent", "neutral", "panic", "goexit",
}

// call is one call of the Source.
type call struct {
	n          int
	id         string // empty: a page of the list
	page       string
	job        *job // whose context it has; nil: nobody's
	begin, end time.Duration
	from, to   int // the same in order: events of the service are counted
	out        outcome
	cancelled  bool // it ended because its context did
	conflict   bool
	after      time.Duration
	status     taskwait.Status
	phase      string
	rows       []taskwait.Task
}

func (c *call) returned() bool { return c.out != outInFlight }

// during reports whether the call was in flight when the other one began.
func (c *call) during(other *call) bool {
	return c.from < other.from && (!c.returned() || c.to > other.from)
}

// took is how long the call has lasted by t.
func (c *call) took(t time.Duration) time.Duration {
	if c.returned() {
		return c.end - c.begin
	}
	return t - c.begin
}

// service is the simulated service. Chance is drawn from the seed, the id and the number of the call, so that the order
// in which goroutines run does not matter.
type simService struct {
	seed    uint64
	start   time.Time
	tasks   []life
	faults  []fault
	latency time.Duration // the most that an answer takes
	perPage int
	quota   *rate.Limiter // nil: none. Who asks beyond it is throttled
	window  time.Duration // what the service says then

	mu     sync.Mutex
	index  map[string]int
	calls  []*call
	events int
	count  map[string]uint64 // calls by id
}

// maxCalls in one instant, and all in all, are far more than any script needs: more means that the engine spins.
const (
	maxCallsAtOnce = 2_000
	maxCalls       = 200_000
)

type jobKey struct{}

func (s *simService) now() time.Duration { return time.Since(s.start) }

// chance is a random number that depends on its arguments alone.
func (s *simService) chance(c *call, nth, what uint64) uint64 {
	h := s.seed*0x9e3779b97f4a7c15 + what*0xff51afd7ed558ccd + nth*0xc4ceb9fe1a85ec53
	for _, b := range []byte(c.id) {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	return rand.New(rand.NewPCG(h, nth)).Uint64()
}

// begin records a call and finds its fault.
func (s *simService) begin(ctx context.Context, id, page string) (c *call, f *fault, nth uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.calls); n >= maxCalls || n > maxCallsAtOnce && s.calls[n-maxCallsAtOnce].begin == s.now() {
		panic("the engine spins")
	}
	c = &call{n: len(s.calls), id: id, page: page, begin: s.now()}
	c.job, _ = ctx.Value(jobKey{}).(*job)
	s.events++
	c.from = s.events
	s.calls = append(s.calls, c)
	s.count[id]++
	nth = s.count[id]
	for i := range s.faults {
		g := &s.faults[i]
		on := g.on == listPages && id == "" || id != "" && (g.on == everyTask || g.on >= 0 && s.tasks[g.on].id == id)
		on = on && c.begin >= g.from && c.begin < g.to
		if on && s.chance(c, nth, uint64(i)+10)%100 < g.percent {
			return c, g, nth
		}
	}
	if s.quota != nil && !s.quota.Allow() {
		return c, &fault{kind: failThrottled, d: s.window}, nth
	}
	return c, nil, nth
}

// finish records what a call has come to: also after a panic or runtime.Goexit.
func (s *simService) finish(c *call, out *outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events++
	c.out, c.end, c.to = *out, s.now(), s.events
}

// modelPanic is what a call panics with.
type modelPanic int

func (p modelPanic) Error() string { return "model panic " + strconv.Itoa(int(p)) + "." }

// suffer does what the fault does before there is an answer: it waits, panics, or ends the goroutine. It returns how
// the call ends early, if it does.
func (s *simService) suffer(ctx context.Context, c *call, f *fault, nth uint64, out *outcome) error {
	if s.latency > 0 {
		time.Sleep(time.Duration(s.chance(c, nth, 1) % uint64(s.latency)))
	}
	if f == nil {
		return nil
	}
	switch f.kind {
	case hangHonouring:
		t := time.NewTimer(f.d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			c.cancelled, *out = true, outTransient
			return ctx.Err()
		}
	case hangIgnoring:
		time.Sleep(f.d)
	case panics:
		*out = outPanicked
		panic(modelPanic(c.n))
	case exits:
		*out = outExited
		runtime.Goexit()
	default:
		return s.refuse(c, f, out)
	}
	return nil
}

// refuse is the error of a fault that answers with one.
func (s *simService) refuse(c *call, f *fault, out *outcome) error {
	q := &taskwait.QueryError{Err: fmt.Errorf("%v, call %d", f.kind, c.n), RetryAfter: f.d}
	*out = outTransient
	switch f.kind {
	case failPlain:
		return q.Err
	case failTransient:
		q.RetryAfter = 0
	case failThrottled, failConflict:
		q.Class, *out, c.after = taskwait.ClassThrottled, outThrottled, f.d
		if f.kind == failConflict {
			q.Class, q.RetryAfter, c.after, c.conflict = taskwait.ClassConflict, 0, 0, true
		}
	case failNotFound:
		q.Class, q.RetryAfter, *out = taskwait.ClassNotFound, 0, outNotFound
	case failPermanent:
		q.Class, q.RetryAfter, *out = taskwait.ClassPermanent, 0, outPermanent
	case unsupported:
		return errors.ErrUnsupported
	default:
		*out = outInFlight
		return nil
	}
	return q
}

// Task answers for one task.
func (s *simService) Task(ctx context.Context, id string) (row taskwait.Task, err error) {
	c, f, nth := s.begin(ctx, id, "")
	out := outExited
	defer func() { s.finish(c, &out) }()
	asOf := c.begin
	if err := s.suffer(ctx, c, f, nth, &out); err != nil {
		return taskwait.Task{}, err
	}
	if s.chance(c, nth, 2)%2 == 0 {
		asOf = s.now()
	}
	i, known := s.index[id]
	if known {
		row, known = s.tasks[i].at(asOf)
	}
	if !known {
		out = outNotFound
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("no such task")}
	}
	out = outSeen
	if f != nil {
		out = s.distort(&row, f.kind)
	}
	c.status, c.phase = row.Status, row.Phase
	return row, nil
}

// distort changes a row as a fault does.
func (s *simService) distort(row *taskwait.Task, kind faultKind) outcome {
	switch kind {
	case otherID:
		row.ID = "another"
		return outNotFound
	case unknownStatus:
		row.Status = "PAUSED"
	case emptyStatus:
		row.Status = ""
		return outTransient // malformed
	}
	return outSeen
}

// page answers with one page of the list.
func (s *simService) page(ctx context.Context, token string) (rows []taskwait.Task, next string, err error) {
	c, f, nth := s.begin(ctx, "", token)
	out := outExited
	defer func() { s.finish(c, &out) }()
	if err := s.suffer(ctx, c, f, nth, &out); err != nil {
		return nil, "", err
	}
	at, _ := strconv.Atoi(token)
	t := s.now()
	var all []taskwait.Task
	for i := range s.tasks {
		if row, known := s.tasks[i].at(t); known {
			all = append(all, row)
		}
	}
	if to := min(at+s.perPage, len(all)); at < to {
		rows = all[at:to]
		if to < len(all) {
			next = strconv.Itoa(to)
		}
	}
	if f != nil {
		rows, next = s.distortPage(c, nth, f.kind, rows, token, next)
	}
	c.rows, out = rows, outSeen
	return rows, next, nil
}

// distortPage changes a page as a fault does.
func (s *simService) distortPage(c *call, nth uint64, kind faultKind, rows []taskwait.Task, token, next string) (
	[]taskwait.Task, string) {
	switch kind {
	case dropRows:
		var kept []taskwait.Task
		for i := range rows {
			if s.chance(c, nth, uint64(100+i))%2 == 0 {
				kept = append(kept, rows[i])
			}
		}
		return kept, next
	case repeatRows:
		return append(append([]taskwait.Task(nil), rows...), rows...), next
	case foreignRows:
		foreign := []taskwait.Task{{ID: "foreign", Status: taskwait.StatusSuccess}, {Status: taskwait.StatusFailed}}
		return append(foreign, rows...), next
	case repeatToken:
		if token != "" {
			return rows, token
		}
	case endlessList:
		at, _ := strconv.Atoi(token)
		return rows, strconv.Itoa(at + s.perPage)
	}
	return rows, next
}
