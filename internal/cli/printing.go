package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait/internal/text"
)

// printing says how to print.
type printing struct {
	output string
	quiet  bool
}

const (
	outputText = "text"
	outputJSON = "json"
)

// complete makes a shell complete the values of a flag with names, and not with files.
func complete(c *cobra.Command, flag string, names func() []string) {
	_ = c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	})
}

func (p *printing) flags(c *cobra.Command) {
	c.Flags().StringVarP(&p.output, "output", "o", outputText, "text, or json: one object per line and event")
	c.Flags().BoolVarP(&p.quiet, "quiet", "q", false, "print only errors, to standard error")
	complete(c, "output", func() []string { return []string{outputText, outputJSON} })
	c.ValidArgsFunction = cobra.NoFileCompletions
}

func (p *printing) check() error {
	if p.output != outputText && p.output != outputJSON {
		return fmt.Errorf("--output %s, want text or json", text.Quote(p.output))
	}
	return nil
}

// forPeople reports whether a person reads the output, who may want to know more than it says.
func (p *printing) forPeople() bool { return p.output == outputText && !p.quiet }

// reporter is what prints.
func (s *env) reporter(p *printing) reporter {
	switch {
	case p.quiet:
		return quietReporter{s.hint}
	case p.output == outputJSON:
		return jsonReporter{s.out.offer}
	case s.screen != nil:
		return startLive(s.screen, s.out.offer, s.hint)
	}
	return textReporter{s.out.offer, s.hint}
}
