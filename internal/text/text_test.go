package text

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "plain", "plain"},
		{"empty", "", ""},
		{"a line break and a colour", "two\nlines \x1b[31m", `two\nlines \x1b[31m`},
		{"not UTF-8", "a\xffb", `a\xffb`},
		{"a right-to-left override", "a\u202eb", `a\u202eb`},
		{"just short enough", strings.Repeat("a", 256), strings.Repeat("a", 256)},
		{"too long", strings.Repeat("a", 257), strings.Repeat("a", 256) + "…"},
		{"cut within a rune", strings.Repeat("a", 255) + "é", strings.Repeat("a", 255) + "…"},
	} {
		if got := Clip(tt.text); got != tt.want {
			t.Errorf("%s: Clip(%q) = %q, want %q", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestClipError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"no URL", "reset?", "reset?"},
		{"a query and a fragment", `Get "https://h:8443/v2/t?sign=s&x=%22s#s": reset`, `Get "https://h:8443/v2/t": reset`},
		{"a user", "http://s:***@[::1]/v2", "http://[::1]/v2"},
		{"capitals, and a query that is cut", "HTTP://h?" + strings.Repeat("s", 300), "HTTP://h"},
		{"two", "https://a?s to https://b#s", "https://a to https://b"},
		{"in quotes within quotes", `"https://a?s\"s" and more`, `"https://a" and more`},
		{"another scheme", "ftp://a?b", "ftp://a?b"},
		{"does not print", "a\x1b", "a\\x1b"},
	} {
		if got := ClipError(errors.New(tt.text)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "plain", `"plain"`},
		{"empty", "", `""`},
		{"a line break and a colour", "two\nlines \x1b[31m", `"two\nlines \x1b[31m"`},
		{"quotes", `a "b"`, `"a \"b\""`},
		{"not UTF-8", "a\xffb", `"a\xffb"`},
		{"too long", strings.Repeat("a", 257), `"` + strings.Repeat("a", 256) + `…"`},
	} {
		if got := Quote(tt.text); got != tt.want {
			t.Errorf("%s: Quote(%q) = %s, want %s", tt.name, tt.text, got, tt.want)
		}
	}
}

// FuzzClip checks what is shown of texts that come from outside: printable, valid, short, and the same for what was
// already so.
func FuzzClip(f *testing.F) {
	f.Add("plain")
	f.Add("two\nlines \x1b[31m\xff\u202e" + strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, s string) {
		printable := func(s string) bool {
			return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
		}
		c := Clip(s)
		if !printable(c) || len(c) > 10*maxBytes+len("…") {
			t.Errorf("Clip(%q) = %q, want it short and printable", s, c)
		}
		if q := Quote(s); !printable(q) || len(q) > 10*maxBytes {
			t.Errorf("Quote(%q) = %s, want it short and printable", s, q)
		}
		if len(s) <= maxBytes && printable(s) && c != s {
			t.Errorf("Clip(%q) = %q, want it unchanged", s, c)
		}
	})
}

func TestRound(t *testing.T) {
	for _, tt := range []struct{ d, want time.Duration }{
		{0, 0},
		{1499 * time.Microsecond, time.Millisecond},
		{9999400 * time.Microsecond, 9999 * time.Millisecond},
		{10*time.Second + 499*time.Millisecond, 10 * time.Second},
		{-1501 * time.Microsecond, -2 * time.Millisecond},
	} {
		if got := Round(tt.d); got != tt.want {
			t.Errorf("Round(%v) = %v, want %v", tt.d, got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 polls", 1: "1 poll", 2: "2 polls"} {
		if got := Count(n, "poll"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}
