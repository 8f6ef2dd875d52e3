package httptasks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/sourcetest"
)

// service answers every request alike, in memory.
type service struct {
	answer  atomic.Pointer[func(*http.Request) (*http.Response, error)]
	queries atomic.Int64
}

// RoundTrip is the answer, unless the request is over.
func (s *service) RoundTrip(req *http.Request) (*http.Response, error) {
	s.queries.Add(1)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return (*s.answer.Load())(req)
}

// answers is a function that answers with a status, a body, and headers: name, value, and so on.
func answers(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i+1 < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{
			StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req,
		}, nil
	}
}

// half is the first half of a body, after which reading goes as end says.
type half struct {
	io.Reader
	ctx context.Context
	end error // nil: it stalls
}

func (h *half) Read(p []byte) (int, error) {
	if n, err := h.Reader.Read(p); err == nil {
		return n, nil
	}
	if h.end != nil {
		return 0, h.end
	}
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

func (h *half) Close() error { return nil }

func halfOf(body string, end error) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		b := &half{strings.NewReader(body[:len(body)/2]), req.Context(), end}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: b, Request: req}, nil
	}
}

// shape is a way to answer with jobs.
type shape struct {
	api   httptasks.API
	whole func(rows ...string) string // the body with these jobs
	none  map[sourcetest.Situation]string
}

func row(id, status string) string {
	return fmt.Sprintf(`{"name":%q,"state":%q,"input":{"password":%q}}`, id, status, sourcetest.Secret)
}

var words = httptasks.API{
	ID: "name", Status: "state", Created: []string{"queued"}, Executing: []string{"running"}, Success: []string{"done"},
	Failed: []string{"error"}, Cancelled: []string{"stopped"}, Deleted: []string{"purged"},
}

// object is a job by itself.
func object() shape {
	s := shape{words, func(rows ...string) string { return strings.Join(rows, "") }, map[sourcetest.Situation]string{
		sourcetest.SeveralTasks: "a job is shown by itself",
		sourcetest.EmptyList:    "a job is shown by itself",
	}}
	s.api.URL = "https://api.example.com/v1/jobs/{id}?key=" + sourcetest.Secret
	return s
}

// inList is a job among others, with a list in pages.
func inList() shape {
	s := shape{api: words, whole: func(rows ...string) string {
		return fmt.Sprintf(`{"data":{"jobs":[%s]},"count":"%d"}`, strings.Join(rows, ","), len(rows))
	}}
	s.api.URL = "https://api.example.com/v1/jobs?key=" + sourcetest.Secret
	s.api.Task = "data.jobs"
	s.api.List = &httptasks.List{
		URL: s.api.URL, Rows: "data.jobs", Total: "count", Offset: "start", Limit: "limit", Size: 50,
		Since: "since", SinceLayout: "unixmilli",
	}
	return s
}

// arrange is the answer of a situation; nil: it is none of HTTP with a body.
func (s shape) arrange(id string, now sourcetest.Situation) func(*http.Request) (*http.Response, error) {
	statuses := map[sourcetest.Situation]string{
		sourcetest.Created: "queued", sourcetest.Executing: "Running", sourcetest.Succeeded: "DONE",
		sourcetest.Failed: "error", sourcetest.Deleted: "purged", sourcetest.Cancelled: "stopped",
		sourcetest.OddStatus: sourcetest.UnknownStatus, sourcetest.NoStatus: "",
	}
	if word, ok := statuses[now]; ok {
		return answers(200, s.whole(row(id, word)))
	}
	seven := strconv.Itoa(int(sourcetest.RetryAfter.Seconds()))
	return map[sourcetest.Situation]func(*http.Request) (*http.Response, error){
		sourcetest.OtherTask:    answers(200, s.whole(row("other", "done"))),
		sourcetest.SeveralTasks: answers(200, s.whole(row("other", "done"), row(id, "running"))),
		sourcetest.EmptyList:    answers(200, s.whole()),
		sourcetest.NoSuchTask:   answers(404, `{"error":{"code":"NotFound","message":"no such job"}}`),
		sourcetest.EmptyObject:  answers(200, "{}"),
		sourcetest.Null:         answers(200, "null"),
		sourcetest.EmptyBody:    answers(204, ""),
		sourcetest.HTML:         answers(200, "<html><title>Sign in</title></html>"),
		sourcetest.CutOff:       halfOf(s.whole(row(id, "running")), io.ErrUnexpectedEOF),
		sourcetest.Redirect:     answers(302, "", "Location", "/login"),
		sourcetest.Dropped:      func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		sourcetest.Unavailable:  answers(503, ""),
		sourcetest.Throttled:    answers(429, ""),
		sourcetest.ThrottledFor: answers(429, "", "Retry-After", seven),
		sourcetest.Unauthorized: answers(401, `{"message":"bad token"}`),
		sourcetest.Forbidden:    answers(403, `{"message":"denied"}`),
		sourcetest.Hanging: func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
		sourcetest.Stalled: halfOf(s.whole(row(id, "running")), nil),
	}[now]
}

func (s shape) subject(t *testing.T) sourcetest.Subject {
	t.Helper()
	svc := &service{}
	source, err := httptasks.New(&http.Client{Transport: svc}, s.api,
		httptasks.WithHeader("Authorization", "Bearer "+sourcetest.Secret))
	if err != nil {
		t.Fatal(err)
	}
	id := "8a7f"
	return sourcetest.Subject{
		Source: source, ID: id, Queries: func() int { return int(svc.queries.Load()) },
		Arrange: func(now sourcetest.Situation) error {
			if why, ok := s.none[now]; ok {
				return fmt.Errorf("%w: %s", errors.ErrUnsupported, why)
			}
			answer := s.arrange(id, now)
			if answer == nil {
				return fmt.Errorf("nobody knows how to bring about %v", now)
			}
			svc.answer.Store(&answer)
			return nil
		},
	}
}

func TestSource(t *testing.T) {
	t.Run("object", func(t *testing.T) { sourcetest.Run(t, object().subject) })
	t.Run("list", func(t *testing.T) { sourcetest.Run(t, inList().subject) })
}

// TestUntilDeleted: gone is the success, and nothing else.
func TestUntilDeleted(t *testing.T) {
	t.Parallel()
	for _, s := range []shape{object(), inList()} {
		for _, tt := range []struct {
			situation sourcetest.Situation
			want      taskwait.Status // empty: an error
		}{
			{sourcetest.NoSuchTask, taskwait.StatusSuccess},
			{sourcetest.Deleted, taskwait.StatusSuccess},
			{sourcetest.Succeeded, taskwait.StatusExecuting},
			{sourcetest.Failed, taskwait.StatusExecuting},
			{sourcetest.OddStatus, taskwait.StatusExecuting},
			{sourcetest.Throttled, ""},
			{sourcetest.Unavailable, ""},
			{sourcetest.Forbidden, ""},
			{sourcetest.EmptyObject, ""},
			{sourcetest.Null, ""},
			{sourcetest.HTML, ""},
		} {
			subject := s.subject(t)
			if err := subject.Arrange(tt.situation); err != nil {
				t.Fatal(err)
			}
			task, err := subject.Source.(*httptasks.Source).UntilDeleted().Task(t.Context(), subject.ID)
			if task.Status != tt.want || (err == nil) == (tt.want == "") {
				t.Errorf("%v: %v, %v; want %q", tt.situation, task, err, tt.want)
			}
		}
	}
}
