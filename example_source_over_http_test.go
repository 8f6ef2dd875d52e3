package taskwait_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/taskwait/taskwait"
)

// exports is a service that answers with JSON over HTTP.
type exports struct{ base string }

// Task makes one request. CheckResponse turns a refusal into the error that it is: a 404, a throttle, a gateway's trouble.
func (e exports) Task(ctx context.Context, id string) (taskwait.Task, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+"/exports/"+url.PathEscape(id), http.NoBody)
	if err != nil {
		return taskwait.Task{}, taskwait.Permanent(err) // it will be the same the next time
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return taskwait.Task{}, err // a plain error is transient
	}
	defer func() { _ = resp.Body.Close() }()
	if err := taskwait.CheckResponse(resp); err != nil {
		return taskwait.Task{}, err
	}
	t := taskwait.Task{RetryAfter: taskwait.RetryAfter(resp.Header)} // a good answer may say when to come again
	return t, json.NewDecoder(resp.Body).Decode(&t)
}

// A Source over HTTP is one request and CheckResponse.
func ExampleCheckResponse() {
	polls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch polls++; polls {
		case 1:
			http.Error(w, "slow down", http.StatusTooManyRequests)
		default:
			fmt.Fprint(w, `{"status": "SUCCESS"}`)
		}
	}))
	defer server.Close()
	waiter, _ := taskwait.New(exports{server.URL}, often)
	task, err := waiter.WaitForTask(context.Background(), "a1")
	fmt.Println(task.Status, err, polls)
	// Output: SUCCESS <nil> 2
}

// A Source that knows more than a status code says so itself.
func ExampleThrottled() {
	polls := 0
	waiter, _ := taskwait.New(taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		if polls++; polls == 1 {
			return taskwait.Task{}, taskwait.Throttled(0, nil) // it did not say for how long
		}
		return taskwait.Task{Status: taskwait.StatusSuccess}, nil
	}), often)
	_, err := waiter.WaitForTask(context.Background(), "a1")
	fmt.Println(err, polls)
	// Output: <nil> 2
}
