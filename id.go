package taskwait

import (
	"fmt"

	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/text"
)

// CheckID returns nil if id can stand for one thing in the path of a request, and an error that Is [ErrInvalidID] and
// names what ("task id", "instance id"), the value and what is wrong with it otherwise. It is refused if it is empty,
// longer than 256 bytes, "." or "..", not UTF-8, or holds a slash, backslash, ?, #, %, a brace, white space, or what
// does not print.
//
// WaitForTask checks task ids itself. CheckID is for Sources, whose paths hold other ids too.
func CheckID(what, id string) error {
	if wrong := ids.Check(id); wrong != "" {
		return fmt.Errorf("taskwait: %w: %s %q %s", ErrInvalidID, what, text.Clip(id), wrong)
	}
	return nil
}
