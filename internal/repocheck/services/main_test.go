package main

import (
	"os"
	"testing"

	"github.com/taskwait/taskwait/huawei/jobs"
)

// TestPageIsCurrent compares docs/services.md with the table.
func TestPageIsCurrent(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile("../../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := page(jobs.Services()); string(got) != want {
		t.Error("docs/services.md is not what the table says: go run ./internal/repocheck/services > docs/services.md")
	}
}
