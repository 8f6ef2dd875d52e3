package taskwait_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/time/rate"
)

// answerKind is how a call of an operation ends.
type answerKind int

const (
	accepts answerKind = iota
	refusesBusy
	refusesThrottled
	refusesNotSent
	refusesPermanent
	refusesNotFound
	losesAnswer // a plain error
	answersPanic
	answersGoexit
)

var answerNames = [...]string{
	"accepts", "busy", "throttled", "not-sent", "permanent", "not-found", "lost", "panic", "goexit",
}

// listLag is for how long a list may be behind the service: what is listed later cannot be told from another task.
const listLag = 5 * time.Second

// step is one call of the script's Start, Busy or Find.
type step struct {
	kind    answerKind
	carried bool // of Start: it is carried out, whatever the answer
	after   time.Duration
	d       time.Duration // how long it takes
	honours bool          // it ends with its context
}

// refuses reports whether the answer says that the operation was not carried out.
func (s step) refuses() bool { return s.kind >= refusesBusy && s.kind <= refusesNotFound }

// doCall is one call of an operation's functions.
type doCall struct {
	n          int
	what       string // "start", "find" or "busy"
	step       step
	begin, end time.Duration
	from, to   int // the same in order
	cut        bool
	listed     []string
}

// doScript is one random operation, and one Do.
type doScript struct {
	*plan
	seed    uint64
	service *simService
	named   bool // Start gives the id
	busy    bool // there is a Busy
	finds   bool // there is a Find
	steps   map[string][]step
	lag     time.Duration // until our task is listed
	runs    time.Duration // for so long, then it has succeeded
	others  []time.Duration
	rate    rate.Limit
}

// newDoScript draws a script.
func newDoScript(seed uint64) *doScript {
	d := dice{rand.New(rand.NewPCG(seed, 17))}
	s := &doScript{seed: seed, named: d.one(2), busy: d.one(2), steps: map[string][]step{}}
	s.finds = !s.named && !d.one(20) || d.one(2)
	s.plan = newPlan(d, []time.Duration{pick(d, 300*time.Millisecond, 2*time.Second, 10*time.Second, 30*time.Second)})
	s.ids, s.begin = []string{"op"}, 0
	s.service = newSimService(d, seed, 3)
	s.service.tasks[0] = life{id: "op", created: never, running: never, ended: never,
		status: pick(d, taskwait.StatusSuccess, taskwait.StatusSuccess, taskwait.StatusFailed)}
	s.service.index = map[string]int{"op": 0, "t1": 1, "t2": 2}
	s.lag = pick(d, 0, 0, d.upTo(5*time.Second), d.upTo(time.Minute))
	s.runs = d.upTo(pick(d, time.Second, 20*time.Second, 2*time.Minute))
	for i := range 2 {
		at := never
		if d.one(5) {
			at = d.upTo(20 * time.Second)
		}
		s.others = append(s.others, at)
		s.service.tasks[1+i] = life{id: fmt.Sprint("t", 1+i), created: at, running: at, ended: at,
			status: pick(d, taskwait.StatusSuccess, taskwait.StatusFailed)}
	}
	if s.limited = d.one(6); s.limited {
		s.rate = pick[rate.Limit](d, 1, 10)
	}
	refusals := []answerKind{refusesBusy, refusesBusy, refusesBusy, refusesThrottled, refusesNotSent}
	for range pick(d, 0, 0, 1, 2, 5) {
		s.steps["start"] = append(s.steps["start"], drawStep(d, pick(d, refusals...)))
	}
	if d.one(2) {
		kind := answerKind(d.IntN(len(answerNames)))
		s.steps["start"] = append(s.steps["start"], drawStep(d, kind))
	}
	s.drawRest(d, "busy", refusesBusy)
	s.drawRest(d, "find", losesAnswer)
	return s
}

// drawStep draws one call. What is not refused may have been carried out.
func drawStep(d dice, kind answerKind) step {
	s := step{kind: kind, after: pick(d, 0, d.upTo(10*time.Second)), honours: d.one(2)}
	s.carried = kind == accepts || !s.refuses() && d.one(2)
	s.d = pick(d, 0, d.upTo(200*time.Millisecond), d.upTo(200*time.Millisecond), d.upTo(40*time.Second))
	return s
}

// drawRest draws what Busy and Find do before all is well.
func (s *doScript) drawRest(d dice, what string, usual answerKind) {
	for range pick(d, 0, 0, 1, 3) {
		kind := usual
		if d.one(4) {
			kind = pick(d, refusesThrottled, losesAnswer, answersPanic, answersGoexit, refusesPermanent, accepts)
		}
		s.steps[what] = append(s.steps[what], drawStep(d, kind))
	}
}

