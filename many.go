package taskwait

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/taskwait/taskwait/internal/pacing"
)

// WaitForTasks waits for many tasks at once. It gives each result when it comes, with what WaitForTask would return: the
// Task, whose ID is always the id that was asked for, and an error or nil. An id that fails, is unknown or is invalid costs
// the others nothing. An id that stands there twice is asked for once and answered twice. What is wrong with an option is
// every id's error, or that of a zero Task if there are no ids.
//
//	for task, err := range waiter.WaitForTasks(ctx, ids) {
//
// All happens on the goroutine of the loop, between its rounds: while a round of the loop takes its time nothing new is
// asked and no answer looked at, though queries under way go on. No result is lost by that, and none is wrong; but timeouts
// are noticed late. Breaking out of the loop stops the rest: nothing is asked any more, and queries under way are
// cancelled ([Waiter.LeftBehind] tells of those that do not heed it).
//
// If the Source is a [BatchSource] the tasks share its answers. Then the number of requests grows with that of the pages of
// its list, and hardly with that of the tasks; a task is asked for alone where that is cheaper, and where the list does not
// show it. Options hold for each of the tasks: the pauses of the schedule are those of a task that waits alone, and many
// tasks together are looked at more often, as a look is worth more. With WithBackOff, an answer that comes before a task's
// own pause is over is used too, but the BackOff is not asked for another pause.
//
// [WithFailFast] ends all as soon as one has not succeeded. Each range over the iterator is a wait of its own.
func (w *Waiter) WaitForTasks(ctx context.Context, ids []string, opts ...Option) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		m, err := newMany(ctx, w, ids, opts)
		if err != nil {
			refuse(ids, err, yield)
			return
		}
		defer m.s.stop()
		m.run(ctx, yield)
	}
}

// WithFailFast makes WaitForTasks end as soon as one task has not succeeded: the others come with an error that Is
// context.Canceled, and tells why. Default: every task is waited for to its end. It means nothing to WaitForTask.
func WithFailFast() Option { return func(s *settings) { s.failFast = true } }

// refuse answers every id with err.
func refuse(ids []string, err error, yield func(Task, error) bool) {
	if len(ids) == 0 {
		yield(Task{}, err)
	}
	for _, id := range ids {
		if !yield(Task{ID: id}, err) {
			return
		}
	}
}

// many is one range over WaitForTasks.
type many struct {
	s      scheduler
	w      wait // the one at hand: the others are packed
	begun  time.Time
	waits  []packed
	index  index
	times  map[int32]int     // how often an id stands there, if more than once
	plans  []pacing.Schedule // with BackOffs, one for each
	tally  Tally
	ended  []result      // to be yielded
	failed bool          // fast
	lastBy time.Duration // the latest at which a last look may begin; 0: not known yet
}

// result is what became of a wait.
type result struct {
	slot int32 // badID: none
	task Task
	err  error
}

const badID int32 = -1

func newMany(ctx context.Context, w *Waiter, ids []string, opts []Option) (*many, error) {
	set, err := w.settings.with(opts)
	if err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, fmt.Errorf("taskwait: %w: the context is nil", ErrInvalidOption)
	}
	m := &many{begun: time.Now(), tally: Tally{Total: len(ids), Running: len(ids)}}
	m.w = wait{settings: set, limits: set.limits(ctx), whole: &m.tally}
	m.w.remember(set.history)
	m.s = scheduler{driver: m, calls: newCalls(w, set.log), start: m.begun, limiter: set.limiter, retry: set.exponential}
	if b, ok := w.src.(BatchSource); ok {
		m.s.sweep.source, m.s.batch = b, b
	}
	return m, m.add(ids)
}

// add takes in the ids, each once, and plans their first looks.
func (m *many) add(ids []string) error {
	m.index = newIndex(len(ids))
	m.s.slots = make([]slot, 0, len(ids))
	for _, id := range ids {
		err := CheckID("task id", id)
		i, known := m.find(id)
		switch {
		case err != nil:
			m.refuse(id, err)
		case known:
			if m.times == nil {
				m.times = map[int32]int{}
			}
			m.times[i] = max(m.times[i], 1) + 1
		default:
			m.s.slots = append(m.s.slots, slot{id: id, pos: -1})
			m.index.add(m.s.slots)
		}
	}
	m.waits = make([]packed, len(m.s.slots))
	m.s.heap = make([]int32, 0, len(m.s.slots))
	for i := range m.waits {
		if err := m.first(int32(i)); err != nil { //nolint:gosec // a million fits
			return err
		}
	}
	return nil
}

// refuse ends what never was a wait.
func (m *many) refuse(id string, err error) {
	m.count(badID, true)
	m.w.state = state{ID: id, Started: m.begun}
	if m.w.progress != nil {
		m.w.tell(&Progress{Done: true, Outcome: err})
	}
	m.ended = append(m.ended, result{slot: badID, task: Task{ID: id}, err: err})
}

// first plans the first look at slot i.
func (m *many) first(i int32) error {
	if m.w.newBackOff != nil {
		p, err := m.w.schedule()
		if err != nil {
			return err
		}
		m.plans = append(m.plans, p)
	}
	s := state{ID: m.s.slots[i].id, Started: m.begun}
	due := m.w.limits.cut(&s, m.begun, m.w.firstPause())
	m.waits[i].pack(&s, nil)
	m.s.plan(i, due-m.w.lo, due)
	return nil
}

