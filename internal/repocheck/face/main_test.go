package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRoot: each exported name of the root is in an Example, or linked from one.
func TestRoot(t *testing.T) {
	f, err := read("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if missing := f.missing(); len(missing) > 0 || len(f.names) == 0 {
		t.Errorf("of %d names these are in no Example: %q", len(f.names), missing)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"a.go": `package a

type T struct{}
type hidden struct{}

const C, small = 1, 2

var V, W int

func F()            {}
func (*T) M()       {}
func (T) N()        {}
func (T) Error()    {}
func (T) private()  {}
func (hidden) Shown() {}
`,
		"a_test.go": `package a_test

func TestV() { _ = a.V }
`,
		"example_use_test.go": `package a_test

// F is to be used with [a.T.N].
func ExampleF() { a.F(a.C) }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"T.M", "V", "W"}; len(f.names) != 5 || len(f.methods) != 2 || !slices.Equal(f.missing(), want) {
		t.Errorf("names %v, methods %v, missing %q; want 5, 2, %q", f.names, f.methods, f.missing(), want)
	}
}
