package httptasks_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/taskwait/taskwait/httptasks"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	var ids []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids = append(ids, r.Header.Get("Client-Request-Id"))
		_, _ = io.WriteString(w, `{"status":"done"}`)
	}))
	defer s.Close()
	source, err := httptasks.New(s.Client(), httptasks.API{
		URL: s.URL + "/stacks/{id}", Status: "status", Success: []string{"done"}, RequestID: "Client-Request-Id",
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := source.Task(t.Context(), "s1"); err != nil {
			t.Fatal(err)
		}
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(ids[0]) || !uuid.MatchString(ids[1]) || ids[0] == ids[1] {
		t.Errorf("the requests had the ids %q, want two UUIDs", ids)
	}
}
