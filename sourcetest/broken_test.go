package sourcetest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taskwait/taskwait"
)

// broken are Sources that each have one fault, made of good ones: at least one for each rule.
var broken = []struct {
	name string
	rule string // that finds the fault
	make func(good taskwait.Source, s *service) taskwait.Source
	want string // the message holds it
}{
	{
		"own word for executing", "status/executing", says("EXECUTING", "RUNNING"),
		`got the status "RUNNING", want "EXECUTING"`,
	},
	{"own word for success", "status/success", says("SUCCESS", "Success"), `got the status "Success", want "SUCCESS"`},
	{"created taken for executing", "status/created", says("CREATED", "EXECUTING"), `want "CREATED"`},
	{"failure taken for success", "status/failed", says("FAILED", "SUCCESS"), `want "FAILED"`},
	{"deletion taken for failure", "status/deleted", says("DELETED", "FAILED"), `want "DELETED"`},
	{"cancellation taken for failure", "status/cancelled", says("CANCELLED", "FAILED"), `want "CANCELLED"`},
	{"unknown taken for success", "status/unknown", says(UnknownStatus, "SUCCESS"), `got the status "SUCCESS"`},
	{"unknown is an error", "status/unknown", errorOn(UnknownStatus), "got a transient error"},
	{"empty taken for executing", "status/empty", says("", "EXECUTING"), `got the status "EXECUTING", want ""`},
	{
		"another id in the answer", "status/executing", edit(func(t *taskwait.Task) { t.ID = "mine" }),
		`got the id "mine", want "8abfa7b2"`,
	},
	{"percent of a thousand", "status/executing", edit(func(t *taskwait.Task) { *t.Percent *= 10 }), "got Percent 500"},
	{"percent below nothing", "status/executing", edit(func(t *taskwait.Task) { *t.Percent = -1 }), "got Percent -1"},
	{
		"remaining below nothing", "status/executing", edit(func(t *taskwait.Task) { t.Remaining = -1 }),
		"got Remaining -1ns",
	},

	{"first row, whatever its id", "id/another", firstRow, "got a Task"},
	{"first row, its id left", "id/another", honestFirstRow, "got a Task"},
	{"first row of several", "id/several", firstRow, `got the status "SUCCESS", want "EXECUTING"`},
	{"empty list is trouble", "not-found/empty-list", class(EmptyList, taskwait.ClassTransient), "got a transient error"},
	{"empty list is pending", "not-found/empty-list", pending(EmptyList), "got a Task"},
	{"404 is for good", "not-found/unknown-id", class(NoSuchTask, taskwait.ClassPermanent), "got a permanent error"},

	{"{} panics", "malformed/empty-object", panics(EmptyObject), "the Source panicked: boom"},
	{"{} is not found", "malformed/empty-object", class(EmptyObject, taskwait.ClassNotFound), "got a not found error"},
	{"null is pending", "malformed/null", pending(Null), "got a Task"},
	{"empty body is not found", "malformed/empty-body", class(EmptyBody, taskwait.ClassNotFound), "got a not found error"},
	{"html is for good", "malformed/html", class(HTML, taskwait.ClassPermanent), "got a permanent error"},
	{"half a body is a task", "malformed/cut-off", pending(CutOff), "got a Task"},
	{"redirect is not found", "malformed/redirect", class(Redirect, taskwait.ClassNotFound), "got a not found error"},

	{"503 is for good", "transient/unavailable", class(Unavailable, taskwait.ClassPermanent), "got a permanent error"},
	{
		"a lost connection is for good", "transient/dropped", class(Dropped, taskwait.ClassPermanent),
		"got a permanent error",
	},
	{"429 is trouble", "throttled/class", class(Throttled, taskwait.ClassTransient), "got a transient error"},
	{
		"429 is trouble, with a hint", "throttled/class-with-retry-after", class(ThrottledFor, taskwait.ClassTransient),
		"got a transient error",
	},
	{"hint lost", "throttled/retry-after", class(ThrottledFor, taskwait.ClassThrottled), "got RetryAfter 0s, want 7s"},
	{"hint in a plain error", "throttled/retry-after", plainErrors, "want a *taskwait.QueryError with RetryAfter 7s"},
	{"401 is trouble", "permanent/unauthorized", plainErrors, "got a transient error"},
	{"403 is not found", "permanent/forbidden", class(Forbidden, taskwait.ClassNotFound), "got a not found error"},

	{"asks with a dead context", "context/ended-before", asksFirst, "got 1 queries sent, want none"},
	{
		"hides a dead context", "context/ended-before", hidesContext,
		`got a transient error: EOF; want an error that Is "context canceled"`,
	},
	{"deaf", "context/cancelled", deaf(Hanging), "still runs after 10s, want it to end at once"},
	{"hides a cancellation", "context/cancelled", hidesContext, `want an error that Is "context canceled"`},
	{"gives up by itself", "context/cancelled", impatient, "want the call to go on until its context ends"},
	{"hears, then finishes", "context/cancelled", tidiesUp, "the call ended 5s after its context, want at once"},
	{"deaf to deadlines", "context/deadline", deaf(Hanging), "still runs after 10s, want it to end at once"},
	{"hides a deadline", "context/deadline", hidesContext, `want an error that Is "context deadline exceeded"`},
	{"gives up before a deadline", "context/deadline", impatient, "want the call to go on until its context ends"},
	{"deaf while it reads", "context/cancelled-in-body", deaf(Stalled), "still runs after 10s"},
	{"deaf to deadlines while it reads", "context/deadline-in-body", deaf(Stalled), "still runs after 10s"},
	{"one context for all", "context/of-another-call", firstContext, "when the context of another call had ended"},
	{"leaves its call behind", "context/no-goroutine-left", leaves, "got 20 goroutines more after 20 calls more"},

	{"retries", "calls/once-when-unavailable", retries, "got 2 queries for one call, want 1"},
	{"retries a throttle", "calls/once-when-throttled", retries, "got 2 queries for one call, want 1"},
	{"asks for nothing", "calls/once-when-throttled", silent, "got 0 queries for one call, want 1"},
	{
		"one at a time", "calls/concurrent", oneAtATime,
		"64 calls at once: with the task executing: got a transient error: busy",
	},
	{"one answer for all ids", "calls/concurrent-ids", shared, `asked for the unknown id "8abfa7b0": got a Task`},
	{"a goroutine for each call", "calls/no-goroutine-left", spawns, "got 20 goroutines more after 20 calls more"},
	{
		"asks only once", "answers/fresh", keepsFirst,
		`asked again after the task executing, with the task succeeded: got the status "EXECUTING"`,
	},
	{"shows the last good answer", "answers/fresh-after-malformed", keepsGood, "got a Task"},
	{"one Raw for all", "answers/apart", oneRaw, "got the same pointer in Raw of both"},
	{"one Percent for all", "answers/apart", onePercent, "got the same pointer in Percent of both"},
	{"one value within Raw", "answers/apart", oneInnerRaw, "got the first one's Raw changed by the second"},

	{
		"Raw by value", "raw/pointer", edit(func(t *taskwait.Task) { t.Raw = *t.Raw.(*taskRow) }),
		"got a sourcetest.taskRow in Raw, want a pointer",
	},
	{
		"params for a name", "secrets/task", edit(func(t *taskwait.Task) { t.Kind = t.Raw.(*taskRow).Params }),
		"the Task, printed with %v",
	},
	{
		"Raw by value, wrapped", "secrets/task", edit(func(t *taskwait.Task) { t.Raw = *t.Raw.(*taskRow) }),
		"a struct that holds the Task, printed with",
	},
	{"body in the error", "secrets/error", quotesBody, "the error, printed with %v"},
	{"no error to look at", "secrets/error", pending(CutOff), "got a Task"},

	{"ends its goroutine", "status/executing", exits, "runtime.Goexit"},
	{"never returns", "status/executing", hangs, "the call still runs after 10s"},
}

