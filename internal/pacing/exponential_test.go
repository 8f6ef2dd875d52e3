package pacing

import (
	"math"
	"testing"
	"time"
)

// almost is the greatest random number.
var almost = math.Nextafter(1, 0)

// TestExponential shows the default schedule: without jitter, and with the most of it on either side.
func TestExponential(t *testing.T) {
	e := NewExponential(DefaultMinPause, DefaultMaxPause)
	for _, tt := range []struct {
		step              int
		least, mean, most float64 // in seconds
	}{
		{0, 4, 4.444, 4.889},
		{1, 4.8, 5.333, 5.867},
		{5, 9.953, 11.059, 12.165},
		{10, 24.545, 27.273, 30},
		{1000, 24.545, 27.273, 30},
	} {
		for _, r := range []struct{ rnd, want float64 }{{0, tt.least}, {0.5, tt.mean}, {almost, tt.most}} {
			if got := e.Pause(tt.step, r.rnd).Seconds(); math.Abs(got-r.want) > 0.001 {
				t.Errorf("Pause(%d, %v) = %.3fs, want %.3fs", tt.step, r.rnd, got, r.want)
			}
		}
	}
	if e.Min() != DefaultMinPause || e.Max() != DefaultMaxPause {
		t.Errorf("from %v to %v, want %v to %v", e.Min(), e.Max(), DefaultMinPause, DefaultMaxPause)
	}
}

func TestExponentialBounds(t *testing.T) {
	for _, b := range [][2]time.Duration{
		{Floor, Floor}, {4 * time.Second, 30 * time.Second}, {3 * time.Second, 4 * time.Second},
		{Floor + 7, Floor + 11}, {time.Second, math.MaxInt64}, {Floor, math.MaxInt64},
	} {
		e := NewExponential(b[0], b[1])
		for step := range 10000 {
			for _, r := range []float64{0, 0.5, almost} {
				if d := e.Pause(step, r); d < b[0] || d > b[1] {
					t.Fatalf("[%v, %v]: Pause(%d, %v) = %v", b[0], b[1], step, r, d)
				}
			}
		}
	}
}

func TestStepAt(t *testing.T) {
	e := NewExponential(DefaultMinPause, DefaultMaxPause)
	var age time.Duration
	for step := range 30 {
		want := min(step, len(e.steps)-1)
		if got := e.StepAt(age); got != want {
			t.Errorf("StepAt(%v) = %d, want %d", age, got, want)
		}
		next := e.Pause(step, 0.5)
		if got := e.StepAt(age + next - time.Microsecond); got != want {
			t.Errorf("just before the next poll: StepAt = %d, want %d", got, want)
		}
		age += e.steps[want]
	}
	if got := e.StepAt(math.MaxInt64); got != len(e.steps)-1 {
		t.Errorf("at the end of time: StepAt = %d, want %d", got, len(e.steps)-1)
	}
}

func TestUntil(t *testing.T) {
	e := NewExponential(4*time.Second, 30*time.Second)
	for _, tt := range []struct {
		name      string
		remaining time.Duration
		rnd       float64
		want      time.Duration
	}{
		{"a moment", time.Second, 0.5, 4 * time.Second},
		{"ten seconds", 10 * time.Second, 0.5, 10 * time.Second},
		{"ten seconds, sooner", 10 * time.Second, 0, 9800 * time.Millisecond},
		{"longer than the longest pause", time.Hour, 0.5, 29411764705},
		{"the longest pause, later", time.Hour, almost, 30 * time.Second},
	} {
		if got := e.Until(tt.remaining, tt.rnd); (got - tt.want).Abs() > time.Microsecond {
			t.Errorf("%s: Until = %v, want %v", tt.name, got, tt.want)
		}
	}
}
