package sourcetest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// inMemory is a Subject as a user of the suite writes it.
func inMemory(t *testing.T) sourcetest.Subject {
	s := newService(t)
	return sourcetest.Subject{
		Source:  client{http: &http.Client{Transport: s, CheckRedirect: stay}, url: "http://cloud.test"},
		ID:      ourID,
		Arrange: s.Arrange,
		Queries: s.Queries,
	}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func TestRun(t *testing.T) { sourcetest.Run(t, inMemory) }

func TestRunBatch(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Subject {
		s := inMemory(t)
		s.Source = asList{s.Source}
		return s
	})
}

func TestRunLive(t *testing.T) {
	sourcetest.RunLive(t, func(t *testing.T) sourcetest.Subject {
		s := newService(t)
		server := httptest.NewServer(s)
		own := &http.Transport{}
		t.Cleanup(func() { own.CloseIdleConnections(); server.Close() })
		return sourcetest.Subject{
			Source:  client{http: &http.Client{Transport: own, CheckRedirect: stay}, url: server.URL},
			ID:      ourID,
			Arrange: s.Arrange,
			Queries: s.Queries,
		}
	})
}

// TestRunSourceFunc is a Source with no service at all: it declares what it cannot meet.
func TestRunSourceFunc(t *testing.T) {
	sourcetest.Run(t, func(*testing.T) sourcetest.Subject {
		var status taskwait.Status
		return sourcetest.Subject{
			Source: taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
				return taskwait.Task{ID: id, Status: status}, ctx.Err()
			}),
			ID: "one",
			Arrange: func(s sourcetest.Situation) error {
				switch s {
				case sourcetest.Executing:
					status = taskwait.StatusExecuting
				case sourcetest.Succeeded:
					status = taskwait.StatusSuccess
				default:
					return errors.ErrUnsupported
				}
				return nil
			},
		}
	})
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range sourcetest.Rules() {
		if seen[r.Name] {
			t.Errorf("%s: got two rules of this name, want one", r.Name)
		}
		if seen[r.Name] = true; r.Why == "" || strings.Contains(r.Name, " ") {
			t.Errorf("%q: got no reason or a name with a blank, want both fit for a reader", r.Name)
		}
	}
}

func TestCheckSubject(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule string
		edit func(*sourcetest.Subject)
		want string
		is   error
	}{
		{"no source", "id/another", func(s *sourcetest.Subject) { s.Source = nil }, "has no Source", nil},
		{"no id", "id/another", func(s *sourcetest.Subject) { s.ID = "" }, "no ID", nil},
		{"no arrange", "id/another", func(s *sourcetest.Subject) { s.Arrange = nil }, "no Arrange", nil},
		{"cannot be counted", "calls/once-when-throttled", func(s *sourcetest.Subject) { s.Queries = nil },
			"not applicable: queries cannot be counted", errors.ErrUnsupported},
		{"dead context, not counted", "context/ended-before", func(s *sourcetest.Subject) { s.Queries = nil },
			"not applicable: queries cannot be counted", errors.ErrUnsupported},
		{"declared", "id/another", func(s *sourcetest.Subject) {
			s.Arrange = func(sourcetest.Situation) error { return errors.ErrUnsupported }
		}, "not applicable: cannot arrange another task", errors.ErrUnsupported},
		{"declared, but needed", "status/success", func(s *sourcetest.Subject) {
			s.Arrange = func(sourcetest.Situation) error { return errors.ErrUnsupported }
		}, "every Source must meet it", nil},
		{"failed to arrange", "id/another", func(s *sourcetest.Subject) {
			s.Arrange = func(sourcetest.Situation) error { return errors.New("boom") }
		}, "cannot arrange another task: boom", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := inMemory(t)
			tt.edit(&s)
			err := rule(t, tt.rule).Check(s)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.rule) {
				t.Errorf("got %v, want an error that holds %q and the rule's name", err, tt.want)
			}
			if got := errors.Is(err, errors.ErrUnsupported); got != (tt.is != nil) {
				t.Errorf("got errors.Is ErrUnsupported %v, want %v: %v", got, tt.is != nil, err)
			}
		})
	}
}

// TestCheckCountsOnArrival: a counter that moves only with the answer is a slip that is easy to make.
func TestCheckCountsOnArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t)
		s.Queries = func() int { return 0 }
		err := rule(t, "context/cancelled").Check(s)
		if want := "Queries must count one when it arrives"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that holds %q", err, want)
		}
	})
}

func rule(t *testing.T, name string) sourcetest.Rule {
	for _, r := range sourcetest.Rules() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no rule %q", name)
	return sourcetest.Rule{}
}
