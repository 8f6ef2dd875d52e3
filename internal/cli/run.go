package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

const (
	// expectGrace is how long --expect waits for tasks to be listed: the service lists a task some seconds after its
	// start.
	expectGrace = time.Minute
	expectEvery = 2 * time.Second
)

// selection is what is waited for: ids; or a task that has a name and began since then; or all that run.
type selection struct {
	ids    []string
	name   string
	since  time.Time
	all    bool
	expect int // how many tasks must be listed with all, at least
}

// run is one wait of the command.
type run struct {
	env       *env
	source    observedSource
	selection selection
	target    target
	given     []string // further flags of the command line
	opts      []taskwait.Option
	history   *durations // nil: none
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
	open        []string // the ids that may still run
	refused     bool     // the service has refused the credentials
	listTrouble string   // the trouble with the list that was reported last; empty: none
	printed     time.Time
	failed      context.CancelCauseFunc // stops the other tasks
}

// tracked is what the polls of one task have shown.
type tracked struct {
	last          *event
	polls, errors int
	seen          time.Time // of the last answer about the task
	failed        int       // polls since then
}

func (s *env) newRun(src *kafkatasks.Source, t target, p *printing, selected selection) *run {
	now := time.Now()
	r := &run{
		env: s, selection: selected, target: t, printing: p, forPeople: p.forPeople(), begun: now, printed: now,
		tasks: map[string]*tracked{},
	}
	r.source = observedSource{src, r.observeList}
	return r
}

// remember makes the run keep how long tasks take. Pauses that were not chosen are learned from that.
func (r *run) remember(d *durations, chosen bool) {
	if r.history = d; d != nil && !chosen {
		r.opts = append(r.opts, taskwait.WithHistory(d.known))
	}
}

// observedSource is the Source, with an eye on the list that many tasks share: its trouble is not the trouble of any
// single task, so no Progress reports it.
type observedSource struct {
	*kafkatasks.Source
	observe func(error)
}

// Tasks asks for a page of the list.
func (s observedSource) Tasks(ctx context.Context, b taskwait.Batch) ([]taskwait.Task, string, error) {
	tasks, next, err := s.Source.Tasks(ctx, b)
	if ctx.Err() == nil {
		s.observe(err)
	}
	return tasks, next, err
}

// do waits, and gives the exit code as an error, unless it is 0.
func (r *run) do(ctx context.Context, credentials string) error {
	if r.forPeople {
		r.env.note(ctx, fmt.Sprintf("instance %s, credentials from %s", r.target.instance, clip(credentials)))
	}
	r.reporter = r.env.reporter(r.printing)
	r.start(credentials)
	if r.history.problem() != "" {
		r.warn(r.history.problem())
	}
	stop := r.beat()
	err := r.await(ctx)
	stop()
	code := r.end(ctx, err)
	if r.forPeople && r.refused {
		r.env.note(ctx, refusedKeys(clip(credentials)))
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
			e.Event, e.Instance, e.Credentials = eventStart, r.target.instance, clip(credentials)
			e.Count = len(r.selection.ids)
		}
		r.tell(e)
	}
}

// await waits for what is selected. The outcomes of tasks come through progress; the error says why there is none.
func (r *run) await(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.failed = cancel
	if r.selection.all {
		if err := r.findAll(ctx); err != nil || len(r.selection.ids) == 0 {
			return err
		}
	}
	waiter, err := taskwait.New(r.source, append(r.options(), taskwait.WithProgress(r.progress))...)
	if err != nil {
		return err
	}
	switch ids := r.selection.ids; {
	case r.selection.name != "":
		_, err = waiter.Do(ctx, r.find())
	case len(ids) == 1: // a single wait also reports how far the task is
		_, err = waiter.WaitForTask(ctx, ids[0])
	default:
		_, err = waiter.CollectTasks(ctx, ids)
	}
	return err
}

