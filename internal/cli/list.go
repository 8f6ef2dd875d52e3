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

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

const (
	listSince = "168h" // a week
	listEvery = 5 * time.Second
	// leastListEvery keeps a slip of the unit from using up the service's quota.
	leastListEvery = 100 * time.Millisecond
	// listTolerance is how long a list retries through errors: somebody sits in front of it.
	listTolerance = 10 * time.Second
)

// listFlags are those of "kafka list".
type listFlags struct {
	target
	printing
	limitFlags
	since    string
	watch    bool
	interval time.Duration
}

func (s *env) listCommand() *cobra.Command {
	f := listFlags{target: newTarget(kafkaService)}
	c := &cobra.Command{
		Use:   "list [flags]",
		Short: "Show the instance's background tasks",
		Long: `Show the instance's background tasks, the latest first: id, status, how long
it took or has been running, and name. --watch keeps that current until
Ctrl-C, through outages of the service; where standard output is no terminal,
it prints a line for each change.`,
		Example: `  taskwait kafka list --instance INSTANCE_ID
  taskwait kafka list --instance INSTANCE_ID --since 2h --watch`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.list(c.Context(), &f) },
	}
	f.target.flags(c)
	f.printing.flags(c)
	f.limitFlags.flags(c)
	c.Flags().StringVar(&f.since, "since", listSince, "only tasks that began since: a time, or how long ago; 0: all")
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "keep it current")
	c.Flags().DurationVar(&f.interval, "interval", listEvery, "with --watch: the pause between two queries")
	complete(c, "since", func() []string { return nil })
	return c
}

func (s *env) list(ctx context.Context, f *listFlags) error {
	since, err := f.check()
	if err != nil {
		return err
	}
	limit, err := f.open()
	if err != nil {
		return err
	}
	src, credentials, err := s.connect(&f.target, limit)
	if err != nil {
		return err
	}
	of := f.subject()
	if f.forPeople() {
		s.note(ctx, of.about(credentials))
	}
	l := &lister{
		source: src, since: since, begun: time.Now(), reporter: s.listReporter(ctx, f), unread: s.out.broken,
		opts: append(limit.options(), taskwait.WithErrorTolerance(listTolerance), taskwait.WithNotFoundGrace(0)),
	}
	limit.sayTo(l.warn)
	if err = l.once(ctx); f.watch {
		err = l.keep(ctx, f.interval, err)
	}
	refused := unauthorized(err)
	if err = listError(ctx, err); f.output == outputJSON {
		err = l.end(err)
	}
	l.reporter.close()
	if f.forPeople() && refused {
		s.note(ctx, refusedKeys(clip(credentials)))
	}
	s.out.flush(ctx)
	if signal, ok := stoppedBy(ctx); ok && s.out.lost() > 0 {
		return &exitError{code: signal.code()} // the list is not complete
	}
	return err
}

// listReporter is what prints: with --watch on a terminal the whole list stays on the screen. No row is dropped for a
// slow reader: the next query waits.
func (s *env) listReporter(ctx context.Context, f *listFlags) reporter {
	out := func(line []byte, _ bool) { s.out.put(ctx, line) }
	switch {
	case f.quiet:
		return quietReporter{s.hint}
	case f.output == outputJSON:
		return jsonReporter{out}
	case s.screen == nil:
		return &titledReporter{textReporter: textReporter{out, s.hint}}
	case !f.watch:
		return &titledReporter{textReporter: textReporter{out, s.hint}, screen: s.screen}
	}
	t := &table{screen: s.screen, out: out, rows: map[string]*event{}}
	t.drawing = s.screen.draw(func(columns, rows int) []string { return t.view(time.Now(), columns, rows) })
	return t
}

func (f *listFlags) check() (time.Time, error) {
	if err := f.printing.check(); err != nil {
		return time.Time{}, err
	}
	if f.interval < leastListEvery {
		return time.Time{}, fmt.Errorf("--interval %v, want at least %v", f.interval, leastListEvery)
	}
	if f.since == "0" {
		return time.Time{}, nil
	}
	return parseSince(f.since, time.Now())
}

