package pacing

import (
	"testing"
	"time"

	"github.com/taskwait/taskwait/schedule"
)

// seen returns a history in which 20 tasks of a kind took this long.
func seen(kind string, took time.Duration) *schedule.History {
	h := &schedule.History{}
	for range 20 {
		h.Add(kind, took)
	}
	return h
}

func TestLearnedPause(t *testing.T) {
	e := NewExponential(DefaultMinPause, DefaultMaxPause)
	l := &Learned{History: seen("resize", 15*time.Minute), Kind: "resize", Fallback: e}
	for _, tt := range []struct {
		name, kind  string
		least, most time.Duration
	}{
		{"named by the service", "resize", 45 * time.Second, time.Minute},
		{"named beforehand", "", 45 * time.Second, time.Minute},
		{"the service's word wins", "other", e.Pause(3, 0.5), e.Pause(3, 0.5)},
	} {
		if got := l.Pause(3, tt.kind, 0, 0.5); got < tt.least || got > tt.most {
			t.Errorf("%s: Pause = %v, want %v to %v", tt.name, got, tt.least, tt.most)
		}
	}
}

func TestLearnedFirst(t *testing.T) {
	l := &Learned{History: seen("quarter", 15*time.Minute), Fallback: NewExponential(DefaultMinPause, DefaultMaxPause)}
	for range 20 {
		l.History.Add("quick", 3*time.Second)
	}
	for _, tt := range []struct {
		name, kind  string
		least, most time.Duration
	}{
		{"no kind", "", 0, 0},
		{"an unknown kind", "other", 0, 0},
		{"a kind that takes long", "quarter", MaxFirst, MaxFirst},
		{"a kind that takes 3 s", "quick", 2900 * time.Millisecond, 3300 * time.Millisecond},
	} {
		l.Kind = tt.kind
		if got := l.First(0.5); got < tt.least || got > tt.most {
			t.Errorf("%s: First = %v, want %v to %v", tt.name, got, tt.least, tt.most)
		}
	}
}

// TestLearnedStateless: the pause depends on its arguments and the history alone.
func TestLearnedStateless(t *testing.T) {
	l := Learned{History: seen("resize", time.Minute), Fallback: NewExponential(DefaultMinPause, DefaultMaxPause)}
	for step := range 10 {
		age := time.Duration(step) * 13 * time.Second
		fresh := l
		if got, want := fresh.Pause(step, "resize", age, 0.3), l.Pause(step, "resize", age, 0.3); got != want {
			t.Errorf("a new one at step %d: %v, want %v", step, got, want)
		}
	}
}

func TestLearnedEstimate(t *testing.T) {
	l := &Learned{History: seen("resize", time.Minute), Kind: "resize"}
	near := func(got, want time.Duration) bool { return (got - want).Abs() < 6*time.Second }
	e, ok := l.Estimate("", 30*time.Second)
	if !ok || !near(e.Median, time.Minute) || !near(e.RemainingP50, 30*time.Second) ||
		!near(e.RemainingP90, 30*time.Second) {
		t.Errorf("at 30 s: %+v, %v", e, ok)
	}
	if e, ok := l.Estimate("", time.Hour); ok || !near(e.Median, time.Minute) {
		t.Errorf("at an age that none has reached: %+v, %v; want the median alone", e, ok)
	}
	if e, ok := l.Estimate("other", 0); ok || e != (schedule.Estimate{}) {
		t.Errorf("of an unknown kind: %+v, %v; want nothing", e, ok)
	}
}
