// Package cli is the command taskwait: flags in, a wait, lines and an exit code out. docs/cli.md is what it promises to
// scripts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/spf13/cobra"
)

// System is what the command knows of the world around it.
type System struct {
	Args           []string // without the program's name
	Stdout, Stderr io.Writer
	Getenv         func(string) string

	Home  string // the user's home folder, for the credentials file; empty: there is none
	Cache string // the user's cache folder, for the durations seen; empty: there is none

	Transport http.RoundTripper                              // nil: the network
	Metadata  func(project string) (auth.ICredential, error) // credentials of the machine we run on

	Live func(view func(columns, rows int) []string) (stop func()) // draws on the terminal that Stdout is; nil: it is none
}

// Run runs the command and returns its exit code. When ctx ends by a [Signal] as its cause, the command stops with a
// summary.
func (s *System) Run(ctx context.Context) int {
	root := s.root()
	root.SetArgs(s.Args)
	root.SetOut(s.Stdout)
	root.SetErr(s.Stderr)
	err := root.ExecuteContext(ctx)
	var e *exitError
	switch {
	case err == nil:
		return codeOK
	case errors.As(err, &e):
		if e.err != nil {
			fmt.Fprintf(s.Stderr, "taskwait: %v\n", trim(e.err))
		}
		return e.code
	}
	fmt.Fprintf(s.Stderr, "taskwait: %v\n", trim(err)) // all of cobra's own errors are about the command line
	fmt.Fprintf(s.Stderr, "See %q.\n", calledCommand(root, s.Args)+" --help")
	return codeUsage
}

// calledCommand is the command that args name, as far as they do.
func calledCommand(root *cobra.Command, args []string) string {
	c, _, err := root.Find(args)
	if err != nil {
		return root.CommandPath()
	}
	return c.CommandPath()
}

func (s *System) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "taskwait",
		Short: "Wait for asynchronous cloud tasks",
		Long: `Wait for asynchronous cloud tasks, past errors, throttles and hangs, and tell by the exit code what became of them.

` + codesText,
		Example: `  taskwait demo
  taskwait kafka wait --instance INSTANCE_ID TASK_ID
  taskwait kafka list --instance INSTANCE_ID --watch`,
		SilenceErrors: true, SilenceUsage: true,
		Version: version(),
		Args:    cobra.ArbitraryArgs,
		RunE:    needsCommand,
	}
	root.AddCommand(s.kafkaCommand(), s.demoCommand(), s.serveCommand())
	return root
}

// needsCommand is what a command does that is only a group of others. It is no success: a script that runs it by a slip
// would take that for "all tasks succeeded".
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
	}
	c.SetOut(c.ErrOrStderr())
	_ = c.Help() // it has nothing to fail with
	return &exitError{code: codeUsage}
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
