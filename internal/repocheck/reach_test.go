// Package repocheck holds tests of the repository as a whole: which modules its packages reach, how large it is, and
// whether the documents are true. Which package may import which is stated in .golangci.yml.
package repocheck

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	top  = "../.." // where go.mod is
	self = "github.com/taskwait/taskwait"
)

// TestReach checks all modules that the root reaches, through other packages too. One test of the root that reaches the
// SDK would make the go mod tidy of everybody who imports the root fetch it.
func TestReach(t *testing.T) {
	light := []string{ // multierr is zap's own
		self, "github.com/cenkalti/backoff/v4", "go.uber.org/zap", "go.uber.org/multierr",
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"the root", []string{self}, light},
		{"the root's tests", []string{"-test", self}, append(light, "golang.org/x/time")},
	} {
		args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"}, tt.args...)
		got := strings.Fields(output(t, "go", args...))
		slices.Sort(got)
		got = slices.Compact(got)
		if slices.Sort(tt.want); !slices.Equal(got, tt.want) {
			t.Errorf("%s reaches %q, want %q", tt.name, got, tt.want)
		}
	}
}

// output runs a command at the top of the repository and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = top
	var errText strings.Builder
	cmd.Stderr = &errText
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &errText)
	}
	return string(out)
}
