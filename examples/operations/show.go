package main

import (
	"fmt"
	"io"

	"github.com/taskwait/taskwait"
)

// line prints what a step is at.
type line struct {
	out  io.Writer
	last string
}

// show prints a line for each change, and for each new error.
func (l *line) show(p *taskwait.Progress) {
	what := p.Task.Phase // an instance's own word
	if what == "" {
		what = fmt.Sprintf("%v (%s)", p.Task.Status, p.Task.Kind)
	}
	for _, s := range p.Task.Steps {
		if s.Status == "IN_PROGRESS" {
			what = "step " + s.Name
		}
	}
	switch {
	case p.Err != nil:
		what = p.Err.Error()
	case p.Confirmed == 2:
		what += ", and again"
	}
	if p.Done || what == l.last {
		return
	}
	l.last = what
	fmt.Fprintf(l.out, "   %5.1fs  %s\n", p.Elapsed.Seconds(), what)
}
