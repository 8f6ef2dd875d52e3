package taskwait

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/taskwait/taskwait/internal/poll"
)

// WaitForTasks waits for many tasks at once. It yields each result when it comes, as WaitForTask would return it: the
// Task, whose ID is always the id that was given, and nil or a [*WaitError]. An error belongs to its id and does not
// end the iteration. Leaving the loop stops the rest. An id that is given twice is answered twice. A bad option is the
// error of every id, or of a zero Task if there are no ids.
//
//	for task, err := range waiter.WaitForTasks(ctx, ids) {
//
// To end all waits as soon as one has not succeeded, call the cancel function of [context.WithCancelCause] in the loop.
// With cancel(err) the other results come at once, with an error that Is context.Canceled and names the cause.
//
// The loop decides on its own goroutine, between two rounds, what answers mean. While a round takes its time, polls
// that are due are made, but their answers wait, and timeouts are noticed late. No result is lost or wrong. When the
// loop is left, nothing is polled any more, and queries in flight are cancelled ([Waiter.AbandonedCalls] counts those
// that ignore that).
//
// If the Source is a [Lister], the tasks share the answers of its list. The number of requests then grows with the
// number of its pages, and hardly with the number of tasks. A task is polled alone if that is cheaper, or if the list
// does not show it. Options hold for each task. Pauses of the schedule are those of a task that waits alone; many tasks
// together are polled more often, because one poll serves many. With WithBackOff, an answer that comes before a task's
// own pause is over is used too, but the BackOff is not asked for another pause.
//
// Each range over the iterator is a wait of its own.
func (w *Waiter) WaitForTasks(ctx context.Context, ids []string, opts ...Option) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		g, err := w.newGroup(ctx, ids, opts)
		if err != nil {
			refuse(ids, err, yield)
			return
		}
		defer g.leave()
		defer g.sub.Close()
		g.yield = yield
		g.run(ctx)
	}
}

// refuse answers every id with err, which is about an option.
func refuse(ids []string, err error, yield func(Task, error) bool) {
	if len(ids) == 0 {
		yield(Task{}, neverBegun("", ErrInvalidOption, err))
	}
	for _, id := range ids {
		if !yield(Task{ID: id}, neverBegun(id, ErrInvalidOption, err)) {
			return
		}
	}
}

// group is one range over WaitForTasks: many waits on one subscription.
type group struct {
	*shared
	stay    stay
	sub     *poll.Subscription[Task]
	waits   []wait // by key, one for each id
	invalid []wait // whose ids are
	totals  totals
	yield   func(Task, error) bool
}

// newGroup makes a wait of each id.
func (w *Waiter) newGroup(ctx context.Context, ids []string, opts []Option) (*group, error) {
	s, err := w.settings.forCall(ctx, opts)
	if err != nil {
		return nil, err
	}
	g := &group{shared: newShared(ctx, s, time.Now()), totals: totals{total: len(ids)}}
	g.reporting.totals, g.shared.times, g.shared.stay = &g.totals, map[*wait]int{}, &g.stay
	valid, err := g.add(ids, w.pollers.checkID)
	if err != nil {
		return nil, err
	}
	terms := g.terms(&state{})
	if s.observer != nil {
		terms.Context = g.observe(ctx, valid)
	}
	// of its own: a million ids must not delay other waits
	g.sub = w.pollers.own(s).Subscribe(ctx, valid, terms)
	w.stays.enter(&g.stay, g)
	return g, nil
}

// observe begins the observation of the waits for these ids, and returns the context of each. That of an id that is
// invalid begins when it is answered.
func (g *group) observe(ctx context.Context, valid []string) func(key int) context.Context {
	contexts, receivers := make([]context.Context, len(valid)), make(map[string]func(Progress), len(valid))
	s := g.settings
	for key, id := range valid {
		contexts[key], receivers[id] = s.observe(ctx, id)
	}
	g.shared.settings = s.toldTo(func(p *Progress) func(Progress) {
		receive := receivers[p.Task.ID]
		if receive == nil {
			_, receive = s.observe(ctx, p.Task.ID)
		}
		if p.Done {
			delete(receivers, p.Task.ID)
		}
		return receive
	})
	return func(key int) context.Context { return contexts[key] }
}

// leave ends the stay of the waits. Those that are not over are interrupted.
func (g *group) leave() {
	defer g.stay.leave() // also if the observer panics
	for key := range g.waits {
		g.waits[key].interrupt()
	}
}

// show returns the wait with this key.
func (g *group) show(key int) (p Progress, over, more bool) {
	if key >= len(g.waits) {
		return p, false, false
	}
	w := &g.waits[key]
	if w.state.ended {
		return p, true, true
	}
	return w.standing(), false, true
}

