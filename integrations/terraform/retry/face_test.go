package retry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	theirs "github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/taskwait/taskwait/integrations/terraform/retry"
)

// A StateChangeConf of either package converts to the other, and the errors are the same types.
var (
	_                               = theirs.StateChangeConf(retry.StateChangeConf{})
	_ *theirs.TimeoutError          = (*retry.TimeoutError)(nil)
	_ *theirs.NotFoundError         = (*retry.NotFoundError)(nil)
	_ *theirs.UnexpectedStateError  = (*retry.UnexpectedStateError)(nil)
	_ *theirs.RetryError            = (*retry.RetryError)(nil)
	_ func(theirs.StateRefreshFunc) = func(retry.StateRefreshFunc) {}
	_ func(theirs.RetryFunc)        = func(retry.RetryFunc) {}
)

// TestFace: what their package exports, this one does too, with the same types, and no more.
func TestFace(t *testing.T) {
	here, there := exported(t, "."), exported(t, theirDir(t))
	if !maps.Equal(here, there) {
		t.Errorf("exports\n%v\nwant\n%v", slices.Sorted(maps.Keys(here)), slices.Sorted(maps.Keys(there)))
	}
}

// exported are the exported names in the package of a folder; a method's is that of its type, a dot and its own.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, name := range glob(t, filepath.Join(dir, "*.go")) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			for _, name := range declared(d) {
				names[name] = true
			}
		}
	}
	return names
}

// declared are the exported names of a declaration, but for the methods of their error types.
func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			star, _ := d.Recv.List[0].Type.(*ast.StarExpr)
			if star == nil {
				return nil
			}
			of, _ := star.X.(*ast.Ident)
			if of == nil || strings.HasSuffix(of.Name, "Error") || !of.IsExported() {
				return nil
			}
			name = of.Name + "." + name
		}
		if d.Name.IsExported() {
			names = append(names, name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}
