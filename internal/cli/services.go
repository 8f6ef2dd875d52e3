package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// addServices adds the commands of the table of services that the command line names, and returns the names of all:
// there are sixty. They are hidden, as the help lists their names.
func (s *env) addServices(root *cobra.Command) (names []string) {
	for _, row := range jobs.Services() {
		names = append(names, row.Name)
		root.ValidArgs = append(root.ValidArgs, cobra.CompletionWithDesc(row.Name, sentenceCase(row.Waits)))
		if !slices.Contains(s.args, row.Name) {
			continue
		}
		c := &cobra.Command{
			Use: row.Name, Short: sentenceCase(row.Waits), Long: serviceText(&row), Hidden: true,
			Args: cobra.ArbitraryArgs, RunE: needsCommand,
		}
		root.AddCommand(c)
		c.AddCommand(s.serviceWait(row))
		if row.API.Cancel != nil {
			c.AddCommand(s.serviceCancel(row))
		}
	}
	return names
}

func sentenceCase(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// serviceText says of a service what its words mean.
func serviceText(row *jobs.Service) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of Huawei Cloud.\n\n", sentenceCase(row.Waits))
	for _, list := range []struct {
		what  string
		words []string
	}{
		{"has not begun", row.API.Created}, {"runs", row.API.Executing}, {"succeeded", row.API.Success},
		{"failed", row.API.Failed}, {"was cancelled", row.API.Cancelled}, {"was deleted", row.API.Deleted},
		{"neither success nor failure", row.PassedOn},
	} {
		if len(list.words) > 0 {
			b.WriteString(fold(list.what+": "+strings.Join(list.words, ", "), "  ") + "\n")
		}
	}
	if row.Note != "" {
		b.WriteString("\n" + fold(row.Note, "") + "\n")
	}
	b.WriteString("\n" + credentialsText)
	return b.String()
}

// helpColumns is how wide a line of a help text is.
const helpColumns = 79

// fold breaks a line between words, and indents what follows.
func fold(s, indent string) string { return strings.Join(wrap(s, helpColumns, indent), "\n") }

// serviceOf is a row of the table, as far as the command line is concerned.
func serviceOf(row *jobs.Service) service {
	pkg, _, _ := strings.Cut(row.Type, " ")
	of := service{name: row.Name, regions: regionsOf[pkg], global: row.Global}
	for _, placeholder := range row.Needs() {
		flag, kind, _ := strings.Cut(placeholder, "_")
		of.needs = append(of.needs, need{flag, kind + " of the " + flag})
	}
	return of
}

// serviceFlags are those of the wait of a service.
type serviceFlags struct {
	waitFlags
	untilDeleted bool
}

// listedSource is the source of a service that lists its jobs.
type listedSource struct{ *httptasks.Source }

// ListSince asks for all jobs that began since then.
func (s listedSource) ListSince(ctx context.Context, since time.Time) ([]taskwait.Task, error) {
	return jobs.ListSince(ctx, s.Source, since)
}

func (s *env) serviceWait(row jobs.Service) *cobra.Command {
	f := serviceFlags{waitFlags: waitFlags{target: newTarget(serviceOf(&row))}}
	id := "JOB_ID"
	if row.Resource {
		id = "ID"
	}
	needs := ""
	for _, n := range f.needs {
		needs += fmt.Sprintf("--%s %s ", n.flag, strings.ToUpper(n.flag))
	}
	c := &cobra.Command{
		Use:   "wait [flags] " + id + "...",
		Short: "Wait until they have ended; the exit code says how",
		Long: fold("Wait for "+row.Waits+`. Give their ids ("-" reads ids from standard input).`, "") +
			"\n\n" + codesText,
		Example: fmt.Sprintf("  taskwait %s wait --region eu-west-101 %s\\\n    --timeout 30m %s", row.Name, needs, id),
		RunE: func(c *cobra.Command, ids []string) error {
			f.ids = ids
			return s.waitService(c, &row, &f)
		},
	}
	f.target.flags(c)
	f.waiting.flags(c)
	f.severalFlags(c)
	f.printFlags(c)
	if row.API.List != nil {
		f.selecting.flags(c)
		for _, name := range []string{"name", "since"} {
			complete(c, name, func() []string { return nil })
		}
	}
	if row.Resource {
		c.Flags().BoolVar(&f.untilDeleted, "until-deleted", false, "wait until it is gone, whatever its status")
	}
	return c
}

func (s *env) waitService(c *cobra.Command, row *jobs.Service, f *serviceFlags) error {
	if len(f.ids) == 0 && row.API.List == nil {
		return noTask(c, wantIDs)
	}
	selected, k, err := s.choose(c, &f.waitFlags)
	if err != nil {
		return err
	}
	of := f.subject()
	of.history, of.cancels = row.Name, row.API.Cancel != nil
	of.keep = f.arguments(row.Name + " wait")
	f.keepIn(of.keep, &selected)
	api := *row
	if f.untilDeleted {
		of.keep["--until-deleted"] = "true"
		api.API = api.API.UntilDeleted()
		f.noHistory = true // it is the end that has durations
	}
	return s.waitFor(c, &f.waiting, of, selected, func(q *quota) (polled, string, error) {
		client, err := s.dial(&f.target, k, q)
		if err != nil {
			return nil, "", err
		}
		src := api.Source(client, f.values...)
		if src.CanList() {
			return listedSource{src}, k.source, src.Validate()
		}
		return src, k.source, src.Validate()
	})
}

// noTask is the error of a command that lacks its tasks: a state does not say them.
func noTask(c *cobra.Command, want string) error {
	if f := c.Flags().Lookup("state"); f != nil && f.Changed {
		want += ", the same as when the wait in --state began"
	}
	return errors.New("which task? " + want)
}

const wantIDs = "Give one id or more"

// readIDs reads and checks the ids of an argument list.
func (s *env) readIDs(c *cobra.Command, args []string) ([]string, error) {
	ids, err := readWords(c.Context(), args, s.stdin)
	if err == nil && len(ids) == 0 {
		err = noTask(c, wantIDs)
	}
	for _, id := range ids {
		if err == nil {
			err = checkID("task id", id)
		}
	}
	return ids, err
}
