package httptasks

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

// parseTime reads a time. What cannot be read, or cannot be true at the time now (zero: ours), is the zero time.
func parseTime(s string, now time.Time) time.Time {
	if now.IsZero() {
		now = time.Now()
	}
	s, _, _ = strings.Cut(s, " m=") // as Go prints a time with its monotonic clock
	if t := numericTime(s); plausible(t, now) {
		return t
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && plausible(t, now) {
			return t.UTC()
		}
	}
	return time.Time{}
}

func numericTime(s string) time.Time {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0 && n < math.MaxInt64/1e3) {
		return time.Time{}
	}
	if n < secondsBelow {
		n *= 1e3
	}
	return time.UnixMilli(int64(n)).UTC()
}

// earliest is before anything that a service can tell of. The year before 2000 is for programs under test: the virtual
// time of testing/synctest begins with 2000, and their tasks may be older.
var earliest = time.Date(1999, time.January, 1, 0, 0, 0, 0, time.UTC)

// zones is more than the clocks of any two zones differ by.
const zones = 24 * time.Hour

// plausible reports whether something can have happened at t.
func plausible(t, now time.Time) bool { return !t.Before(earliest) && t.Before(now.Add(zones)) }

// percent reads a percentage: "60%", 60, "60", 0.6; fraction: 1 is 100 %.
func percent(n *node, fraction bool) *int {
	f, ok := n.number()
	s := n.str()
	switch {
	case strings.HasSuffix(s, "%"):
	case fraction, f < 1 && strings.Contains(s, "."):
		f *= 100
	}
	f += 1e-9 // 0.29 * 100 is a little less than 29
	if !ok || f < 0 || f > 100.5 {
		return nil
	}
	whole := min(int(f), 100)
	return &whole
}

// seconds reads a number of seconds, of at most a year.
func seconds(n *node) time.Duration {
	const year = 365 * 24 * 60 * 60
	if f, ok := n.number(); ok && f > 0 && f <= year {
		return time.Duration(f * float64(time.Second))
	}
	return 0
}
