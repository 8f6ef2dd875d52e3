package httptasks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// An API is described as data: where in the answer what stands, and the words for six statuses.
func Example() {
	polls := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if polls++; polls == 1 {
			_, _ = io.WriteString(w, `{"name":"17","status":"Running","metadata":{"progress":60}}`)
			return
		}
		_, _ = io.WriteString(w, `{"name":"17","status":"error","error":{"code":"E7","message":"disk full"}}`)
	}))
	defer service.Close()
	source, err := httptasks.New(service.Client(), httptasks.API{
		URL: service.URL + "/v1/operations/{id}",
		ID:  "name", Status: "status", Percent: "metadata.progress", Code: "error.code", Reason: "error.message",
		Executing: []string{"running"}, Success: []string{"done"}, Failed: []string{"error"},
	}, httptasks.WithHeader("Authorization", "Bearer secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	waiter, err := taskwait.New(source, taskwait.WithInterval(time.Millisecond, time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), "17")
	fmt.Println(task, errors.Is(err, taskwait.ErrTaskFailed))
	// Output: task "17": FAILED, phase error, E7 disk full true
}
