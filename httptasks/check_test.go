package httptasks_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// TestCheck: a description that cannot be right is an error that names the field.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		change     func(*httptasks.API)
	}{
		{"nothing is wrong", "", func(*httptasks.API) {}},
		{"no URL", "API.URL is empty", func(a *httptasks.API) { a.URL = "" }},
		{"no id", "API.URL has no {id}", func(a *httptasks.API) { a.URL = "https://example.com/jobs" }},
		{"a user", "API.URL has a user in it", func(a *httptasks.API) { a.URL = "https://a:hush@example.com/{id}" }},
		{"half a placeholder", "API.URL cannot be read", func(a *httptasks.API) { a.URL = "https://example.com/{id" }},
		{"a fragment", "API.URL has a #", func(a *httptasks.API) { a.URL += "#x" }},
		{"no host", "API.URL wants a host", func(a *httptasks.API) { a.URL = "example.com/{id}" }},
		{"no status", "API.Status is empty", func(a *httptasks.API) { a.Status = "" }},
		{"no success", "API.Success is empty", func(a *httptasks.API) { a.Success = nil }},
		{"a place", `API.Percent "a..b": want names`, func(a *httptasks.API) { a.Percent = "a..b" }},
		{"a word twice", `API.Failed holds "DONE", which is SUCCESS already`, func(a *httptasks.API) {
			a.Failed = []string{"DONE"}
		}},
		{"an empty word", `API.Created holds ""`, func(a *httptasks.API) { a.Created = []string{""} }},
		{"a word with space", `API.Created holds "x "`, func(a *httptasks.API) { a.Created = []string{"x "} }},
		{"a value", `API.Vars region "../x" holds`, func(a *httptasks.API) { *a = a.With("region", "../x") }},
		{"a list without rows' ids", "API.ID is empty", func(a *httptasks.API) {
			a.ID, a.List = "", &httptasks.List{URL: "https://example.com/jobs"}
		}},
		{"a list without a URL", "API.List.URL is empty", func(a *httptasks.API) { a.List = &httptasks.List{Rows: "jobs"} }},
		{"two ways to go on", "API.List has more than one", func(a *httptasks.API) {
			a.List = &httptasks.List{URL: "https://example.com/jobs", Page: "p", Offset: "o", Limit: "l", Size: 1}
		}},
		{"an offset without a limit", "API.List.Limit is empty", func(a *httptasks.API) {
			a.List = &httptasks.List{URL: "https://example.com/jobs", Offset: "o"}
		}},
		{"a limit without a size", "API.List.Size wants", func(a *httptasks.API) {
			a.List = &httptasks.List{URL: "https://example.com/jobs", Limit: "l"}
		}},
		{"a first page", "API.List.First is", func(a *httptasks.API) {
			a.List = &httptasks.List{URL: "https://example.com/jobs", Page: "p", First: 2}
		}},
		{"how to cancel", "API.Cancel.URL is empty", func(a *httptasks.API) { a.Cancel = &httptasks.Request{} }},
		{"details", "API.Details API.URL is empty", func(a *httptasks.API) { a.Details = &httptasks.API{Percent: "p"} }},
	} {
		api := httptasks.API{
			Name: "mine", URL: "https://example.com/jobs/{id}", ID: "id", Status: "status", Success: []string{"done"},
		}
		tt.change(&api)
		err := api.Check()
		switch {
		case tt.want == "" && err != nil, tt.want != "" && err == nil:
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		case err != nil && (!errors.Is(err, taskwait.ErrInvalidOption) || !strings.Contains(err.Error(), "mine: ") ||
			!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush")):
			t.Errorf("%s: %v, want an invalid option, and %q", tt.name, err, tt.want)
		}
	}
}

// TestNewRefuses: what only an http.Client needs is refused by New.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, url, want string
		opts            []httptasks.Option
	}{
		{"a path alone", "/jobs/{id}", "API.URL wants http:// or https://", nil},
		{"a scheme", "ftp://example.com/{id}", "API.URL wants http:// or https://", nil},
		{"a placeholder in the host", "https://{region}.example.com/{id}", "has {region}, which is not in Vars", nil},
		{"an id in the host", "https://{id}.example.com/jobs", "wants its host before", nil},
		{"an id after the host", "https://example.com{+id}", "wants its host before", nil},
		{"an unknown placeholder", "https://example.com/{project}/{id}", "has {project}, which is not in Vars", nil},
		{
			"a header with the end of a line", "https://example.com/{id}", `the header "Authorization" cannot be sent`,
			[]httptasks.Option{httptasks.WithHeader("Authorization", "Bearer hush\n")},
		},
	} {
		s, err := httptasks.New(
			http.DefaultClient,
			httptasks.API{URL: tt.url, Status: "s", Success: []string{"ok"}},
			tt.opts...)
		if !errors.Is(err, taskwait.ErrInvalidOption) || !strings.Contains(err.Error(), tt.want) ||
			strings.Contains(err.Error(), "hush") || s.Validate() == nil {
			t.Errorf("%s: %v, want an invalid option, and %q", tt.name, err, tt.want)
		}
	}
	if err := new(httptasks.Source).Validate(); !errors.Is(err, taskwait.ErrInvalidOption) {
		t.Errorf("the zero Source: %v", err)
	}
	if _, err := httptasks.NewFrom(nil, httptasks.API{URL: "/{id}", Status: "s", Success: []string{"ok"}}); err == nil {
		t.Error("a nil Sender is no error")
	}
}
