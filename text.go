package taskwait

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds what is shown of a text that came from outside: enough for an error message, too little for a page.
const maxText = 256

// clip makes foreign text safe to show: at most maxText bytes of it, what does not print escaped.
func clip(s string) string {
	cut := len(s) > maxText
	if cut {
		s = s[:maxText]
		for len(s) > 0 && !utf8.ValidString(s[len(s)-min(len(s), utf8.UTFMax):]) && len(s) > maxText-utf8.UTFMax {
			s = s[:len(s)-1]
		}
	}
	if strings.IndexFunc(s, unprintable) >= 0 || !utf8.ValidString(s) {
		s = escape(s)
	}
	if cut {
		s += "…"
	}
	return s
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

// statusText is how a message words the state of a task: the status, and the kind of task where it is known.
func statusText(t *Task) string {
	s := clip(string(t.Status))
	switch {
	case t.Status == "":
		s = "no status"
	case !t.Status.Known():
		s = fmt.Sprintf("%q (an unknown status)", s)
	}
	if t.Phase != "" {
		s += ", phase " + clip(t.Phase)
	}
	if t.Unsettled {
		s += ", unconfirmed"
	}
	if t.Name != "" {
		s += " (" + clip(t.Name) + ")"
	}
	return s
}

func failureText(f Failure) string {
	return strings.TrimSpace(clip(f.Code) + " " + clip(f.Reason))
}
