package cli

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/taskwait/taskwait"
)

// TestJSONDocumented makes sure that the schema has every field and every event, and docs/cli.md what it says of each.
func TestJSONDocumented(t *testing.T) {
	d, fields, events := readSchema(t), map[string]string{}, map[string]string{}
	for i := range reflect.TypeFor[event]().NumField() {
		if name, _, _ := strings.Cut(reflect.TypeFor[event]().Field(i).Tag.Get("json"), ","); name != "" {
			fields[name] = d.Properties[name].Description
		}
	}
	for _, name := range []string{
		eventStart, eventTasks, eventStatus, eventProgress, eventTrouble, eventRecovered, eventHeartbeat, eventWarning,
		eventAccepted, eventDone, eventOpen, eventEnd, eventTask, eventGone,
	} {
		events[name] = d.Defs[name].Description
	}
	if f, e := len(d.Properties), len(d.events())-1; f != len(fields) || e != len(events) { // without a cut line
		t.Errorf("the schema has %d fields and %d events, want %d and %d", f, e, len(fields), len(events))
	}
	for header, want := range map[string]map[string]string{"| field |": fields, "| event |": events} {
		rows := tableRows(t, "cli.md", header)
		for name, text := range rows {
			rows[name] = strings.TrimSpace(strings.ReplaceAll(text, "`", ""))
		}
		if !maps.Equal(rows, want) {
			t.Errorf("docs/cli.md has in %s\n%q\nwant what the schema says\n%q", header, rows, want)
		}
	}
}

// TestOutcomesDocumented makes sure that docs/cli.md and the schema have every outcome and every exit code, and the
// document the meaning of each code.
func TestOutcomesDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var ends, codes []string
	for _, o := range outcomes {
		ends = append(ends, string(o.outcome))
		if want := "`" + string(o.outcome) + "`"; !strings.Contains(string(text), want) {
			t.Errorf("docs/cli.md: got no %s, want it explained", want)
		}
	}
	for _, c := range exitCodes {
		codes = append(codes, fmt.Sprint(c.code))
		if want := fmt.Sprintf("\n| %d | %s", c.code, c.meaning); !strings.Contains(string(text), want) {
			t.Errorf("docs/cli.md: got no %s, want it explained", want)
		}
	}
	d := readSchema(t)
	for name, want := range map[string][]string{"outcome": ends, "exit_code": codes} {
		p := d.Properties[name]
		got := d.words(&p)
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("the schema has for %s %q, want %q", name, got, want)
		}
	}
}

// TestScreensDocumented makes sure that the screens in docs/cli.md are those of the tests.
func TestScreensDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)<!-- testdata: (\\S+) -->\n```text\n(.*?)```")
	screens := shown.FindAllStringSubmatch(string(text), -1)
	if len(screens) < 2 {
		t.Errorf("docs/cli.md: got %d screens, want at least the live view and what stays of it", len(screens))
	}
	for _, s := range screens {
		golden(t, s[1], s[2])
	}
}

// sentinels are the errors that docs/errors.md explains.
var sentinels = map[string]error{
	"ErrTaskFailed": taskwait.ErrTaskFailed, "ErrTaskCancelled": taskwait.ErrTaskCancelled,
	"ErrTaskDeleted": taskwait.ErrTaskDeleted, "ErrTaskNotFound": taskwait.ErrTaskNotFound,
	"ErrAmbiguous": taskwait.ErrAmbiguous, "ErrTimeout": taskwait.ErrTimeout, "ErrStalled": taskwait.ErrStalled,
	"ErrQuery": taskwait.ErrQuery, "ErrBackOffStopped": taskwait.ErrBackOffStopped,
	"ErrInvalidOption": taskwait.ErrInvalidOption, "ErrInvalidID": taskwait.ErrInvalidID,
	"ErrNotStarted": taskwait.ErrNotStarted, "ErrOutcomeUnknown": taskwait.ErrOutcomeUnknown,
	"context.Canceled": context.Canceled,
}

// TestErrorsDocumented makes sure that docs/errors.md has a row for each error of the library and for no other, with
// the exit code that the command makes of it.
func TestErrorsDocumented(t *testing.T) {
	rows := tableRows(t, "errors.md", "| error |")
	if got, want := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(sentinels)); !slices.Equal(got, want) {
		t.Errorf("docs/errors.md: got rows for %q, want them for %q", got, want)
	}
	got := append(declared(t, "../../*.go", token.VAR, "Err"), "context.Canceled")
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(sentinels)); !slices.Equal(got, want) {
		t.Errorf("the library has the errors %q, this test %q", got, want)
	}
	for name, err := range sentinels {
		code := fmt.Sprint(codeOf([]outcome{outcomeOf(err, &event{})}))
		if name == "ErrInvalidOption" || name == "ErrInvalidID" {
			code = fmt.Sprint(codeUsage) // the command checks both before
		}
		if name == "context.Canceled" {
			code = "129" // to 143, by the signal
		}
		if !strings.Contains(rows[name], code) {
			t.Errorf("docs/errors.md: %s has the codes %q, want %s in them", name, rows[name], code)
		}
	}
}

// TestCodesDocumented makes sure that docs/cli.md has a row for each exit code and for no other, and that exitCodes has
// each constant.
func TestCodesDocumented(t *testing.T) {
	var all []string
	for _, c := range exitCodes {
		all = append(all, fmt.Sprint(c.code))
	}
	slices.Sort(all)
	if got := slices.Sorted(maps.Keys(tableRows(t, "cli.md", "| code |"))); !slices.Equal(got, all) {
		t.Errorf("docs/cli.md: got rows for %q, want them for %q", got, all)
	}
	plain := 0 // codes that no signal makes
	for _, c := range exitCodes {
		if c.code < codeSignal {
			plain++
		}
	}
	if got := declared(t, "outcome.go", token.CONST, "code"); len(got) != plain+1 { // and codeSignal
		t.Errorf("outcome.go has the constants %q, want one for each of %d codes, and codeSignal", got, plain)
	}
}

// tableRows are the second cells of the table in a document that begins with header, by the first ones.
func tableRows(t *testing.T, name, header string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n"+header)
	_, table, found := strings.Cut(table, "|\n|---")
	table, _, ended := strings.Cut(table, "\n\n")
	if !found || !ended {
		t.Fatalf("docs/%s: got no table that begins with %s", name, header)
	}
	rows := map[string]string{}
	for _, row := range strings.Split(table, "\n")[1:] {
		cells := strings.Split(row, "|")
		rows[strings.Trim(cells[1], " `")] = cells[2]
	}
	return rows
}

// declared are the names of the package variables or constants in files, tests not counted, that begin with prefix.
func declared(t *testing.T, pattern string, kind token.Token, prefix string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || files == nil {
		t.Fatal(pattern, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != kind {
				continue
			}
			for _, s := range group.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for _, name := range v.Names {
						if strings.HasPrefix(name.Name, prefix) {
							names = append(names, name.Name)
						}
					}
				}
			}
		}
	}
	return names
}
