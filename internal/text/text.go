// Package text makes text and numbers fit for people: in errors, in logs and on a terminal.
package text

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxBytes is how much is shown of a text that came from outside: enough for an error message, too little for a page.
const maxBytes = 256

// Clip makes foreign text safe to show: at most 256 bytes of it, then "…", and what does not print is escaped.
func Clip(s string) string {
	s, dots := cut(s)
	if strings.IndexFunc(s, unprintable) >= 0 || !utf8.ValidString(s) {
		s = escape(s)
	}
	return s + dots
}

// location is a URL in an error's text: scheme, user, host and path, then the query or the fragment.
var location = regexp.MustCompile(`(?i)(https?://)(?:[^\s/?#"]*@)?([^\s?#"]*)(?:[?#](?:\\.|[^\s"\\])*)?`)

// ClipError is Clip of an error's text without what may be a key in it: the users and queries of its URLs, which
// net/http shows.
func ClipError(err error) string {
	s := err.Error()
	if strings.Contains(s, "://") {
		s = location.ReplaceAllString(s, "$1$2")
	}
	return Clip(s)
}

// Quote makes foreign text safe to show, as Clip does, in quotes: what Clip has escaped would be escaped again by %q.
func Quote(s string) string {
	s, dots := cut(s)
	q := strconv.Quote(s)
	return q[:len(q)-1] + dots + `"`
}

// cut gives what is shown of a text, and what stands for the rest.
func cut(s string) (shown, dots string) {
	if len(s) <= maxBytes {
		return s, ""
	}
	s = s[:maxBytes]
	for len(s) > 0 && !utf8.ValidString(s[len(s)-min(len(s), utf8.UTFMax):]) && len(s) > maxBytes-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return s, "…"
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unprintable(r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Round rounds a duration for people: to the second from ten seconds on, else to the millisecond.
func Round(d time.Duration) time.Duration {
	if d >= 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

// Count returns n and the thing counted, in the plural unless n is 1: "1 poll", "2 polls".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
