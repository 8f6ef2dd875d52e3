package poll

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
)

var (
	modelScripts = flag.Int("pollscripts", 200, "random scripts that TestModel plays")
	modelSeed    = flag.Uint64("pollseed", 1, "the seed of the first one")
)

// TestModel plays random subscriptions on a random service, and checks what a Poller promises.
func TestModel(t *testing.T) {
	for i := range *modelScripts {
		seed := *modelSeed + uint64(i)                                    //nolint:gosec // not negative
		synctest.Test(t, func(t *testing.T) { newModel(t, seed).play() }) // it ends the test if it fails
	}
}

// model is one script: a service whose answers are the instants at which they were made, callers that remember what
// they have planned and read, and what is allowed.
type model struct {
	t    *testing.T
	seed uint64
	r    *rand.Rand
	p    *Poller[stamp]

	start     time.Time
	abandoned atomic.Int64
	ids       []string
	calm      bool // nothing hangs, panics, or is throttled, and no permit is waited for: polls are punctual
	latency   time.Duration
	limiter   *limiter.Limiter
	withList  bool
	pageSize  int
	faults    int // percent of the calls that go wrong
	timeout   time.Duration
	wg        sync.WaitGroup

	mu       sync.Mutex
	r2       *rand.Rand          // the service's
	inFlight map[string][]flight // by id
	panics   int                 // made, and neither raised nor logged
	callers  map[*modelCaller]bool
	dueAt    map[string]time.Time // when somebody for whom an id was due has read an answer for it, or left
}

// flight is a call in flight. Its context has ended if it was abandoned: then it takes nobody's place.
type flight struct {
	began time.Time
	ctx   context.Context //nolint:containedctx // of the call that this is
}

// stamp is an answer: whose, when the service has made it, and whether it is the last.
type stamp struct {
	id   string
	at   time.Time
	last bool
}

func newModel(t *testing.T, seed uint64) *model {
	r := rand.New(rand.NewPCG(seed, 7))
	m := &model{
		t: t, seed: seed, r: r, r2: rand.New(rand.NewPCG(seed, 8)), start: time.Now(),
		inFlight: map[string][]flight{}, callers: map[*modelCaller]bool{}, dueAt: map[string]time.Time{},
		calm: r.IntN(2) == 0, latency: time.Duration(r.IntN(400)) * time.Millisecond,
		withList: r.IntN(2) == 0, pageSize: 1 + r.IntN(8), timeout: time.Duration(1+r.IntN(10)) * time.Second,
	}
	if m.calm {
		m.timeout = time.Minute
	} else {
		m.faults = r.IntN(40)
		if r.IntN(2) == 0 {
			m.limiter = limiter.New(every(time.Duration(r.IntN(300)) * time.Millisecond))
		}
	}
	for i := range 1 + r.IntN(14)*(1+r.IntN(3)) {
		m.ids = append(m.ids, fmt.Sprint("t", i))
	}
	cfg := &Config[stamp]{
		Poll: m.onPoll, ID: func(s *stamp) string { return s.id }, Terminal: func(s *stamp) bool { return s.last },
		Classify: classify, Limiter: m.limiter, QueryTimeout: m.timeout, Abandoned: &m.abandoned,
		LatePanic: func(*guard.PanicError, any) { m.handled() },
	}
	if m.withList {
		cfg.List = m.onList
	}
	m.p = New(*cfg)
	return m
}

func (m *model) errorf(format string, args ...any) {
	m.t.Errorf("-pollscripts 1 -pollseed %d: %v: %s", m.seed, time.Since(m.start), fmt.Sprintf(format, args...))
}

func (m *model) handled() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.panics--
}

// roll is a random number of the service's.
func (m *model) roll(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.r2.IntN(n)
}

func (m *model) onPoll(ctx context.Context, id string) (s stamp, err error) {
	f := flight{time.Now(), ctx}
	m.begun(id, f)
	defer m.over(id, f)
	err = m.behave(ctx)
	return stamp{id: id, at: time.Now(), last: m.roll(12) == 0}, err
}