// listError is what an error means for the exit code.
func listError(ctx context.Context, err error) error {
	if signal, ok := stoppedBy(ctx); ok && err != nil {
		return &exitError{code: signal.code()}
	}
	if err == nil {
		return nil
	}
	return &exitError{codeOf([]outcome{outcomeOf(err, &event{})}), errors.New(reason(err))}
}

// lister lists the tasks again and again, and reports what has changed.
type lister struct {
	source   *kafkatasks.Source
	since    time.Time
	begun    time.Time
	opts     []taskwait.Option
	reporter reporter
	unread   func() bool // nobody reads what is reported
	known    map[string]taskwait.Task
	trouble  string // that was reported last; empty: the list is readable
}

// once lists the tasks, and reports those that are new, have changed, or are gone, the latest first.
func (l *lister) once(ctx context.Context) error {
	tasks, err := queryOnce(ctx, l.opts, l.observe, func(ctx context.Context) ([]taskwait.Task, error) {
		return l.source.ListSince(ctx, l.since)
	})
	if err != nil {
		return err
	}
	if l.trouble != "" && l.known != nil {
		l.trouble = ""
		l.reporter.report(&event{Event: eventRecovered, Time: time.Now().UTC(), Elapsed: seconds(time.Since(l.begun))})
	}
	l.update(tasks)
	return nil
}

