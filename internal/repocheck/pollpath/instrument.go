package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

// function is one function or method that a trace can name. A literal bears the name of the function that it stands in.
type function struct {
	name string // "wait.run", without the star of a receiver
	file string // relative to the module: "internal/poll/choose.go"
}

// instrument returns src with a call of the tracer at the start of every function and literal. It keeps every line
// where it was. It appends to funcs: the number that the tracer is given is the index in it.
func instrument(src []byte, file, tracer string, funcs *[]function) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	inserts := []insert{{f.Name.End(), fmt.Sprintf("; import pollpathtrace %q", tracer)}}
	for _, d := range f.Decls {
		name := "(package)"
		if fd, ok := d.(*ast.FuncDecl); ok {
			name = nameOf(fd)
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if body := bodyOf(n); body != nil {
				inserts = append(inserts, insert{body.Lbrace + 1, fmt.Sprintf(" defer pollpathtrace.Enter(%d)();", len(*funcs))})
				*funcs = append(*funcs, function{name: name, file: file})
			}
			return true
		})
	}
	if len(inserts) == 1 {
		return src, nil // no function: the import would be unused
	}
	slices.SortFunc(inserts, func(a, b insert) int { return int(a.at - b.at) })
	var out bytes.Buffer
	last := 0
	for _, in := range inserts {
		at := fset.Position(in.at).Offset
		out.Write(src[last:at])
		out.WriteString(in.text)
		last = at
	}
	out.Write(src[last:])
	return out.Bytes(), nil
}

type insert struct {
	at   token.Pos
	text string
}

func bodyOf(n ast.Node) *ast.BlockStmt {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Body
	case *ast.FuncLit:
		return n.Body
	}
	return nil
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}
