package debugpage_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/debugpage"
)

func ExampleHandler() {
	source := taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		return taskwait.Task{ID: id, Status: taskwait.StatusExecuting}, nil
	})
	waiter, _ := taskwait.New(source)
	mux := http.NewServeMux()
	mux.Handle("/debug/waits", debugpage.Handler(waiter)) // on an address of loopback: as pprof, it is not for everybody
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/debug/waits?format=text", nil)
	mux.ServeHTTP(answer, request)
	_, waits, _ := strings.Cut(answer.Body.String(), "Z: ")
	fmt.Print(waits)
	// Output:
	// 0 waits
}
