// Command words lists identifiers and file names with words in them that plain English never needs here, each with the
// term to use instead.
//
//	go run ./internal/repocheck/words [directory of a checkout]
//
// It exits 1 if there are any.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// instead is, for each word that is not wanted, the field's term for the same thing. Words that an identifier may need
// in another sense (left, listen, look, ask, own, early, note) are not here: a reader has to judge those.
var instead = map[string]string{
	"agenda":     "due queue",
	"blind":      "final poll failed",
	"deed":       "execution",
	"doors":      "transports",
	"doubt":      "ambiguous",
	"fate":       "next fault",
	"finder":     "lookup source",
	"flying":     "in flight",
	"goodbye":    "print summary",
	"hear":       "receive",
	"heed":       "honour",
	"house":      "repocheck",
	"hurry":      "tail",
	"kick":       "wake",
	"lax":        "allow",
	"leftbehind": "abandoned calls",
	"mend":       "fix",
	"news":       "newer",
	"overheard":  "shared answer",
	"poke":       "wake",
	"prelude":    "phase",
	"starved":    "queued for",
	"starving":   "queued for",
	"sweep":      "list pass",
	"swept":      "listed",
	"truth":      "state",
	"unborn":     "no task yet",
	"unleft":     "stale phase",
	"unsettled":  "unconfirmed",
	"verdict":    "decision",
}

// find is one name with such a word in it.
type find struct {
	file, name, word string
	line             int // 0: the name of the file
}

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	finds, err := search(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(2)
	}
	for _, f := range finds {
		fmt.Printf("%s:%d: %s: instead of %q: %s\n", f.file, f.line, f.name, f.word, instead[f.word])
	}
	if len(finds) > 0 {
		fmt.Printf("%d names\n", len(finds))
		os.Exit(1)
	}
}

// search looks at the name of each file below dir, and at what each Go file declares.
func search(dir string) (finds []find, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == dir:
			return nil
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		}
		here, err := check(path, d)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		for _, f := range here {
			f.file = filepath.ToSlash(rel)
			finds = append(finds, f)
		}
		return err
	})
	return finds, err
}

// check returns what one file or directory has.
func check(path string, d fs.DirEntry) (finds []find, err error) {
	if word := unwanted(strings.TrimSuffix(d.Name(), filepath.Ext(path))); word != "" {
		finds = append(finds, find{name: d.Name(), word: word})
	}
	if d.IsDir() || filepath.Ext(path) != ".go" {
		return finds, nil
	}
	declared, err := declarations(path)
	return append(finds, declared...), err
}

// declarations returns the unwanted names that a Go file declares: where a name is used it is not listed again.
func declarations(path string) (finds []find, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, 0)
	if err != nil {
		return nil, err
	}
	add := func(id *ast.Ident) {
		if word := unwanted(id.Name); word != "" {
			finds = append(finds, find{name: id.Name, word: word, line: fset.Position(id.Pos()).Line})
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		for _, id := range declaredBy(n) {
			add(id)
		}
		return true
	})
	return finds, nil
}

// declaredBy returns the identifiers that a node declares.
func declaredBy(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.File:
		return []*ast.Ident{n.Name}
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Lhs...)
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Key, n.Value)
		}
	}
	return nil
}

func identifiers(all ...ast.Expr) (ids []*ast.Ident) {
	for _, e := range all {
		if id, ok := e.(*ast.Ident); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// unwanted returns the first unwanted word of a name, "" if there is none.
func unwanted(name string) string {
	parts := split(name)
	for i, p := range parts {
		for _, ending := range []string{"", "s", "ing", "ed"} {
			if word := strings.TrimSuffix(p, ending); instead[word] != "" {
				return word
			}
		}
		if i > 0 {
			if word := parts[i-1] + p; instead[word] != "" {
				return word
			}
		}
	}
	return ""
}

// split returns the words of a name, in lower case: max, sweep and cost of maxSweepCost.
func split(name string) (words []string) {
	start := 0
	runes := []rune(name)
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(string(runes[start:end])))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			flush(i)
			start = i + 1
		case unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			flush(i)
		}
	}
	flush(len(runes))
	return words
}
