package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// line ends a program once it has printed one.
type line struct {
	strings.Builder
	end context.CancelFunc
}

func (l *line) Write(p []byte) (int, error) {
	defer l.end()
	return l.Builder.Write(p)
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &line{end: cancel}
	if err := run(ctx, filepath.Join(t.TempDir(), "waits.db"), out); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "task \"8d1b\": SUCCESS <nil>\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// README.md shows the whole program.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "```go\n")
	if shown, _, _ = strings.Cut(shown, "```\n"); shown != string(program) {
		t.Errorf("README.md shows\n%s\nwant all of example/main.go", shown)
	}
}