// options are those of a wait that begins now.
func (r *run) options() []taskwait.Option {
	opts := slices.Clone(r.opts)
	if r.timeout > 0 {
		opts = append(opts, taskwait.WithTimeout(max(r.timeout-time.Since(r.begun), time.Millisecond)))
	}
	return opts
}

// find is an operation that was started elsewhere, and whose task is not known.
func (r *run) find() taskwait.Operation {
	find := func(ctx context.Context) ([]taskwait.Task, error) {
		tasks, err := r.source.List(ctx, r.selection.since)
		return slices.DeleteFunc(tasks, func(t taskwait.Task) bool { return t.Name != r.selection.name }), err
	}
	return taskwait.Operation{
		Name:  r.selection.name,
		Start: func(context.Context) (taskwait.Started, error) { return taskwait.Started{Find: find}, nil },
	}
}

// findAll puts the ids of all tasks that run into the selection. Tasks that begin later do not belong to it, unless
// --expect wants more than there are.
func (r *run) findAll(ctx context.Context) error {
	bound := expectGrace
	if r.timeout > 0 {
		bound = min(bound, r.timeout)
	}
	known := map[string]bool{}
	for first := true; ; first = false {
		tasks, err := queryOnce(ctx, r.options(), r.progress, func(ctx context.Context) ([]taskwait.Task, error) {
			return r.source.List(ctx, time.Time{})
		})
		if err != nil {
			return err
		}
		if found := r.pick(tasks, known, first); found >= r.selection.expect {
			return nil
		} else if time.Since(r.begun)+expectEvery > bound {
			return r.tooFew(found)
		}
		select {
		case <-time.After(expectEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pick selects the tasks that run, and from the second list on those that are new, and returns how many there are now.
func (r *run) pick(tasks []taskwait.Task, known map[string]bool, first bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tasks {
		if !known[t.ID] && (!first || !t.Status.Terminal()) {
			r.selection.ids = append(r.selection.ids, t.ID)
		}
		known[t.ID] = true
	}
	return len(r.selection.ids)
}

// tooFewError is the error of --expect.
type tooFewError struct{ found, expected int }

// Error says how many tasks there are.
func (e tooFewError) Error() string {
	return fmt.Sprintf("only %d of %d expected tasks listed", e.found, e.expected)
}

func (r *run) tooFew(found int) error {
	err := tooFewError{found, r.selection.expect}
	e := &event{Elapsed: seconds(time.Since(r.begun))}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done(e, "", err)
	r.send(e)
	return err
}

// queryOnce makes one query with the patience of a wait: through throttles, and errors that pass.
func queryOnce[T any](
	ctx context.Context, opts []taskwait.Option, progress func(taskwait.Progress), query func(context.Context) (T,
		error),
) (T, error) {
	var answer T
	var mu sync.Mutex // a query may be abandoned
	waiter, err := taskwait.New(taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
		a, err := query(ctx)
		if err != nil {
			return taskwait.Task{}, err
		}
		mu.Lock()
		defer mu.Unlock()
		answer = a
		return taskwait.Task{Status: taskwait.StatusSuccess}, nil
	}), append(slices.Clone(opts), taskwait.WithHistory(nil))...)
	if err != nil {
		return answer, err
	}
	_, err = waiter.WaitForTask(ctx, "list", taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Err != nil || p.Done && p.Outcome != nil { // only what goes wrong
			p.Task = taskwait.Task{}
			progress(p)
		}
	}))
	mu.Lock()
	defer mu.Unlock()
	return answer, err
}

// progress makes an event of what a wait reports.
func (r *run) progress(p taskwait.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, now := cmp.Or(p.Task.ID, r.only()), time.Now()
	t := r.track(id)
	t.observe(&p, now)
	e := &event{Task: clip(id)}
	e.fill(&p)
	e.Name = cmp.Or(e.Name, clip(r.selection.name))
	e.Failed = t.failed
	if !t.seen.IsZero() {
		e.Seen = after(now.Sub(t.seen))
	}
	switch before := t.last; {
	case p.Done:
		r.done(e, id, p.Outcome)
	case p.Err != nil:
		e.Event = eventTrouble
		e.explain(p.Err)
		if before != nil && before.Trouble == e.Trouble && before.Code == e.Code {
			e.Event = eventPoll // the same as before is no news
		}
	default:
		e.Event = news(before, e)
	}
	t.last = e
	r.history.watch(&p.Task)
	r.send(e)
}

