// Package lenient reads the times and numbers of services that do not agree on how to write them.
package lenient

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are those in which services give a time. A fraction of a second is read in each; what has no zone is UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	"2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700",
	"20060102T150405Z0700", "20060102150405",
}

// secondsBelow is where a number of seconds since 1970 ends and one of milliseconds begins: the year 5138, or 1973.
const secondsBelow = 1e11

// earliest is before anything that a service can tell of. The year before 2000 is for programs under test: the virtual
// time of testing/synctest begins with 2000, and their tasks may be older.
var earliest = time.Date(1999, time.January, 1, 0, 0, 0, 0, time.UTC)

// Zones is more than the clocks of any two zones differ by.
const Zones = 24 * time.Hour

// Time reads a time in one of the layouts, or a number of seconds or milliseconds since 1970. What cannot be read, or
// cannot be true at the time now (zero: ours), is the zero time.
func Time(s string, now time.Time) time.Time {
	if s == "" {
		return time.Time{}
	}
	if now.IsZero() {
		now = time.Now()
	}
	if t := numeric(s); Plausible(t, now) {
		return t
	}
	s, _, _ = strings.Cut(s, " m=") // as Go prints a time with its monotonic clock
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && Plausible(t, now) {
			return t
		}
	}
	return time.Time{}
}

func numeric(s string) time.Time {
	n, ok := Number(s)
	if !ok || n <= 0 || n > math.MaxInt64/1e3 {
		return time.Time{}
	}
	if n < secondsBelow {
		n *= 1e3
	}
	return time.UnixMilli(int64(n)).UTC()
}

// Plausible reports whether something can have happened at t.
func Plausible(t, now time.Time) bool { return !t.Before(earliest) && t.Before(now.Add(Zones)) }

// Number reads a finite number, also one with a percent sign.
func Number(s string) (float64, bool) {
	s = strings.TrimSpace(strings.TrimSuffix(s, "%"))
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" { // before an error is made of it
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// Percent reads a percentage: "60%", "60", "0.6"; nil: it is none. Of a fraction, 1 is 100 %.
func Percent(s string, fraction bool) *int {
	n, ok := Number(s)
	if !strings.HasSuffix(s, "%") && (fraction || n < 1 && strings.Contains(s, ".")) {
		n *= 100
	}
	if !ok || n < 0 || n > 100 {
		return nil
	}
	whole := int(n + 1e-9) // 0.29 * 100 is a little less than 29
	return &whole
}

// Seconds reads a number of seconds, of at most a year; 0: it is none.
func Seconds(s string) time.Duration {
	const year = 365 * 24 * 60 * 60
	if n, ok := Number(s); ok && n > 0 && n <= year {
		return time.Duration(n * float64(time.Second))
	}
	return 0
}
