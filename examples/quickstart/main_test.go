package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// varying are the figures that jitter changes from run to run.
var varying = regexp.MustCompile(`\d+(\.\d+)?s|\d+ polls`)

// TestOutput runs the program in virtual time, and compares what it prints with testdata/output.txt, figures aside.
// README.md shows that file.
func TestOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), fakekafka.New(), &out); err != nil {
			t.Fatal(err)
		}
		pinned, err := os.ReadFile("testdata/output.txt")
		if err != nil {
			t.Fatal(err)
		}
		shape := func(s string) string { return strings.TrimSpace(varying.ReplaceAllString(s, "~")) }
		if got, want := shape(out.String()), shape(string(pinned)); got != want {
			t.Errorf("prints, with ~ for what varies,\n%s\nwant\n%s", got, want)
		}
	})
}
