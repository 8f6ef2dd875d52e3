package repocheck

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

const firstProgramLines = 15 // the most that README.md's first program may have

// TestREADMEPrograms compares each Go block below a line <!-- from: FILE --> with that file, which must hold it verbatim.
// The first block must be such a one.
func TestREADMEPrograms(t *testing.T) {
	readme := read(t, "README.md")
	shown := regexp.MustCompile("(?s)<!-- from: (\\S+) -->\n```go\n(.*?)```\n").FindAllStringSubmatch(readme, -1)
	if len(shown) == 0 {
		t.Fatal("README.md shows no program of the examples, want at least one")
	}
	for _, m := range shown {
		if !strings.Contains(read(t, m[1]), m[2]) {
			t.Errorf("README.md shows what %s does not hold:\n%s", m[1], m[2])
		}
	}
	_, first, _ := strings.Cut(readme, "```go\n")
	if !strings.HasPrefix(first, shown[0][2]) || strings.Count(shown[0][2], "\n") > firstProgramLines {
		t.Errorf("README.md's first program is not from an example, or has more than %d lines", firstProgramLines)
	}
}

// TestREADMEOutput compares the output shown for the quickstart with the one that its own test pins.
func TestREADMEOutput(t *testing.T) {
	_, after, found := strings.Cut(read(t, "README.md"), "```sh\ngo run ./examples/quickstart\n```\n")
	_, after, shown := strings.Cut(after, "```text\n")
	if want := read(t, "examples/quickstart/testdata/output.txt") + "```\n"; !found || !shown || !strings.HasPrefix(after, want) {
		t.Errorf("README.md does not show, after the command that runs the quickstart,\n%s", want)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s#]*)(#[^)\s]+)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// TestLinks follows the links within the repository.
func TestLinks(t *testing.T) {
	docs, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range docs {
		docs[i] = "docs/" + filepath.Base(d)
	}
	for _, name := range append(docs, "README.md", "CONTRIBUTING.md", "CHANGELOG.md") {
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

// read returns the text of a file, whose path is counted from the top of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
