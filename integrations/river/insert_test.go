package riverwait_test

import (
	"errors"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	riverwait "github.com/taskwait/taskwait/integrations/river"
)

// ResizeArgs are args of one's own.
type ResizeArgs struct {
	riverwait.Args
	OrderID int64 `json:"order_id"`
}

func (ResizeArgs) Kind() string { return "resize" }

func TestInsertSQLite(t *testing.T)   { testInsert(t, onSQLite(t)) }
func TestInsertPostgres(t *testing.T) { testInsert(t, onPostgres(t)) }

// A job is inserted in the caller's own transaction, once for each task.
func testInsert[TTx any](t *testing.T, e *engine[TTx]) {
	client, err := river.NewClient(e.driver, &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	insert := func(end func(TTx) error, args river.JobArgs) *rivertype.JobInsertResult {
		t.Helper()
		tx, err := e.begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		result, err := client.InsertTx(t.Context(), tx, args, nil)
		if err := errors.Join(err, end(tx)); err != nil {
			t.Fatal(err)
		}
		return result
	}
	task := riverwait.Args{Source: "eu", TaskID: "8d1b"}
	lost := insert(e.rollback, task)
	if _, err := client.JobGet(t.Context(), lost.Job.ID); !errors.Is(err, rivertype.ErrNotFound) {
		t.Errorf("of a transaction that was rolled back: %v, want no job", err)
	}
	first := insert(e.commit, task)
	for _, tt := range []struct {
		name string
		args river.JobArgs
		same bool
	}{
		{"the same task", task, true},
		{"another task", riverwait.Args{Source: "eu", TaskID: "8d1c"}, false},
		{"another source", riverwait.Args{Source: "us", TaskID: "8d1b"}, false},
		{"another kind", ResizeArgs{Args: task, OrderID: 1}, false},
		{"that kind again, with another order", ResizeArgs{Args: task, OrderID: 2}, true},
	} {
		got := insert(e.commit, tt.args)
		if got.UniqueSkippedAsDuplicate != tt.same {
			t.Errorf("%s: got job %d, known before: %t, want %t", tt.name, got.Job.ID, got.UniqueSkippedAsDuplicate, tt.same)
		}
	}
	if again := insert(e.commit, task); again.Job.ID != first.Job.ID {
		t.Errorf("the same task again: got job %d, want %d", again.Job.ID, first.Job.ID)
	}
}
