package lenient

import (
	"testing"
	"time"
)

// TestTime: the layouts that services are known to use.
func TestTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	at := time.Date(2018, time.August, 6, 10, 41, 14, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2018-08-06T10:41:14Z":                    at,
		"2018-08-06T10:41:14.500Z":                at.Add(500 * time.Millisecond),
		"2018-08-06T18:41:14+08:00":               at,
		"2018-08-06T10:41:14+0000":                at,
		"2018-08-06T18:41:14.25+0800":             at.Add(250 * time.Millisecond),
		"2018-08-06T10:41:14":                     at,
		"2018-08-06T10:41:14.123":                 at.Add(123 * time.Millisecond),
		"2018-08-06 10:41:14":                     at,
		"2018-08-06 10:41:14.672772389 +0000 UTC": at.Add(672772389),
		"2018-08-06 18:41:14 +0800 CST m=+0.01":   at,
		"2018-08-06 18:41:14+08:00":               at,
		"2018-08-06 18:41:14+0800":                at,
		"20180806T104114Z":                        at,
		"20180806104114":                          at,
		"1533552074":                              at,
		"1533552074000":                           at,
		"1533552074000.0":                         at,
		"1.533552074e9":                           at,
		"":                                        {},
		"null":                                    {},
		"0":                                       {},
		"-1":                                      {},
		"NaN":                                     {},
		"1e300":                                   {},
		"1970-01-01T00:00:00Z":                    {},
		"2030-01-01T00:00:00Z":                    {}, // not yet
		"2018-13-06T10:41:14Z":                    {},
		"06 Aug 2018":                             {},
	} {
		if got := Time(text, now); !got.Equal(want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text     string
		fraction bool
		want     int // -1: none
	}{
		{"60%", false, 60},
		{"60", false, 60},
		{"0.6", false, 60},
		{"0.29", false, 29},
		{"0.5%", false, 0},
		{"1", false, 1},
		{"1", true, 100},
		{"0.29", true, 29},
		{"0", true, 0},
		{"100", false, 100},
		{"100.0", false, 100},
		{"99.9", false, 99},
		{" 60 %", false, 60},
		{"100.1", false, -1},
		{"101", false, -1},
		{"1.1", true, -1},
		{"-1", false, -1},
		{"", false, -1},
		{"%", false, -1},
		{"half", false, -1},
		{"NaN", false, -1},
		{"Inf", true, -1},
	} {
		got := -1
		if p := Percent(tt.text, tt.fraction); p != nil {
			got = *p
		}
		if got != tt.want {
			t.Errorf("%q, fraction %v: %d, want %d", tt.text, tt.fraction, got, tt.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1124": 1124 * time.Second, "0.5": 500 * time.Millisecond, "0": 0, "-1": 0, "1e12": 0, "": 0, "soon": 0,
	} {
		if got := Seconds(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// FuzzTime: whatever is read as a time can be true, and a percentage lies between 0 and 100.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2018-08-06T10:41:14+0000", "1533552074000", "60%", "0.6", "1e999", "-0"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, fraction bool) {
		now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
		if got := Time(s, now); !got.IsZero() && !Plausible(got, now) {
			t.Errorf("Time(%q) = %v", s, got)
		}
		if p := Percent(s, fraction); p != nil && (*p < 0 || *p > 100) {
			t.Errorf("Percent(%q, %v) = %d", s, fraction, *p)
		}
		if d := Seconds(s); d < 0 {
			t.Errorf("Seconds(%q) = %v", s, d)
		}
	})
}