// doModel is a script while it is played.
type doModel struct {
	*doScript
	waiter *taskwait.Waiter
	logs   *observer.ObservedLogs

	mu      sync.Mutex
	calls   []*doCall
	events  int
	count   map[string]int
	carried []time.Duration // when the operation was carried out
	found   []violation

	ret        time.Duration
	task       taskwait.Task
	err, final error
	panic      any
	done       int
	polls      int
	inside     bool
	over       bool
	goroutine  string

	abandoned, hanging, abandonedLater int
}

func (m *doModel) fail(rule, format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found = append(m.found, violation{rule, fmt.Sprintf(format, args...)})
}

// playDo plays scripts of Do.
func playDo(t *testing.T, seed uint64, ready func(func(bool) string)) []violation {
	m := &doModel{doScript: newDoScript(seed), count: map[string]int{}}
	ready(m.text)
	func() {
		defer func() {
			if v := recover(); v != nil {
				m.fail("leak", "%v", v)
			}
		}()
		synctest.Test(t, m.play)
	}()
	m.judge()
	return m.found
}

func (m *doModel) play(t *testing.T) {
	m.service.start = time.Now()
	core, logs := observer.New(zapcore.ErrorLevel)
	m.logs = logs
	var err error
	if m.waiter, err = taskwait.New(m.service, taskwait.WithLogger(zap.New(core))); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.run()
	}()
	<-done
	synctest.Wait()
	m.abandoned, m.hanging = abandonedCalls(m.waiter), m.service.hanging()+m.hangs()
	time.Sleep(time.Hour)
	synctest.Wait()
	m.abandonedLater = abandonedCalls(m.waiter)
}

// hangs is how many calls of the operation are in flight.
func (m *doModel) hangs() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.calls {
		if c.to == 0 {
			n++
		}
	}
	return n
}

func (m *doModel) run() {
	ctx, cancel := m.context(context.Background())
	defer cancel()
	find, busy := m.find, m.isBusy
	if !m.finds {
		find = nil
	}
	if !m.busy {
		busy = nil
	}
	var limit *taskwait.Limiter
	if m.limited {
		limit = taskwait.NewLimiter(rate.NewLimiter(m.rate, 1))
	}
	m.goroutine = goroutine()
	defer func() {
		m.panic = recover()
		m.over, m.ret = true, m.service.now()
	}()
	m.task, m.err = m.waiter.Do(ctx, simOperation("op", m.startIt, find, busy), m.options(limit, m.told)...)
}

// told is the progress callback.
func (m *doModel) told(p taskwait.Progress) {
	if g := goroutine(); g != m.goroutine || m.inside || m.over || m.done > 0 {
		m.fail("progress", "a callback on %s, want %s; inside %v, after the return %v, after Done %v", g, m.goroutine,
			m.inside, m.over, m.done > 0)
	}
	if p.Polls < m.polls {
		m.fail("polls-fall", "%d polls after %d", p.Polls, m.polls)
	}
	m.inside, m.polls = true, p.Polls
	if m.slow > 0 {
		time.Sleep(m.slow)
	}
	m.inside = false
	if p.Done {
		m.done++
		m.final = p.Outcome
	}
}

// call records a call and makes what the script says of it: it takes its time, then ends as its step says.
func (m *doModel) call(ctx context.Context, what string, then func(*doCall)) error {
	c := m.beginCall(what)
	defer m.endCall(c)
	var ended <-chan struct{}
	if c.step.honours {
		ended = ctx.Done()
	}
	if c.step.d > 0 {
		select {
		case <-time.After(c.step.d):
		case <-ended:
			c.cut = true
		}
	}
	if c.step.carried && what == "start" {
		m.carryOut()
	}
	switch {
	case c.cut:
		return ctx.Err()
	case c.step.kind == answersPanic:
		panic(modelPanic(c.n))
	case c.step.kind == answersGoexit:
		runtime.Goexit()
	}
	then(c)
	return c.step.err()
}

func (m *doModel) beginCall(what string) *doCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &doCall{n: len(m.calls), what: what, begin: m.service.now(), step: step{kind: accepts, carried: true}}
	if nth := m.count[what]; nth < len(m.steps[what]) {
		c.step = m.steps[what][nth]
	}
	if len(m.calls) > maxCalls {
		panic("the engine spins")
	}
	m.count[what]++
	m.events++
	c.from = m.events
	m.calls = append(m.calls, c)
	return c
}

