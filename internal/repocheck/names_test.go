package repocheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// packages are those whose exported names the documents use.
var packages = []string{
	".", "schedule", "sourcetest", "debugpage", "huawei", "huawei/kafkatasks",
	"fakecloud", "fakecloud/kafka", "fakecloud/kafka/kafkatest",
}

// What the documents say we have: taskwait.New, WithTimeout, ErrQuery, Task.Raw.
var (
	qualified = regexp.MustCompile(
		`\b(taskwait|schedule|sourcetest|debugpage|huawei|kafkatasks|fakecloud|kafkatest)\.([A-Z]\w*)`)
	prefixed = regexp.MustCompile("`(?:taskwait\\.)?((?:With|Err|Class|Status)[A-Z]\\w*)\\b")
	members  = regexp.MustCompile(
		"`(Waiter|Task|Progress|WaitError|QueryError|Operation|Attempt|Limiter|History)\\.([A-Z]\\w*)")
)

// TestNames makes sure that each name of ours in the documents is one in the code, and that docs/options.md has every
// option.
func TestNames(t *testing.T) {
	known := map[string]bool{}
	for _, dir := range packages {
		addNames(t, known, dir)
	}
	for _, name := range documents(t) {
		text := read(t, name)
		for _, m := range append(qualified.FindAllStringSubmatch(text, -1), members.FindAllStringSubmatch(text, -1)...) {
			if !known[m[1]+"."+m[2]] {
				t.Errorf("%s: there is no %s.%s", name, m[1], m[2])
			}
		}
		for _, m := range prefixed.FindAllStringSubmatch(text, -1) {
			if !known["taskwait."+m[1]] {
				t.Errorf("%s: there is no %s", name, m[1])
			}
		}
	}
	options := read(t, "docs/options.md")
	for name := range known {
		if option, ours := strings.CutPrefix(name, "taskwait."); ours && strings.HasPrefix(option, "With") {
			if !strings.Contains(options, "\n| `"+option+"(") {
				t.Errorf("docs/options.md: got no row for %s", option)
			}
		}
	}
}

// addNames adds what a package declares: as package.Name, and what belongs to a type as Type.Name.
func addNames(t *testing.T, known map[string]bool, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, dir, "*.go"))
	if err != nil || files == nil {
		t.Fatal(dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				known[owner(file, d)+"."+d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					addSpec(known, file.Name.Name, s)
				}
			}
		}
	}
}

// owner is the type of a method, and the package of a function.
func owner(file *ast.File, f *ast.FuncDecl) string {
	if f.Recv == nil {
		return file.Name.Name
	}
	name := file.Name.Name
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			name = id.Name
			return false
		}
		return true
	})
	return name
}

// addSpec adds a type with its fields and methods, or a constant or variable.
func addSpec(known map[string]bool, pkg string, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			known[pkg+"."+name.Name] = true
		}
	case *ast.TypeSpec:
		known[pkg+"."+s.Name.Name] = true
		ast.Inspect(s.Type, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				for _, name := range field.Names {
					known[s.Name.Name+"."+name.Name] = true
				}
			}
			return true
		})
	}
}
