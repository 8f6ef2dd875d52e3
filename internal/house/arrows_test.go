// Package house holds nothing but tests: that the packages keep to the arrows, and that what the documents at the top of
// the repository show is true.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	top     = "../.." // where go.mod is
	self    = "github.com/taskwait/taskwait"
	sdk     = "github.com/huaweicloud/huaweicloud-sdk-go-v3"
	backoff = "github.com/cenkalti/backoff/v4"
	zap     = "go.uber.org/zap"
	rate    = "golang.org/x/time/rate" // for tests

	commandLine = self + "/internal/cli"

	footprint = self + "/internal/footprint" // for benchmarks
	studies   = self + "/internal/optimum"   // for tests and benchmarks
)

// arrows are which packages may import what, besides the standard library. A path ends in /... if it stands for what is
// below it too. "*" is any other module. Tests may import what their package may, and what is listed for them.
//
// CONTRIBUTING.md shows the same as a picture.
var arrows = []arrow{
	{self, []string{self + "/schedule", backoff, zap + "/..."}, []string{self, self + "/fakecloud/...", self + "/sourcetest", footprint, rate}},
	{self + "/schedule/...", nil, []string{self + "/schedule", studies}},
	{
		self + "/huawei/...",
		[]string{self, self + "/huawei/...", sdk + "/..."},
		[]string{self + "/fakecloud/...", self + "/sourcetest", footprint, zap + "/...", rate},
	},
	{self + "/fakecloud", nil, []string{self + "/fakecloud", sdk + "/..."}},
	{
		self + "/fakecloud/...",
		[]string{self, self + "/fakecloud/..."},
		[]string{self + "/huawei/...", self + "/sourcetest", sdk + "/..."},
	},
	{
		self + "/sourcetest",
		[]string{self},
		[]string{self + "/sourcetest", self + "/fakecloud/...", self + "/huawei/...", sdk + "/..."},
	},
	{self + "/cmd/...", []string{commandLine}, nil},
	{commandLine, []string{self, self + "/huawei/...", self + "/fakecloud/...", "*"}, []string{commandLine}},
	{self + "/examples/...", []string{self, self + "/examples/...", self + "/huawei/...", self + "/fakecloud/...", "*"}, []string{self + "/sourcetest"}},
	{footprint, nil, nil},
	{studies, nil, nil},
	{self + "/internal/house", nil, nil},
}

type arrow struct {
	from        string
	code, tests []string
}

// TestArrows looks at every import of every package of the main module.
func TestArrows(t *testing.T) {
	for _, p := range list(t, "./...") {
		i := slices.IndexFunc(arrows, func(a arrow) bool { return covers(a.from, p.ImportPath) })
		if i < 0 {
			t.Errorf("%s: got no arrow for this package, want one in the table above and in CONTRIBUTING.md", p.ImportPath)
			continue
		}
		a := arrows[i]
		checkImports(t, p.ImportPath, p.Imports, a.code)
		checkImports(t, p.ImportPath+" (tests)", slices.Concat(p.TestImports, p.XTestImports), slices.Concat(a.code, a.tests))
	}
}

func checkImports(t *testing.T, from string, got, want []string) {
	t.Helper()
	for _, path := range got {
		if !allowed(path, want) {
			t.Errorf("%s: got an import of %s, want none but the standard library and %q", from, path, want)
		}
	}
}

func allowed(path string, want []string) bool {
	if standard(path) || slices.ContainsFunc(want, func(w string) bool { return covers(w, path) }) {
		return true
	}
	return slices.Contains(want, "*") && !covers(self+"/...", path)
}

// covers reports whether path is meant by pattern, which may end in /... .
func covers(pattern, path string) bool {
	prefix, below := strings.CutSuffix(pattern, "/...")
	return path == prefix || below && strings.HasPrefix(path, prefix+"/")
}

// standard reports whether path is of the standard library: the first element of all others has a dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// TestReach looks at everything that a package needs in the end, through others too.
func TestReach(t *testing.T) {
	light := []string{self, backoff, zap, "go.uber.org/multierr"} // multierr is zap's own
	for _, tt := range []struct {
		name string
		args []string
		want []string // modules
	}{
		{"the root", []string{self}, light},
		{"schedule", []string{self + "/schedule/..."}, []string{self}},
		{"fakecloud", []string{self + "/fakecloud/..."}, light},
		{"sourcetest", []string{self + "/sourcetest"}, light},
		// One test of the root that reaches the SDK makes the go mod tidy of everybody who imports the root fetch it.
		{"the root's tests", []string{"-test", self}, append(light, "golang.org/x/time")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told := map[string]bool{}
			for _, p := range list(t, append([]string{"-deps"}, tt.args...)...) {
				if p.Module == nil || told[p.Module.Path] || slices.Contains(tt.want, p.Module.Path) {
					continue
				}
				told[p.Module.Path] = true
				t.Errorf("%s: got module %s reached (%s), want only %q", tt.name, p.Module.Path, p.ImportPath, tt.want)
			}
		})
	}
}

// listed is what is needed of go list's answer.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Module                             *struct{ Path string }
}

func list(t *testing.T, args ...string) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,TestImports,XTestImports,Module"}, args...)...)
	cmd.Dir = top
	var errText strings.Builder
	cmd.Stderr = &errText
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &errText)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		all = append(all, p)
	}
}
