package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
)

// waitFlags are those of "kafka wait".
type waitFlags struct {
	target
	printing
	ids       []string
	name      string
	since     string
	all       bool
	timeout   time.Duration
	lo, hi    time.Duration
	failFast  bool
	noHistory bool
}

const (
	waitLong = `Wait until background tasks have ended: those with the ids that are given; with --name the one task of that name that
began at or after --since, for operations that answer without an id; or with --all all that run on the instance now.

` + codesText

	waitExample = `  # one task, at most half an hour
  taskwait kafka wait --region eu-west-101 --project PROJECT_ID --instance INSTANCE_ID --timeout 30m TASK_ID

  # an operation that answers without an id
  since=$(date +%Y-%m-%dT%H:%M:%S%z)
  ./bind-public-ip.sh
  taskwait kafka wait --instance INSTANCE_ID --name bindInstancePublicIp --since "$since"

  # all that runs, as JSON
  taskwait kafka wait --instance INSTANCE_ID --all --output json`
)

func (s *System) waitCommand() *cobra.Command {
	var f waitFlags
	c := &cobra.Command{
		Use:   "wait [flags] TASK_ID...",
		Short: "Wait until tasks have ended, and tell by the exit code how",
		Long:  waitLong, Example: waitExample,
		RunE: func(c *cobra.Command, ids []string) error {
			f.ids = ids
			return s.wait(c, &f)
		},
	}
	f.target.flags(c)
	f.printing.flags(c)
	f.flags(c)
	return c
}

func (f *waitFlags) flags(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.name, "name", "", "wait for the task of this name, such as bindInstancePublicIp; needs --since")
	fs.StringVar(&f.since, "since", "", "with --name: when the operation was started: a time, or how long ago (5m)")
	fs.BoolVar(&f.all, "all", false, "wait for all tasks that run on the instance now")
	fs.DurationVar(&f.timeout, "timeout", 0, "the most to wait, for all tasks together; 0: no limit")
	fs.DurationVar(&f.lo, "interval", taskwait.DefaultMinInterval, "the first pause between two looks; if it is given, pauses are not learned from earlier runs")
	fs.DurationVar(&f.hi, "max-interval", taskwait.DefaultMaxInterval, "the longest pause between two looks; the same holds for it")
	fs.BoolVar(&f.failFast, "fail-fast", false, "stop as soon as one task has not succeeded")
	fs.BoolVar(&f.noHistory, "no-history", false, "neither use nor keep what tasks took in earlier runs")
}

// check finds what is wrong on the command line, and adjusts the bound of the interval that was not given to the one that was.
func (f *waitFlags) check(c *cobra.Command) error {
	if err := f.printing.check(); err != nil {
		return err
	}
	ways := 0
	for _, given := range []bool{len(f.ids) > 0, f.name != "", f.all} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return errors.New("which task? Give ids, or --name and --since, or --all")
	case ways > 1:
		return errors.New("give ids, or --name, or --all: only one of the three")
	case (f.name == "") != (f.since == ""):
		return errors.New("--name and --since need each other: a task of that name may have ended long ago")
	case f.timeout < 0:
		return fmt.Errorf("--timeout %v, want 0 or more", f.timeout)
	}
	for _, id := range f.ids {
		if err := taskwait.CheckID("task id", id); err != nil {
			return err
		}
	}
	return f.checkInterval(c)
}

func (f *waitFlags) checkInterval(c *cobra.Command) error {
	switch set := c.Flags().Changed; {
	case set("interval") && !set("max-interval"):
		f.hi = max(f.hi, f.lo)
	case set("max-interval") && !set("interval"):
		f.lo = min(f.lo, f.hi)
	}
	if f.lo <= 0 || f.hi < f.lo {
		return fmt.Errorf("--interval %v and --max-interval %v, want the first above 0 and not above the second", f.lo, f.hi)
	}
	return nil
}

// parseSince reads a time, or how long ago it was.
func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} { // date -Is, and date +%FT%T%z
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q, want how long ago (5m), or a time (2026-11-24T08:30:00Z)", s)
}

func (s *System) wait(c *cobra.Command, f *waitFlags) error {
	if err := f.check(c); err != nil {
		return err
	}
	what := wanted{ids: f.ids, name: f.name, all: f.all}
	if f.name != "" {
		var err error
		if what.since, err = parseSince(f.since, time.Now()); err != nil {
			return err
		}
	}
	src, credentials, err := s.connect(&f.target)
	if err != nil {
		return err
	}
	r := s.newRun(src, f.target, &f.printing, what, f.options())
	r.timeout = f.timeout
	if chosen := c.Flags().Changed; !f.noHistory {
		r.remember(openHistory(s.Cache, s.Stderr), chosen("interval") || chosen("max-interval"))
	}
	return r.do(c.Context(), credentials)
}

func (f *waitFlags) options() []taskwait.Option {
	opts := []taskwait.Option{taskwait.WithTimeout(f.timeout), taskwait.WithInterval(f.lo, f.hi)}
	if f.failFast {
		opts = append(opts, taskwait.WithFailFast())
	}
	return opts
}

// do waits, and gives the exit code as an error, unless it is 0.
func (r *run) do(ctx context.Context, credentials string) error {
	r.tell(&event{Event: eventStart, Instance: r.target.instance, Credentials: credentials, Tasks: r.what.ids})
	if r.notes {
		fmt.Fprintf(r.errOut, "taskwait: instance %s, credentials from %s\n", r.target.instance, credentials)
	}
	code := r.end(ctx, r.await(ctx))
	if r.notes && r.refused {
		fmt.Fprintf(r.errOut, "taskwait: %s\n", refusedKeys(credentials))
	}
	if code != codeOK {
		return &exitError{code: code}
	}
	return nil
}