func (m *doModel) endCall(c *doCall) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events++
	c.to, c.end = m.events, m.service.now()
}

// err is the error that the step answers with.
func (s step) err() error {
	q := &taskwait.QueryError{Err: errors.New("the script says " + answerNames[s.kind])}
	switch s.kind {
	case refusesBusy:
		q.Class = taskwait.ClassConflict
	case refusesThrottled:
		q.Class, q.RetryAfter = taskwait.ClassThrottled, s.after
	case refusesNotSent:
		q.Class = taskwait.ClassNotSent
	case refusesPermanent:
		q.Class = taskwait.ClassPermanent
	case refusesNotFound:
		q.Class = taskwait.ClassNotFound
	case losesAnswer:
		return q.Err
	default:
		return nil
	}
	return q
}

// carryOut begins our task.
func (m *doModel) carryOut() {
	m.service.mu.Lock()
	defer m.service.mu.Unlock()
	now := m.service.now()
	m.carried = append(m.carried, now)
	l := &m.service.tasks[0]
	l.created, l.running, l.ended = now, now, now+m.runs
}

func (m *doModel) startIt(ctx context.Context) (id string, err error) {
	err = m.call(ctx, "start", func(c *doCall) {
		if m.named && c.step.kind == accepts {
			id = "op"
		}
	})
	return id, err
}

func (m *doModel) isBusy(ctx context.Context) (what string, err error) {
	err = m.call(ctx, "busy", func(c *doCall) {
		if c.step.kind == refusesBusy {
			what = "another"
		}
	})
	if what != "" {
		err = nil
	}
	return what, err
}

func (m *doModel) find(ctx context.Context) (all []taskwait.Task, err error) {
	err = m.call(ctx, "find", func(c *doCall) {
		if c.step.kind == accepts {
			all = m.listed()
			for i := range all {
				c.listed = append(c.listed, all[i].ID)
			}
		}
	})
	return all, err
}

// listed are the tasks that the list shows now: ours after its lag, and others of the same name.
func (m *doModel) listed() (all []taskwait.Task) {
	m.service.mu.Lock()
	defer m.service.mu.Unlock()
	now := m.service.now()
	for i := range m.service.tasks {
		l := &m.service.tasks[i]
		if row, known := l.at(now); known && (i > 0 || now >= l.created+m.lag) {
			all = append(all, row)
		}
	}
	return all
}

// judge holds what Do did against the rules.
func (m *doModel) judge() {
	m.judgeStarts()
	m.judgePanic()
	if m.abandoned != m.hanging || m.abandonedLater != 0 {
		m.fail("abandoned", "%d abandoned calls at the end, %d hang; %d an hour later", m.abandoned, m.hanging,
			m.abandonedLater)
	}
	if m.slow == 0 {
		if m.ret > m.end {
			m.fail("context", "returned at %v, the context ended at %v: %v", m.ret, m.end, m.err)
		}
		if m.timeout > 0 && m.ret > m.timeout+overAfter+time.Millisecond {
			m.fail("timeout", "returned at %v, the timeout was %v: %v", m.ret, m.timeout, m.err)
		}
	}
	if m.panic == nil {
		m.judgeOutcome()
	}
}

// judgeStarts: the operation is sent again only after it was refused, and never when Do has returned or its time is up.
// One call is in flight at a time.
func (m *doModel) judgeStarts() {
	var last *doCall
	for i, c := range m.calls {
		m.judgeCall(c, m.calls[:i])
		if c.what != "start" {
			continue
		}
		if abandoned := m.sentBy(c); abandoned != nil {
			m.fail("abandoned-acts", "start call %d was made by busy call %d, which was abandoned", c.n, abandoned.n)
		} else if last != nil {
			m.judgeSecond(last, c)
		}
		last = c
	}
	if len(m.carried) > 1 {
		m.fail("twice", "carried out at %v", m.carried)
	}
}

// judgeCall: it is made while there is time, and alone, but that a task may be looked for while an abandoned Start
// hangs.
func (m *doModel) judgeCall(c *doCall, earlier []*doCall) {
	if c.begin > m.ret {
		m.fail("late-call", "%s call %d began at %v, Do returned at %v", c.what, c.n, c.begin, m.ret)
	}
	if c.what == "start" && (c.begin > m.end || m.timeout > 0 && c.begin > m.timeout) {
		m.fail("late-start", "start call %d began at %v, the time was up", c.n, c.begin)
	}
	for _, before := range earlier {
		search := before.what == "start" && c.what == "find" // of an operation whose Start was abandoned
		if (before.to == 0 || before.to > c.from) && !search {
			m.fail("two-calls", "%s call %d began at %v, while %s call %d was in flight", c.what, c.n, c.begin,
				before.what, before.n)
		}
	}
}

