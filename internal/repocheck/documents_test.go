package repocheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const (
	readmeWords  = 900 // the most that README.md may have
	programLines = 25  // the most that its program may have
)

// TestREADMESize makes sure that README.md stays a door.
func TestREADMESize(t *testing.T) {
	if got := len(strings.Fields(read(t, "README.md"))); got > readmeWords {
		t.Errorf("README.md has %d words, want at most %d", got, readmeWords)
	}
}

// TestReaders makes sure that each page of docs says in its first line for whom it is.
func TestReaders(t *testing.T) {
	for _, name := range documents(t) {
		_, text, _ := strings.Cut(read(t, name), "\n\n")
		if name != "README.md" && !strings.HasPrefix(text, "For ") {
			t.Errorf("%s: got a first line %.40q, want it to say for whom the page is", name, text)
		}
	}
}

// TestREADMEProgram compares the only program of README.md with the whole of an example, and what is shown below with
// what the test of that example pins.
func TestREADMEProgram(t *testing.T) {
	readme, example := read(t, "README.md"), read(t, "examples/one/main.go")
	program := example[strings.Index(example, "package main"):]
	_, got, _ := strings.Cut(readme, "```go\n")
	if got, after, _ := strings.Cut(got, "```\n"); got != program || strings.Contains(after, "```go") {
		t.Errorf("README.md's only program is\n%s\nwant all of examples/one/main.go", got)
	}
	if got := strings.Count(program, "\n"); got > programLines {
		t.Errorf("the program has %d lines, want at most %d", got, programLines)
	}
	if want := read(t, "examples/one/testdata/output.txt") + "```\n"; !strings.Contains(readme, want) {
		t.Errorf("README.md does not show what the program prints, %s", want)
	}
}

// TestREADMEOutput compares the output shown for the quickstart with the one that its own test pins.
func TestREADMEOutput(t *testing.T) {
	_, after, found := strings.Cut(read(t, "README.md"), "```sh\ngo run ./examples/quickstart\n```\n")
	_, after, shown := strings.Cut(after, "```text\n")
	want := read(t, "examples/quickstart/testdata/output.txt") + "```\n"
	if !found || !shown || !strings.HasPrefix(after, want) {
		t.Errorf("README.md does not show, after the command that runs the quickstart,\n%s", want)
	}
}

var shown = regexp.MustCompile("(?s)<!-- from: (\\S+) -->\n```go\n(.*?)```\n")

// TestPrograms compares each Go block of the documents with the file that the line <!-- from: FILE --> above it names,
// and which holds it verbatim. A block without that line is not allowed.
func TestPrograms(t *testing.T) {
	for _, name := range documents(t) {
		blocks := shown.FindAllStringSubmatch(read(t, name), -1)
		for _, m := range blocks {
			if !strings.Contains(read(t, m[1]), m[2]) {
				t.Errorf("%s shows what %s does not hold:\n%s", name, m[1], m[2])
			}
		}
		if got := strings.Count(read(t, name), "```go\n"); got != len(blocks) {
			t.Errorf("%s has %d Go blocks, and says of %d where they are from", name, got, len(blocks))
		}
	}
}

var (
	script  = regexp.MustCompile("(?s)```sh\n(.*?)```|`([^`\n]+)`")
	paths   = regexp.MustCompile(`(?m)(?:^|\s|\x60)(\./[\w./-]*\w|\.ci/\w+)`)
	ciSteps = regexp.MustCompile(`(?m)\.ci/run ([a-z0-9 ]+)`)
)

// TestCommands makes sure that what the commands of the documents run is there.
func TestCommands(t *testing.T) {
	steps := strings.Fields(output(t, "bash", ".ci/run", "-list"))
	for _, name := range documents(t) {
		for _, block := range script.FindAllStringSubmatch(read(t, name), -1) {
			for _, m := range paths.FindAllStringSubmatch(block[0], -1) {
				if strings.HasSuffix(m[1], ".env") {
					continue // serve-fake writes it
				}
				if _, err := os.Stat(filepath.Join(top, m[1])); err != nil {
					t.Errorf("%s: a command with %s: %v", name, m[1], err)
				}
			}
			for _, m := range ciSteps.FindAllStringSubmatch(block[0], -1) {
				for _, step := range strings.Fields(m[1]) {
					if !slices.Contains(steps, step) {
						t.Errorf("%s: .ci/run %s, want a step that there is", name, step)
					}
				}
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s#]*)(#[^)\s]+)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// TestLinks follows the links within the repository.
func TestLinks(t *testing.T) {
	for _, name := range append(documents(t), "CHANGELOG.md") {
		for _, l := range link.FindAllStringSubmatch(read(t, name), -1) {
			file, fragment := filepath.ToSlash(filepath.Join(filepath.Dir(name), l[1])), l[2]
			if strings.Contains(l[1], "://") {
				continue
			}
			if l[1] == "" {
				file = name
			}
			if _, err := os.Stat(filepath.Join(top, file)); err != nil {
				t.Errorf("%s: a link to %s: %v", name, file, err)
			} else if fragment != "" && !anchors(read(t, file))[fragment] {
				t.Errorf("%s: a link to %s%s, want a heading of that name", name, file, fragment)
			}
		}
	}
}

// anchors are the fragments that the headings of a document can be linked by.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all["#"+strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, h[1])] = true
	}
	return all
}

// documents are README.md, CONTRIBUTING.md and all of docs.
func documents(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range docs {
		docs[i] = "docs/" + filepath.Base(d)
	}
	return append(docs, "README.md", "CONTRIBUTING.md")
}

// read returns the text of a file, whose path is counted from the top of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
