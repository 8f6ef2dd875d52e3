package sourcetest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taskwait/taskwait"
)

// inMemory is a Subject as a user of the suite writes it.
func inMemory(t *testing.T) Subject {
	s := newService(t)
	return Subject{
		Source:  client{http: &http.Client{Transport: s, CheckRedirect: stay}, url: "http://cloud.test"},
		ID:      ourID,
		Arrange: s.Arrange,
		Queries: s.Queries,
	}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func TestRun(t *testing.T) { Run(t, inMemory) }

func TestRunList(t *testing.T) {
	Run(t, func(t *testing.T) Subject {
		s := inMemory(t)
		s.Source = asList{s.Source}
		return s
	})
}

func TestRunLive(t *testing.T) {
	RunLive(t, func(t *testing.T) Subject {
		s := newService(t)
		server := httptest.NewServer(s)
		own := &http.Transport{}
		t.Cleanup(func() { own.CloseIdleConnections(); server.Close() })
		return Subject{
			Source:  client{http: &http.Client{Transport: own, CheckRedirect: stay}, url: server.URL},
			ID:      ourID,
			Arrange: s.Arrange,
			Queries: s.Queries,
		}
	})
}

// TestRunSourceFunc is a Source with no service at all: it declares what it cannot meet.
func TestRunSourceFunc(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		var status taskwait.Status
		return Subject{
			Source: taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
				return taskwait.Task{ID: id, Status: status}, ctx.Err()
			}),
			ID: "one",
			Arrange: func(s Situation) error {
				switch s {
				case Executing:
					status = taskwait.StatusExecuting
				case Succeeded:
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
	for _, r := range rules() {
		if seen[r.name] {
			t.Errorf("%s: got two rules of this name, want one", r.name)
		}
		if seen[r.name] = true; r.why == "" || strings.Contains(r.name, " ") {
			t.Errorf("%q: got no reason or a name with a blank, want both fit for a reader", r.name)
		}
	}
}

func TestCheckSubject(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule string
		edit func(*Subject)
		want string
		is   error
	}{
		{"no source", "id/another", func(s *Subject) { s.Source = nil }, "has no Source", nil},
		{"no id", "id/another", func(s *Subject) { s.ID = "" }, "no ID", nil},
		{"no arrange", "id/another", func(s *Subject) { s.Arrange = nil }, "no Arrange", nil},
		{"cannot be counted", "calls/once-when-throttled", func(s *Subject) { s.Queries = nil },
			"not applicable: queries cannot be counted", errors.ErrUnsupported},
		{"dead context, not counted", "context/ended-before", func(s *Subject) { s.Queries = nil },
			"not applicable: queries cannot be counted", errors.ErrUnsupported},
		{"declared", "id/another", func(s *Subject) {
			s.Arrange = func(Situation) error { return errors.ErrUnsupported }
		}, "not applicable: cannot arrange another task", errors.ErrUnsupported},
		{"declared, but needed", "status/success", func(s *Subject) {
			s.Arrange = func(Situation) error { return errors.ErrUnsupported }
		}, "every Source must meet it", nil},
		{"failed to arrange", "id/another", func(s *Subject) {
			s.Arrange = func(Situation) error { return errors.New("boom") }
		}, "cannot arrange another task: boom", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := inMemory(t)
			tt.edit(&s)
			err := ruleNamed(t, tt.rule).try(trial{Subject: s})
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
		err := ruleNamed(t, "context/cancelled").try(trial{Subject: s})
		if want := "Queries must count one when it arrives"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that holds %q", err, want)
		}
	})
}

func ruleNamed(t *testing.T, name string) rule {
	for _, r := range rules() {
		if r.name == name {
			return r
		}
	}
	t.Fatalf("no rule %q", name)
	return rule{}
}
