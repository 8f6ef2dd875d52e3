package main

import (
	"errors"
	"strings"
	"testing"
)

// TestRun traces a module whose polls are known: Next waits and asks on another goroutine, the loop decides and plans.
func TestRun(t *testing.T) {
	steps, err := run("testdata/toy", []string{".", "no/such/directory"}, "Subscription.Next")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		way := map[bool]string{false: "down", true: "back"}[s.back]
		enters := map[bool]string{false: "", true: ">"}[s.entry]
		got = append(got, way+" "+enters+s.file+" "+s.name)
	}
	want := []string{
		"down >subscription.go Subscription.Next",
		"down subscription.go Subscription.dispatch",
		"down subscription.go Subscription.dispatch", // the literal, on its goroutine
		"down >wait.go Waiter.WaitForTask",           // the literal
		"back >decide.go decide",
		"back decide.go terminal",
		"back >subscription.go Subscription.Plan",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got the steps\n%s\nwant\n%s", g, w)
	}
	var out strings.Builder
	print(&out, steps)
	for _, want := range []string{
		"6 functions in 3 files, entered 7 times",
		"2 of them call into another file", // WaitForTask, and dispatch, whose literal calls that of wait.go
		"3 functions in 2 files from the return of Subscription.Next to its next call",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", &out, want)
		}
	}
}

func TestRunWithoutMarker(t *testing.T) {
	if _, err := run("testdata/toy", []string{"."}, "Subscription.Gone"); !errors.Is(err, errNoCycle) {
		t.Errorf("got %v, want %v", err, errNoCycle)
	}
}

func TestBroken(t *testing.T) {
	a, b := function{"a", "a.go"}, function{"b", "b.go"}
	steps := []step{
		{function: a, entry: true}, {function: b, entry: true}, {function: a, entry: true},
		{function: b, entry: true, back: true},
	}
	for _, tt := range []struct {
		name                     string
		maxFunctions, maxEntries int
		want                     int
	}{
		{"no limits", -1, -1, 0},
		{"just within", 2, 2, 0},
		{"a function too many", 1, 2, 1},
		{"a.go entered twice on the way down", 2, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(steps, tt.maxFunctions, tt.maxEntries); len(got) != tt.want {
				t.Errorf("got %q, want %d limits passed", got, tt.want)
			}
		})
	}
}
