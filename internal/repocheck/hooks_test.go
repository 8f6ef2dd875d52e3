package repocheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoTestHooks: the root's code does not know that it is being tested.
func TestNoTestHooks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(top, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{`"testing"`, "flag.Lookup", "os.Args", "testing.Testing"} {
			if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), bad) {
				t.Errorf("%s has %s", file, bad)
			}
		}
	}
}
