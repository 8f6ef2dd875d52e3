// Package cli is the command taskwait: flags in, a wait, lines and an exit code out. docs/cli.md is what it promises to
// scripts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/taskwait/taskwait/internal/text"
)

// env is what surrounds the command: its arguments, inputs and outputs.
type env struct {
	args           []string // without the name of the program
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string

	home  string // the user's home folder, for the credentials file; empty: there is none
	cache string // the user's cache folder, for the durations seen; empty: there is none

	transport  http.RoundTripper                      // nil: the network
	proxy      func(*http.Request) (*url.URL, error)  // nil: no proxy
	metadata   func(string) (auth.ICredential, error) // the credentials of this machine, for a project
	screen     *screen                                // the terminal that stdout is; nil: it is none
	errColumns func() int                             // the width of the terminal that stderr is; nil: it is none

	out, errOut *stream // on stdout and stderr, while the command runs
}

// run runs the command and returns its exit code. When ctx ends with a signalError as its cause, the command stops with
// a summary.
func (s *env) run(ctx context.Context) int {
	s.out, s.errOut = newStream(s.stdout), newStream(s.stderr)
	defer s.out.close()
	defer s.errOut.close()
	code := s.execute(ctx)
	s.out.flush(ctx)
	if n := s.out.lost(); n > 0 {
		s.note(ctx, fmt.Sprintf("%s of output dropped: nobody has read them in time", count(n, "line")))
	}
	if err := s.out.failure(); err != nil {
		s.note(ctx, err.Error())
		if code == codeOK {
			code = codeOutput
		}
	}
	s.errOut.flush(ctx)
	return code
}

// execute runs the command and reports its error.
func (s *env) execute(ctx context.Context) int {
	root := s.root(ctx)
	root.SetArgs(s.args)
	called, err := root.ExecuteContextC(ctx)
	var e *exitError
	switch {
	case err == nil:
		return codeOK
	case errors.As(err, &e):
		if e.err != nil {
			s.note(ctx, trim(e.err))
		}
		return e.code
	}
	s.note(ctx, trim(err)) // every other error is about the command line
	s.errOut.offer(fmt.Appendf(nil, "See %q.\n", called.CommandPath()+" --help"), false)
	return codeUsage
}

// note writes a line for people to standard error, after what was written to standard output so far.
func (s *env) note(ctx context.Context, text string) {
	s.out.flush(ctx)
	s.hint(text)
	s.errOut.flush(ctx)
}

// hint writes a line for people to standard error, and waits for nothing. On a terminal it is broken between words, and
// what the terminal cannot show is escaped.
func (s *env) hint(text string) {
	for line := range strings.Lines("taskwait: " + text) {
		lines := []string{printable(strings.TrimSuffix(line, "\n"))}
		if s.errColumns != nil {
			lines = wrap(glyphsFor(s.getenv).text(lines[0]), s.errColumns()-1, gap)
		}
		for _, l := range lines {
			s.errOut.offer([]byte(l+"\n"), false)
		}
	}
}

