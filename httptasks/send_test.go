package httptasks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// seen is what a Source sent for an id.
func seen(t *testing.T, template, body, id string) (req *http.Request, sent string, err error) {
	t.Helper()
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if req = r; r.Body != nil {
			text, _ := io.ReadAll(r.Body)
			sent = string(text)
		}
		return answers(200, `{"s":"ok"}`)(r)
	})}
	api := httptasks.API{URL: template, Body: body, Status: "s", Success: []string{"ok"}}.With("region", "eu-1")
	source, err := httptasks.New(client, api, httptasks.WithHeader("Authorization", "hush"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Task(t.Context(), id)
	return req, sent, err
}

// TestURL: an id and a variable stand for one thing, wherever in the URL they are; no id leads to another host.
func TestURL(t *testing.T) {
	t.Parallel()
	const host = "https://api.example.com"
	for _, tt := range []struct{ name, url, id, want string }{
		{"plain", host + "/jobs/{id}", "8a-7.f_~", host + "/jobs/8a-7.f_~"},
		{"escaped in a path", host + "/jobs/{id}/x", "a/b?c#d%e f", ""},
		{"escaped", host + "/jobs/{id}/x", "a/b?c#d%e&f=+é", host + "/jobs/a%2Fb%3Fc%23d%25e%26f%3D%2B%C3%A9/x"},
		{"escaped in a query", host + "/jobs?id={id}&x=1", "a&b=c", host + "/jobs?id=a%26b%3Dc&x=1"},
		{"braces", host + "/jobs/{id}", "{region}", host + "/jobs/%7Bregion%7D"},
		{"reserved", host + "/v1/{+id}", "projects/p/operations/1", host + "/v1/projects/p/operations/1"},
		{"reserved, with a query", host + "/{+id}", "operations/1?api-version=2", host + "/operations/1?api-version=2"},
		{"a URL", host + "/{+id}", host + "/ops/1?v=2", host + "/ops/1?v=2"},
		{"a URL in other letters", host + "/{+id}", "HTTPS://API.example.com/ops/1", "https://API.example.com/ops/1"},
		{"a URL for an id that is none", host + "/{id}", host + "/x", host + "/https%3A%2F%2Fapi.example.com%2Fx"},
		{"another host", host + "/{+id}", "https://evil.example.com/ops/1", ""},
		{"another scheme", host + "/{+id}", "http://api.example.com/ops/1", ""},
		{"another port", host + "/{+id}", "https://api.example.com:8443/ops/1", ""},
		{"a user", host + "/{+id}", "https://api.example.com@evil.example.com/", ""},
		{"a user of the same host", host + "/{+id}", "https://x@api.example.com/", ""},
		{"two slashes", host + "/{+id}", "//evil.example.com/ops", host + "///evil.example.com/ops"},
		{"up", host + "/jobs/{+id}", "../admin", ""},
		{"up, escaped", host + "/jobs/{+id}", "%2e%2e/admin", ""},
		{"up, at the end", host + "/jobs/{+id}", "a/..", ""},
		{"dots for an id", host + "/jobs/{id}", "..", ""},
		{"a backslash", host + "/jobs/{+id}", `\\evil`, ""},
		{"a placeholder", host + "/jobs/{+id}", "{region}", ""},
		{"nothing", host + "/jobs/{id}", "", ""},
		{"the end of a line", host + "/jobs/{id}", "a\n", ""},
		{"no UTF-8", host + "/jobs/{id}", "\xff", ""},
		{"too long", host + "/jobs/{id}", strings.Repeat("a", 4097), ""},
	} {
		req, _, err := seen(t, tt.url, "", tt.id)
		var q *taskwait.QueryError
		switch {
		case tt.want == "":
			if req != nil || !errors.Is(err, taskwait.ErrInvalidID) || !errors.As(err, &q) ||
				q.Class != taskwait.ClassPermanent {
				t.Errorf("%s: sent %v, %v; want an invalid id, and nothing sent", tt.name, req, err)
			}
		case err != nil || req.URL.String() != tt.want || req.Method != http.MethodGet ||
			req.Header.Get("Authorization") != "hush":
			t.Errorf("%s: sent %v, %v; want %s with the header", tt.name, req, err, tt.want)
		}
	}
}

// TestBody: an id cannot leave its string.
func TestBody(t *testing.T) {
	t.Parallel()
	req, body, err := seen(t, "https://api.example.com/query", `{"ids":["{id}"]}`, `a","b`)
	if err != nil || req.Method != http.MethodPost || body != `{"ids":["a\",\"b"]}` ||
		req.Header.Get("Content-Type") != "application/json" {
		t.Errorf("sent %v with %s, %v", req, body, err)
	}
}

// TestNoOtherHost: an answer leads no request, and no header, to another host.
func TestNoOtherHost(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host got %s with %v", r.URL, r.Header)
	}))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		w.Header().Set("Location", other.URL+"/x")
		w.Header().Set("Operation-Location", other.URL+"/x")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"rows":[{"id":"j","s":"ok"}],"next":"%s/x"}`, other.URL)
	}))
	defer s.Close()
	for _, status := range []int{202, 301, 302, 303, 307, 308} {
		source, err := httptasks.New(s.Client(), httptasks.API{
			URL: s.URL + "/{id}?status=" + strconv.Itoa(status), ID: "id", Status: "s", Success: []string{"ok"},
			List: &httptasks.List{URL: s.URL + "?status=200", Rows: "rows", Next: "next"},
		}, httptasks.WithHeader("X-Key", "hush"))
		if err != nil {
			t.Fatal(err)
		}
		if task, err := source.Task(t.Context(), "j"); err == nil {
			t.Errorf("%d: %v, want an error", status, task)
		}
		_, next, err := source.List(t.Context(), taskwait.ListRequest{})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = source.List(t.Context(), taskwait.ListRequest{Page: next})
		if err == nil {
			t.Error("a page of another host is no error")
		}
		resp, err := s.Client().Get(s.URL + "?status=202")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if id, err := httptasks.Location(resp); err == nil {
			t.Errorf("the Location of another host is %s", id)
		}
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	at, _ := url.Parse("https://api.example.com/things/1?v=2")
	for _, tt := range []struct {
		name, header, value, want string
	}{
		{"absolute", "Azure-AsyncOperation", "https://api.example.com/ops/1?v=2", "https://api.example.com/ops/1?v=2"},
		{"a path", "Operation-Location", "/ops/1", "https://api.example.com/ops/1"},
		{"relative", "Location", "../ops/1", "https://api.example.com/ops/1"},
		{"another host", "Location", "//evil.example.com/", ""},
		{"no URL", "Location", "https://%zz", ""},
		{"none", "X-Location", "/ops/1", ""},
	} {
		resp := &http.Response{Header: http.Header{}, Request: &http.Request{URL: at}}
		resp.Header.Set(tt.header, tt.value)
		if got, err := httptasks.Location(resp); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := httptasks.Location(&http.Response{}); err == nil {
		t.Error("an answer to nothing is no error")
	}
}

// TestSecrets: no error shows the query, a header or a user.
func TestSecrets(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]roundTrip{
		"no answer":  func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"an error":   answers(500, `{"message":"no"}`),
		"no JSON":    answers(200, `hush`),
		"a redirect": answers(302, "", "Location", "https://example.com/?key=hush"),
	} {
		source, err := httptasks.New(&http.Client{Transport: transport}, httptasks.API{
			URL: "https://api.example.com/{id}?key=hush", Status: "s", Success: []string{"ok"},
		}, httptasks.WithHeader("Authorization", "hush"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = source.Task(t.Context(), "j")
		for err != nil {
			if text := fmt.Sprintf("%v %+v %s %#v", err, err, source, source); strings.Contains(text, "hush") {
				t.Errorf("%s: %s", name, text)
			}
			err = errors.Unwrap(err)
		}
		if text := fmt.Sprintf("%v %+v %#v", *source, source, source); strings.Contains(text, "hush") {
			t.Errorf("the Source is printed as %s", text)
		}
	}
}

// TestErrorsOnTheWay: what can never be sent is not tried again; the end of the context is its own error.
func TestErrorsOnTheWay(t *testing.T) {
	t.Parallel()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	api := httptasks.API{URL: tls.URL + "/{id}", Status: "s", Success: []string{"ok"}}
	source, err := httptasks.New(nil, api)
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Task(t.Context(), "j")
	var q *taskwait.QueryError
	if !errors.As(err, &q) || q.Class != taskwait.ClassPermanent || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate authority: %v, want a permanent error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	hung := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	if source, err = httptasks.New(hung, api); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Task(ctx, "j"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the end of the context: %v", err)
	}
}

// TestLongBody: what is longer than 16 MiB is not read to its end.
func TestLongBody(t *testing.T) {
	t.Parallel()
	read := 0
	endless := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(readFunc(func(p []byte) (int, error) {
			read += len(p)
			return copy(p, slices.Repeat([]byte{' '}, len(p))), nil
		})), Request: r}, nil
	})}
	source, err := httptasks.New(
		endless,
		httptasks.API{URL: "https://example.com/{id}", Status: "s", Success: []string{"ok"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Task(t.Context(), "j"); err == nil || !strings.Contains(err.Error(), "longer than 16 MiB") {
		t.Errorf("%v, want an error that says so", err)
	}
	if read > 64<<20 {
		t.Errorf("%d bytes were read", read)
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// TestCancel sends one request, and says what became of it.
func TestCancel(t *testing.T) {
	t.Parallel()
	api := httptasks.API{
		URL: "https://api.example.com/{+id}", Status: "s", Success: []string{"ok"},
		Cancel: &httptasks.Request{
			Method: http.MethodPost,
			URL:    "https://api.example.com/{+id}:cancel",
			Body:   `{"id":"{id}"}`,
		},
	}
	var sent []string
	answer := answers(200, `{}`)
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, r.Method+" "+r.URL.String()+" "+string(body))
		return answer(r)
	})}
	source, err := httptasks.New(client, api)
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Cancel(t.Context(), "ops/1"); err != nil || !source.CanCancel() {
		t.Error(err)
	}
	if want := []string{`POST https://api.example.com/ops/1:cancel {"id":"ops/1"}`}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
	var q *taskwait.QueryError
	answer = answers(409, `{"code":"Done","message":"it has ended"}`)
	if err := source.Cancel(t.Context(), "ops/1"); !errors.As(err, &q) || q.Code != "Done" {
		t.Errorf("refused: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := source.Cancel(ended, "ops/1"); !errors.As(err, &q) || q.Class != taskwait.ClassNotSent {
		t.Errorf("with a context that has ended: %v", err)
	}
	if err := source.Cancel(t.Context(), "../1"); !errors.Is(err, taskwait.ErrInvalidID) || len(sent) != 2 {
		t.Errorf("an id that cannot be one: %v", err)
	}
	api.Cancel = nil
	if source, err = httptasks.New(client, api); err != nil {
		t.Fatal(err)
	}
	if err := source.Cancel(t.Context(), "ops/1"); !errors.Is(err, errors.ErrUnsupported) || source.CanCancel() {
		t.Errorf("what cannot be cancelled: %v", err)
	}
}

// TestSecretsComeBack: a service that repeats the headers and the query of a request does not make them known.
func TestSecretsComeBack(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"code":"Denied","message":"the token %s of %s is bad, as is %s"}`,
			r.Header.Get("Authorization"), r.Header.Get("X-Later"), r.URL.Query().Get("sig"))
	}))
	defer s.Close()
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		own := r.Clone(r.Context())
		own.Header.Set("X-Later", "later-secret")
		return http.DefaultTransport.RoundTrip(own)
	})}
	api := httptasks.API{URL: s.URL + "/{+id}", Status: "status", Success: []string{"OK"}}
	source, err := httptasks.New(client, api, httptasks.WithHeader("Authorization", "Bearer header-secret"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Task(t.Context(), "j?sig=query%2Fsecret")
	const want = "the token … of … is bad, as is … (Denied)"
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want the words without the secrets", err)
	}
}
