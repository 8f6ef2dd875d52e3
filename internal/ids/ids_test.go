package ids

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, id := range []string{
		"8abfa7b272adc5b40172b73130065ae7", "...", "a.b", "a:b;c=d&e+f", "ключ", strings.Repeat("a", 256),
	} {
		if wrong := Check(id); wrong != "" {
			t.Errorf("Check(%q) = %q, want it accepted", id, wrong)
		}
	}
	for _, tt := range []struct{ id, want string }{
		{"", "is empty"},
		{".", "would walk the path"},
		{"..", "would walk the path"},
		{"\xff", "is not UTF-8"},
		{strings.Repeat("a", 257), "has 257 bytes, want at most 256"},
		{"../x", "holds '/' at byte 2, want none of / \\ ? # % { } nor white space or what does not print"},
		{"a\u200b", "holds '\\u200b' at byte 1, want none of / \\ ? # % { } nor white space or what does not print"},
	} {
		if wrong := Check(tt.id); wrong != tt.want {
			t.Errorf("Check(%q) = %q, want %q", tt.id, wrong, tt.want)
		}
	}
}

// FuzzCheck checks that an id that passes is one segment of a path.
func FuzzCheck(f *testing.F) {
	f.Add("8abfa7b272adc5b4")
	f.Add("a b")
	f.Fuzz(func(t *testing.T, id string) {
		bad := id == "" || id == "." || id == ".." || len(id) > maxBytes || strings.ContainsAny(id, "/\\?#%{} \t\r\n\x00")
		if wrong := Check(id); bad && wrong == "" {
			t.Errorf("Check(%q) accepts it, want it refused", id)
		}
	})
}
