package house

import (
	"context"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
)

// What stands in README.md is checked by what kind of block it is:
//
//	```go    is Go. A whole program is run. A part of one is found in the file that the line before the block names:
//	         <!-- from: examples/quickstart/main.go -->, and the program in that directory is run.
//	```sh    is run from the top of the repository, unless the line before the block says: <!-- not run: the reason -->
//	```text  is the output of the program or the commands before it, if no other block and no heading stands between them.
//
// Outputs are compared without what differs from run to run (see varying), and "…" stands for any text.
// Programs and commands are run only when asked for: go test ./internal/house -args -run-documents
var runDocuments = flag.Bool("run-documents", false, "run README.md's programs and commands, and compare what they print")

const (
	programLines = 15              // the most that README.md's first program may have
	patience     = 5 * time.Minute // for one program or block of commands
)

// block is one fenced block.
type block struct {
	lang, text string
	line       int
	mark       string // of the HTML comment on the line before
	output     string // the ```text block that follows
}

func TestREADME(t *testing.T) {
	blocks := readBlocks(t, "README.md")
	programs := 0
	for _, b := range blocks {
		switch b.lang {
		case "go":
			if programs++; programs == 1 && strings.Count(b.text, "\n") > programLines {
				t.Errorf("README.md:%d: got a first program of %d lines, want at most %d", b.line, strings.Count(b.text, "\n"), programLines)
			}
			checkGo(t, b)
		case "sh":
			checkCommands(t, b)
		}
	}
	if programs == 0 {
		t.Error("README.md: got no program, want one near the top")
	}
}

// TestREADMEShowsQuickstart makes sure that the one command that everybody tries is among those that are run.
func TestREADMEShowsQuickstart(t *testing.T) {
	for _, b := range readBlocks(t, "README.md") {
		if b.lang == "sh" && strings.Contains(b.text, "go run ./examples/quickstart") && b.mark == "" && b.output != "" {
			return
		}
	}
	t.Error("README.md: got no ```sh block that runs ./examples/quickstart, followed by its output; want one")
}

func checkGo(t *testing.T, b block) {
	t.Helper()
	whole, isPart := strings.HasPrefix(b.text, "package main"), strings.HasPrefix(b.mark, "from: ")
	switch file := strings.TrimPrefix(b.mark, "from: "); {
	case isPart:
		source, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(file)))
		if err != nil {
			t.Errorf("README.md:%d: %v", b.line, err)
		} else if !strings.Contains(flat(string(source)), flat(b.text)) {
			t.Errorf("README.md:%d: got lines that %s does not hold in this order, want them as they are there", b.line, file)
		}
		runAndCompare(t, b, "go run ./"+path.Dir(file))
	case whole:
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		runAndCompare(t, b, "go run "+file)
	case !parses(b.text):
		t.Errorf("README.md:%d: got a block that does not parse, want Go", b.line)
	default:
		t.Logf("README.md:%d: a part of a program that names no file: it parses; it was not compiled", b.line)
	}
}

func checkCommands(t *testing.T, b block) {
	t.Helper()
	if reason, skip := strings.CutPrefix(b.mark, "not run: "); skip {
		t.Logf("README.md:%d: not run: %s", b.line, reason)
		return
	}
	runAndCompare(t, b, b.text)
}

// runAndCompare runs a command and compares what it prints with b.output, if there is one.
func runAndCompare(t *testing.T, b block, command string) {
	t.Helper()
	if !*runDocuments {
		t.Logf("README.md:%d: not run without -run-documents: %s", b.line, command)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", command)
	cmd.Dir = top
	var errText strings.Builder
	cmd.Stderr = &errText
	began := time.Now()
	out, err := cmd.Output()
	t.Logf("README.md:%d: %s took %v:\n%s%s", b.line, strings.TrimSpace(command), time.Since(began).Round(time.Millisecond), out, &errText)
	if err != nil {
		t.Errorf("README.md:%d: %s: %v", b.line, command, err)
	} else if b.output != "" && !shows(b.output, string(out)) {
		t.Errorf("README.md:%d: %s prints, with ~ for what varies\n%s\nwant what README.md shows:\n%s",
			b.line, strings.TrimSpace(command), steady(string(out)), steady(b.output))
	}
}

// varying are the parts of an output that differ from run to run.
var varying = regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ][\d:.]+Z?|\b\d\d:\d\d:\d\d(\.\d+)?\b` + // times
	`|\b(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s)\b` + // durations
	`|\b127\.0\.0\.1:\d+|\[::1\]:\d+` + // addresses
	`|\b[0-9a-f]{16,}\b` + // ids
	`|\b\d+ polls?\b`) // how many fit into the time

// shows reports whether the output got is what want shows.
func shows(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(steady(want)), "…", `(?s:.*)`)
	return regexp.MustCompile(`^` + pattern + `$`).MatchString(steady(got))
}

// steady is what remains of an output when what varies is taken out of it.
func steady(s string) string { return flat(varying.ReplaceAllString(s, "~")) }

// flat is s without empty lines and without white space that only serves to align.
func flat(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// parses reports whether text is Go: declarations, or the inside of a function.
func parses(text string) bool {
	for _, around := range [][2]string{{"package p\n", ""}, {"package p\nfunc _() {\n", "\n}"}} {
		if _, err := parser.ParseFile(token.NewFileSet(), "", around[0]+text+around[1], 0); err == nil {
			return true
		}
	}
	return false
}

var comment = regexp.MustCompile(`^<!--\s*(.*?)\s*-->$`)

// readBlocks reads the fenced blocks of a document, and fails the test if it has none.
func readBlocks(t *testing.T, name string) (blocks []block) {
	t.Helper()
	lines := strings.Split(readDocument(t, name), "\n")
	var open *block // whose output may follow
	for i := 0; i < len(lines); i++ {
		lang, fence := strings.CutPrefix(lines[i], "```")
		if strings.HasPrefix(lines[i], "#") {
			open = nil
		}
		if !fence {
			continue
		}
		b := block{lang: lang, line: i + 1}
		if m := comment.FindStringSubmatch(lines[max(i-1, 0)]); m != nil {
			b.mark = m[1]
		}
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			b.text += lines[i] + "\n"
		}
		if lang == "text" {
			if open != nil {
				open.output, open = b.text, nil
			}
			continue
		}
		blocks = append(blocks, b)
		open = &blocks[len(blocks)-1]
	}
	if len(blocks) == 0 {
		t.Fatalf("%s: got no fenced block, want some", name)
	}
	return blocks
}

func readDocument(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s#]*)(#[^)\s]+)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// TestLinks follows the links within the repository.
func TestLinks(t *testing.T) {
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		text := readDocument(t, name)
		anchors := map[string]bool{}
		for _, h := range heading.FindAllStringSubmatch(text, -1) {
			anchors["#"+anchor(h[1])] = true
		}
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			switch file, fragment := l[1], l[2]; {
			case strings.Contains(file, "://"):
			case file == "" && !anchors[fragment]:
				t.Errorf("%s: got a link to %s, want a heading of that name", name, fragment)
			case file != "":
				if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(file))); err != nil {
					t.Errorf("%s: got a link to %s, want a file that is there: %v", name, file, err)
				}
			}
		}
	}
}

// anchor is the name that a heading can be linked by.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
