package main

import "testing"

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    []float64
		want float64
	}{
		{"one", []float64{4}, 4},
		{"odd", []float64{9, 1, 4}, 4},
		{"even", []float64{9, 1, 4, 2}, 3},
	} {
		if got := median(tt.v); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestLine: a figure that figures_test.go prints is read, among the lines of the testing package.
func TestLine(t *testing.T) {
	var f figures
	out := "=== RUN   TestPoll\nfigure: a poll, allocations: 0.25 \nfigure: a poll: 1700 ns\n--- PASS: TestPoll (0.5s)\n"
	for _, m := range line.FindAllStringSubmatch(out, -1) {
		f.add("old", m[1], true, m[2], m[3])
	}
	if len(f) != 2 {
		t.Fatalf("got %d figures, want 2", len(f))
	}
	if f[0].name != "a poll, allocations, -race" || f[0].unit != "" || f[0].values["old"][0] != 0.25 {
		t.Errorf("got %+v", f[0])
	}
	if f[1].name != "a poll, -race" || f[1].unit != "ns" || f[1].values["old"][0] != 1700 {
		t.Errorf("got %+v", f[1])
	}
}
