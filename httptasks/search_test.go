package httptasks_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// TestSearch finds a job of an API that has no request for one, wherever in the list it is.
func TestSearch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id       string
		requests int
		class    taskwait.Class
		found    bool
	}{
		{"j1", 1, 0, true},
		{"j5", 3, 0, true},
		{"j7", 3, taskwait.ClassNotFound, false},
	} {
		t.Run(tt.id, func(t *testing.T) {
			t.Parallel()
			requests := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				page, _ := strconv.Atoi(r.FormValue("page"))
				first := 2*max(page, 1) - 1
				_, _ = fmt.Fprintf(w, `{"count":6,"jobs":[{"id":"j%d","status":"done"},{"id":"j%d","status":"done"}]}`,
					first, first+1)
			}))
			defer s.Close()
			source, err := httptasks.New(s.Client(), httptasks.API{
				URL: s.URL + "/jobs?limit=2", Task: "jobs", ID: "id", Status: "status", Success: []string{"done"},
				List: &httptasks.List{
					URL: s.URL + "/jobs", Rows: "jobs", Total: "count", Limit: "limit", Size: 2, Page: "page", First: 1,
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			task, err := source.Task(t.Context(), tt.id)
			var q *taskwait.QueryError
			if tt.found && (err != nil || task.ID != tt.id) || !tt.found && (!errors.As(err, &q) || q.Class != tt.class) {
				t.Errorf("got %v, %v; found: want %v", task, err, tt.found)
			}
			if requests != tt.requests {
				t.Errorf("%d requests, want %d", requests, tt.requests)
			}
		})
	}
}
