package httptasks_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// from is a Source whose service always gives this answer.
func from(t *testing.T, api httptasks.API, a httptasks.Answer) *httptasks.Source {
	t.Helper()
	if api.URL == "" {
		api.URL = "/jobs/{id}"
	}
	s, err := httptasks.NewFrom(
		func(context.Context, httptasks.Request) (httptasks.Answer, error) { return a, nil },
		api,
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRead: what an answer says of a job.
func TestRead(t *testing.T) {
	t.Parallel()
	api := httptasks.API{
		ID: "id", Status: "status", Kind: "type", Percent: "progress", Remaining: "left", Code: "code", Reason: "why",
		CreatedAt: "begin", UpdatedAt: "end", Steps: "parts",
		Created: []string{"new"}, Executing: []string{"Running"}, Success: []string{"OK"}, Failed: []string{"FAIL"},
	}
	for _, tt := range []struct{ name, body, want string }{
		{"a word in other letters", `{"id":"j","status":"okAY"}`, `task "j": "okAY" (an unknown status)`},
		{"success", `{"id":"j","status":"ok"}`, `task "j": SUCCESS, phase ok`},
		{"numbers for texts", `{"id":"j","status":"OK","type":7}`, `task "j": SUCCESS, phase OK (7)`},
		{
			"texts for numbers", `{"status":"running","progress":"60%","left":"9"}`,
			`task "j": EXECUTING, phase running, 60%, 9s left`,
		},
		{"a fraction", `{"status":"running","progress":0.6}`, `task "j": EXECUTING, phase running, 60%`},
		{"what cannot be", `{"status":"running","progress":300,"left":-1}`, `task "j": EXECUTING, phase running`},
		{"a word of ours that is none of the API's", `{"status":"FAILED"}`, `task "j": "failed" (an unknown status)`},
		{"a reason of a job that runs is none", `{"status":"new","why":"queued"}`, `task "j": CREATED, phase new`},
		{"a code that is none", `{"status":"fail","code":0,"why":null}`, `task "j": FAILED, phase fail`},
		{
			"the failure of a part", `{"status":"fail","parts":[{"status":"ok","why":"-"},null,{"status":"FAIL","why":"full"}]}`,
			`task "j": FAILED, phase fail, full`,
		},
		{
			"an object for words", `{"status":"fail","why":{"at":"disk 2"}}`,
			`task "j": FAILED, phase fail, {"at":"disk 2"}`,
		},
		{"an empty one", `{"status":"fail","why":[]}`, `task "j": FAILED, phase fail`},
		{
			"that of a part's part", `{"status":"fail","parts":[{"status":"fail"},` +
				`{"status":"fail","parts":[{"status":"ok"},{"status":"fail","code":"E.1"}]}]}`,
			`task "j": FAILED, phase fail, E.1`,
		},
		{"parts that are no list", `{"status":"fail","parts":{}}`, `task "j": FAILED, phase fail`},
		{"no status", `{"id":"j"}`, `task "j": no status`},
		{"an odd status", `{"id":"j","status":["x"]}`, `task "j": no status`},
		{"a byte order mark", "\ufeff{\"id\":\"j\",\"status\":\"OK\"}", `task "j": SUCCESS, phase OK`},
		{"white space", " \n{\"id\":\"j\",\"status\":\" OK \"}\n", `task "j": SUCCESS, phase OK`},
		{"something after it", `{"id":"j","status":"OK"} trailing`, `task "j": SUCCESS, phase OK`},
	} {
		got, err := from(t, api, httptasks.Answer{Body: []byte(tt.body)}).Task(t.Context(), "j")
		if err != nil || got.String() != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

// TestReadErrors: what is no answer about the job.
func TestReadErrors(t *testing.T) {
	t.Parallel()
	const transient, missing = taskwait.ClassTransient, taskwait.ClassNotFound
	api := httptasks.API{
		ID: "id", Status: "status", Success: []string{"OK"}, NotFound: []string{"J.404", "410"},
		Throttled: []string{"J.Slow"},
	}
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  taskwait.Class
		text   string
	}{
		{"another job", 200, `{"id":"k","status":"OK"}`, missing, "another job"},
		{"an error inside of a 200", 200, `{"code":"J.1","message":"busy"}`, transient, "200 OK: an error: busy (J.1)"},
		{"one that has the id", 200, `{"id":"j","status":null,"code":"J.1","message":"busy"}`, transient, "busy (J.1)"},
		{"one that is a throttle", 200, `{"error":{"code":"J.Slow","message":"slow"}}`, taskwait.ClassThrottled, "slow"},
		{"one that says that there is none", 200, `{"error_code":"J.404","error_msg":"gone"}`, missing, "gone"},
		{"a code that says so", 400, `{"code":"J.404","message":"gone"}`, missing, "gone"},
		{"a status that says so", 410, "", missing, "410 Gone"},
		{"a throttle in disguise", 404, `{"code":"J.Slow","message":"slow"}`, taskwait.ClassThrottled, "slow"},
		{"refused", 403, `{"message":"denied"}`, taskwait.ClassPermanent, "permission jobs:get: 403 Forbidden: denied"},
		{"a list", 200, `[{"id":"j","status":"OK"}]`, missing, ""},
		{"a text", 200, `"OK"`, transient, "has no job"},
		{"half an object", 200, `{"id":"j"`, transient, "does not decode"},
		{"nothing", 204, ``, transient, "has no job"},
	} {
		api.Permission = "jobs:get"
		_, err := from(t, api, httptasks.Answer{StatusCode: tt.status, Body: []byte(tt.body)}).Task(t.Context(), "j")
		var q *taskwait.QueryError
		if tt.name == "a list" {
			if err != nil {
				t.Errorf("a list with the job in it: %v", err)
			}
			continue
		}
		if !errors.As(err, &q) || q.Class != tt.class || !strings.Contains(err.Error(), tt.text) || q.StatusCode == 0 &&
			tt.class != missing {
			t.Errorf("%s: %#v, want class %v and %q", tt.name, err, tt.class, tt.text)
		}
	}
}

// TestDone reads Google's long-running operations (AIP-151).
func TestDone(t *testing.T) {
	t.Parallel()
	api := httptasks.API{
		URL: "https://example.googleapis.com/v1/{+id}", ID: "name", Done: "done", Status: "metadata.state",
		Code: "error.code", Reason: "error.message", Created: []string{"PENDING"}, Executing: []string{"RUNNING"},
	}
	for _, tt := range []struct {
		name, body string
		want       taskwait.Status
	}{
		{"at first", `{"name":"operations/1"}`, taskwait.StatusExecuting},
		{"not done", `{"name":"operations/1","done":false}`, taskwait.StatusExecuting},
		{"not begun", `{"name":"operations/1","metadata":{"state":"PENDING"}}`, taskwait.StatusCreated},
		{"in a state of its own", `{"name":"operations/1","metadata":{"state":"WARMING"}}`, "WARMING"},
		{"done", `{"name":"operations/1","done":true,"response":{}}`, taskwait.StatusSuccess},
		{"with an old state", `{"name":"operations/1","done":true,"metadata":{"state":"RUNNING"}}`, taskwait.StatusSuccess},
		{"failed", `{"name":"operations/1","done":true,"error":{"code":8,"message":"quota"}}`, taskwait.StatusFailed},
		{"the end of the name", `{"name":"1","done":true}`, taskwait.StatusSuccess},
	} {
		got, err := from(t, api, httptasks.Answer{Body: []byte(tt.body)}).Task(t.Context(), "operations/1")
		if err != nil || got.Status != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.name, got, err, tt.want)
		}
	}
	for _, body := range []string{`{}`, `{"done":true,"name":"operations/2"}`, `{"name":"operations/11","done":true}`} {
		if got, err := from(t, api, httptasks.Answer{Body: []byte(body)}).Task(t.Context(), "operations/1"); err == nil {
			t.Errorf("%s: %v, want an error", body, got)
		}
	}
}

// TestHTTPStatus reads a job of which the HTTP status alone says how it is, as Azure's with a Location.
func TestHTTPStatus(t *testing.T) {
	t.Parallel()
	api := httptasks.API{
		Status: "properties.provisioningState|@status", Executing: []string{"202", "Updating"},
		Success: []string{"200", "201", "204", "303", "Succeeded"}, Failed: []string{"Failed"}, Deleted: []string{"410"},
	}
	for _, tt := range []struct {
		status int
		body   string
		want   taskwait.Status
	}{
		{202, "", taskwait.StatusExecuting},
		{202, "null", taskwait.StatusExecuting},
		{202, "Accepted", taskwait.StatusExecuting},
		{200, "{}", taskwait.StatusSuccess},
		{204, "", taskwait.StatusSuccess},
		{303, "", taskwait.StatusSuccess},
		{410, `{"error":{"code":"Gone"}}`, taskwait.StatusDeleted},
		{200, `[]`, taskwait.StatusSuccess},
		{200, `[{"id":"k"}]`, taskwait.StatusSuccess},
		{200, `"made"`, taskwait.StatusSuccess},
		{200, `{"properties":{"provisioningState":"Updating"}}`, taskwait.StatusExecuting},
		{200, `{"properties":{"provisioningState":"Failed"}}`, taskwait.StatusFailed},
	} {
		h := http.Header{"Retry-After": {"7"}}
		got, err := from(
			t,
			api,
			httptasks.Answer{StatusCode: tt.status, Header: h, Body: []byte(tt.body)},
		).Task(t.Context(), "j")
		if err != nil || got.Status != tt.want || got.RetryAfter != 7*time.Second {
			t.Errorf("%d %s: %v, %v, %v; want %s", tt.status, tt.body, got, got.RetryAfter, err, tt.want)
		}
	}
	for _, a := range []httptasks.Answer{
		{StatusCode: 500},
		{Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte("<html>Log in</html>")},
	} {
		if got, err := from(t, api, a).Task(t.Context(), "j"); err == nil {
			t.Errorf("%d %s: %v, want an error", a.StatusCode, a.Body, got)
		}
	}
}

// TestOtherID: a UUID may come back in other letters; an answer for another thing does not say that this one is gone.
func TestOtherID(t *testing.T) {
	t.Parallel()
	const id, small = "8ABF6E1A-9C0D-4E2F-8A1B-0123456789AB", "8abf6e1a-9c0d-4e2f-8a1b-0123456789ab"
	one := httptasks.API{ID: "id", Status: "status", Success: []string{"OK"}, Executing: []string{"BUSY"}}
	list := one
	list.Task = "jobs"
	for _, tt := range []struct {
		name, id, body string
		api            httptasks.API
		want           taskwait.Status // empty: an error
	}{
		{"one", id, `{"id":"` + small + `","status":"OK"}`, one, taskwait.StatusSuccess},
		{"of a list", id, `{"jobs":[{"id":"` + small + `","status":"OK"}]}`, list, taskwait.StatusSuccess},
		{"that is to go", id, `{"id":"` + small + `","status":"OK"}`, one.UntilDeleted(), taskwait.StatusExecuting},
		{"of a list, that is to go", id, `{"jobs":[{"id":"` + small + `","status":"OK"}]}`, list.UntilDeleted(),
			taskwait.StatusExecuting},
		{"no UUID", "aB", `{"id":"AB","status":"OK"}`, one, ""},
		{"another that is to go", "a", `{"id":"b","status":"OK"}`, one.UntilDeleted(), ""},
		{"of a list that is an error", "a", `{"jobs":[],"error_code":"X.1","error_msg":"no"}`, list.UntilDeleted(), ""},
		{"of a list without it", "a", `{"jobs":[]}`, list.UntilDeleted(), taskwait.StatusSuccess},
	} {
		got, err := from(t, tt.api, httptasks.Answer{Body: []byte(tt.body)}).Task(t.Context(), tt.id)
		if (err != nil) != (tt.want == "") || got.Status != tt.want {
			t.Errorf("%s: %v, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestFailedByCode: a good word beside a code is a failure, where the API says so.
func TestFailedByCode(t *testing.T) {
	t.Parallel()
	api := httptasks.API{Status: "s", Code: "c", Success: []string{"COMPLETE"}, FailedByCode: true}
	for body, want := range map[string]taskwait.Status{
		`{"s":"COMPLETE","c":""}`: taskwait.StatusSuccess, `{"s":"COMPLETE","c":"E.1"}`: taskwait.StatusFailed,
	} {
		if got, err := from(t, api, httptasks.Answer{Body: []byte(body)}).Task(t.Context(), "j"); err != nil ||
			got.Status != want {
			t.Errorf("%s: %v, %v; want %s", body, got, err, want)
		}
	}
}

// FuzzTask: no answer makes a panic, a success, or a failure, unless the API's own word stands in it.
func FuzzTask(f *testing.F) {
	f.Add(200, `{"id":"j","status":"OK","parts":[{"status":"FAIL"}]}`)
	f.Add(404, `{"error":{"code":"J.404"}}`)
	f.Add(202, `[[[]]]`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 999 {
			return
		}
		api := httptasks.API{
			ID: "id", Status: "status|.top", Percent: "p", Code: "code", Reason: "why", CreatedAt: "t", Steps: "parts",
			Success: []string{"OK"}, Failed: []string{"FAIL"},
		}
		got, err := from(t, api, httptasks.Answer{StatusCode: status, Body: []byte(body)}).Task(t.Context(), "j")
		low := strings.ToLower(body)
		named := strings.Contains(low, "ok") || strings.Contains(low, "fail") || strings.Contains(body, `\u`)
		if err == nil && (status >= 300 || got.ID != "j" || got.Status.Terminal() && !named) {
			t.Errorf("%d %q: %v", status, body, got)
		}
		if _, _, err := from(t, listed(), httptasks.Answer{StatusCode: status, Body: []byte(body)}).List(t.Context(),
			taskwait.ListRequest{IDs: []string{"j"}}); err == nil && status >= 300 {
			t.Errorf("%d %q is a list", status, body)
		}
	})
}

func listed() httptasks.API {
	return httptasks.API{
		ID: "id", Status: "status", Success: []string{"OK"},
		List: &httptasks.List{URL: "/jobs", Rows: "jobs", Offset: "offset", Limit: "limit", Size: 2, Total: "total"},
	}
}
