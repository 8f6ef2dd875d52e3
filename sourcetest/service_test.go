package sourcetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

const ourID = "8abfa7b2"

// service is a small cloud: GET /tasks/{id} answers as it was told to. It is an http.Handler, for a real network, and
// an http.RoundTripper, for a bubble.
type service struct {
	mu      sync.Mutex
	now     Situation
	queries atomic.Int64
	closed  chan struct{} // lets go what hangs
}

func newService(t *testing.T) *service {
	s := &service{closed: make(chan struct{})}
	t.Cleanup(func() { close(s.closed) })
	return s
}

func (s *service) Arrange(now Situation) error {
	_, plain := plain[now]
	switch now {
	case Dropped, CutOff, Hanging, Stalled:
	default:
		if !plain {
			return fmt.Errorf("this service does not know %q yet", now)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	return nil
}

func (s *service) Queries() int { return int(s.queries.Load()) }

func (s *service) situation() Situation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// reply is an answer that is all there is to a Situation.
type reply struct {
	code   int
	header map[string]string
	body   string
}

func row(id, status string) string {
	params := `{\"password\":\"` + Secret + `\"}`
	return fmt.Sprintf(`{"id":%q,"params":"%s","status":%q,"percent":50}`, id, params, status)
}

func list(rows string) string { return `{"tasks":[` + rows + `]}` }

var plain = map[Situation]reply{
	Created:      {body: list(row(ourID, "CREATED"))},
	Executing:    {body: list(row(ourID, "EXECUTING"))},
	Succeeded:    {body: list(row(ourID, "SUCCESS"))},
	Failed:       {body: list(row(ourID, "FAILED"))},
	Deleted:      {body: list(row(ourID, "DELETED"))},
	Cancelled:    {body: list(row(ourID, "CANCELLED"))},
	OddStatus:    {body: list(row(ourID, UnknownStatus))},
	NoStatus:     {body: list(`{"id":"` + ourID + `"}`)},
	OtherTask:    {body: list(row("somebody-elses", "SUCCESS"))},
	SeveralTasks: {body: list(row("somebody-elses", "SUCCESS") + "," + row(ourID, "EXECUTING"))},
	EmptyList:    {body: list("")},
	NoSuchTask:   {code: 404},
	EmptyObject:  {body: `{}`},
	Null:         {body: `null`},
	EmptyBody:    {},
	HTML:         {body: "<html><body>please log in</body></html>"},
	Redirect:     {code: 302, header: map[string]string{"Location": "/login"}},
	Unavailable:  {code: 503},
	Throttled:    {code: 429},
	ThrottledFor: {code: 429, header: map[string]string{"Retry-After": strconv.Itoa(int(RetryAfter.Seconds()))}},
	Unauthorized: {code: 401},
	Forbidden:    {code: 403},
}

// RoundTrip answers in memory.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.queries.Add(1)
	ctx, now := r.Context(), s.situation()
	half, _, _ := strings.Cut(plain[Executing].body, `"status"`)
	answer, body := reply{}, io.ReadCloser(nil)
	switch now {
	case Dropped:
		return nil, io.ErrUnexpectedEOF
	case Hanging:
		return nil, s.hang(ctx)
	case Stalled:
		body = stream{half, func() error { return s.hang(ctx) }}.open()
	case CutOff:
		body = stream{half, func() error { return io.ErrUnexpectedEOF }}.open()
	default:
		answer = plain[now]
		body = stream{answer.body, func() error { return io.EOF }}.open()
	}
	response := &http.Response{StatusCode: max(answer.code, 200), Header: http.Header{}, Body: body, Request: r}
	for k, v := range answer.header {
		response.Header.Set(k, v)
	}
	return response, nil
}

// ServeHTTP answers over a network.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := s.RoundTrip(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close() //nolint:errcheck // cannot fail
	for k := range response.Header {
		w.Header().Set(k, response.Header.Get(k))
	}
	w.WriteHeader(response.StatusCode)
	_ = http.NewResponseController(w).Flush()
	if _, err := io.Copy(w, response.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// hang waits until the client has gone or the test is over.
func (s *service) hang(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return errors.New("the service was closed")
	}
}

// stream is a body that ends its own way.
type stream struct {
	text string
	end  func() error
}

func (s stream) open() io.ReadCloser { return io.NopCloser(&s) }

func (s *stream) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, s.end()
	}
	n := copy(p, s.text)
	s.text = s.text[n:]
	return n, nil
}

// client is a Source as it should be, over service.
type client struct {
	http *http.Client
	url  string
}

type taskRow struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Percent *int   `json:"percent"`
	Params  string `json:"params"`
}

func (c client) Task(ctx context.Context, id string) (taskwait.Task, error) {
	rows, err := c.rows(ctx, id)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return taskwait.Task{}, err
	}
	for _, r := range rows {
		if r.ID == id {
			return taskwait.Task{ID: r.ID, Status: taskwait.Status(r.Status), Percent: r.Percent, Raw: &r}, nil
		}
	}
	return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("no such row")}
}

func (c client) rows(ctx context.Context, id string) ([]taskRow, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // net/http asks a RoundTripper of one's own all the same
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/tasks/"+id, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // nothing follows from it
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response)
	}
	var body struct {
		Tasks *[]taskRow `json:"tasks"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return nil, err
	}
	if body.Tasks == nil {
		return nil, errors.New("the answer has no tasks")
	}
	return *body.Tasks, nil
}

func refusal(r *http.Response) error {
	e := &taskwait.QueryError{Err: errors.New(r.Status)}
	switch r.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class = taskwait.ClassPermanent
	case http.StatusNotFound:
		e.Class = taskwait.ClassNotFound
	case http.StatusTooManyRequests:
		e.Class = taskwait.ClassThrottled
		seconds, _ := strconv.Atoi(r.Header.Get("Retry-After"))
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