// begun checks what is allowed when a poll begins: it was due for somebody, and nobody who wants it has one in flight.
func (m *model) begun(id string, f flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	wanted := m.dueAt[id].Equal(now)
	for c := range m.callers {
		for key, other := range c.ids {
			k := &c.keys[key]
			if other != id || k.over {
				continue
			}
			wanted = wanted || k.planned && !now.Before(k.due)
			for _, f := range m.inFlight[id] {
				if !c.began.After(f.began) {
					m.errorf("two polls of %s in flight, the other since %v", id, f.began.Sub(m.start))
				}
			}
		}
	}
	if !wanted {
		m.errorf("a poll of %s, which was due for nobody", id)
	}
	m.inFlight[id] = append(m.inFlight[id], f)
	young := 0
	for name, calls := range m.inFlight {
		for _, f := range calls {
			if name != list && now.Sub(f.began) < youngFor && f.ctx.Err() == nil {
				young++
			}
		}
	}
	if young > maxYoung {
		m.errorf("%d polls in flight that are younger than a second", young)
	}
}

// list stands for the list among the ids.
const list = "list"

func (m *model) over(id string, f flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.inFlight[id]
	m.inFlight[id] = slices.Delete(calls, slices.Index(calls, f), slices.Index(calls, f)+1)
}

// behave takes time, and may go wrong.
func (m *model) behave(ctx context.Context) error {
	time.Sleep(m.latency)
	if m.roll(100) >= m.faults {
		return nil
	}
	switch m.roll(9) {
	case 0:
		m.mu.Lock()
		m.panics++
		m.mu.Unlock()
		panic("boom")
	case 1:
		runtime.Goexit()
	case 2:
		time.Sleep(time.Duration(m.roll(20)) * time.Second) // heeds nothing
	case 3:
		<-ctx.Done()
		return ctx.Err()
	case 4:
		return &fault{Trouble{Throttled: true, After: time.Duration(m.roll(4)) * time.Second}, "throttled"}
	case 5:
		return &fault{Trouble{Refused: true}, "refused"}
	}
	return errors.New("error")
}

// onList shows the rows of some page, now and then not all of them.
func (m *model) onList(ctx context.Context, r ListRequest) ([]stamp, string, error) {
	f := flight{time.Now(), ctx}
	m.mu.Lock()
	for c := range m.callers {
		for _, f := range m.inFlight[list] {
			if !c.began.After(f.began) {
				m.errorf("two pages in flight, the other since %v", f.began.Sub(m.start))
			}
		}
	}
	m.inFlight[list] = append(m.inFlight[list], f)
	m.mu.Unlock()
	defer m.over(list, f)
	err := m.behave(ctx)
	page, _ := strconv.Atoi(r.Page)
	from := min(page*m.pageSize, len(m.ids))
	to := min(from+m.pageSize, len(m.ids))
	var rows []stamp
	for _, id := range m.ids[from:to] {
		if m.roll(10) < 8 {
			rows = append(rows, stamp{id: id, at: time.Now(), last: m.roll(12) == 0})
		}
	}
	if next := strconv.Itoa(page + 1); to < len(m.ids) {
		return rows, next, err
	}
	return rows, "", err
}

// modelCaller is one caller, and what it knows.
type modelCaller struct {
	m     *model
	sub   *Subscription[stamp]
	ids   []string
	keys  []modelKey
	began time.Time
}

type modelKey struct {
	due     time.Time
	end     time.Time // zero: none
	planned bool
	over    bool
	seen    time.Time // when the newest Value was sent
}