func (l *lister) update(tasks []taskwait.Task) {
	slices.SortStableFunc(tasks, func(a, b taskwait.Task) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	known := make(map[string]taskwait.Task, len(tasks))
	for _, t := range tasks {
		known[t.ID] = t
	}
	for id, t := range l.known {
		if _, ok := known[id]; !ok {
			l.reportTask(eventGone, &t)
		}
	}
	for _, t := range tasks {
		if before, ok := l.known[t.ID]; !ok || before.Status != t.Status {
			l.reportTask(eventTask, &t)
		}
	}
	l.known = known
}

// keep lists the tasks until ctx ends, or nobody reads them. Once the list was readable no error ends it.
func (l *lister) keep(ctx context.Context, every time.Duration, err error) error {
	for !l.unread() {
		var q *taskwait.QueryError
		retry := errors.As(err, &q) && q.Class != taskwait.ClassPermanent && q.Class != taskwait.ClassNotFound
		if err != nil && l.known == nil && !retry {
			return err
		}
		select {
		case <-time.After(every):
			err = l.once(ctx)
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}

func (l *lister) reportTask(kind string, t *taskwait.Task) {
	e := &event{Event: kind, Time: time.Now().UTC(), Task: clip(t.ID)}
	e.fill(&taskwait.Progress{Task: *t, Done: true})
	now := t.AsOf // the clock of the service, which has dated the task
	if now.IsZero() {
		now = e.Time
	}
	if !e.Created.IsZero() {
		e.Age = max(seconds(max(now.Sub(e.Created), 0)), e.Took) // the service dates its answers to the second
	}
	l.reporter.report(e)
}

// observe reports trouble, once until it changes.
func (l *lister) observe(p taskwait.Progress) {
	if p.Err == nil || p.Done {
		return
	}
	e := &event{Event: eventTrouble, Time: time.Now().UTC(), Elapsed: seconds(time.Since(l.begun)), Next: after(p.Next)}
	e.explain(p.Err)
	if key := e.Trouble + e.Code; key != l.trouble {
		l.trouble = key
		l.reporter.report(e)
	}
}

// end reports how the list ended, whose error is that of listError; what remains of the error is the exit code.
func (l *lister) end(err error) error {
	code, exit := codeOK, &exitError{}
	e := &event{Event: eventEnd, Time: time.Now().UTC(), Elapsed: seconds(time.Since(l.begun)), ExitCode: &code}
	if errors.As(err, &exit) {
		code, e.Error, err = exit.code, exit.Error(), &exitError{code: exit.code}
	}
	l.reporter.report(e)
	return err
}

// warn reports something beside the tasks.
func (l *lister) warn(message string) {
	l.reporter.report(&event{Event: eventWarning, Time: time.Now().UTC(), Message: clip(message)})
}

func rowStatus(e *event) string {
	if e.Event == eventGone {
		return "gone"
	}
	return string(e.Status)
}

// row is a task's row of a list, below heading.
func row(e *event) string {
	took := "-"
	if e.Status.Terminal() {
		took = short(time.Duration(e.Took))
	}
	return columns(e.Task, rowStatus(e), short(time.Duration(e.Age)), took, e.Name)
}

var heading = columns("TASK", "STATUS", "AGE", "DURATION", "NAME")

func columns(task, status, age, took, name string) string {
	cell := func(s string, w int) string { return widths.FillRight(s, w) + gap }
	return cell(task, idWidth) + cell(status, 10) + cell(age, 8) + cell(took, 8) + name
}

// titledReporter is a textReporter with a heading above the first row.
type titledReporter struct {
	textReporter
	screen *screen // where lines must not wrap; nil: they may be as long as they are
	begun  bool
}

func (t *titledReporter) report(e *event) {
	if e.Event != eventTask && e.Event != eventGone {
		t.textReporter.report(e)
		return
	}
	head, line := heading, row(e)
	if t.screen != nil {
		columns, _ := t.screen.size()
		head, line = tableHead(t.screen, columns), tableRow(t.screen, t.screen.readable(e), columns)
	}
	if !t.begun && head != "" {
		t.line(false, head)
	}
	t.begun = true
	t.line(false, line)
}

// table keeps the list on the screen, the latest task first.
type table struct {
	screen  *screen
	out     sink
	drawing *drawing

	mu     sync.Mutex
	rows   map[string]*event // by id
	sorted []*event          // nil: to be sorted again
	list   *event            // trouble; nil: none
}

func (t *table) report(e *event) {
	t.take(e)
	t.drawing.change()
}

func (t *table) take(e *event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Event {
	case eventTrouble:
		t.list = e
	case eventRecovered:
		t.list = nil
	case eventGone:
		delete(t.rows, e.Task)
		t.sorted = nil
	case eventTask:
		t.rows[e.Task], t.sorted = t.screen.readable(e), nil
	}
}

// latest gives the rows, the latest first, and of those of one time the one with the least id.
func (t *table) latest() []*event {
	if t.sorted == nil {
		for _, e := range t.rows {
			t.sorted = append(t.sorted, e)
		}
		slices.SortFunc(t.sorted, func(a, b *event) int {
			return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Task, b.Task))
		})
	}
	return t.sorted
}

func (t *table) view(now time.Time, columns, rows int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.latest()
	var lines []string
	if head := tableHead(t.screen, columns); head != "" && len(all) > 0 {
		lines, rows = append(lines, head), rows-1
	}
	shown := min(len(all), max(rows-2, 1))
	for _, e := range all[:shown] {
		lines = append(lines, tableRow(t.screen, e.aged(now), columns))
	}
	var foot []string
	if len(all) == 0 {
		foot = append(foot, "no tasks")
	}
	if hidden := len(all) - shown; hidden > 0 {
		foot = append(foot, fmt.Sprintf("and %d more", hidden))
	}
	if t.list != nil {
		foot = append(foot, trouble(t.list, now))
	}
	if len(foot) > 0 {
		lines = append(lines, t.screen.glyphs.fit(strings.Join(foot, "; "), columns))
	}
	return lines
}

// aged is e as it would be reported now.
func (e *event) aged(now time.Time) *event {
	aged := *e
	aged.Age += seconds(now.Sub(e.Time))
	return &aged
}

// wide is the number of columns from which on there is room for everything in a row, and some of the name.
const wide = 76

func tableHead(s *screen, columns int) string {
	if columns <= wide {
		return ""
	}
	return s.glyphs.fit(heading, columns)
}

// tableRow is a task's row. Where there is no room for everything it has the head of the id, and one of the times.
func tableRow(s *screen, e *event, columns int) string {
	if columns > wide {
		return s.glyphs.fit(row(e), columns)
	}
	at := e.Age
	if e.Status.Terminal() {
		at = e.Took
	}
	id := widths.FillRight(widths.Truncate(e.Task, leastLabel, ""), leastLabel)
	return s.glyphs.fit(fmt.Sprintf("%s%s%-9s %7s  %s", id, gap, rowStatus(e), at, e.Name), columns)
}

// close leaves the table as it is now.
func (t *table) close() {
	t.drawing.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	list := titledReporter{textReporter: textReporter{t.out, nil}, screen: t.screen}
	for _, e := range t.latest() {
		list.report(e.aged(time.Now()))
	}
}
