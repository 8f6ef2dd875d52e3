package taskwait

import (
	"fmt"

	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/text"
)

// invalidID is the error of an id that cannot be queried; it Is [ErrInvalidID].
type invalidID struct {
	id, wrong string
	err       error // the Source's word on it; nil: the check was ours
}

// Error names the id and what is wrong with it.
func (e *invalidID) Error() string {
	return fmt.Sprintf("taskwait: %v: task id %s %s", ErrInvalidID, text.Quote(e.id), e.wrong)
}

// Unwrap gives ErrInvalidID and the Source's error.
func (e *invalidID) Unwrap() []error {
	if e.err == nil {
		return []error{ErrInvalidID}
	}
	return []error{ErrInvalidID, e.err}
}

// checkID is the default check of a task id: it must be fit for the path of a request.
func checkID(id string) error {
	if wrong := ids.Check(id); wrong != "" {
		return &invalidID{id: id, wrong: wrong}
	}
	return nil
}

// idCheck is src's own check of a task id, if it has one, else the default. An empty id stands for no task anywhere.
func idCheck(src any) func(id string) error {
	own, ok := src.(interface{ CheckID(id string) error })
	if !ok {
		return checkID
	}
	return func(id string) error {
		if id == "" {
			return checkID(id)
		}
		if err := own.CheckID(id); err != nil {
			return &invalidID{id: id, wrong: "is refused by the Source: " + errorText(err), err: err}
		}
		return nil
	}
}
