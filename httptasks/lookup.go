package httptasks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Lookup returns the value at a place of a job, as JSON; nil: nothing is there. The job may be Raw of a
// [github.com/taskwait/taskwait.Task] of a [Source]. A place that begins with a dot begins at the job too. The error is
// that of a place that cannot be read.
func Lookup(job json.RawMessage, place string) (json.RawMessage, error) {
	p, err := parsePlace(place)
	switch {
	case err != nil:
		return nil, err
	case len(p) == 0:
		return nil, errors.New("the place is empty")
	case slices.ContainsFunc(p, func(one path) bool { return one.status }):
		return nil, fmt.Errorf("%q: the status of an answer is not in the job", place)
	}
	top := parse(bytes.TrimSpace(job))
	if top == nil {
		return nil, nil
	}
	found := (&reading{top: top}).at(p, top)
	if found == nil {
		return nil, nil
	}
	return slices.Clone(found.text), nil
}
