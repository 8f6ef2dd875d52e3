package chaos

import (
	"context"
	"errors"
	"time"

	"github.com/taskwait/taskwait"
)

// oracle is how a wait with these events must end, and with which of them; a second opinion, written from the rules.
func (c *chaos) oracle() (outcome string, last int) { //nolint:gocognit // the rules, one after the other
	var bad, gone, refused []time.Duration
	good := false
	// bears reports whether a refusal of a query that was sent then may pass yet.
	bears := func(means Meaning, sent time.Duration) bool {
		return means == Denied && good && (len(refused) < 2 || sent < refused[0]+time.Minute)
	}
	final, absentAt := -1, -time.Hour
	for i, e := range c.events {
		late := c.timeout > 0 && e.arrived >= c.timeout
		means := e.inTheLightOf(&absentAt)
		if c.ctxEnd > 0 && e.arrived >= c.ctxEnd {
			return "context", i
		}
		if means == Bare {
			continue // of a list
		}
		switch means {
		case Denied:
			refused = append(refused, e.arrived)
		case Rows, Unknown, Lagging, Missing:
			refused, good = nil, good || means != Missing
		}
		if means == Rows && e.status.Terminal() {
			return string(e.status), i
		}
		if c.timeout > 0 && e.sent >= c.timeout {
			repeated := means == Transient || means == Throttled || bears(means, e.arrived)
			if final = i; !repeated || e.arrived >= c.timeout+4*time.Second {
				return "timeout", i
			}
			continue
		}
		if means != Transient && means != Denied {
			bad = nil
		}
		if means == Permanent || means == Denied && !bears(means, e.sent) {
			return "query", i
		}
		switch means {
		case Transient:
			if bad = append(bad, e.arrived); !late && len(bad) >= 3 && e.arrived-bad[0] >= c.tolerance {
				return "query", i
			}
		case Missing:
			if gone = append(gone, e.arrived); !late && len(gone) >= 2 && e.sent >= gone[0]+c.grace {
				return "not found", i
			}
		case Rows, Unknown, Lagging:
			gone = nil
		case Throttled:
		}
	}
	if repeats := c.timeout + 4*time.Second; final >= 0 && (c.ctxEnd == 0 || c.ctxEnd >= repeats) {
		return "timeout", final
	}
	return "context", len(c.events) - 1
}

// inTheLightOf is what an answer means after those before. absentAt is when the last one said that there is no such
// instance, since the task was seen.
func (e *event) inTheLightOf(absentAt *time.Duration) Meaning {
	switch {
	case e.cut:
		return Transient
	case e.means == Rows || e.means == Unknown || e.means == Lagging || e.means == Bare:
		if *absentAt = -time.Hour; e.means == Bare && !e.list {
			return Transient
		}
	case e.means == Absent:
		before := *absentAt
		if *absentAt = e.arrived; e.arrived-before <= 10*time.Second {
			return Permanent
		}
		return Missing
	}
	return e.means
}

// Outcome is what WaitForTask made of it.
func Outcome(err error) string {
	for _, k := range []struct {
		err  error
		name string
	}{
		{nil, "SUCCESS"}, {taskwait.ErrTaskFailed, "FAILED"}, {taskwait.ErrTaskDeleted, "DELETED"},
		{taskwait.ErrTaskCancelled, "CANCELLED"},
		{taskwait.ErrTimeout, "timeout"}, {taskwait.ErrQuery, "query"}, {taskwait.ErrTaskNotFound, "not found"},
		{context.DeadlineExceeded, "context"},
	} {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return err.Error()
}