// sentBy is the abandoned call at whose end the operation was sent, if there is one.
func (m *doModel) sentBy(start *doCall) *doCall {
	for _, c := range m.calls {
		if c.what == "busy" && c.to == start.from-1 && c.end == start.begin && c.end-c.begin > m.query {
			return c
		}
	}
	return nil
}

// judgeSecond: the operation was refused before it is sent again, and there was a pause.
func (m *doModel) judgeSecond(before, c *doCall) {
	again := []answerKind{refusesBusy, refusesThrottled, refusesNotSent}
	if before.cut || !slices.Contains(again, before.step.kind) {
		m.fail("sent-again", "start call %d, after call %d, which ended as %s (cut off %v)", c.n, before.n,
			answerNames[before.step.kind], before.cut)
	}
	if m.slow > 0 {
		return
	}
	from := min(before.end, m.polledAt(before)+m.query) // a call is abandoned then
	if by := from + m.shortestPause(); c.begin < by && !(m.deadline && c.begin >= m.end-deadlineAhead) {
		m.fail("spacing", "start call %d began at %v, want a pause after call %d, until %v", c.n, c.begin, before.n, by)
	}
	if by := before.end + before.step.after; before.step.kind == refusesThrottled && c.begin < by {
		m.fail("early", "start call %d began at %v, call %d was told to come at %v", c.n, c.begin, before.n, by)
	}
}

// polledAt is when the poll began that made a start call: with that of Busy, if it was clear.
func (m *doModel) polledAt(start *doCall) time.Duration {
	if start.n > 0 {
		if c := m.calls[start.n-1]; c.what == "busy" && c.step.kind == accepts && !c.cut && c.end-c.begin < m.query {
			return c.begin
		}
	}
	return start.begin
}

func (p *plan) shortestPause() time.Duration {
	least := never
	for _, d := range p.pauses {
		if d >= 0 {
			least = min(least, max(d, time.Millisecond))
		}
	}
	if p.pauses == nil {
		least = p.lo
	}
	return least
}

// judgePanic: a panic is raised or logged.
func (m *doModel) judgePanic() {
	raised, ours := panicOf(m.panic)
	if !ours {
		m.fail("panic", "Do panicked with %v", m.panic)
	}
	logged := logText(m.logs)
	for _, c := range m.calls {
		silent := c.n != raised && !strings.Contains(logged, modelPanic(c.n).Error())
		if c.step.kind == answersPanic && !c.cut && silent {
			m.fail("panic", "%s call %d panicked, and nobody raised or logged it", c.what, c.n)
		}
	}
}

// may reports whether any Start may have been carried out, as far as its answers say.
func (m *doModel) may() bool {
	return slices.ContainsFunc(m.calls, func(c *doCall) bool {
		early := c.end < m.ret && c.end-c.begin < m.query
		return c.what == "start" && c.begin <= m.ret && !(early && !c.cut && c.step.refuses())
	})
}

// accepted reports whether a Start said so before Do returned.
func (m *doModel) accepted() bool {
	return slices.ContainsFunc(m.calls, func(c *doCall) bool {
		return c.what == "start" && c.to > 0 && c.end <= m.ret && !c.cut && c.step.kind == accepts
	})
}

// judgeOutcome: what Do says follows from what was answered.
func (m *doModel) judgeOutcome() {
	if m.done != 1 || m.final != m.err {
		m.fail("progress", "%d calls with Done, outcome %v; want %v", m.done, m.final, m.err)
	}
	var e *taskwait.WaitError
	if m.err != nil && (!errors.As(m.err, &e) || badText.MatchString(e.Error())) {
		m.fail("shape", "%T: %v", m.err, m.err)
		return
	}
	m.judgeReason(m.err)
	m.judgeStart(e)
}

// judgeStart: what Do says of the start follows from the answers to it.
func (m *doModel) judgeStart(e *taskwait.WaitError) {
	sent := len(m.carried) > 0 && m.carried[0] <= m.ret
	switch {
	case errors.Is(m.err, taskwait.ErrNotStarted):
		if sent || m.may() && m.unclear() || e.StillRunning() {
			m.fail("not-started", "it may have been started; StillRunning %v: %v", e.StillRunning(), m.err)
		}
	case errors.Is(m.err, taskwait.ErrOutcomeUnknown):
		if !m.may() && m.slow == 0 {
			m.fail("outcome-unknown", "every start was refused: %v", m.err)
		}
	case !m.accepted() && !sent:
		m.fail("decision", "it was never accepted: %v", m.err)
	default:
		m.judgeTask(m.err)
		m.judgeID(e)
	}
}

