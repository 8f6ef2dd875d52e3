// Command face counts the exported top-level names of a package, and lists those names and methods that no Example uses
// and no comment beside one links to.
//
//	go run ./internal/repocheck/face [directory of a package]
//
// It exits 1 if there are any of the latter.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// face is what a package exports.
type face struct {
	names   map[string]string // the kind of each top-level name: type, func, const or var
	methods map[string]bool   // Type.Method
	shown   map[string]bool   // what Examples use or link to: names, and names of methods
}

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	f, err := read(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "face:", err)
		os.Exit(2)
	}
	counts := map[string]int{}
	for _, kind := range f.names {
		counts[kind]++
	}
	fmt.Printf("%d names: %d types, %d functions, %d constants, %d variables; %d methods\n",
		len(f.names), counts["type"], counts["func"], counts["const"], counts["var"], len(f.methods))
	missing := f.missing()
	for _, name := range missing {
		fmt.Printf("%s: in no Example\n", name)
	}
	if len(missing) > 0 {
		os.Exit(1)
	}
}

// missing returns the names and methods that no Example shows.
func (f *face) missing() (names []string) {
	for name := range f.names {
		if !f.shown[name] {
			names = append(names, name)
		}
	}
	for method := range f.methods {
		if _, name, _ := strings.Cut(method, "."); !f.shown[name] {
			names = append(names, method)
		}
	}
	slices.Sort(names)
	return names
}

// implicit are methods that other packages call, or that tell that a type is an error: nobody calls them by name.
var implicit = map[string]bool{
	"Error": true, "Unwrap": true, "Is": true, "As": true, "String": true, "Format": true,
	"MarshalJSON": true, "UnmarshalJSON": true,
}

// read reads the files of one directory.
func read(dir string) (*face, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	f := &face{names: map[string]string{}, methods: map[string]bool{}, shown: map[string]bool{}}
	fset := token.NewFileSet()
	for _, path := range files {
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		switch name := filepath.Base(path); {
		case err != nil:
			return nil, err
		case !strings.HasSuffix(name, "_test.go"):
			for _, d := range file.Decls {
				f.declare(d)
			}
		case strings.HasPrefix(name, "example_"):
			f.show(file)
		}
	}
	return f, nil
}

func (f *face) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		switch {
		case !d.Name.IsExported():
		case d.Recv == nil:
			f.names[d.Name.Name] = "func"
		case !implicit[d.Name.Name]:
			f.methods[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			f.declareSpec(d.Tok, s)
		}
	}
	maps.DeleteFunc(f.methods, func(m string, _ bool) bool { return !ast.IsExported(m) })
}

func (f *face) declareSpec(tok token.Token, s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			f.names[s.Name.Name] = "type"
		}
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if n.IsExported() {
				f.names[n.Name] = tok.String()
			}
		}
	}
}

// receiver is the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// link is a name in a doc link: [taskwait.Waiter.Do], [*taskwait.WaitError].
var link = regexp.MustCompile(`\[\*?\w+\.(\w+)(?:\.(\w+))?\]`)

// show notes what a file of Examples uses, or links to.
func (f *face) show(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			f.shown[s.Sel.Name] = true
		}
		return true
	})
	for _, group := range file.Comments {
		for _, m := range link.FindAllStringSubmatch(group.Text(), -1) {
			f.shown[m[1]], f.shown[m[2]] = true, true
		}
	}
}
