package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
)

// TestExample runs the program, and makes sure that the README shows all of it.
func TestExample(t *testing.T) {
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
	})
	answer := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	got := out.String() + answer.Body.String()
	for _, want := range []string{
		`"Name":"wait resizeInstance"`, `"Name":"resize the instance"`, "SUCCESS (resizeInstance)",
		`taskwait_wait_duration_seconds_count{taskwait_task_kind="resizeInstance"} 1`, "taskwait_active_waits 0",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant in it %s", got, want)
		}
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	want := "<!-- from: example/main.go -->\n```go\n" + string(program) + "```\n"
	if !strings.Contains(string(readme), want) {
		t.Errorf("README.md does not show\n%s", want)
	}
}
