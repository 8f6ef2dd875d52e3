package fakecloud_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	signer "github.com/taskwait/taskwait/fakecloud/internal/sign"
)

// account is what a client says of itself.
type account struct{ ak, sk, token, project string }

var owner = account{ak: fakecloud.DefaultAccessKey, sk: fakecloud.DefaultSecretKey, project: fakecloud.DefaultProject}

// sign signs a request as a client does that has no SDK.
func sign(r *http.Request, a account, body string, headers ...string) {
	signer.Request(r, a.ak, a.sk, body, headers...)
}

const showURL = "https://jobs.fake" + jobsPath + "/1"

// newCloud has one job, number 1.
func newCloud(opts ...fakecloud.Option) *fakecloud.Gateway {
	return fakecloud.New(&jobs{started: []time.Time{time.Now()}}, opts...)
}

// newRequest asks for the job, not signed yet.
func newRequest(ctx context.Context, t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, showURL, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// send sends a request, and reads the answer to its end.
func send(cloud *fakecloud.Gateway, req *http.Request) error {
	_, err := statusOf(cloud, req)
	return err
}

// statusOf sends a request, and gives the status of the answer, whose end is read.
func statusOf(cloud *fakecloud.Gateway, req *http.Request) (int, error) {
	resp, err := cloud.Transport().RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// show asks for the job.
func show(t *testing.T, cloud *fakecloud.Gateway) (status int, err error) {
	t.Helper()
	req := newRequest(t.Context(), t, http.MethodGet, nil)
	sign(req, owner, "")
	return statusOf(cloud, req)
}
