package httptasks_test

import (
	"encoding/json"
	"testing"

	"github.com/taskwait/taskwait/httptasks"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	const job = `{"response":{"url":"https://x","n":7},"parts":[{"name":"a","ok":true},{"name":"b","ok":null}],"no":null}`
	for _, tt := range []struct {
		name, place, want string
		wrong             bool
	}{
		{"a field", "response.url", `"https://x"`, false},
		{"the first that is there", "no|response.n", "7", false},
		{"an object", "response", `{"url":"https://x","n":7}`, false},
		{"of a list", "parts.0.ok", "true", false},
		{"by a name", "parts[name=a].ok", "true", false},
		{"from the top", ".response.n", "7", false},
		{"null", "no", "", false},
		{"nothing", "response.nothing", "", false},
		{"no place", "", "", true},
		{"not a place", "response url", "", true},
		{"not in the job", "@status", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := httptasks.Lookup(json.RawMessage(job), tt.place)
			if string(got) != tt.want || (err != nil) != tt.wrong {
				t.Errorf("got %q, %v, want %q, and an error: %v", got, err, tt.want, tt.wrong)
			}
		})
	}
}
