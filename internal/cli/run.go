package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
)

// selection is what is waited for: ids; or a task that has a name and began since then; or all that run.
type selection struct {
	ids        []string
	name       string
	since      time.Time
	sinceGiven string // as it was given
	all        bool
	expect     int // how many tasks must be listed with all, at least
}

// given are the ids that were given; none: by name, or all.
func (s *selection) given() []string {
	if s.name != "" || s.all {
		return nil
	}
	return s.ids
}

// run is one wait of the command.
type run struct {
	env       *env
	source    observedSource
	beside    []beside // other services; their ids are in the selection too
	selection selection
	subject   subject
	given     []string // further flags of the command line
	print     string   // the place of what is printed of a task that succeeded; empty: nothing is
	opts      []taskwait.Option
	state     *state              // nil: nothing is kept
	starts    *startFlags         // of "kafka start"; nil: nothing is started
	operation *taskwait.Operation // of "kafka start"; nil: the selection says what is waited for
	history   *durations          // nil: none
	limit     *quota              // nil: none
	debug     *debugServer        // nil: none
	forPeople bool
	timeout   time.Duration // 0: none
	heartbeat time.Duration // 0: none
	failFast  bool
	printing  *printing
	begun     time.Time

	mu          sync.Mutex // what follows: the source reports trouble from its own goroutines
	reporter    reporter
	tasks       map[string]*tracked
	outcomes    []outcome
	last        []*event                // what has ended
	open        []string                // the ids that may still run
	refused     bool                    // the service has refused the credentials
	listTrouble string                  // the trouble with the list that was reported last; empty: none
	printed     time.Time               // the last line where heartbeats go
	failed      context.CancelCauseFunc // stops the other tasks
	noValue     bool                    // there was nothing to be printed
}

func (s *env) newRun(of subject, p *printing, selected selection) *run {
	now := time.Now()
	r := &run{
		env: s, selection: selected, subject: of, printing: p, forPeople: p.forPeople(), begun: now, printed: now,
		tasks: map[string]*tracked{},
	}
	r.source.observe = r.observeList
	return r
}

// remember makes the run keep how long tasks take. Pauses that were not chosen are learned from that.
func (r *run) remember(d *durations, chosen bool) {
	if r.history = d; d != nil && !chosen {
		r.opts = append(r.opts, taskwait.WithHistory(d.known))
	}
}

// do waits, and gives the exit code as an error, unless it is 0.
func (r *run) do(ctx context.Context, credentials string) error {
	if r.forPeople {
		r.env.note(ctx, r.subject.about(credentials))
	}
	if !r.printing.quiet {
		r.debug.announce(r.env.hint)
	}
	r.reporter = r.reports()
	r.start(credentials)
	if r.history.problem() != "" {
		r.warn(r.history.problem())
	}
	r.limit.sayTo(r.warn)
	stop := r.beat()
	err := r.await(ctx)
	stop()
	code := r.end(ctx, err)
	if r.forPeople && r.refused && r.subject.refused != nil {
		r.env.note(ctx, r.subject.refused(clip(credentials)))
	}
	if code != codeOK {
		return &exitError{code: code}
	}
	return nil
}

// start reports what is waited for.
func (r *run) start(credentials string) {
	for i, ids := range chunks(clipAll(r.selection.ids)) {
		e := &event{Event: eventTasks, Tasks: ids}
		if i == 0 {
			e.Event, e.Instance, e.Credentials = eventStart, r.subject.instance, clip(credentials)
			e.Count = len(r.selection.ids)
		}
		r.emit(e)
	}
}

// await waits for what is selected. The outcomes of tasks come through progress; the error says why there is none.
func (r *run) await(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.failed = cancel
	if r.selection.all && len(r.selection.ids) == 0 {
		if err := r.findAll(ctx); err != nil || len(r.selection.ids) == 0 {
			return err
		}
	}
	if err := r.state.know(&r.selection); err != nil {
		return err
	}
	waiter, err := taskwait.New(r.source, append(r.options(), taskwait.WithProgress(r.progress))...)
	if err != nil {
		return err
	}
	defer r.debug.serve(waiter)()
	switch ids := r.selection.ids; {
	case r.operation != nil:
		err = r.operate(ctx, waiter, *r.operation)
	case r.selection.name != "":
		err = r.operate(ctx, waiter, r.find())
	case r.state != nil:
		err = r.resumeAll(ctx, waiter)
	case len(r.beside) > 0:
		err = r.sideBySide(ctx, waiter)
	case len(ids) == 1: // a single wait also reports how far the task is
		_, err = waiter.WaitForTask(ctx, ids[0])
	default:
		_, err = waiter.WaitForAll(ctx, ids)
	}
	return err
}

