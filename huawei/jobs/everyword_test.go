package jobs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// TestEveryWord puts each word of each service where its place is, in capital letters, and reads it.
func TestEveryWord(t *testing.T) {
	t.Parallel()
	for _, s := range jobs.Services() {
		for status, words := range map[taskwait.Status][]string{
			created: s.API.Created, executing: s.API.Executing, success: s.API.Success, failed: s.API.Failed,
			cancelled: s.API.Cancelled, taskwait.StatusDeleted: s.API.Deleted,
		} {
			for _, word := range words {
				got, err := answered(t, s.Name, answer(t, &s, strings.ToUpper(word)))
				if err != nil || got.Status != status || got.ID != "j1" {
					t.Errorf("%s: %q: got %v, %v; want %s", s.Name, word, got, err, status)
				}
			}
		}
		for _, word := range append(s.PassedOn, "a word that nobody knows") {
			if got, err := answered(t, s.Name, answer(t, &s, word)); err != nil || string(got.Status) != word {
				t.Errorf("%s: %q: got %v, %v; want it passed on", s.Name, word, got, err)
			}
		}
	}
}

// answer is a body with the job j1 in a status, where the service's description says.
func answer(t *testing.T, s *jobs.Service, status string) string {
	t.Helper()
	job := map[string]any{}
	if s.API.ID != "" {
		put(job, s.API.ID, "j1")
	}
	put(job, s.API.Status, status)
	if s.API.Task != "" {
		job = map[string]any{s.API.Task: job}
	}
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// put sets the value at the last alternative of a place.
func put(in map[string]any, place, value string) {
	alternatives := strings.Split(place, "|")
	names := strings.Split(alternatives[len(alternatives)-1], ".")
	for _, name := range names[:len(names)-1] {
		below, ok := in[name].(map[string]any)
		if !ok {
			below = map[string]any{}
			in[name] = below
		}
		in = below
	}
	in[names[len(names)-1]] = value
}