// TestCheckBroken is what the suite is for: each fault is found by its rule, and the message says all there is to say.
func TestCheckBroken(t *testing.T) {
	for _, tt := range broken {
		t.Run(tt.name, func(t *testing.T) {
			err := checkInMemory(t, tt.rule, tt.make)
			if err == nil || errors.Is(err, errors.ErrUnsupported) {
				t.Fatalf("got %v, want it to fail %s", err, tt.rule)
			}
			for _, want := range []string{"sourcetest: " + tt.rule + ": ", tt.want, "\nwhy: " + ruleNamed(t, tt.rule).why} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got the message %q, want it to hold %q", err, want)
				}
			}
		})
	}
}

// asList is a Source whose list shows one task.
type asList struct{ taskwait.Source }

func (l asList) List(ctx context.Context, b taskwait.ListRequest) (page, string, error) {
	task, err := l.Task(ctx, b.IDs[0])
	var q *taskwait.QueryError
	switch {
	case errors.As(err, &q) && q.Class == taskwait.ClassNotFound:
		return nil, "", nil
	case err != nil:
		return nil, "", err
	}
	return []taskwait.Task{task}, "", nil
}

// brokenLists are faults that only a list can have.
var brokenLists = []struct {
	name string
	rule string
	list func(good taskwait.Source, b request) (page, string, error)
	want string
}{
	{
		"no end", "list/id/another",
		func(taskwait.Source, request) (page, string, error) { return nil, "next", nil },
		"more than 100 pages",
	},
	{
		"trouble is an empty list", "list/malformed/null",
		func(taskwait.Source, request) (page, string, error) { return nil, "", nil },
		"got a not found error",
	},
	{"tasks without an ID", "list/status/executing", func(good taskwait.Source, b request) (page, string, error) {
		task, err := good.Task(context.Background(), b.IDs[0])
		task.ID = ""
		return []taskwait.Task{task}, "", err
	}, "no page shows the task, by its ID"},
	{"a row that is not there", "list/not-found/empty-list", func(_ taskwait.Source, b request) (page, string, error) {
		return []taskwait.Task{{ID: b.IDs[0], Status: taskwait.StatusDeleted}}, "", nil
	}, "got a Task"},
	{"another's row with our ID", "list/id/another", func(_ taskwait.Source, b request) (page, string, error) {
		return []taskwait.Task{{ID: b.IDs[0], Status: taskwait.StatusSuccess}}, "", nil
	}, "got a Task"},
	{"writes into the ids", "list/status/executing", func(_ taskwait.Source, b request) (page, string, error) {
		b.IDs[0] = "mine"
		return nil, "", nil
	}, `has changed the ids that it was given, to ["mine"]`},
}

