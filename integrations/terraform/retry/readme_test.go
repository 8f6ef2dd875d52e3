package retry_test

import (
	"strings"
	"testing"
)

// TestREADME makes sure that the README shows the whole of the example.
func TestREADME(t *testing.T) {
	want := "<!-- from: retry/example_test.go -->\n```go\n" + read(t, "example_test.go") + "```\n"
	if !strings.Contains(read(t, "../README.md"), want) {
		t.Errorf("README.md does not show\n%s", want)
	}
}
