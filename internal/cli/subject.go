package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// subject is what tasks belong to, in the words of the command line: an instance, a service, a host, a command.
type subject struct {
	command  string            // the first word: "kafka"
	title    string            // for people: "instance kafka-1"
	instance string            // the id of the instance; empty: there is none
	flags    []string          // the flags that name it, each followed by its value, for the resume line
	keep     map[string]string // the arguments that a state wants to be the same, by their names
	history  string            // whose durations are remembered; empty: those of Kafka
	cancels  bool              // there is a command that cancels a task

	checkID func(id string) error           // nil: the default rules
	word    func(id string) string          // of an id on a command line; nil: itself
	refused func(credentials string) string // what to do if the credentials are refused; nil: there are none
}

// check returns an error if id cannot be one.
func (s *subject) check(id string) error {
	if s.checkID != nil {
		return s.checkID(id)
	}
	return checkID("task id", id)
}

// wordOf is a task on a command line.
func (s *subject) wordOf(id string) string {
	if s.word != nil {
		return s.word(id)
	}
	return quote(id)
}

// about is what a person is told at the beginning.
func (s *subject) about(credentials string) string {
	if credentials == "" {
		return s.title
	}
	return fmt.Sprintf("%s, credentials from %s", s.title, clip(credentials))
}

// nothing says that no task runs.
func (s *subject) nothing() string {
	if where, _, named := strings.Cut(s.title, " "); named { // such as "instance kafka-1"
		return "nothing runs on the " + where
	}
	return "nothing runs"
}

// polled is what the command polls.
type polled interface {
	taskwait.Lister
	taskwait.Detailer
	Validate() error
}

// lists is a source that can be asked for all tasks since a time.
type lists interface {
	ListSince(ctx context.Context, since time.Time) ([]taskwait.Task, error)
}

// waiting are the flags of every "wait".
type waiting struct {
	printing
	limitFlags
	stateFlags
	pollFlags
	failFast bool
	print    string // a place; empty: none
}

func (f *waiting) flags(c *cobra.Command) {
	f.printing.flags(c)
	f.limitFlags.flags(c)
	f.stateFlags.flags(c)
	f.pollFlags.flags(c)
}

// severalFlags are for those commands that can wait for several tasks.
func (f *waiting) severalFlags(c *cobra.Command) {
	c.Flags().BoolVar(&f.failFast, "fail-fast", false, "stop as soon as one task has ended without success")
}

// printFlags are for those commands whose tasks are JSON.
func (f *waiting) printFlags(c *cobra.Command) {
	c.Flags().StringVar(&f.print, "print", "",
		"print the value at this place once the task has succeeded, such as response.url")
	complete(c, "print", func() []string { return nil })
}

// check finds what is wrong on the command line.
func (f *waiting) check(c *cobra.Command) error {
	if err := f.printing.check(); err != nil {
		return err
	}
	if f.print != "" {
		if _, err := httptasks.Lookup(nil, f.print); err != nil {
			return fmt.Errorf("--print %w", err)
		}
	}
	return f.pollFlags.check(c)
}

// dial makes the source, whose requests q counts, and says where its credentials are from.
type dial func(q *quota) (src polled, credentials string, err error)

// waitFor waits for what is selected, as the flags say. Nothing is sent before it is known that all of it can be done.
func (s *env) waitFor(
	c *cobra.Command, f *waiting, of subject, selected selection, connect dial,
	opts ...taskwait.Option,
) error {
	if f.print != "" {
		of.keep["--print"] = f.print
		if n := len(selected.ids); n != 1 {
			return fmt.Errorf("--print needs a single task, not %d", n)
		}
	}
	kept, err := f.stateFlags.open(of.keep, selected.since, f.timeout)
	if err != nil {
		return err
	}
	defer kept.close()
	r := s.newRun(of, &f.printing, selected)
	r.print = f.print
	r.restore(kept)
	if kept.over() {
		return r.replay(c.Context())
	}
	if r.limit, err = f.limitFlags.open(); err != nil {
		return err
	}
	if r.debug, err = listenDebug(f.debugListen); err != nil {
		return err
	}
	defer r.debug.close()
	src, credentials, err := connect(r.limit)
	if err != nil {
		return err
	}
	r.source.polled, r.failFast = src, f.failFast
	r.set(c.Flags(), &f.pollFlags)
	r.opts = append(r.opts, opts...)
	return r.do(c.Context(), credentials)
}
