package sourcetest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// The usual way: a test that runs the whole suite, in virtual time. It is not run here, because an example has no
// testing.T; service and client are those of this package's own tests.
func ExampleRun() {
	TestSource := func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Subject {
			service := newService(t)
			return sourcetest.Subject{
				Source:  client{http: &http.Client{Transport: service}, url: "http://cloud.test"},
				ID:      "8abfa7b2",
				Arrange: service.Arrange,
				Queries: service.Queries,
			}
		})
	}
	_ = TestSource
}

// What the suite says of a Source that takes the first row of the answer for the task that was asked for. Rules can be
// checked without package testing, one by one.
func ExampleRule_Check() {
	var rows []taskwait.Task // what the service answers with
	firstRow := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		if ctx.Err() != nil || len(rows) == 0 {
			return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: ctx.Err()}
		}
		return taskwait.Task{ID: id, Status: rows[0].Status}, nil
	})
	ours := taskwait.Task{ID: "8abf", Status: taskwait.StatusExecuting}
	other := taskwait.Task{ID: "77e0", Status: taskwait.StatusSuccess}
	subject := sourcetest.Subject{Source: firstRow, ID: "8abf", Arrange: func(s sourcetest.Situation) error {
		switch s {
		case sourcetest.Executing:
			rows = []taskwait.Task{ours}
		case sourcetest.SeveralTasks:
			rows = []taskwait.Task{other, ours}
		case sourcetest.EmptyList:
			rows = nil
		default:
			return fmt.Errorf("this service has rows, and nothing else: %w", errors.ErrUnsupported)
		}
		return nil
	}}
	for _, rule := range sourcetest.Rules() {
		switch rule.Name {
		case "status/executing", "id/several", "not-found/empty-list", "malformed/html":
			err := rule.Check(subject)
			fmt.Println(rule.Name, "applies:", !errors.Is(err, errors.ErrUnsupported), "error:", err)
		}
	}
	// Output:
	// status/executing applies: true error: <nil>
	// id/several applies: true error: sourcetest: id/several: with several tasks: got the status "SUCCESS", want "EXECUTING"
	// why: the success of somebody else's task would end the wait for a task that still runs
	// not-found/empty-list applies: true error: <nil>
	// malformed/html applies: false error: sourcetest: malformed/html: not applicable: cannot arrange an HTML page: this service has rows, and nothing else: unsupported operation
}
