package taskwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/taskwait/taskwait"
)

// A Source over HTTP needs no table of statuses.
func ExampleCheckResponse() {
	client := &http.Client{Transport: fixed{http.StatusOK, `{"state":"SUCCESS"}`}}
	source := taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/tasks/"+url.PathEscape(id), nil)
		if err != nil {
			return taskwait.Task{}, taskwait.Permanent(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return taskwait.Task{}, err // transient
		}
		defer func() { _ = resp.Body.Close() }()
		if err := taskwait.CheckResponse(resp); err != nil {
			return taskwait.Task{}, err
		}
		var body struct{ State taskwait.Status }
		err = json.NewDecoder(resp.Body).Decode(&body)
		return taskwait.Task{Status: body.State, RetryAfter: taskwait.RetryAfter(resp.Header)}, err
	})
	waiter, err := taskwait.New(source)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(waiter.WaitForTask(context.Background(), "17"))
	// Output: task "17": SUCCESS <nil>
}

// NotFound, Permanent and Throttled make the errors of a Source whose client has errors of its own.
func ExampleNotFound() {
	errNoRow, errBusy := errors.New("no such row"), errors.New("too busy")
	classify := func(err error) error {
		switch {
		case errors.Is(err, errNoRow):
			return taskwait.NotFound(err)
		case errors.Is(err, errBusy):
			return taskwait.Throttled(0, err)
		}
		return taskwait.Permanent(err)
	}
	for _, err := range []error{errNoRow, errBusy, errors.New("denied")} {
		var q *taskwait.QueryError
		fmt.Println(classify(err), errors.As(classify(err), &q), q.Class)
	}
	// Output:
	// no such row true not found
	// too busy true throttled
	// denied true permanent
}

// fixed is a service that always answers alike.
type fixed struct {
	status int
	body   string
}

func (a fixed) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}
