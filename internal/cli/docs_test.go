package cli

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/taskwait/taskwait"
)

// TestJSONDocumented makes sure that docs/cli.md has every field, event and outcome, and every exit code.
func TestJSONDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range reflect.TypeFor[event]().NumField() {
		if name, _, _ := strings.Cut(reflect.TypeFor[event]().Field(i).Tag.Get("json"), ","); name != "" {
			want = append(want, "`"+name+"`")
		}
	}
	for _, name := range []string{
		eventStart, eventTasks, eventStatus, eventProgress, eventTrouble, eventRecovered, eventHeartbeat, eventWarning,
		eventDone, eventOpen, eventEnd, eventTask, eventGone,
	} {
		want = append(want, "| `"+name+"` |")
	}
	for _, o := range outcomes {
		want = append(want, "`"+string(o.outcome)+"`")
	}
	for _, c := range exitCodes {
		want = append(want, fmt.Sprintf("\n| %d | %s", c.code, c.meaning))
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("docs/cli.md: got no %s, want it explained", w)
		}
	}
}

// sentinels are the errors that docs/cli.md explains.
var sentinels = map[string]error{
	"ErrTaskFailed": taskwait.ErrTaskFailed, "ErrTaskCancelled": taskwait.ErrTaskCancelled,
	"ErrTaskDeleted": taskwait.ErrTaskDeleted, "ErrTaskNotFound": taskwait.ErrTaskNotFound,
	"ErrAmbiguous": taskwait.ErrAmbiguous, "ErrTimeout": taskwait.ErrTimeout, "ErrStalled": taskwait.ErrStalled,
	"ErrQuery": taskwait.ErrQuery, "ErrBackOffStopped": taskwait.ErrBackOffStopped,
	"ErrInvalidOption": taskwait.ErrInvalidOption, "ErrInvalidID": taskwait.ErrInvalidID,
	"ErrNotStarted": taskwait.ErrNotStarted, "ErrOutcomeUnknown": taskwait.ErrOutcomeUnknown,
	"context.Canceled": context.Canceled,
}

// TestErrorsDocumented makes sure that docs/cli.md has a row for each error of the library, with the exit code that the
// command makes of it.
func TestErrorsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range exportedErrors(t) {
		if sentinels[name] == nil {
			t.Errorf("got no %s in this test, want all errors of the library", name)
		}
	}
	for name, err := range sentinels {
		_, row, _ := strings.Cut(string(text), "\n| `"+name+"` | ")
		codes, _, found := strings.Cut(row, " |")
		code := fmt.Sprint(codeOf([]outcome{outcomeOf(err, &event{})}))
		if name == "ErrInvalidOption" || name == "ErrInvalidID" {
			code = fmt.Sprint(codeUsage) // the command checks both before
		}
		if name == "context.Canceled" {
			code = "129" // to 143, by the signal
		}
		if !found || !strings.Contains(codes, code) {
			t.Errorf("docs/cli.md: %s has the codes %q, want %s in them", name, codes, code)
		}
	}
}

// exportedErrors are the names of the variables Err… in the package taskwait.
func exportedErrors(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Name.Name != "taskwait" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					if strings.HasPrefix(name.Name, "Err") {
						names = append(names, name.Name)
					}
				}
			}
			_, function := n.(*ast.FuncDecl)
			return !function
		})
	}
	if len(names) < 10 {
		t.Fatalf("got only the errors %q", names)
	}
	return names
}
