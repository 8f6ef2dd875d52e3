package cursor

import "testing"

// TestCursorText: what String writes, Parse reads.
// TestCursorText: a cursor goes through the text that a pass carries.
func TestCursorText(t *testing.T) {
	for _, c := range []Cursor{
		{requests: 1, offset: 99, last: "t1", place: 100, total: 250}, {requests: 3, restarts: 1, total: Unknown},
		{requests: 2, offset: 5, last: "an id with spaces, and \x1b%", total: Unknown},
	} {
		if got, err := Parse(c.String()); err != nil || got != c {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	if c, err := Parse(""); err != nil || c != Beginning {
		t.Errorf("the empty text: %v, %v; want the beginning", c, err)
	}
	for _, bad := range []string{
		"x", "1", "0 0 0 0 0 a", "1 0 -1 0 0 a", "1 -1 0 0 0 a", "1 0 0 -1 0 a", "1 0 0 0 -2 a", "1 0 0 0 0",
		"1 0 0 0 0 %zz", "1 0 0 0 0 a b", "a 0 0 0 0 b",
	} {
		if c, err := Parse(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, c)
		}
	}
}