// beside is a service whose tasks are waited for beside those of the run's source.
type beside struct {
	service string // that stands before the kind of each task
	source  polled
	ids     []string
}

// sideBySide waits for the tasks of several services at once: one Waiter for each service.
func (r *run) sideBySide(ctx context.Context, first *taskwait.Waiter) error {
	var all sync.WaitGroup
	ids := r.selection.ids
	errs := make([]error, 1+len(r.beside))
	for i, b := range r.beside {
		ids = ids[:len(ids)-len(b.ids)]
		progress := func(p taskwait.Progress) {
			p.Task.Kind = strings.TrimSpace(b.service + " " + p.Task.Kind)
			r.progress(p)
		}
		all.Go(func() {
			waiter, err := taskwait.New(b.source, append(r.options(), taskwait.WithProgress(progress))...)
			if err == nil {
				_, err = waiter.WaitForAll(ctx, b.ids)
			}
			errs[1+i] = err
		})
	}
	_, errs[0] = first.WaitForAll(ctx, ids)
	all.Wait()
	return errors.Join(errs...)
}

// options are those of a wait that begins now.
func (r *run) options() []taskwait.Option {
	opts := slices.Clone(r.opts)
	if r.timeout > 0 {
		opts = append(opts, taskwait.WithTimeout(max(r.timeout-time.Since(r.begun), time.Millisecond)))
	}
	return opts
}

// end reports how everything ended, and gives the exit code. err is that of the wait.
func (r *run) end(ctx context.Context, err error) int {
	r.history.save(r.warn)
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &event{Event: eventEnd, Outcomes: map[outcome]int{}, Elapsed: seconds(time.Since(r.begun))}
	if err != nil && len(r.outcomes) == 0 { // before there was a wait
		r.outcomes = append(r.outcomes, outcomeOf(err, &event{}))
		r.refused = unauthorized(err)
		if r.outcomes[0] != stopped {
			e.Error = reason(err)
		}
	}
	code := codeOf(r.outcomes)
	if code == codeOK {
		code, e.Error = r.valueCode()
	}
	if errors.Is(err, taskwait.ErrInvalidOption) || errors.Is(err, taskwait.ErrInvalidID) {
		code = codeUsage
	}
	signal, ended := stoppedBy(ctx)
	if ended = ended && slices.Contains(r.outcomes, stopped); ended {
		code = signal.code()
	}
	for _, o := range r.outcomes {
		e.Outcomes[o]++
	}
	ids := r.resumable()
	e.command = r.resume(ids)
	e.cancels = r.cancelWords(ids)
	e.Cancel = strings.Join(e.cancels, " ")
	e.ExitCode, e.Resume, e.Dropped = &code, strings.Join(e.command, " "), r.env.out.lost()
	if len(r.outcomes) == 0 {
		e.Message = r.subject.nothing()
	}
	if parts := chunks(clipAll(ids)); len(parts) > 1 {
		for _, part := range parts {
			r.send(&event{Event: eventOpen, Tasks: part})
		}
	}
	e.Time = time.Now().UTC()
	r.keepEnd(e)
	r.send(e)
	r.reporter.close()
	r.finish(ctx, e, signal, ended)
	return code
}

// finish hands on what was printed, and prints the summary. Nobody waits for a reader longer than for the tasks.
func (r *run) finish(ctx context.Context, e *event, signal signalError, ended bool) {
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.begun.Add(r.timeout))
		defer cancel()
	}
	r.printValue(r.last)
	r.env.out.flush(ctx)
	if r.forPeople {
		r.printSummary(e, signal, ended)
	}
	r.env.errOut.flush(ctx)
}

// printSummary tells a person what to know at the end.
func (r *run) printSummary(e *event, signal signalError, ended bool) {
	if e.Error != "" {
		r.env.hint(e.Error)
	}
	if ended {
		r.env.hint(signal.Error() + "; the tasks go on without us")
	}
	if e.Message != "" {
		r.env.hint(e.Message)
	}
	if e.Resume != "" {
		what := "to wait again: "
		if e.command[len(e.command)-1] == "-" {
			what = "to wait again, with the ids that have not ended on standard input: "
		}
		r.env.hintCommand(what, e.command)
	}
	if e.Cancel != "" {
		r.env.hintCommand("to cancel: ", e.cancels)
	}
}
