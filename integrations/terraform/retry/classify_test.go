package retry_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/integrations/terraform/retry"
)

// The errors of other SDKs, by their shape.
type (
	// unexpectedCode is what golangsdk and gophercloud embed in an error for each status.
	unexpectedCode struct {
		URL, Method string
		Expected    []int
		Actual      int
		Body        []byte
	}
	default404 struct{ unexpectedCode }
	default502 struct{ unexpectedCode }

	// serviceError is that of huaweicloud-sdk-go-v3.
	serviceError struct {
		StatusCode              int
		ErrorCode, ErrorMessage string
	}

	// azureError is that of azcore.
	azureError struct {
		ErrorCode   string
		StatusCode  int
		RawResponse *http.Response
	}

	// awsError has a method.
	awsError int

	// pointer has a method that nil does not survive.
	pointer struct{ status int }

	// hollow has one that looks for the response, of which there may be none, as that of AWS does.
	hollow struct{ *http.Response }

	// misleading has fields of these names that are no HTTP status.
	misleading struct {
		StatusCode string
		Actual     int
	}
)

func (unexpectedCode) Error() string   { return "unexpected response code" }
func (*serviceError) Error() string    { return "service error" }
func (*azureError) Error() string      { return "azure error" }
func (awsError) Error() string         { return "aws error" }
func (e awsError) HTTPStatusCode() int { return int(e) }
func (*pointer) Error() string         { return "pointer" }
func (p *pointer) StatusCode() int     { return p.status }
func (hollow) Error() string           { return "hollow" }
func (h hollow) HTTPStatusCode() int   { return h.StatusCode }
func (misleading) Error() string       { return "misleading" }
func sent(err error) error             { return &url.Error{Op: "Get", URL: "https://x", Err: err} }
func golangsdk404(body string) error {
	return default404{unexpectedCode{Actual: 404, Body: []byte(body)}}
}
func huawei(status int, code string) error { return &serviceError{StatusCode: status, ErrorCode: code} }

// TestErrors: how long a Refresh that has been good once is called again while it fails in this way, of an hour.
func TestErrors(t *testing.T) {
	const (
		atOnce   = 0
		minute   = time.Minute
		longest  = 5 * time.Minute
		allTime  = time.Hour
		interval = 10 * time.Second
	)
	for _, tt := range []struct {
		name string
		err  error
		want time.Duration
	}{
		{"plain", errPlain, atOnce},
		{"golangsdk: 502", default502{unexpectedCode{Actual: 502}}, longest},
		{"golangsdk: 404", golangsdk404(""), minute},
		{"golangsdk: 404 of the service", golangsdk404(`{"error_code":"DMS.00404022","error_msg":"gone"}`), minute},
		{"golangsdk: 404 of a proxy", golangsdk404("<html>"), longest},
		{"golangsdk: a throttle as 404", golangsdk404(`{"error_code":"DMS.10240407"}`), allTime},
		{"Huawei's SDK: 500", huawei(500, "DMS.00500000"), longest},
		{"Huawei's SDK: 400", huawei(400, "DMS.00400002"), atOnce},
		{"Huawei's SDK: 429", huawei(429, "APIGW.0308"), allTime},
		{"Huawei's SDK: 403", huawei(403, "APIGW.0301"), minute},
		{"Huawei's SDK: 404", huawei(404, "DMS.00404022"), minute},
		{"Huawei's SDK: a throttle as 404", huawei(404, "DMS.10240407"), allTime},
		{"Huawei's SDK: a body that does not decode", huawei(200, ""), longest},
		{"Huawei's SDK: no status", huawei(0, ""), atOnce},
		{"azcore: 503", &azureError{StatusCode: 503}, longest},
		{"azcore: 503 with Retry-After", &azureError{
			StatusCode: 503, RawResponse: &http.Response{Header: http.Header{"Retry-After": {"1"}}},
		}, allTime},
		{"AWS: 409", awsError(409), longest},
		{"AWS: 422", awsError(422), atOnce},
		{"a method StatusCode", status(504), longest},
		{"wrapped", fmt.Errorf("read: %w", status(502)), longest},
		{"joined", errors.Join(errPlain, status(502)), longest},
		{"not wrapped", fmt.Errorf("read: %v", status(502)), atOnce},
		{"taskwait's: a throttle", taskwait.Throttled(0, errPlain), allTime},
		{"taskwait's: transient", &taskwait.QueryError{Err: errPlain}, longest},
		{"taskwait's: permanent", taskwait.Permanent(status(502)), atOnce},
		{"fields that are no status", misleading{StatusCode: "502", Actual: 502}, atOnce},
		{"a status of something else", status(700), atOnce},
		{"a nil pointer", (*pointer)(nil), atOnce},
		{"no response", hollow{}, atOnce},
		{"a timeout of the network", errTimeout{}, longest},
		{"an http.Client's timeout", sent(context.DeadlineExceeded), longest},
		{"no connection", sent(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), longest},
		{"a connection that was lost", sent(io.EOF), longest},
		{"a body that was cut off", fmt.Errorf("read: %w", io.ErrUnexpectedEOF), longest},
		{"no such host", fmt.Errorf("read: %w", &net.DNSError{Name: "x", IsNotFound: true}), longest},
		{"no such file", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, atOnce},
		{"a certificate", sent(&tls.CertificateVerificationError{Err: errPlain}), atOnce},
		{"plain HTTP", sent(http.ErrSchemeMismatch), atOnce},
		{"no such scheme", sent(errors.New(`unsupported protocol scheme "htp"`)), atOnce},
		{"no URL", &url.Error{Op: "parse", URL: ":", Err: errPlain}, atOnce},
		{"a request that was cancelled", sent(context.Canceled), atOnce},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := script{replies: []reply{{result: 1, state: "p"}, {result: 2, err: tt.err}}}
			s.conf = retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Hour, PollInterval: interval}
			o := s.ours(t)
			got := min(o.elapsed-interval, allTime)
			if tt.want == allTime {
				var timeout *retry.TimeoutError
				if !errors.As(o.err, &timeout) || !sameError(timeout.LastError, tt.err) || o.result != nil {
					t.Errorf("got %v, want a timeout with this error", &o)
				}
				got = min(o.elapsed, allTime)
			} else if !sameError(o.err, tt.err) || o.result != 2 {
				t.Errorf("got %v, want this error and its result", &o)
			}
			if got != tt.want {
				t.Errorf("the first error is borne for %v, want %v", got, tt.want)
			}
		})
	}
}

// sameError reports whether two errors are one; those of golangsdk cannot be compared by ==.
func sameError(a, b error) bool {
	return reflect.DeepEqual(a, b) //nolint:govet // its own reason stands above
}
