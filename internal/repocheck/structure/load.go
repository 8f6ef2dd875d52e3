package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// pkg is one package, parsed and checked, without its tests.
type pkg struct {
	fset  *token.FileSet
	names []string // of the files, without directory
	files []*ast.File
	code  int // lines of code
	types *types.Package
	info  *types.Info
}

// load parses and checks the package at path, such as "./internal/poll", of the module in dir.
func load(dir, path string) (*pkg, error) {
	list, err := goList(dir, path)
	if err != nil {
		return nil, err
	}
	self := list[len(list)-1] // go list -deps prints a package after all that it imports
	p := &pkg{fset: token.NewFileSet(), info: &types.Info{Uses: map[*ast.Ident]types.Object{}}}
	for _, name := range self.GoFiles {
		src, err := os.ReadFile(filepath.Join(self.Dir, name))
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(p.fset, name, src, 0)
		if err != nil {
			return nil, err
		}
		p.names, p.files, p.code = append(p.names, name), append(p.files, f), p.code+countCode(src)
	}
	exports := map[string]string{}
	for _, l := range list {
		exports[l.ImportPath] = l.Export
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", lookup)}
	p.types, err = conf.Check(self.ImportPath, p.fset, p.files, p.info)
	return p, err
}

// listed is what is needed of go list's answer.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func goList(dir, path string) (all []listed, err error) {
	cmd := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles", path)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd, err, &stderr)
	}
	for d := json.NewDecoder(&stdout); ; {
		var l listed
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w", cmd, err)
		}
		all = append(all, l)
	}
}

// exported returns the exported names of the package's scope.
func (p *pkg) exported() (names []string) {
	for _, name := range p.types.Scope().Names() {
		if token.IsExported(name) {
			names = append(names, name)
		}
	}
	return names
}
