package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/taskwait/taskwait"
)

const (
	// patience is how long a call may take before the suite gives up on it. Only a Source that hangs makes it wait.
	patience = 10 * time.Second

	// settle is how long what has been started is given to get where it is going. It is no bound on anything: in virtual
	// time it is exact, in real time a rule that waits too short lets a fault pass and never finds one that is not there.
	settle = 10 * time.Millisecond
)

// trial is a Subject that is put through one rule.
type trial struct {
	Subject
	exact bool // time is virtual: what must happen at once happens at that instant
}

// try checks r. It returns nil if the Subject keeps the rule, and else an error that says what was got, what was wanted
// and why it matters. An error that Is [errors.ErrUnsupported] says that the rule does not apply, as the Subject
// declared.
func (r rule) try(t trial) error {
	if t.Source == nil || t.Arrange == nil || t.ID == "" {
		return fmt.Errorf("sourcetest: %s: the Subject has no Source, no ID or no Arrange", r.name)
	}
	err := r.check(&t)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("sourcetest: %s: %w\nwhy: %s", r.name, err, r.why)
	case r.must:
		return fmt.Errorf("sourcetest: %s: declared as not applicable, but every Source must meet it: %v", r.name, err)
	}
	return fmt.Errorf("sourcetest: %s: not applicable: %w", r.name, err)
}

func (t *trial) arrange(s Situation) error {
	if err := t.Arrange(s); err != nil {
		return fmt.Errorf("cannot arrange %s: %w", s, err)
	}
	return nil
}

// count returns the number of queries so far.
func (t *trial) count() (int, error) {
	if t.Queries == nil {
		return 0, fmt.Errorf("queries cannot be counted, Subject.Queries is nil: %w", errors.ErrUnsupported)
	}
	time.Sleep(settle)
	return t.Queries(), nil
}

// call is one call of the Source. It has a goroutine of its own, so that a Source that hangs, panics or ends its
// goroutine breaks a rule and not the suite.
type call struct {
	begun, ended time.Time // ended is for reading after done

	done chan struct{}
	answer
	fault error
}

// answer is what a Source returned.
type answer struct {
	task taskwait.Task
	err  error
}

func (t *trial) call(ctx context.Context, id string) *call {
	c := &call{begun: time.Now(), done: make(chan struct{})}
	c.fault = errors.New("the call ended its goroutine (runtime.Goexit), want it to return")
	go func() {
		defer close(c.done)
		defer func() {
			c.ended = time.Now()
			if v := recover(); v != nil {
				c.fault = fmt.Errorf("the Source panicked: %v\n%s", v, debug.Stack())
			}
		}()
		c.task, c.err = t.Source.Task(ctx, id)
		c.fault = nil
	}()
	return c
}

// over reports whether c has ended.
func (c *call) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// wait waits for the answer. The error says why there is none.
func (c *call) wait() (answer, error) {
	timer := time.NewTimer(time.Until(c.begun.Add(patience)))
	defer timer.Stop()
	select {
	case <-c.done:
		return c.answer, c.fault
	case <-timer.C:
		return answer{}, fmt.Errorf("the call still runs after %v", patience)
	}
}

// poll arranges s and polls once.
func (t *trial) poll(s Situation) (answer, error) {
	if err := t.arrange(s); err != nil {
		return answer{}, err
	}
	a, err := t.call(context.Background(), t.ID).wait()
	if err != nil {
		return answer{}, fmt.Errorf("with %s: %w", s, err)
	}
	return a, nil
}

// inFlight arranges s, starts a call and returns when its query has reached the service, or the call is over.
func (t *trial) inFlight(ctx context.Context, s Situation) (*call, error) {
	if err := t.arrange(s); err != nil {
		return nil, err
	}
	arrived := func() bool { return true }
	if t.Queries != nil {
		before := t.Queries()
		arrived = func() bool { return t.Queries() != before }
	}
	c := t.call(ctx, t.ID)
	for !arrived() && !c.over() {
		if time.Since(c.begun) > patience/2 {
			return c, fmt.Errorf("with %s: no query was counted within %v; Queries must count one when it arrives", s,
				patience/2)
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(settle)
	return c, nil
}

// String says what a is, for a message.
func (a answer) String() string {
	if a.err == nil {
		return fmt.Sprint("a Task (", a.task, ")")
	}
	return fmt.Sprintf("%s: %v", describe(classOf(a.err)), a.err)
}

func describe(c taskwait.Class) string { return "a " + c.String() + " error" }

// classOf is the class that the wait takes err for.
func classOf(err error) taskwait.Class {
	var q *taskwait.QueryError
	if errors.As(err, &q) && q != nil {
		return q.Class
	}
	return taskwait.ClassTransient
}