// track finds the task with this id. A task that was looked up by its name has no id at first.
func (r *run) track(id string) *tracked {
	t := r.tasks[id]
	if t == nil && r.selection.name != "" && r.tasks[""] != nil {
		t = r.tasks[""]
		delete(r.tasks, "")
	}
	if t == nil {
		t = &tracked{}
	}
	r.tasks[id] = t
	return t
}

// observe notes whether the poll was answered. An answer in an unknown status is one.
func (t *tracked) observe(p *taskwait.Progress, now time.Time) {
	if p.Polls < t.polls || p.Errors < t.errors { // another phase of an operation
		t.polls, t.errors = 0, 0
	}
	var q *taskwait.QueryError
	answered := p.Err == nil || !errors.As(p.Err, &q) && p.Task.Status != ""
	switch {
	case p.Done:
		t.failed += p.Errors - t.errors
	case answered && p.Task.Status != "":
		t.seen, t.failed = now, 0
	case p.Err != nil:
		t.failed += max(p.Errors-t.errors, 1)
	}
	t.polls, t.errors = p.Polls, p.Errors
}

// news is the kind of event of an answer without trouble. That a task has ended is reported by "done".
func news(before, e *event) string {
	switch {
	case e.Status.Terminal():
		return eventPoll
	case before == nil || before.Status != e.Status:
		return eventStatus
	case e.Percent != nil && (before.Percent == nil || *before.Percent != *e.Percent):
		return eventProgress
	}
	return eventPoll
}

// only is the id of the single task that is waited for; empty: there are several, or its id is not known.
func (r *run) only() string {
	if len(r.selection.ids) == 1 {
		return r.selection.ids[0]
	}
	return ""
}

// done makes e the end of the wait for a task.
func (r *run) done(e *event, id string, err error) {
	e.Event, e.Outcome = eventDone, outcomeOf(err, e)
	r.outcomes = append(r.outcomes, e.Outcome)
	if id != "" && e.Outcome.maybeRunning() {
		r.open = append(r.open, id)
	}
	if err == nil {
		return
	}
	e.Error = reason(err)
	if e.Failed == 0 && slices.Contains([]outcome{timedOut, unknown, stopped}, e.Outcome) {
		e.Error = clip(trim(err)) // an error in between was recovered from
	}
	r.refused = r.refused || unauthorized(err)
	if r.failFast && e.Outcome != stopped {
		r.failed(errors.New("another task has not succeeded"))
	}
}

// observeList takes the state of the list that many tasks share; nil: it was readable.
func (r *run) observeList(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.listTrouble = ""
		return
	}
	e := &event{Event: eventTrouble, Elapsed: seconds(time.Since(r.begun))}
	e.explain(err)
	var q *taskwait.QueryError
	if errors.As(err, &q) && q.RetryAfter > 0 {
		e.Next = after(q.RetryAfter)
	}
	if key := e.Trouble + e.Code; r.listTrouble != key {
		r.listTrouble = key
		r.send(e)
	}
}

// tell reports an event.
func (r *run) tell(e *event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(e)
}

// warn reports something beside the tasks.
func (r *run) warn(message string) { r.tell(&event{Event: eventWarning, Message: clip(message)}) }

func (r *run) send(e *event) {
	e.Time = time.Now().UTC()
	if e.Event != eventPoll {
		r.printed = e.Time
	}
	r.reporter.report(e)
}

