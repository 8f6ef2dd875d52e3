package repocheck

import (
	"flag"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var outputs = flag.Bool("outputs", false, "run the programs whose output the documents show, in real time")

var (
	shownOutput = regexp.MustCompile("(?s)```sh\ngo run (\\./[^\n]+)\n```\n(.*?)```text\n(.*?)```\n")
	figures     = regexp.MustCompile(`\d+(\.\d+)?(m\d+(\.\d+)?)?s\b|\b\d+ (polls|errors)\b|\b\d+%|request id \w+`)
)

// TestOutputs runs each program whose output a document shows, and compares the two line by line: which lines there
// are, figures and order aside. Without -outputs it says so, and runs nothing.
func TestOutputs(t *testing.T) {
	if !*outputs {
		t.Log("no -outputs: no program is run")
		return
	}
	for _, name := range documents(t) {
		for _, m := range shownOutput.FindAllStringSubmatch(read(t, name), -1) {
			if strings.Contains(m[2], "```") {
				continue // the output is that of another block
			}
			t.Run(name+": "+m[1], func(t *testing.T) {
				t.Parallel() // they mostly wait
				got, want := lines(output(t, "go", append([]string{"run"}, strings.Fields(m[1])...)...)), lines(m[3])
				if !slices.Equal(got, want) {
					t.Errorf("prints, with ~ for figures, sorted,\n%s\nwant\n%s",
						strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	}
}

// lines are the different lines of a text without its figures, sorted.
func lines(text string) []string {
	all := map[string]bool{}
	for line := range strings.Lines(figures.ReplaceAllString(text, "~")) {
		all[strings.Join(strings.Fields(line), " ")] = true
	}
	return slices.Sorted(maps.Keys(all))
}
