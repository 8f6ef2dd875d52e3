package retry_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const theirPackage = "github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"

var (
	aTest  = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	passed = regexp.MustCompile(`(?m)^--- PASS: (Test\w+) `)
)

// TestHashiCorp runs HashiCorp's own tests of their package against this one. They are read from the module cache and
// laid over this folder, in place of its own tests, and nothing of them is in the repository. Two of them set
// refreshGracePeriod, so that is a variable here, in the copy that they see.
func TestHashiCorp(t *testing.T) {
	dir := strings.TrimSpace(goTool(t, "list", "-f", "{{.Dir}}", theirPackage))
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for _, own := range glob(t, filepath.Join(here, "*_test.go")) {
		replace[own] = "" // it is not there
	}
	want := 0
	for _, theirs := range glob(t, filepath.Join(dir, "*_test.go")) {
		replace[filepath.Join(here, filepath.Base(theirs))] = theirs
		want += len(aTest.FindAllString(read(t, theirs), -1))
	}
	watch := filepath.Join(here, "watch.go")
	const grace = "\trefreshGracePeriod = 30 * time.Second\n"
	constant := read(t, watch)
	if strings.Count(constant, grace) != 1 {
		t.Fatalf("watch.go does not declare%s", grace)
	}
	replace[watch] = write(t, "watch.go", strings.Replace(constant, grace, "", 1)+"\nvar"+grace)
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	out := goTool(t, "test", "-count=1", "-v", "-overlay", write(t, "overlay.json", string(overlay)), ".")
	if got := len(passed.FindAllString(out, -1)); got != want || want < 19 {
		t.Errorf("of %d tests %d pass, want all of at least 19:\n%s", want, got, out)
	}
}

// goTool runs the go command here, and returns what it prints.
func goTool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files, %v", pattern, err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes a temporary file, and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
