package sourcetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/taskwait/taskwait"
)

// concurrent checks that many calls at once each get their own answer. What they write to in common only the race
// detector sees.
func concurrent(t *trial) error { return t.allGetTheirOwn(t.ID) }

// concurrentIDs does so with two ids, for a Source that tells ids apart.
func concurrentIDs(t *trial) error {
	if err := t.arrange(OtherTask); err != nil {
		return err
	}
	return t.allGetTheirOwn(sibling(t.ID))
}

// allGetTheirOwn makes many calls at once, half of them for id.
func (t *trial) allGetTheirOwn(id string) error {
	if err := t.arrange(Executing); err != nil {
		return err
	}
	ids := []string{t.ID, id}
	calls := make([]*call, 64)
	for i := range calls {
		calls[i] = t.call(context.Background(), ids[i%2])
	}
	var first error
	for i, c := range calls { // to the last, so that none is left when the test ends
		if err := t.wantOwn(c, ids[i%2]); err != nil && first == nil {
			first = fmt.Errorf("%d calls at once: %w", len(calls), err)
		}
	}
	return first
}

func (t *trial) wantOwn(c *call, id string) error {
	a, err := c.wait()
	switch {
	case err != nil:
		return err
	case id == t.ID:
		return t.wantTask(a, Executing, taskwait.StatusExecuting)
	case a.err == nil:
		return fmt.Errorf("asked for the unknown id %q: got %v; want %s", id, a, describe(taskwait.ClassNotFound))
	}
	return nil
}

// followsOn makes the check that an answer holds nothing of the one before it, which was Executing.
func followsOn(next func(*trial) error) func(*trial) error {
	return func(t *trial) error {
		if _, err := t.task(Executing, taskwait.StatusExecuting); err != nil {
			return err
		}
		if err := next(t); err != nil {
			return fmt.Errorf("asked again after %s, %w", Executing, err)
		}
		return nil
	}
}

func isSuccess(t *trial) error {
	_, err := t.task(Succeeded, taskwait.StatusSuccess)
	return err
}

func isMalformed(t *trial) error {
	a, err := t.poll(EmptyObject)
	if err != nil {
		return err
	}
	return wantError(a, EmptyObject, taskwait.ClassTransient)
}

// apart checks that a second answer shares nothing with the first.
func apart(t *trial) error {
	a, err := t.task(Executing, taskwait.StatusExecuting)
	if err != nil {
		return err
	}
	raw := picture(a.Raw)
	b, err := t.task(Succeeded, taskwait.StatusSuccess)
	switch {
	case err != nil:
		return err
	case isPointer(a.Raw) && a.Raw == b.Raw:
		return errors.New("two answers: got the same pointer in Raw of both, want a value of its own for each")
	case a.Percent != nil && a.Percent == b.Percent:
		return errors.New("two answers: got the same pointer in Percent of both, want one of its own for each")
	case picture(a.Raw) != raw:
		return errors.New("two answers: got the first one's Raw changed by the second, want it left alone")
	}
	return nil
}

// picture is what v holds, as far as JSON shows it.
func picture(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // nothing can be seen of it
	}
	return string(b)
}

func isPointer(v any) bool { return v != nil && reflect.TypeOf(v).Kind() == reflect.Pointer }

func rawIsPointer(t *trial) error {
	task, err := t.task(Executing, taskwait.StatusExecuting)
	if err != nil {
		return err
	}
	if task.Raw != nil && !isPointer(task.Raw) {
		return fmt.Errorf("got a %T in Raw, want a pointer or nil", task.Raw)
	}
	return nil
}

// taskKeepsSecret checks that a Task does not print Secret.
func taskKeepsSecret(t *trial) error {
	task, err := t.task(Executing, taskwait.StatusExecuting)
	if err != nil {
		return err
	}
	wrapped := struct{ inner taskwait.Task }{task} // fmt does not ask an unexported field how it wants to be printed
	return cmp.Or(shows("the Task", task), shows("a struct that holds the Task", wrapped),
		shows("the Task's JSON", picture(task)))
}

// errorKeepsSecret checks that an error does not print Secret. Decoders like to quote what they could not decode.
func errorKeepsSecret(t *trial) error {
	a, err := t.poll(CutOff)
	if err == nil {
		err = wantError(a, CutOff, taskwait.ClassTransient)
	}
	if err != nil {
		return err
	}
	return shows("the error", a.err)
}

// shows returns an error if v, printed in one of the usual ways, shows Secret.
func shows(what string, v any) error {
	for _, verb := range []string{"%v", "%+v", "%#v"} { // not %s: for a pointer it is a mistake, and fmt follows it then
		if strings.Contains(fmt.Sprintf(verb, v), Secret) {
			return fmt.Errorf("%s, printed with %s, got the task's parameters shown, want them never shown", what, verb)
		}
	}
	return nil
}
