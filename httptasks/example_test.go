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

// operations is a Source for the operations of an API.
func operations(client *http.Client, host, token string) (*httptasks.Source, error) {
	return httptasks.New(client, httptasks.API{
		URL: host + "/v1/operations/{id}",
		ID:  "name", Status: "status", Percent: "metadata.progress", Code: "error.code", Reason: "error.message",
		Executing: []string{"running"}, Success: []string{"done"}, Failed: []string{"error"},
	}, httptasks.WithHeader("Authorization", "Bearer "+token))
}

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
	source, err := operations(service.Client(), service.URL, "secret")
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

// Google's long-running operations (AIP-151) say with a flag that they are over, and can be cancelled.
func ExampleAPI_google() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fmt.Println("asked to cancel:", r.URL)
			return
		}
		_, _ = io.WriteString(w, `{"name":"projects/p/operations/1","done":true,"metadata":{"progressPercent":80},
			"error":{"code":1,"message":"cancelled by the user"}}`)
	}))
	defer service.Close()
	source, err := httptasks.New(service.Client(), httptasks.API{
		URL: service.URL + "/v1/{+id}", ID: "name", Done: "done", Percent: "metadata.progressPercent",
		Code: "error.code", Reason: "error.message",
		Cancel: &httptasks.Request{Method: http.MethodPost, URL: service.URL + "/v1/{+id}:cancel"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(source.Cancel(context.Background(), "projects/p/operations/1"))
	fmt.Println(source.Task(context.Background(), "projects/p/operations/1"))
	// Output:
	// asked to cancel: /v1/projects/p/operations/1:cancel
	// <nil>
	// task "projects/p/operations/1": FAILED, 80%, 1 cancelled by the user <nil>
}

// Azure answers a request that begins something with 202 and the URL to poll, and says there when to come again.
func ExampleLocation() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.Header().Set("Azure-AsyncOperation", "/operations/17?api-version=2024-07-01")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Retry-After", "5")
		_, _ = io.WriteString(w, `{"name":"17","status":"InProgress","percentComplete":40}`)
	}))
	defer service.Close()
	source, err := httptasks.New(service.Client(), httptasks.API{
		URL: service.URL + "/{+id}", Status: "status|properties.provisioningState|@status", Percent: "percentComplete",
		Code: "error.code", Reason: "error.message",
		Executing: []string{"InProgress", "Running", "Accepted", "Creating", "Updating", "Deleting", "202"},
		Success:   []string{"Succeeded", "200", "201", "204"}, Failed: []string{"Failed"}, Cancelled: []string{"Canceled"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	req, _ := http.NewRequest(http.MethodPut, service.URL+"/machines/a", http.NoBody)
	resp, err := service.Client().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	id, err := httptasks.Location(resp) // the Start of a taskwait.Operation returns it
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := source.Task(context.Background(), id)
	fmt.Println(task.Status, *task.Percent, task.RetryAfter, err)
	// Output: EXECUTING 40 5s <nil>
}