// Short names, for rows that are long enough.
type (
	request = taskwait.ListRequest
	page    = []taskwait.Task
)

// listOf is a Source with a list.
type listOf struct {
	taskwait.Source
	list func(good taskwait.Source, b request) (page, string, error)
}

func (l listOf) List(_ context.Context, b request) (page, string, error) {
	return l.list(l.Source, b)
}

func TestCheckBrokenLists(t *testing.T) {
	for _, tt := range brokenLists {
		t.Run(tt.name, func(t *testing.T) {
			err := checkInMemory(t, tt.rule, func(good taskwait.Source, _ *service) taskwait.Source {
				return listOf{good, tt.list}
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("got %v, want an error that holds %q", err, tt.want)
			}
		})
	}
}

// checkInMemory puts what is made of a good Source through a rule.
func checkInMemory(t *testing.T, name string, make func(good taskwait.Source, s *service) taskwait.Source) (err error) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t)
		good := client{http: &http.Client{Transport: s, CheckRedirect: stay}, url: "http://cloud.test"}
		err = ruleNamed(t, name).try(trial{exact: true, Subject: Subject{
			Source: make(good, s), ID: ourID, Arrange: s.Arrange, Queries: s.Queries,
		}})
	})
	return err
}

func TestEachRuleFindsAFault(t *testing.T) {
	found := map[string]bool{}
	for _, b := range brokenLists {
		found[b.rule] = true
	}
	for _, b := range broken {
		found[b.rule] = true
		if list := "list/" + b.rule; !found[list] && b.rule != "not-found/unknown-id" {
			err := checkInMemory(t, list, func(good taskwait.Source, s *service) taskwait.Source {
				return asList{b.make(good, s)}
			})
			found[list] = err != nil && !errors.Is(err, errors.ErrUnsupported)
		}
	}
	for _, r := range rules() {
		if !found[r.name] {
			t.Errorf("%s: got no broken Source that fails it, want at least one", r.name)
		}
	}
}
