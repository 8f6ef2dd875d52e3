// Package ids holds the default check of the ids that stand in the path of a request.
package ids

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxBytes bounds an id. The ids of the services known to us have at most 64; more is a mistake, or an attack.
const maxBytes = 256

// Check says what is wrong with an id: "is empty", "has 300 bytes, want at most 256". The empty string means that the
// id can stand for one thing in the path of a request.
//
// An id must not be empty, longer than 256 bytes, "." or "..", or other than UTF-8. It must not hold a slash, a
// backslash, ?, #, %, a brace, white space, or what does not print, such as a zero-width space that came with copy and
// paste. The reasons: an empty task id makes the SDK request the list route and answer with another task, "../" walks
// the path, and "{instance_id}" is substituted.
func Check(id string) (wrong string) {
	switch {
	case id == "":
		return "is empty"
	case len(id) > maxBytes:
		return fmt.Sprintf("has %d bytes, want at most %d", len(id), maxBytes)
	case id == "." || id == "..":
		return "would walk the path"
	case !utf8.ValidString(id):
		return "is not UTF-8"
	}
	i := strings.IndexFunc(id, func(r rune) bool {
		return strings.ContainsRune(`/\?#%{}`, r) || unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
	if i >= 0 {
		r, _ := utf8.DecodeRuneInString(id[i:])
		return fmt.Sprintf("holds %q at byte %d, want none of / \\ ? # %% { } nor white space or what does not print", r, i)
	}
	return ""
}
