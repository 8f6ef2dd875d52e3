package sourcetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// The suite is run by a test. Here the service is a variable that holds the task's status, so most of what can go wrong
// with a service does not apply. The comment on the package shows a test with a service over HTTP.
func ExampleRun() {
	TestSource := func(t *testing.T) {
		sourcetest.Run(t, func(*testing.T) sourcetest.Subject {
			var status taskwait.Status
			source := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
				return taskwait.Task{ID: id, Status: status}, ctx.Err()
			})
			return sourcetest.Subject{Source: source, ID: "8abf", Arrange: func(s sourcetest.Situation) error {
				switch s {
				case sourcetest.Executing:
					status = taskwait.StatusExecuting
				case sourcetest.Succeeded:
					status = taskwait.StatusSuccess
				default:
					return fmt.Errorf("this service has nothing but a status: %w", errors.ErrUnsupported)
				}
				return nil
			}}
		})
	}
	_ = TestSource // go test runs it where it is a function of a test file
}
