package main

import (
	"slices"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	p, err := load("testdata/toy", ".")
	if err != nil {
		t.Fatal(err)
	}
	g := p.arrows()
	for _, tt := range []struct {
		name      string
		got, want int
	}{
		{"files", len(p.files), 4},
		{"lines of code", p.code, 10 + 3 + 4 + 3},
		{"arrows: a-b b-a a-c d-c", g.size(), 4},
		{"arrows in cycles: a-b b-a", g.inCycles(), 2},
		{"exported names: A B Point", len(p.exported()), 3},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %d, want %d (%v)", tt.name, tt.got, tt.want, g)
		}
	}
	if got, want := g.largestCycle(), []string{"a.go", "b.go"}; !slices.Equal(got, want) {
		t.Errorf("got the largest cycle %q, want %q", got, want)
	}
	if !g["d.go"]["c.go"]["x"] {
		t.Errorf("got %v from d.go to c.go, want the field x among them", g["d.go"]["c.go"])
	}
}

func TestLimits(t *testing.T) {
	none := limits{-1, -1, -1, -1, -1, -1}
	tight := limits{rootFiles: 4, arrows: 3, inCycles: 2, largestCycle: 1, exported: -1, longLines: 0}
	for _, tt := range []struct {
		name   string
		limits limits
		want   int
	}{{"none", none, 0}, {"arrows and the cycle", tight, 2}} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			broken, err := report(&out, "testdata/toy", tt.limits, true)
			if err != nil || len(broken) != tt.want {
				t.Errorf("got %q, %v, want %d limits passed\n%s", broken, err, tt.want, &out)
			}
		})
	}
}

func TestTreeOf(t *testing.T) {
	for path, want := range map[string]string{
		"wait.go":                     "root",
		"schedule/model.go":           "schedule",
		"huawei/kafkatasks/source.go": "huawei",
		"internal/poll/choose.go":     "internal/poll",
	} {
		if got := treeOf(path); got != want {
			t.Errorf("treeOf(%q): got %q, want %q", path, got, want)
		}
	}
}

func TestCountLong(t *testing.T) {
	src := strings.Repeat("é", 120) + "\n\t" + strings.Repeat("x", 120) + "\n"
	if got := countLong(src, 120); got != 1 {
		t.Errorf("got %d long lines, want 1: a tab and a letter of two bytes are one column each", got)
	}
}
