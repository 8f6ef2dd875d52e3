package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestUnwanted(t *testing.T) {
	for name, want := range map[string]string{
		"maxSweepCost": "sweep", "sweeps": "sweep", "TestHearing": "hear", "hear_test": "hear", "LeftBehind": "leftbehind",
		"HTTPVerdict": "verdict", "kicked": "kick",
		"heart": "", "relax": "", "hearse": "", "leftMargin": "", "newsize": "", "": "", "_": "",
	} {
		if got := unwanted(name); got != want {
			t.Errorf("unwanted(%q): got %q, want %q", name, got, want)
		}
	}
}

func TestSearch(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"deed.go": `package plain

type t struct{ prelude, fine int }

func (t) poke(lax int) { verdict := lax; _ = verdict }
`,
		"plain.go": `package plain

func f() { for hurry := range 3 { _ = hurry } }
`,
		".git/sweep.go": "not Go",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := search(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []find{
		{"deed.go", "deed.go", "deed", 0},
		{"deed.go", "prelude", "prelude", 3},
		{"deed.go", "poke", "poke", 5},
		{"deed.go", "lax", "lax", 5},
		{"deed.go", "verdict", "verdict", 5},
		{"plain.go", "hurry", "hurry", 3},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
