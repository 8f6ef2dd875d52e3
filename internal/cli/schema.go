package cli

import (
	_ "embed" // the schema

	"github.com/spf13/cobra"
)

// outputSchema describes every line of --output json. The tests check each line that they print against it.
//
//go:embed output.schema.json
var outputSchema []byte

func (s *env) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the lines of --output json",
		Long: `Print the JSON Schema (draft 2020-12) of the lines that this version prints with
--output json. It says of each event what it has, and of each field what it
means.`,
		Example:           `  taskwait schema >taskwait.schema.json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			s.out.put(c.Context(), outputSchema)
			return nil
		},
	}
}
