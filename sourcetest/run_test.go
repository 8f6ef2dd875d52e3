package sourcetest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// polled is a Source that looks at its context every 100 ms.
func polled() Subject {
	return Subject{
		Source: taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
			for ctx.Err() == nil {
				time.Sleep(100 * time.Millisecond)
			}
			return taskwait.Task{}, ctx.Err()
		}),
		ID:      "one",
		Arrange: func(Situation) error { return nil },
	}
}

// TestAtOnce: Run allows no delay at all, RunLive seconds.
func TestAtOnce(t *testing.T) {
	r := rule{name: "context/cancelled", check: cancelled(Hanging)}
	synctest.Test(t, func(t *testing.T) {
		if err := r.try(trial{Subject: polled()}); err != nil {
			t.Errorf("as RunLive does it: got %v, want nil", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		err := r.try(trial{Subject: polled(), exact: true})
		if want := "the call ended 90ms after its context, want at once"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("as Run does it: got %v, want an error that holds %q", err, want)
		}
	})
}

// TestRunReports runs itself once more as a child process, which must fail: what a driver says cannot be seen from
// inside.
func TestRunReports(t *testing.T) {
	const child = "SOURCETEST_CHILD"
	start := func(*testing.T) Subject {
		return Subject{
			Source: taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
				return taskwait.Task{}, errors.New("no")
			}),
			ID: "one",
			Arrange: func(s Situation) error {
				switch s {
				case Executing, Succeeded, Unavailable:
					return nil
				}
				return errors.ErrUnsupported
			},
		}
	}
	switch os.Getenv(child) {
	case "Run":
		Run(t, start)
		return
	case "RunLive":
		RunLive(t, start)
		return
	}
	for _, driver := range []string{"Run", "RunLive"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRunReports$", "-test.v")
		cmd.Env = append(os.Environ(), child+"="+driver)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s: got success, want the test to fail", driver)
		}
		for _, want := range []string{
			"--- FAIL: TestRunReports/status/executing",
			"sourcetest: status/executing: with the task executing: got a transient error: no; want a Task",
			"--- PASS: TestRunReports/id/another",
			"sourcetest: id/another: not applicable: cannot arrange another task: unsupported operation",
		} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: got the output\n%s\nwant it to hold %q", driver, out, want)
			}
		}
	}
}
