package house

import "testing"

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		name, pattern, path string
		want                bool
	}{
		{"itself", "a.b/c", "a.b/c", true},
		{"below, not meant", "a.b/c", "a.b/c/d", false},
		{"below, meant", "a.b/c/...", "a.b/c/d", true},
		{"itself, with what is below", "a.b/c/...", "a.b/c", true},
		{"same beginning", "a.b/c/...", "a.b/cd", false},
	} {
		if got := covers(tt.pattern, tt.path); got != tt.want {
			t.Errorf("%s: covers(%q, %q): got %v, want %v", tt.name, tt.pattern, tt.path, got, tt.want)
		}
	}
}

func TestShows(t *testing.T) {
	for _, tt := range []struct {
		name, want, got string
		same            bool
	}{
		{"the same", "SUCCESS\n", "SUCCESS\n", true},
		{"another", "SUCCESS\n", "FAILED\n", false},
		{"more", "SUCCESS\n", "SUCCESS\nSUCCESS\n", false},
		{"durations", "after 30m0s: 1.5s", "after 29m59.9s: 12ms", true},
		{"times", "2026-01-01T00:00:00.123Z", "2027-12-31T23:59:59.9Z", true},
		{"addresses", "http://127.0.0.1:8080/", "http://127.0.0.1:43211/", true},
		{"ids", "8abfa7b272adc5b40172b73130065ae7", "0000000000000000ffff", true},
		{"polls", "41 polls", "1 poll", true},
		{"errors are counted", "3 errors", "4 errors", false},
		{"alignment and empty lines", "a   b\n\nc", "a b\nc\n", true},
		{"lines left out", "a\n…\nd", "a\nb\nc\nd", true},
		{"words left out", "a … d", "a b c d", true},
		{"the rest left out is not the middle", "a\n…\nd", "a\nb\nc", false},
		{"no pattern", "a.c", "abc", false},
	} {
		if got := shows(tt.want, tt.got); got != tt.same {
			t.Errorf("%s: shows(%q, %q): got %v, want %v", tt.name, tt.want, tt.got, got, tt.same)
		}
	}
}

func TestParses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"statements", "x := 1\nf(x)", true},
		{"declarations", "import \"fmt\"\n\nfunc main() { fmt.Println() }", true},
		{"nonsense", "wait for it", false},
	} {
		if got := parses(tt.text); got != tt.want {
			t.Errorf("%s: parses(%q): got %v, want %v", tt.name, tt.text, got, tt.want)
		}
	}
}