// unclear reports whether the last Start is one whose answer leaves it open.
func (m *doModel) unclear() bool {
	for _, c := range slices.Backward(m.calls) {
		if c.what == "start" && c.begin <= m.ret {
			return c.cut || !c.step.refuses()
		}
	}
	return false
}

// judgeTask: what is said of the task is said of ours.
func (m *doModel) judgeTask(err error) {
	if err != nil && !errors.Is(err, taskwait.ErrTaskFailed) || errors.Is(err, taskwait.ErrAmbiguous) {
		return
	}
	if m.task.ID != "op" {
		if m.lag <= listLag {
			m.fail("wrong-task", "the task is %v, ours was listed after %v: %v", m.task, m.lag, err)
		}
		return
	}
	said := slices.ContainsFunc(m.service.calls, func(c *call) bool {
		return c.id == "op" && c.end <= m.ret && c.out == outSeen && c.status == m.task.Status
	})
	if !said {
		m.fail("decision", "nobody said so: %v, %v", m.task, err)
	}
}

// judgeID: an error has the id that is known, and is ambiguous only if another task was listed.
func (m *doModel) judgeID(e *taskwait.WaitError) {
	if e == nil {
		return
	}
	if m.named && e.ID != "op" {
		m.fail("shape", "the id is %q: %v", e.ID, e)
	}
	several := slices.ContainsFunc(m.calls, func(c *doCall) bool {
		return c.end <= m.ret && (len(c.listed) > 1 || len(c.listed) == 1 && c.listed[0] != "op")
	})
	if errors.Is(e, taskwait.ErrAmbiguous) && !several {
		m.fail("ambiguous", "the list never showed another: %v", e)
	}
}

// judgeReason: the time was up if the error says so.
func (m *doModel) judgeReason(err error) {
	want := context.Canceled
	if m.deadline {
		want = context.DeadlineExceeded
	}
	switch timedOut := errors.Is(err, taskwait.ErrTimeout); {
	case timedOut && m.ret < m.timeUp():
		m.fail("timeout", "ErrTimeout at %v, before %v: %v", m.ret, m.timeUp(), err)
	case !timedOut && errors.Is(err, want) && m.ret < m.end:
		m.fail("context", "at %v, the context ended at %v: %v", m.ret, m.end, err)
	}
}

// timeUp is the earliest at which the timeout, or that of the run, may have passed; never: not at all.
func (m *doModel) timeUp() time.Duration {
	at := never
	if m.timeout > 0 {
		at = m.timeout
	}
	for _, c := range m.service.calls {
		if m.runLimit > 0 && c.id == "op" && c.out == outSeen && c.status != taskwait.StatusCreated {
			at = min(at, c.end+m.runLimit)
		}
	}
	return at
}

// text shows the script, and what happened.
func (m *doModel) text(full bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n  named %v, busy %v, finds %v, lag %v, runs %v, others at %v, latency %v\n", m.plan, m.named,
		m.busy, m.finds, m.lag, m.runs, m.others, m.service.latency)
	for _, what := range []string{"start", "busy", "find"} {
		for _, s := range m.steps[what] {
			fmt.Fprintf(&b, "  %s %s after %v, carried out %v, honours %v, retry after %v\n", what, answerNames[s.kind], s.d,
				s.carried, s.honours, s.after)
		}
	}
	if !full {
		return b.String()
	}
	type line struct {
		at   time.Duration
		text string
	}
	lines := []line{{m.ret, fmt.Sprintf("Do returned: %v, %v; panic %.60v", m.task, m.err, m.panic)}}
	for _, c := range m.calls {
		lines = append(lines, line{c.begin, fmt.Sprintf("%s call %d: %s after %v, cut %v, %q", c.what, c.n,
			answerNames[c.step.kind], c.end-c.begin, c.cut, c.listed)})
	}
	for _, c := range m.service.calls {
		lines = append(lines, line{c.begin, fmt.Sprintf("poll of %s: %s %s after %v", c.id, outcomeNames[c.out], c.status,
			c.end-c.begin)})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	for _, l := range lines {
		fmt.Fprintf(&b, "  %14v %s\n", l.at, l.text)
	}
	return b.String()
}