// beat reports that the wait goes on, whenever nothing else was reported for the time of a heartbeat, until stop is
// called.
func (r *run) beat() (stop func()) {
	if r.heartbeat == 0 {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-time.After(r.beatIfSilent()):
			case <-over:
				return
			}
		}
	}()
	return func() { close(over); <-ended }
}

// beatIfSilent reports a heartbeat if it is time for one, and returns how long to wait for the next.
func (r *run) beatIfSilent() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if left := r.heartbeat - time.Since(r.printed); left > 0 {
		return left
	}
	e := r.single()
	e.Event, e.Elapsed = eventHeartbeat, seconds(time.Since(r.begun))
	e.Open = max(len(r.selection.ids)-len(r.outcomes), 1)
	r.send(e)
	return r.heartbeat
}

// single is the last event of the task, as it would be now, if there is only one; else an empty event.
func (r *run) single() *event {
	e := &event{}
	if len(r.tasks) != 1 || len(r.selection.ids) > 1 {
		return e
	}
	for _, t := range r.tasks {
		if t.last == nil {
			return e
		}
		*e = *t.last
		since := seconds(time.Since(t.last.Time))
		if e.Seen != nil {
			e.Seen = after(time.Duration(*e.Seen + since))
		}
		e.Next = after(time.Duration(max(e.next()-since, 0)))
	}
	return e
}

// end reports how everything ended, and gives the exit code. err is that of the wait.
func (r *run) end(ctx context.Context, err error) int {
	r.history.save(r.warn)
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &event{Event: eventEnd, Outcomes: map[outcome]int{}, Elapsed: seconds(time.Since(r.begun))}
	if err != nil && len(r.outcomes) == 0 { // before there was a wait
		r.outcomes = append(r.outcomes, outcomeOf(err, &event{}))
		r.refused, e.Error = unauthorized(err), reason(err)
	}
	code := codeOf(r.outcomes)
	signal, ended := stoppedBy(ctx)
	if ended = ended && slices.Contains(r.outcomes, stopped); ended {
		code = signal.code()
	}
	for _, o := range r.outcomes {
		e.Outcomes[o]++
	}
	ids := r.resumable()
	e.command = r.resume(ids)
	e.ExitCode, e.Resume, e.Dropped = &code, strings.Join(e.command, " "), r.env.out.lost()
	if len(r.outcomes) == 0 {
		e.Message = "nothing runs on the instance"
	}
	if parts := chunks(clipAll(ids)); len(parts) > 1 {
		for _, part := range parts {
			r.send(&event{Event: eventOpen, Tasks: part})
		}
	}
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
}

// resumable are the ids to wait for again: those that may still run, and that the command accepts.
func (r *run) resumable() []string {
	ids := slices.DeleteFunc(slices.Clone(r.open), func(id string) bool { return checkID("task id", id) != nil })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// resume is the command that waits again, as it was given, a flag and its value in one word; nil: there is nothing to
// wait for.
func (r *run) resume(ids []string) []string {
	words := []string{"taskwait kafka wait"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag+" "+quote(value))
		}
	}
	add("--instance", r.target.instance)
	add("--region", r.target.region)
	add("--endpoint", r.target.endpoint)
	add("--project", r.target.project)
	words = append(words, r.given...)
	switch {
	case len(chunks(ids)) > 1:
		return append(words, "-")
	case len(ids) > 0:
		if slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "-") }) {
			words = append(words, "--")
		}
		for _, id := range ids {
			words = append(words, quote(id))
		}
		return words
	case !slices.ContainsFunc(r.outcomes, outcome.maybeRunning) || len(r.selection.ids) > 0:
		return nil
	case r.selection.name != "":
		add("--name", r.selection.name)
		add("--since", r.selection.since.UTC().Format(time.RFC3339))
	case r.selection.all:
		words = append(words, "--all")
		if r.selection.expect > 0 {
			words = append(words, fmt.Sprintf("--expect %d", r.selection.expect))
		}
	}
	return words
}

// quote makes a word of s that a POSIX shell reads as s.
func quote(s string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:/@=+",
			c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
