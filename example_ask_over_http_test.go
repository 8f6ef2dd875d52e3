package taskwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
)

// jobService is a Source over HTTP.
type jobService struct{ client *http.Client }

// Task makes one request, and leaves what its status means to CheckResponse.
func (s jobService) Task(ctx context.Context, id string) (taskwait.Task, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://jobs.example.com/v1/jobs/"+id, http.NoBody)
	if err != nil {
		return taskwait.Task{}, taskwait.Permanent(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return taskwait.Task{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := taskwait.CheckResponse(resp); err != nil {
		return taskwait.Task{}, err
	}
	task := taskwait.Task{ID: id, RetryAfter: taskwait.RetryAfter(resp.Header)}
	err = json.NewDecoder(resp.Body).Decode(&struct{ Status *taskwait.Status }{&task.Status})
	return task, err
}

// inTurn is a transport that gives these answers in turn. Yours is that of http.DefaultClient.
type inTurn []*http.Response

// RoundTrip gives the next answer.
func (a *inTurn) RoundTrip(*http.Request) (*http.Response, error) {
	next := (*a)[0]
	*a = (*a)[1:]
	return next, nil
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}
}

// A Source over HTTP needs no table of statuses.
func ExampleCheckResponse() {
	transport := &inTurn{
		respond(http.StatusOK, `{"status": "EXECUTING"}`), respond(http.StatusBadGateway, "<html>"),
		respond(http.StatusOK, `{"status": "SUCCESS"}`),
	}
	waiter, _ := taskwait.New(jobService{&http.Client{Transport: transport}}, often)
	task, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4",
		taskwait.WithProgress(func(p taskwait.Progress) {
			if p.Err != nil {
				fmt.Println(p.Err)
			}
		}))
	fmt.Println(task, err)
	// Output:
	// 502 Bad Gateway
	// task "8abfa7b272adc5b4": SUCCESS <nil>
}

// A service that is asked too often is asked again when it wishes, and no sooner.
func ExampleThrottled() {
	throttled := true
	source := taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		if throttled {
			throttled = false
			return taskwait.Task{}, taskwait.Throttled(20*time.Millisecond, errors.New("too many requests"))
		}
		return taskwait.Task{ID: id, Status: taskwait.StatusSuccess}, nil
	})
	waiter, _ := taskwait.New(source, often)
	_, err := waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4",
		taskwait.WithProgress(func(p taskwait.Progress) {
			if p.Err != nil {
				fmt.Println(p.Err, p.Next >= 20*time.Millisecond)
			}
		}))
	fmt.Println(err)
	// Output:
	// too many requests true
	// <nil>
}
