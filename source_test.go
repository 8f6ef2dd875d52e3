package taskwait

import (
	"context"
	"testing"
)

// sometimes is a Source whose type has a list and details, but not for every value.
type sometimes struct{ list, details bool }

func (sometimes) Task(context.Context, string) (Task, error) {
	return Task{Status: StatusExecuting}, nil
}

func (sometimes) List(context.Context, ListRequest) ([]Task, string, error) { return nil, "", nil }

func (sometimes) Details(_ context.Context, t Task) (Task, error) { return t, nil }

func (s sometimes) CanList() bool { return s.list }

func (s sometimes) HasDetails() bool { return s.details }

// TestSometimes: a Source that says that it has no list, or no details, has none.
func TestSometimes(t *testing.T) {
	t.Parallel()
	for _, s := range []sometimes{{}, {list: true}, {details: true}, {true, true}} {
		if got := listerOf(s) != nil; got != s.list {
			t.Errorf("%+v is a Lister: %v", s, got)
		}
		if got := detailerOf(s) != nil; got != s.details {
			t.Errorf("%+v is a Detailer: %v", s, got)
		}
	}
	if src := SourceFunc(sometimes{}.Task); listerOf(src) != nil || detailerOf(src) != nil {
		t.Error("a SourceFunc is a Lister, or a Detailer")
	}
}
