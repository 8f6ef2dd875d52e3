package taskwait

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/taskwait/taskwait/internal/poll"
)

// WaitForTasks waits for many tasks at once. It gives each result when it comes, with what WaitForTask would return: the
// Task, whose ID is always the id that was given, and an error or nil. An id that fails, is unknown or is invalid costs
// the others nothing. An id that stands there twice is answered twice. What is wrong with an option is every id's error, or
// that of a zero Task if there are no ids.
//
//	for task, err := range waiter.WaitForTasks(ctx, ids) {
//
// What answers mean is decided on the goroutine of the loop, between its rounds: while a round of the loop takes its time,
// polls that are due are made, but their answers wait, and so does what follows from them. No result is lost by that, and
// none is wrong; but timeouts are noticed late. Leaving the loop stops the rest: nothing is polled any more, and
// queries in flight are cancelled ([Waiter.AbandonedCalls] counts those that ignore that).
//
// If the Source is a [Lister] the tasks share its answers. Then the number of requests grows with that of the pages of
// its list, and hardly with that of the tasks; a task is polled alone where that is cheaper, and where the list does not
// show it. Options hold for each of the tasks: the pauses of the schedule are those of a task that waits alone, and many
// tasks together are polled more often, as a poll is worth more. With WithBackOff, an answer that comes before a task's
// own pause is over is used too, but the BackOff is not asked for another pause.
//
// [WithFailFast] ends all as soon as one has not succeeded. Each range over the iterator is a wait of its own.
func (w *Waiter) WaitForTasks(ctx context.Context, ids []string, opts ...Option) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		g, err := w.newGroup(ctx, ids, opts)
		if err != nil {
			refuse(ids, err, yield)
			return
		}
		defer g.sub.Close()
		g.yield = yield
		g.run(ctx)
	}
}

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

// group is one range over WaitForTasks: many waits on one subscription.
type group struct {
	*shared
	sub     *poll.Subscription[Task]
	waits   []wait // by key, one for each id
	invalid []wait // whose ids are
	totals  Tally
	yield   func(Task, error) bool
}

// newGroup makes a wait of each id.
func (w *Waiter) newGroup(ctx context.Context, ids []string, opts []Option) (*group, error) {
	s, err := w.settings.forCall(ctx, opts)
	if err != nil {
		return nil, err
	}
	g := &group{shared: newShared(ctx, s, time.Now()), totals: Tally{Total: len(ids), Running: len(ids)}}
	g.reporting.totals, g.shared.times = &g.totals, map[*wait]int{}
	valid, err := g.add(ids)
	if err != nil {
		return nil, err
	}
	g.sub = w.pollers.own(s).Subscribe(ctx, valid, g.terms()) // of its own: a million ids must not delay other waits
	return g, nil
}

// add makes a wait of each id, and returns the ids that are valid, each once.
func (g *group) add(ids []string) (valid []string, err error) {
	g.waits = make([]wait, 0, len(ids)) // never moved
	valid = make([]string, 0, len(ids))
	keys := make(map[string]int, len(ids))
	for _, id := range ids {
		if key, twice := keys[id]; twice {
			w := &g.waits[key]
			g.times[w] = max(g.times[w], 1) + 1
			continue
		}
		if err := CheckID("task id", id); err != nil {
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
	if !g.refuse() {
		return
	}
	for g.totals.Running > 0 {
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
				g.sub.Plan(a.Key, w.state.plannedAt, w.state.task.CreatedAt)
			}
		default:
			g.sub.Done(a.Key)
			if !g.end(w, w.end(w.finish(&d))) {
				return
			}
		}
	}
}

// refuse answers the ids that are invalid. It returns false if that was the end of all.
func (g *group) refuse() bool {
	for i := range g.invalid {
		w := &g.invalid[i]
		g.totals.count(1, true)
		g.reporting.tell(&w.state, &Progress{Done: true, Outcome: w.err})
		if !g.yieldAll(w, w.err) {
			return false
		}
	}
	if len(g.invalid) > 0 && g.failFast {
		g.stop(context.Canceled, g.invalid[0].err)
		return false
	}
	return true
}

// end yields the result of a wait, as often as its id was given. It returns false if that was the last one.
func (g *group) end(w *wait, err error) bool {
	if !g.yieldAll(w, err) {
		return false
	}
	if err != nil && g.failFast {
		g.stop(context.Canceled, err)
		return false
	}
	return true
}

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
		if w.warned.ended {
			continue
		}
		e := w.stoppedBy(err, cause, g.sub.Done(key))
		if !g.yieldAll(w, w.end(e)) {
			return
		}
	}
}

// Result is what became of one task.
type Result struct {
	Task Task  // the last thing the service said; its ID is always the one that was asked for
	Err  error // nil if and only if the task has succeeded
}

// CollectTasks waits as WaitForTasks does and returns all results, in the order of ids. The error is nil if and only if all
// have succeeded; it says how many have not and why the first of them has not, and [errors.Is] and [errors.As] find the errors of all.
func (w *Waiter) CollectTasks(ctx context.Context, ids []string, opts ...Option) ([]Result, error) {
	places := make(map[string][]int, len(ids))
	for i, id := range ids {
		places[id] = append(places[id], i)
	}
	results := make([]Result, len(ids))
	var bad error // of an option, where there are no ids
	for task, err := range w.WaitForTasks(ctx, ids, opts...) {
		if len(ids) == 0 {
			bad = err
			continue
		}
		at := places[task.ID]
		results[at[0]], places[task.ID] = Result{task, err}, at[1:]
	}
	if err := joined(results); err != nil {
		return results, err
	}
	return results, bad
}

// notAll is the error of many tasks.
type notAll struct {
	total int
	errs  []error
}

func joined(results []Result) error {
	e := &notAll{total: len(results)}
	for _, r := range results {
		if r.Err != nil {
			e.errs = append(e.errs, r.Err)
		}
	}
	if e.errs == nil {
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