// play lets callers join at random instants, and waits for them.
func (m *model) play() {
	for range 1 + m.r.IntN(8) {
		time.Sleep(time.Duration(m.r.IntN(3000)) * time.Millisecond)
		r := rand.New(rand.NewPCG(m.r.Uint64(), 9))
		m.wg.Go(func() { m.call(r) })
	}
	m.wg.Wait()
	synctest.Wait()
	m.mu.Lock()
	inFlight := m.abandoned.Load()
	m.mu.Unlock()
	time.Sleep(time.Minute) // what was abandoned comes back
	synctest.Wait()
	p := m.p
	if m.abandoned.Load() != 0 || m.panics != 0 || inFlight < 0 {
		m.errorf("%d abandoned calls, %d panics that nobody knows of", m.abandoned.Load(), m.panics)
	}
	for id, calls := range m.inFlight {
		if len(calls) != 0 {
			m.errorf("%d calls of %s", len(calls), id)
		}
	}
	if p.oldest != nil || p.free != nil || p.armed != 0 || p.permit != nil || p.granted || p.pass.active ||
		p.entries.len()+len(p.waiting)+len(p.ready)+len(p.ends)+p.finals != 0 || p.members != nil {
		m.errorf("something is left: %d entries, timer %v, permit %v %v, pass %v, calls %v %v", p.entries.len(), p.armed,
			p.permit != nil, p.granted, p.pass.active, p.oldest != nil, p.free != nil)
	}
	if m.withList && (p.sum.a > 1e-6 || p.sum.a < -1e-6) {
		m.errorf("an urgency of %v is left", p.sum.a)
	}
}

// call is one caller: it subscribes, reads, plans and leaves.
func (m *model) call(r *rand.Rand) {
	c := &modelCaller{m: m, began: time.Now()}
	for _, i := range r.Perm(len(m.ids))[:1+r.IntN(len(m.ids))] {
		c.ids = append(c.ids, m.ids[i])
	}
	pause := time.Duration(200+r.IntN(3000)) * time.Millisecond
	terms := Terms{First: c.began.Add(time.Duration(r.IntN(3)-1) * 700 * time.Millisecond), Pause: pause,
		Fixed: r.IntN(3) == 0}
	if r.IntN(2) == 0 {
		terms.End = c.began.Add(time.Duration(1+r.IntN(20000)) * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+r.IntN(40000))*time.Millisecond)
	defer cancel()
	c.keys = make([]modelKey, len(c.ids))
	for key := range c.keys {
		c.keys[key] = modelKey{due: terms.First, planned: true, end: terms.End}
	}
	m.mu.Lock()
	m.callers[c] = true
	m.mu.Unlock()
	c.sub = m.p.Subscribe(ctx, c.ids, terms)
	c.read(ctx, r, pause)
	m.mu.Lock()
	for key := range c.keys {
		c.answered(key)
	}
	delete(m.callers, c)
	m.mu.Unlock()
	c.sub.Close()
	if c.sub.Receive(new(Answer[stamp])) {
		m.errorf("got an answer after Close")
	}
}

// read is the caller's loop.
func (c *modelCaller) read(ctx context.Context, r *rand.Rand, pause time.Duration) {
	for left := len(c.ids); left > 0; {
		a, raised := c.next(ctx)
		if raised {
			return
		}
		if a == nil {
			c.checkPunctual()
			return
		}
		if a.Queued > 0 {
			c.checkQueued(a)
			continue
		}
		c.check(a)
		c.m.mu.Lock()
		k := c.answered(a.Key)
		// the final poll, too
		over := a.Err == nil && (a.Value.last || k.ended(a.Sent)) || k.ended(time.Now().Add(-FinalAllowance))
		k.over = over
		c.m.mu.Unlock()
		if over {
			left--
			c.sub.Done(a.Key)
			continue
		}
		c.plan(r, a.Key, pause)
	}
}

