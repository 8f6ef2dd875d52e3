package cli

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// wanted is what is waited for: ids, or what has a name and began since, or all that runs.
type wanted struct {
	ids   []string
	name  string
	since time.Time
	all   bool
}

// run is one wait of the command.
type run struct {
	src     watched
	what    wanted
	target  target
	opts    []taskwait.Option
	history *durations // nil: none
	errOut  io.Writer
	notes   bool // errOut is told what a person may want to know
	timeout time.Duration
	begun   time.Time

	mu       sync.Mutex // what follows; the source tells of trouble from its own goroutines
	rep      reporter
	last     map[string]*event // of each task
	outcomes []outcome
	open     []string // the ids that may still run
	refused  bool     // the service has refused the credentials
	shared   string   // the trouble with the list that was told last; "": it is well
}

func (s *System) newRun(src *kafkatasks.Source, t target, p *printing, what wanted, opts []taskwait.Option) *run {
	r := &run{
		what: what, target: t, opts: opts, errOut: s.Stderr, notes: p.notes(), begun: time.Now(),
		rep: s.reporter(p), last: map[string]*event{},
	}
	r.src = watched{src, r.sharedTrouble}
	return r
}

// remember makes the run keep what tasks take. It also looks when that makes an end likely, unless the pauses were chosen.
func (r *run) remember(d *durations, chosen bool) {
	if r.history = d; d != nil && !chosen {
		r.opts = append(r.opts, taskwait.WithHistory(d.known))
	}
}

// watched is the Source, with an eye on the list that many tasks share: what goes wrong with that is no task's own
// trouble, so no task's Progress tells it.
type watched struct {
	*kafkatasks.Source
	trouble func(error)
}

// Tasks asks for a page of the list.
func (w watched) Tasks(ctx context.Context, b taskwait.Batch) ([]taskwait.Task, string, error) {
	tasks, next, err := w.Source.Tasks(ctx, b)
	if ctx.Err() == nil {
		w.trouble(err)
	}
	return tasks, next, err
}

// await waits for what is wanted. The outcomes of tasks come through progress; the error says why there is none.
func (r *run) await(ctx context.Context) error {
	waiter, err := taskwait.New(r.src, append(slices.Clone(r.opts), taskwait.WithProgress(r.progress))...)
	if err != nil {
		return err
	}
	switch ids := r.what.ids; {
	case r.what.name != "":
		_, err = waiter.Do(ctx, r.find())
	case r.what.all:
		err = r.awaitAll(ctx)
	case len(ids) == 1: // who waits alone is also told how far the task is
		_, err = waiter.WaitForTask(ctx, ids[0])
	default:
		_, err = waiter.CollectTasks(ctx, ids)
	}
	return err
}

// find is the operation that somebody else has started, and whose task is not known.
func (r *run) find() taskwait.Operation {
	find := func(ctx context.Context) ([]taskwait.Task, error) {
		tasks, err := r.src.List(ctx, r.what.since)
		return slices.DeleteFunc(tasks, func(t taskwait.Task) bool { return t.Name != r.what.name }), err
	}
	return taskwait.Operation{
		Name:  r.what.name,
		Start: func(context.Context) (taskwait.Started, error) { return taskwait.Started{Find: find}, nil },
	}
}

// awaitAll waits for all tasks that run now. Those that begin later are others.
func (r *run) awaitAll(ctx context.Context) error {
	began := time.Now()
	tasks, err := ask(ctx, r.opts, r.progress, func(ctx context.Context) ([]taskwait.Task, error) { return r.src.List(ctx, time.Time{}) })
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if !t.Status.Terminal() {
			r.what.ids = append(r.what.ids, t.ID)
		}
	}
	if r.what.all = false; len(r.what.ids) == 0 {
		return nil
	}
	if timeout := r.timeout; timeout > 0 {
		r.opts = append(r.opts, taskwait.WithTimeout(max(timeout-time.Since(began), time.Millisecond)))
	}
	return r.await(ctx)
}

// ask asks once, with the patience of a wait: through throttles, and errors that pass.
func ask[T any](ctx context.Context, opts []taskwait.Option, progress func(taskwait.Progress), f func(context.Context) (T, error)) (T, error) {
	var answer T
	var mu sync.Mutex // a call may be left behind
	waiter, err := taskwait.New(taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
		a, err := f(ctx)
		if err != nil {
			return taskwait.Task{}, err
		}
		mu.Lock()
		defer mu.Unlock()
		answer = a
		return taskwait.Task{Status: taskwait.StatusSuccess}, nil
	}), opts...)
	if err != nil {
		return answer, err
	}
	_, err = waiter.WaitForTask(ctx, "list", taskwait.WithHistory(nil), taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Err != nil || p.Done && p.Outcome != nil { // only of what goes wrong
			p.Task = taskwait.Task{}
			progress(p)
		}
	}))
	mu.Lock()
	defer mu.Unlock()
	return answer, err
}
