package httptasks

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// httpStatus is the place of the answer's HTTP status.
const httpStatus = "@status"

// place is where something stands: the first of these paths that leads to something.
type place []path

// path is the way to a value.
type path struct {
	top    bool // it begins at the top of the answer, not at the job
	status bool // it is the answer's HTTP status
	steps  []step
}

// step is one step on the way: a field, an index, or the first element of a list with a value.
type step struct {
	name       string
	index      int // -1: the name is no number
	key, value string
}

// parsePlace reads a place; empty: none.
func parsePlace(s string) (p place, err error) {
	if s == "" {
		return nil, nil
	}
	for _, one := range strings.Split(s, "|") {
		if one == httpStatus {
			p = append(p, path{status: true})
			continue
		}
		rest, top := strings.CutPrefix(one, ".")
		steps, err := parseSteps(rest)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", s, err)
		}
		p = append(p, path{top: top, steps: steps})
	}
	return p, nil
}

// stepPattern is the first step of a way: a name, with a dot before it unless it is the first, or [name=value].
var stepPattern = regexp.MustCompile(`^(?:\.?([^.\[\]= ]+)|\[([^.\[\]= ]+)=([^\]]*)\])`)

func parseSteps(s string) (steps []step, err error) {
	for first := true; s != "" || first; first = false {
		m := stepPattern.FindStringSubmatch(s)
		switch {
		case m == nil, m[1] != "" && strings.HasPrefix(s, ".") == first:
			return nil, errors.New("want names with dots between them, and [name=value] after one")
		case m[1] != "":
			steps = append(steps, newStep(m[1]))
		default:
			steps = append(steps, step{index: -1, key: m[2], value: m[3]})
		}
		s = s[len(m[0]):]
	}
	return steps, nil
}

func newStep(name string) step {
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 {
		i = -1
	}
	return step{name: name, index: i}
}

// walk is what stands at the end of a path that begins at n; nil: nothing.
func (n *node) walk(steps []step) *node {
	for i, s := range steps {
		if n == nil {
			return nil
		}
		n.decode()
		switch {
		case s.key != "":
			n = n.having(s.key, s.value)
		case !n.isList():
			n = n.field(s.name)
		case s.index >= 0:
			n = n.item(s.index)
		default:
			return n.firstWith(steps[i:])
		}
	}
	if n.empty() {
		return nil
	}
	return n
}

// having is the first element of a list with this value.
func (n *node) having(key, value string) *node {
	for i := range n.items {
		if item := n.item(i); item.isObject() && item.walk([]step{newStep(key)}).str() == value {
			return item
		}
	}
	return nil
}

// firstWith is the end of a path from the first element of a list that has it.
func (n *node) firstWith(steps []step) *node {
	for i := range n.items {
		if item := n.item(i); item.isObject() {
			if found := item.walk(steps); found != nil {
				return found
			}
		}
	}
	return nil
}