// add makes a wait of each id, and returns the ids that are valid, each once.
func (g *group) add(ids []string, check func(id string) error) (valid []string, err error) {
	g.waits = make([]wait, 0, len(ids)) // never moved
	valid = make([]string, 0, len(ids))
	keys := make(map[string]int, len(ids))
	for _, id := range ids {
		if key, twice := keys[id]; twice {
			w := &g.waits[key]
			g.times[w] = max(g.times[w], 1) + 1
			continue
		}
		if err := check(id); err != nil {
			g.invalid = append(g.invalid, wait{shared: g.shared, state: state{task: Task{ID: id}}, err: err})
			continue
		}
		keys[id] = len(g.waits)
		g.waits = append(g.waits, wait{})
		if err := g.waits[keys[id]].begin(g.shared, id); err != nil {
			return nil, err
		}
		valid = append(valid, id)
	}
	return valid, nil
}

// run is the loop of many waits: next answer, decide, report, plan or yield.
func (g *group) run(ctx context.Context) {
	if !g.refuseInvalid() {
		return
	}
	for g.totals.ended < g.totals.total {
		a, ok := g.sub.Next(ctx)
		if !ok {
			g.stop(ctx.Err(), context.Cause(ctx))
			return
		}
		w := &g.waits[a.Key]
		d := w.handle(&a)
		switch {
		case a.Queued > 0: // its poll is still due
		case !d.done:
			if ctx.Err() == nil { // a round of the loop may have taken long
				w.plan(g.sub, a.Key)
			}
		default:
			g.sub.Done(a.Key)
			if !g.yieldAll(w, w.end(w.finish(&d))) {
				return
			}
		}
	}
}

// refuseInvalid answers the ids that are invalid. It returns false if the loop was left.
func (g *group) refuseInvalid() bool {
	for i := range g.invalid {
		w := &g.invalid[i]
		err := w.refused(ErrInvalidID, w.err)
		g.stay.mu.Lock()
		g.totals.count(1, true)
		g.stay.mu.Unlock()
		w.tell(&Progress{Done: true, Outcome: err})
		if !g.yieldAll(w, err) {
			return false
		}
	}
	return true
}

// yieldAll yields the result of a wait, as often as its id was given. It returns false if the loop was left.
func (g *group) yieldAll(w *wait, err error) bool {
	task := w.state.task
	for range max(1, g.times[w]) {
		if !g.yield(task, err) {
			return false
		}
	}
	return true
}

// stop ends all that wait, for the reason that is given. Nothing is polled any more.
func (g *group) stop(err, cause error) {
	g.sub.Close()
	for key := range g.waits {
		w := &g.waits[key]
		if w.state.ended {
			continue
		}
		e := w.stoppedBy(err, cause, g.sub.Done(key))
		if !g.yieldAll(w, w.end(e)) {
			return
		}
	}
}

// WaitForAll waits as WaitForTasks does until each task has ended, and returns the tasks as the service last reported
// them: tasks[i] is that of ids[i]. The error is nil if and only if all have succeeded. Otherwise it joins one
// [*WaitError] for each id that has not, in the order of ids, also for one id. [errors.Is] and [errors.As] find them,
// and its method Unwrap() []error returns them all.
func (w *Waiter) WaitForAll(ctx context.Context, ids []string, opts ...Option) ([]Task, error) {
	places := make(map[string][]int, len(ids))
	for i, id := range ids {
		places[id] = append(places[id], i)
	}
	tasks, errs := make([]Task, len(ids)), make([]error, len(ids))
	for task, err := range w.WaitForTasks(ctx, ids, opts...) {
		if len(ids) == 0 {
			return tasks, err // of an option
		}
		at := places[task.ID]
		tasks[at[0]], errs[at[0]], places[task.ID] = task, err, at[1:]
	}
	return tasks, joined(errs)
}

// notAll is the error of many tasks.
type notAll struct {
	total int
	errs  []error
}

// joined is the error of the waits with these errors, or nil.
func joined(errs []error) error {
	e := &notAll{total: len(errs), errs: slices.DeleteFunc(errs, func(err error) bool { return err == nil })}
	if len(e.errs) == 0 {
		return nil
	}
	return e
}

func (e *notAll) Error() string {
	if e.total == 1 {
		return e.errs[0].Error()
	}
	return fmt.Sprintf("taskwait: %d of %d tasks have not succeeded, the first: %v", len(e.errs), e.total, e.errs[0])
}

func (e *notAll) Unwrap() []error { return e.errs }
