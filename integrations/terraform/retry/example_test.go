package retry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/integrations/terraform/retry"
)

// An instance is created, and the gateway has a bad moment meanwhile.
func Example() {
	codes := []int{http.StatusOK, http.StatusBadGateway, http.StatusCreated}
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[0])
		codes = codes[1:]
	}))
	defer cloud.Close()

	conf := &retry.StateChangeConf{
		Pending: []string{"CREATING"},
		Target:  []string{"RUNNING"},
		Refresh: func() (any, string, error) {
			resp, err := http.Get(cloud.URL)
			if err != nil {
				return nil, "", err
			}
			defer func() { _ = resp.Body.Close() }()
			if err := taskwait.CheckResponse(resp); err != nil {
				return nil, "", err
			}
			if resp.StatusCode == http.StatusCreated {
				return "instance 1", "RUNNING", nil
			}
			return "instance 1", "CREATING", nil
		},
		Timeout:      50 * time.Minute,
		PollInterval: 10 * time.Millisecond,
	}
	instance, err := conf.WaitForStateContext(context.Background())
	fmt.Println(instance, err)
	// Output: instance 1 <nil>
}
