package retry_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const theirPackage = "github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"

var realTime = flag.Bool("real-time", false, "run HashiCorp's tests as they are, in real time")

var (
	aTest  = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	passed = regexp.MustCompile(`(?m)^--- PASS: (Test\w+) `)
)

// inBubble has a test of theirs run in virtual time, until what it has left behind has come back.
const inBubble = `package retry

import (
	"testing"
	"testing/synctest"
	"time"
)

func inBubble(t *testing.T, test func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Hour)
		test(t)
	})
}
`

// TestHashiCorp runs HashiCorp's own tests of their package against this one. They are read from the module cache and
// laid over this folder, in place of its own tests; nothing of them is in the repository. In virtual time, without
// -real-time, each gets another name and a caller, and t.Parallel goes, which a bubble does not allow. Two of them set
// refreshGracePeriod, so that is a variable in the copy that they see.
func TestHashiCorp(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace, callers, want := map[string]string{}, inBubble, 0
	for _, own := range glob(t, filepath.Join(here, "*_test.go")) {
		replace[own] = "" // it is not there
	}
	for _, file := range glob(t, filepath.Join(theirDir(t), "*_test.go")) {
		text, name := read(t, file), filepath.Base(file)
		for _, test := range aTest.FindAllStringSubmatch(text, -1) {
			want++
			callers += fmt.Sprintf("\nfunc %s(t *testing.T) { inBubble(t, their%[1]s) }\n", test[1])
		}
		if !*realTime {
			text = strings.ReplaceAll(aTest.ReplaceAllString(text, "func their$1(t *testing.T)"), "\tt.Parallel()\n", "")
		}
		replace[filepath.Join(here, name)] = write(t, name, text)
	}
	if !*realTime {
		replace[filepath.Join(here, "bubble_test.go")] = write(t, "bubble_test.go", callers)
	}
	const grace = "\trefreshGracePeriod = 30 * time.Second\n"
	watch := read(t, "watch.go")
	if strings.Count(watch, grace) != 1 {
		t.Fatalf("watch.go does not declare%s", grace)
	}
	variable := strings.Replace(watch, grace, "", 1) + "\nvar" + grace
	replace[filepath.Join(here, "watch.go")] = write(t, "watch.go", variable)
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	out := goTool(t, "test", "-count=1", "-v", "-overlay", write(t, "overlay.json", string(overlay)), ".")
	got := len(passed.FindAllString(out, -1))
	if t.Logf("%d of %d tests pass", got, want); got != want || want < 19 {
		t.Errorf("want all of at least 19:\n%s", out)
	}
}

// theirDir is where the package of HashiCorp is.
func theirDir(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(goTool(t, "list", "-f", "{{.Dir}}", theirPackage))
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