// run is the loop: tell what has ended, do what is due, and wait.
func (m *many) run(ctx context.Context, yield func(Task, error) bool) {
	for m.tell(yield) && m.tally.Running > 0 {
		if ctx.Err() != nil {
			m.stopAll(ctx.Err(), context.Cause(ctx))
			continue
		}
		m.s.do(ctx)
		m.lastCall()
		if len(m.ended) == 0 {
			m.s.take(m.s.next(ctx, m.s.wake(), m.s.turns(), nil))
		}
	}
}

// tell yields what has ended, an id that stands there twice twice. It returns false if the loop is left.
func (m *many) tell(yield func(Task, error) bool) bool {
	for len(m.ended) > 0 {
		r := m.ended[0]
		m.ended = m.ended[1:]
		for range max(1, m.times[r.slot]) {
			if !yield(r.task, r.err) {
				return false
			}
		}
		if r.err != nil && m.w.failFast && !m.failed {
			m.failed = true
			m.stopAll(context.Canceled, r.err)
		}
	}
	return true
}

// stopAll ends all that wait.
func (m *many) stopAll(err, cause error) {
	for i := range m.waits {
		if i := int32(i); !m.s.slots[i].is(over) { //nolint:gosec // a million fits
			m.load(i)
			m.finish(i, m.w.stopped(err, cause))
		}
	}
}

// load makes slot i the wait at hand.
func (m *many) load(i int32) {
	p, w := &m.waits[i], &m.w
	w.state, w.err = p.unpack(m.s.slots[i].id, m.begun), p.err
	switch {
	case m.plans == nil: // the schedule goes by the time, not by the number of looks: others' looks bring answers too
		w.state.Step = w.exponential.StepAt(time.Since(m.begun))
	case m.early(i):
		w.own = func(int, string, time.Duration, float64) time.Duration { return m.s.slots[i].due - m.s.now() }
	default:
		w.own = m.plans[i]
	}
}

// early reports whether an answer that comes now comes before slot i's own pause is over: then its BackOff stays as it is.
func (m *many) early(i int32) bool { return m.s.slots[i].due > m.s.now() }

// deliver decides what an answer means for slot i.
func (m *many) deliver(i int32, a *answer) {
	m.load(i)
	if a.shared {
		m.w.state.Polls++
	}
	v, now := m.w.judge(a)
	if v.is(ClassThrottled) {
		m.s.throttled(v.retryAfter)
	}
	if v.done {
		m.finish(i, m.w.finish(&v))
		return
	}
	if drawn := m.waits[i].step; m.plans != nil && m.early(i) {
		m.w.state.Step = int(drawn)
	}
	m.waits[i].pack(&m.w.state, m.w.err)
	if !m.s.slots[i].is(asking) {
		m.s.plan(i, a.sent.Sub(m.begun), now.Sub(m.begun)+v.wait)
	}
}

// finish ends slot i, the wait at hand, with e; nil: with success.
func (m *many) finish(i int32, e *WaitError) {
	m.count(i, e != nil)
	m.s.over(i)
	m.waits[i] = packed{}
	err := m.w.end(e)
	task := m.w.state.Task
	task.ID = m.s.slots[i].id
	m.ended = append(m.ended, result{slot: i, task: task, err: err})
}

func (m *many) count(i int32, failed bool) {
	n := max(1, m.times[i])
	m.tally.Running -= n
	m.tally.Done += n
	if failed {
		m.tally.Failed += n
	}
}

// ask makes a query for slot i alone.
func (m *many) ask(ctx context.Context, i int32) {
	m.waits[i].polls++
	m.s.calls.begin(ctx, i, Batch{IDs: []string{m.s.slots[i].id}}, m.bounds(time.Now()))
}

func (m *many) find(id string) (int32, bool) { return m.index.find(m.s.slots, id) }

func (m *many) bounds(now time.Time) bounds { return m.w.limits.query(m.begun, now, m.w.queryTimeout) }

// since is when the oldest task that a sweep is to show was created, as far as that is known.
func (m *many) since() time.Time {
	oldest := m.begun
	for _, i := range m.s.heap {
		if at := m.waits[i].task.CreatedAt; !at.IsZero() && !m.s.slots[i].is(unlisted) {
			oldest = earlier(oldest, at)
		}
	}
	return oldest
}

func (m *many) end() (end, by time.Duration, limited bool) {
	if m.w.timeout == 0 {
		return 0, 0, false
	}
	const reserve = lastLook - lastLookReserve
	end, by = m.w.timeout, m.w.timeout+reserve
	if now := m.s.now(); m.lastBy == 0 && now >= end {
		m.lastBy = max(by, now+lastLookReserve) // the loop's body, or the machine, has slept
	}
	return end, max(by, m.lastBy), true
}

// lastCall ends the waits whose last look could not begin in time.
func (m *many) lastCall() {
	_, by, limited := m.end()
	if !limited || m.s.now() < by {
		return
	}
	for i, ok := m.s.top(); ok; i, ok = m.s.top() {
		m.deliver(i, &answer{err: errNoTurn, sent: time.Now()})
	}
}

func (m *many) starving(d time.Duration) {
	if m.w.progress != nil {
		m.w.state = state{Started: m.begun}
		m.w.tell(&Progress{Starved: d})
	}
}