// plan plans the next poll of an id. At times it gives the id an end of its own.
func (c *modelCaller) plan(r *rand.Rand, key int, pause time.Duration) {
	c.m.mu.Lock()
	k, now := &c.keys[key], time.Now()
	sets := r.IntN(10) == 0 && !k.ended(now)
	if sets {
		k.end = now.Add(time.Duration(1+r.IntN(15000)) * time.Millisecond)
	}
	k.due, k.planned = now.Add(pause+time.Duration(r.IntN(200))*time.Millisecond), true
	if k.ended(k.due) {
		k.due = k.end
		if k.ended(now) {
			k.due = now.Add(300 * time.Millisecond) // it is repeated
		}
	}
	due, end := k.due, k.end
	c.m.mu.Unlock()
	if sets {
		c.sub.SetEnd(key, end)
	}
	c.sub.Plan(key, due, time.Time{})
}

// ended reports whether the id's end has come at t.
func (k *modelKey) ended(t time.Time) bool { return !k.end.IsZero() && !t.Before(k.end) }

// answered notes that no poll of an id is planned any more.
func (c *modelCaller) answered(key int) *modelKey {
	k := &c.keys[key]
	if k.planned && !time.Now().Before(k.due) {
		c.m.dueAt[c.ids[key]] = time.Now()
	}
	k.planned = false
	return k
}

// next is Next. A panic that it raises is known then.
func (c *modelCaller) next(ctx context.Context) (a *Answer[stamp], raised bool) {
	defer func() {
		if v := recover(); v != nil {
			raised = true
			c.m.handled()
		}
	}()
	return next(c.sub, ctx), false
}

func (c *modelCaller) checkQueued(a *Answer[stamp]) {
	if c.m.limiter == nil && c.m.faults == 0 || a.Queued < queuedAfter {
		c.m.errorf("queued for %v", a.Queued)
	}
}

// check checks an answer.
func (c *modelCaller) check(a *Answer[stamp]) {
	m, now := c.m, time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	k := &c.keys[a.Key]
	switch {
	case k.over:
		m.errorf("an answer for %s, which was done", c.ids[a.Key])
	case a.Err == nil && a.Value.id != c.ids[a.Key]:
		m.errorf("an answer of %s for %s", a.Value.id, c.ids[a.Key])
	case a.Sent.Before(c.began):
		m.errorf("an answer for %s that was sent before the wait", c.ids[a.Key])
	case a.Err == nil && a.Sent.Before(k.seen) && !a.Value.last:
		m.errorf("an answer for %s that is %v older than the one before", c.ids[a.Key], k.seen.Sub(a.Sent))
	case a.Err != nil && now.Before(k.due) && !a.Polled && !k.ended(now.Add(-FinalAllowance)):
		m.errorf("an error for %s, %v before it was due: %v", c.ids[a.Key], k.due.Sub(now), a.Err)
	}
	if a.Err == nil {
		k.seen = a.Sent
	}
	if k.ended(now.Add(-FinalAllowance-1)) && now.Sub(k.due) > FinalAllowance+FinalReserve {
		m.errorf("an answer for %s %v after the end", c.ids[a.Key], now.Sub(k.end))
	}
	c.late(a.Key, now, a.Sent)
}

// late checks that a poll that was due at most when all is calm was made in time.
func (c *modelCaller) late(key int, _, sent time.Time) {
	k, m := &c.keys[key], c.m
	bound := 2*m.latency + time.Duration(len(m.ids)/maxYoung)*youngFor
	if len(m.ids) > maxYoung {
		bound += FinalAllowance - FinalReserve // final polls of one instant are spread
	}
	if m.withList {
		bound += holdFor + time.Duration(2+len(m.ids)/m.pageSize)*m.latency
	}
	if m.calm && k.planned && sent.After(k.due.Add(bound)) && sent.Sub(c.began) > bound {
		m.errorf("the poll of %s was %v late, want %v at most", c.ids[key], sent.Sub(k.due), bound)
	}
}

// checkPunctual checks what is due when a caller leaves.
func (c *modelCaller) checkPunctual() {
	m := c.m
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range c.keys {
		if k := &c.keys[key]; k.planned && !k.over {
			c.late(key, time.Now(), time.Now().Add(-m.latency))
		}
	}
}
