package temporalwait_test

import (
	"os"
	"strings"
	"testing"
)

// TestREADME makes sure that the README shows the whole of the program that the test with a server runs.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("example/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, whole, _ := strings.Cut(string(program), "package main")
	want := "<!-- from: example/main.go -->\n```go\npackage main" + whole + "```\n"
	if !strings.Contains(string(readme), want) {
		t.Errorf("README.md does not show\n%s", want)
	}
}
