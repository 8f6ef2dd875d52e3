package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

const (
	listSince = "168h" // a week
	listEvery = 5 * time.Second
	// listTolerance is for how long a list puts up with errors: somebody sits in front of it.
	listTolerance = 10 * time.Second
)

// listFlags are those of "kafka list".
type listFlags struct {
	target
	printing
	since    string
	watch    bool
	interval time.Duration
}

func (s *System) listCommand() *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use:   "list [flags]",
		Short: "Show the instance's background tasks",
		Long: `Show the instance's background tasks, the latest first: id, status, how long it took or has been running, and name.
--watch keeps that current, until Ctrl-C; where standard output is no terminal, it prints a line for each change.`,
		Example: `  taskwait kafka list --instance INSTANCE_ID
  taskwait kafka list --instance INSTANCE_ID --since 2h --watch`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.list(c.Context(), &f) },
	}
	f.target.flags(c)
	f.printing.flags(c)
	c.Flags().StringVar(&f.since, "since", listSince, "only tasks that began since: a time, or how long ago; 0: all")
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "keep it current")
	c.Flags().DurationVar(&f.interval, "interval", listEvery, "with --watch: the pause between two looks")
	return c
}

func (s *System) list(ctx context.Context, f *listFlags) error {
	since, err := f.check()
	if err != nil {
		return err
	}
	src, credentials, err := s.connect(&f.target)
	if err != nil {
		return err
	}
	l := &lister{src: src, since: since, begun: time.Now(), rep: s.listReporter(f)}
	if f.notes() {
		fmt.Fprintf(s.Stderr, "taskwait: instance %s, credentials from %s\n", f.instance, credentials)
	}
	if err = l.once(ctx); f.watch {
		err = l.keep(ctx, f.interval, err)
	}
	l.rep.close()
	if f.notes() && unauthorized(err) {
		fmt.Fprintf(s.Stderr, "taskwait: %s\n", refusedKeys(credentials))
	}
	return listError(ctx, err)
}

// listReporter is who prints: with --watch on a terminal the whole list stays on the screen.
func (s *System) listReporter(f *listFlags) reporter {
	if !f.notes() {
		return s.reporter(&f.printing)
	}
	if s.Live == nil || !f.watch {
		return &titled{plain: plain{s.Stdout}}
	}
	t := &table{live: &live{out: s.Stdout}}
	t.stop = s.Live(func(columns, rows int) []string { return t.view(time.Now(), columns, rows) })
	return t
}

func (f *listFlags) check() (time.Time, error) {
	if err := f.printing.check(); err != nil {
		return time.Time{}, err
	}
	if f.interval <= 0 {
		return time.Time{}, fmt.Errorf("--interval %v, want above 0", f.interval)
	}
	if f.since == "0" || f.since == "" {
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
	return &exitError{codeOf([]outcome{outcomeOf(err)}), errors.New(reason(err))}
}

// lister lists the tasks again and again, and tells what has changed.
type lister struct {
	src   *kafkatasks.Source
	since time.Time
	begun time.Time
	rep   reporter
	known []taskwait.Task
}

// once lists the tasks, and tells of those that are new, have changed, or are gone, the oldest first.
func (l *lister) once(ctx context.Context) error {
	opts := []taskwait.Option{taskwait.WithErrorTolerance(listTolerance), taskwait.WithNotFoundGrace(0)}
	tasks, err := ask(ctx, opts, l.trouble, func(ctx context.Context) ([]taskwait.Task, error) { return l.src.List(ctx, l.since) })
	if err != nil {
		return err
	}
	for _, t := range l.known {
		if !slices.ContainsFunc(tasks, func(n taskwait.Task) bool { return n.ID == t.ID }) {
			l.tell(eventGone, &t)
		}
	}
	for _, t := range tasks {
		i := slices.IndexFunc(l.known, func(k taskwait.Task) bool { return k.ID == t.ID })
		if i < 0 || l.known[i].Status != t.Status {
			l.tell(eventTask, &t)
		}
	}
	l.known = tasks
	return nil
}

// keep lists the tasks until ctx ends. Trouble that passes is told; what does not pass ends it.
func (l *lister) keep(ctx context.Context, every time.Duration, err error) error {
	for err == nil {
		select {
		case <-time.After(every):
			err = l.once(ctx)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return err
}

func (l *lister) tell(kind string, t *taskwait.Task) {
	e := &event{Event: kind, Time: time.Now(), Task: t.ID}
	e.fill(&taskwait.Progress{Task: *t, Done: true})
	now := t.AsOf // the service's clock is the one that has dated the task
	if now.IsZero() {
		now = e.Time
	}
	if !t.CreatedAt.IsZero() {
		e.Age = max(seconds(max(now.Sub(t.CreatedAt), 0)), e.Took) // the service dates its answers to the second
	}
	l.rep.report(e)
}

func (l *lister) trouble(p taskwait.Progress) {
	if p.Err == nil || p.Done {
		return
	}
	e := &event{Event: eventTrouble, Time: time.Now(), Elapsed: seconds(time.Since(l.begun))}
	e.explain(p.Err)
	next := seconds(p.Next)
	e.Next = &next
	l.rep.report(e)
}

// table keeps the list on the screen, the latest task first.
type table struct {
	*live
	mu sync.Mutex
}

func (t *table) report(e *event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e.Event == eventTrouble:
		t.list = e
		return
	case e.Event == eventGone:
		t.rows = slices.DeleteFunc(t.rows, func(r *event) bool { return r.Task == e.Task })
		return
	}
	t.rows = slices.DeleteFunc(t.rows, func(r *event) bool { return r.Task == e.Task })
	t.rows = append(t.rows, e)
	slices.SortStableFunc(t.rows, func(a, b *event) int { return b.Created.Compare(a.Created) })
}

func (t *table) view(now time.Time, columns, rows int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) == 0 {
		return []string{fit("no tasks", columns)}
	}
	var lines []string
	if columns > wide {
		lines, rows = append(lines, fit(heading, columns)), rows-1
	}
	shown := min(len(t.rows), max(rows-2, 1))
	for _, e := range t.rows[:shown] {
		lines = append(lines, fit(tableRow(e, now, columns), columns))
	}
	var foot []string
	if hidden := len(t.rows) - shown; hidden > 0 {
		foot = append(foot, fmt.Sprintf("and %d more", hidden))
	}
	if t.list != nil && now.Before(t.list.Time.Add(time.Duration(t.list.next()))) {
		foot = append(foot, trouble(t.list, now))
	}
	if len(foot) > 0 {
		lines = append(lines, fit(strings.Join(foot, "; "), columns))
	}
	return lines
}

// aged is e as it would be told now.
func (e *event) aged(now time.Time) *event {
	aged := *e
	aged.Age += seconds(now.Sub(e.Time))
	return &aged
}

// wide is from how many columns on there is room for all that is in a row, and some of the name.
const wide = 76

// tableRow is a task's row. Where there is no room for all the id goes first, and one of the times.
func tableRow(e *event, now time.Time, columns int) string {
	aged := e.aged(now)
	if columns > wide {
		return row(aged)
	}
	id := runewidth.FillRight(runewidth.Truncate(clip(e.Task), leastLabel, ""), leastLabel)
	return fmt.Sprintf("%s%s%-9s %7s  %s", id, gap, rowStatus(e), rowTime(aged), clip(e.Name))
}

func (t *table) close() {
	t.stop()
	list := titled{plain: plain{t.out}}
	for _, e := range t.rows {
		list.report(e.aged(time.Now()))
	}
}
