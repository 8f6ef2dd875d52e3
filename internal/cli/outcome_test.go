package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// TestSentences is the table of what is said at the end of a wait, with the outcome and the exit code.
// go test ./internal/cli -update writes it anew.
func TestSentences(t *testing.T) {
	unavailable := &taskwait.QueryError{Err: errors.New("503 Service Unavailable")}
	unlisted := &taskwait.QueryError{Class: taskwait.ClassNotFound,
		Err: errors.New("the instance lists no task with this id")}
	last := func(kind, err error) error { return errors.Join(kind, &taskwait.WaitError{ID: "x", LastErr: err}) }
	seen := func(status taskwait.Status, ago time.Duration, failed int) event {
		return event{Name: "kafkaUpgrade", Status: status, Seen: after(ago), Failed: failed}
	}
	var b strings.Builder
	for _, tt := range []struct {
		name string
		err  error
		e    event
	}{
		{"success", nil, event{Name: "kafkaUpgrade", Status: "SUCCESS", Took: seconds(72 * time.Second)}},
		{"success, without times", nil, event{Status: "SUCCESS"}},
		{"failed", taskwait.ErrTaskFailed, event{Name: "kafkaUpgrade", Status: "FAILED",
			Took: seconds(72 * time.Second)}},
		{"cancelled", taskwait.ErrTaskCancelled, event{Name: "kafkaUpgrade", Status: "CANCELLED"}},
		{"deleted", taskwait.ErrTaskDeleted, event{Name: "kafkaUpgrade", Status: "DELETED"}},
		{"not found", last(taskwait.ErrTaskNotFound, unlisted), event{}},
		{"not found any more", last(taskwait.ErrTaskNotFound, unlisted), seen("EXECUTING", time.Minute, 9)},
		{"too few", tooFewError{1, 2}, event{}},
		{"refused", last(taskwait.ErrQuery, errors.New("403 Forbidden")), event{}},
		{"nothing but errors", last(taskwait.ErrQuery, unavailable), seen("EXECUTING", 5*time.Minute, 12)},
		{"timeout: it runs", taskwait.ErrTimeout, seen("EXECUTING", 2*time.Second, 0)},
		{"timeout: it runs, without a name", taskwait.ErrTimeout, event{Status: "CREATED", Seen: after(0)}},
		{"timeout: nothing since", last(taskwait.ErrTimeout, unavailable), seen("CREATED", 40*time.Second, 9)},
		{"timeout: one failed since", last(taskwait.ErrTimeout, unavailable), seen("CREATED", 4*time.Second, 1)},
		{"timeout: an unknown status", taskwait.ErrTimeout, seen("PARTIAL", 2*time.Second, 0)},
		{"timeout: an unknown status, nothing since", last(taskwait.ErrTimeout, unavailable), seen("PARTIAL",
			time.Minute, 3)},
		{"timeout: never answered", last(taskwait.ErrTimeout, unavailable), event{Failed: 9}},
		{"timeout: no poll has ended", taskwait.ErrTimeout, event{}},
		{"timeout: never listed", last(taskwait.ErrTimeout, unlisted), event{Failed: 9}},
		{"signal: it runs", context.Canceled, seen("EXECUTING", 2*time.Second, 0)},
		{"signal: nothing since", last(context.Canceled, unavailable), seen("EXECUTING", 40*time.Second, 9)},
		{"signal: before any answer", context.Canceled, event{}},
	} {
		e := tt.e
		e.Event, e.Elapsed, e.Outcome = eventDone, seconds(10*time.Minute), outcomeOf(tt.err, &tt.e)
		if tt.err != nil {
			e.Error = reason(tt.err)
		}
		fmt.Fprintf(&b, "%-42s %d  %s\n", tt.name, codeOf([]outcome{e.Outcome}), sentence(&e))
	}
	golden(t, "sentences.txt", b.String())
}

// TestPrecedence is the promise for several tasks.
func TestPrecedence(t *testing.T) {
	order := []outcome{failed, cancelled, deleted, notFound, noAnswer, unknown, timedOut, succeeded}
	codes := []int{1, 3, 3, 4, 6, 6, 5, 0}
	for i := range order {
		rest := slices.Clone(order[i:])
		slices.Reverse(rest)
		if got := codeOf(rest); got != codes[i] {
			t.Errorf("codeOf(%q) = %d, want %d", rest, got, codes[i])
		}
	}
	if got := codeOf(nil); got != 0 {
		t.Errorf("codeOf(nil) = %d, want 0", got)
	}
}

// TestCandidates names a few of many.
func TestCandidates(t *testing.T) {
	w := &taskwait.WaitError{Candidates: make([]taskwait.Task, 500)}
	got := reason(w)
	if !strings.HasSuffix(got, "; and 492 more") || len(got) > 4096 {
		t.Errorf("got %d bytes, %.80q …, want 8 tasks and how many more", len(got), got)
	}
}

// TestUnauthorized: it is the status that says so, whatever the words.
func TestUnauthorized(t *testing.T) {
	refused := &taskwait.QueryError{StatusCode: 401, Err: errors.New("the keys were refused")}
	other := &taskwait.QueryError{StatusCode: 400, Err: errors.New("401 is no id of a task")}
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"401", &taskwait.WaitError{Reason: taskwait.ErrQuery, LastErr: refused}, true},
		{"401 in words alone", &taskwait.WaitError{Reason: taskwait.ErrQuery, LastErr: other}, false},
		{"no answer", errors.New("401 Unauthorized"), false},
	} {
		if got := unauthorized(tt.err); got != tt.want {
			t.Errorf("%s: unauthorized(%v) = %v, want %v", tt.name, tt.err, got, tt.want)
		}
	}
}
