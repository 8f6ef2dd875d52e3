package main

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// countCode returns how many lines of src hold a token that is not a comment.
func countCode(src []byte) int {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	hold := map[int]bool{}
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return len(hold)
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue // not in the source
		}
		first := file.Line(pos)
		for i := range strings.Count(text, "\n") + 1 {
			hold[first+i] = true
		}
	}
}

// tree is a part of the repository: the root's own files, or a directory with all that is below it.
type tree struct {
	name  string
	count int
}

// longLines returns for each tree of dir how many lines of its Go files, tests too, are over limit columns. A tab is
// one column, as for lll.
func longLines(dir string, limit int) ([]tree, error) {
	var trees []tree
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != dir && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		trees = count(trees, treeOf(rel), countLong(string(src), limit))
		return nil
	})
	return trees, err
}

func count(trees []tree, name string, n int) []tree {
	i := slices.IndexFunc(trees, func(t tree) bool { return t.name == name })
	if i < 0 {
		i, trees = len(trees), append(trees, tree{name: name})
	}
	trees[i].count += n
	return trees
}

// treeOf returns the tree that the file at path, relative to the module, belongs to.
func treeOf(path string) string {
	parts := strings.Split(filepath.ToSlash(filepath.Dir(path)), "/")
	switch {
	case parts[0] == ".":
		return "root"
	case parts[0] == "internal":
		return strings.Join(parts[:min(2, len(parts))], "/")
	}
	return parts[0]
}

func countLong(src string, limit int) (n int) {
	for line := range strings.Lines(src) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\r\n")) > limit {
			n++
		}
	}
	return n
}