// printable is s with what does not print escaped: an error may quote what was given on the command line.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// hintCommand writes a command after some words to standard error, on one line; on a terminal on lines that fit, and
// that a shell puts together again.
func (s *env) hintCommand(what string, words []string) {
	if s.errColumns == nil {
		s.hint(what + strings.Join(words, " "))
		return
	}
	s.hint(strings.TrimRight(what, " "))
	line, room := gap+words[0], s.errColumns()-1-len(` \`)
	for _, w := range words[1:] {
		if width(line)+1+width(w) > room {
			s.errOut.offer([]byte(line+" \\\n"), false)
			line = gap + gap + w
			continue
		}
		line += " " + w
	}
	s.errOut.offer([]byte(line+"\n"), false)
}

func (s *env) root(ctx context.Context) *cobra.Command {
	root := &cobra.Command{
		Use:   "taskwait",
		Short: "Wait for asynchronous cloud tasks",
		Long: `Wait for asynchronous cloud tasks, in spite of errors, throttles and hangs.
The exit code says how the tasks ended.

` + codesText,
		Example: `  taskwait demo
  taskwait kafka wait --instance INSTANCE_ID TASK_ID
  taskwait kafka list --instance INSTANCE_ID --watch`,
		SilenceErrors: true, SilenceUsage: true,
		Version:           version(),
		Args:              cobra.ArbitraryArgs,
		RunE:              needsCommand,
		PersistentPreRunE: refuseEmpty,
	}
	root.SetOut(s.out.writer(ctx))
	root.SetErr(s.errOut.writer(ctx))
	root.SetFlagErrorFunc(explainFlag)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped 79 "))
	root.AddCommand(s.kafkaCommand(), s.httpCommand(), s.execCommand(), s.historyCommand(), s.demoCommand(),
		s.serveCommand(), s.schemaCommand())
	root.Long += "\n\n" + fold("Services of Huawei Cloud: "+strings.Join(s.addServices(root), ", ")+".", "  ")
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(s.args...)
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args, c.RunE = cobra.ArbitraryArgs, needsCommand
		case "help":
			c.Run, c.RunE = nil, help
		}
	}
	return root
}

// needsCommand is what a command does that only groups others. It is an error: a script that runs it by mistake would
// take success for "all tasks succeeded".
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(c, args[0])
	}
	c.SetOut(c.ErrOrStderr())
	_ = c.Help() // the output has no errors
	return &exitError{code: codeUsage}
}

func unknownCommand(c *cobra.Command, name string) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if name == "cancel" && slices.Contains(names, "wait") {
		return fmt.Errorf("%s can wait, but knows no way to cancel what it waits for", c.CommandPath())
	}
	for _, hidden := range c.ValidArgs {
		name, _, _ := strings.Cut(hidden, "\t")
		names = append(names, name)
	}
	return fmt.Errorf("unknown command %s for %q%s", text.Quote(name), c.CommandPath(), didYouMean(similar(name, names)))
}

// help shows the help of the command that args name.
func help(c *cobra.Command, args []string) error {
	named, rest, err := c.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return unknownCommand(c.Root(), strings.Join(args, " "))
	}
	named.InitDefaultHelpFlag()
	return named.Help()
}

// refuseEmpty refuses flags and arguments that are given and empty: they come from a variable that a script has not
// set, and must not widen what is done. "--instance --all" comes from one that was not even quoted.
func refuseEmpty(c *cobra.Command, args []string) (err error) {
	if c.Name() == cobra.ShellCompRequestCmd || c.Name() == cobra.ShellCompNoDescRequestCmd {
		return nil // the word to be completed may be empty
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		switch all, several := f.Value.(pflag.SliceValue); {
		case err != nil || f.Value.Type() != "string" && !several:
		case several && slices.ContainsFunc(all.GetSlice(), func(v string) bool { return strings.TrimSpace(v) == "" }):
			err = givenEmpty(f.Name)
		case several:
		case strings.TrimSpace(value) == "":
			err = givenEmpty(f.Name)
		case strings.HasPrefix(value, "-"):
			err = fmt.Errorf("--%s %s, want a value, not a flag: is a variable not set?", f.Name, text.Quote(value))
		}
	})
	for i, arg := range args {
		if err == nil && strings.TrimSpace(arg) == "" {
			err = fmt.Errorf("argument %d is empty: is a variable not set?", i+1)
		}
	}
	return err
}

func givenEmpty(flag string) error {
	return fmt.Errorf("--%s is given, but empty: is a variable not set?", flag)
}

// explainFlag adds to an error about a flag what was probably meant.
func explainFlag(c *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &invalid) && strings.TrimSpace(invalid.GetValue()) == "":
		return givenEmpty(invalid.GetFlag().Name)
	case errors.As(err, &missing) && missing.GetSpecifiedShortnames() == "":
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		return fmt.Errorf("%w%s", err, didYouMean(similar("--"+missing.GetSpecifiedName(), names)))
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "duration":
		return fmt.Errorf("--%s %s, want a duration such as 90s or 5m%s", invalid.GetFlag().Name,
			text.Quote(invalid.GetValue()), withUnit(invalid.GetValue()))
	case errors.As(err, &invalid) && strings.Contains(invalid.GetFlag().Value.Type(), "int"):
		return fmt.Errorf("--%s %s, want a whole number that is not too large", invalid.GetFlag().Name,
			text.Quote(invalid.GetValue()))
	}
	return err
}

// withUnit is the question for a duration without a unit.
func withUnit(value string) string {
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return ""
	}
	return didYouMean([]string{value + "s", value + "m"})
}

// didYouMean is the end of an error message; nothing without a suggestion.
func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names[:min(len(names), 3)], " or ") + "?"
}

// maxGuess is the longest name for which similar ones are looked for.
const maxGuess = 64

// similar gives the names that differ least from name, by at most two slips, or else those that begin with it.
func similar(name string, names []string) (found []string) {
	least := 2
	if len(name) > maxGuess {
		return nil
	}
	for _, n := range names {
		d := distance(name, n)
		if d < least {
			least, found = d, nil
		}
		if d == least {
			found = append(found, n)
		}
	}
	if found == nil {
		found = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, name) })
	}
	return found
}

// distance is how many letters must be added, removed, replaced or swapped with their neighbour to get from a to b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1) // rows[i][j] is the distance of a[:i] and b[:j]
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			cost := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				cost++
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cost = min(cost, rows[i-2][j-2]+1)
			}
			rows[i][j] = min(cost, rows[i-1][j]+1, rows[i][j-1]+1)
		}
	}
	return rows[len(a)][len(b)]
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
