package taskwait

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxID bounds an id, in bytes. The ids of the services known to us have at most 64; more is a mistake, or an attack.
const maxID = 256

// CheckID returns nil if id can stand for one thing in the path of a request, and an error that Is [ErrInvalidID] and
// names what ("task id", "instance id"), the value and what is wrong with it otherwise. It is refused if it is empty,
// longer than 256 bytes, "." or "..", not UTF-8, or holds a slash, backslash, ?, #, %, a brace, white space, or what
// does not print, such as control characters and the zero-width ones that come with copy and paste: an empty task id makes the SDK ask the list route and answer with somebody else's task, "../"
// walks the path, and "{instance_id}" is substituted.
//
// WaitForTask checks task ids itself. CheckID is for Sources, whose paths hold other ids too.
func CheckID(what, id string) error {
	if wrong := idFault(id); wrong != "" {
		return fmt.Errorf("taskwait: %w: %s %q %s", ErrInvalidID, what, clip(id), wrong)
	}
	return nil
}

func idFault(id string) string {
	switch {
	case id == "":
		return "is empty"
	case len(id) > maxID:
		return fmt.Sprintf("has %d bytes, want at most %d", len(id), maxID)
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
