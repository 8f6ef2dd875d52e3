package huawei_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// resize is a call that must not be made twice.
func resize(c *core.HcHttpClient) (*string, error) {
	size := "c6.4u8g.cluster"
	resp, err := kafka.NewKafkaClient(c).ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
		InstanceId: "kafka-1", Body: &model.ResizeEngineInstanceReq{OperType: "vertical", NewProductId: &size},
	})
	if err != nil {
		return nil, err
	}
	return resp.JobId, nil
}

func classOf(t *testing.T, err error) taskwait.Class {
	t.Helper()
	var q *taskwait.QueryError
	if !errors.As(err, &q) {
		t.Fatalf("error = %v (%T), want a *taskwait.QueryError", err, err)
	}
	return q.Class
}

// TestMutateAnswers is about what the service, or something before it, answers.
func TestMutateAnswers(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		header string // Retry-After
		want   taskwait.Class
	}{
		{
			name: "a task runs", status: 400, body: `{"error_code":"DMS.00400017","error_msg":"running"}`,
			want: taskwait.ClassConflict,
		},
		{
			name: "not in this status", status: 400, body: `{"error_code":"DMS.00400026","error_msg":"status"}`,
			want: taskwait.ClassConflict,
		},
		{
			name: "a bad request", status: 400, body: `{"error_code":"DMS.00400062","error_msg":"bad"}`,
			want: taskwait.ClassPermanent,
		},
		{
			name: "no permission", status: 403, body: `{"error_code":"DMS.00403002","error_msg":"no"}`,
			want: taskwait.ClassPermanent,
		},
		{
			name: "no such instance", status: 404, body: `{"error_code":"DMS.00404022","error_msg":"no"}`,
			want: taskwait.ClassNotFound,
		},
		{
			name: "throttled by the gateway", status: 429, body: `{"error_code":"APIGW.0308","error_msg":"slow"}`,
			want: taskwait.ClassThrottled,
		},
		{
			name: "a throttle sent as 404", status: 404, body: `{"error_code":"DMS.10240407","error_msg":"slow"}`,
			want: taskwait.ClassThrottled,
		},
		{name: "503 may come from behind the gateway", status: 503, header: "7", want: taskwait.ClassTransient},
		{name: "500", status: 500, body: `{"error_code":"DMS.00500000","error_msg":"oops"}`, want: taskwait.ClassTransient},
		{name: "504", status: 504, want: taskwait.ClassTransient},
		{name: "408", status: 408, want: taskwait.ClassTransient},
		{
			name: "409", status: 409, body: `{"error_code":"DMS.00409001","error_msg":"conflict"}`, want: taskwait.ClassConflict,
		},
		{name: "423", status: 423, want: taskwait.ClassConflict},
		{name: "421", status: 421, want: taskwait.ClassTransient},
		{name: "425", status: 425, want: taskwait.ClassTransient},
		{name: "499", status: 499, want: taskwait.ClassTransient},
		{name: "a proxy's 404", status: 404, body: "<html>", want: taskwait.ClassTransient},
		{name: "a proxy's 407", status: 407, want: taskwait.ClassPermanent},
		{
			name: "an error with status 200", status: 200, body: `{"error_code":"DMS.00400026","error_msg":"status"}`,
			want: taskwait.ClassTransient,
		},
		{name: "a page", status: 200, body: "<html>", want: taskwait.ClassTransient},
		{name: "a redirect", status: 302, want: taskwait.ClassTransient},
		{
			name: "a conflict's code in a 500", status: 500, body: `{"error_code":"DMS.00400017","error_msg":"running"}`,
			want: taskwait.ClassTransient,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n++
				if tt.header != "" {
					w.Header().Set("Retry-After", tt.header)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer s.Close()
			c := huawei.NewCaller(build(t, kafka.KafkaClientBuilder().WithEndpoint(s.URL)))
			_, err := huawei.Mutate(t.Context(), c, "", resize)
			if got := classOf(t, err); got != tt.want || n != 1 {
				t.Errorf("%v: %v after %d requests, want %v after 1", err, got, n, tt.want)
			}
		})
	}
}

func TestMutateAccepted(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Tue, 24 Nov 2026 02:00:00 GMT")
		_, _ = io.WriteString(w, `{"job_id":"8abf"}`)
	}))
	defer s.Close()
	reply, err := huawei.Mutate(t.Context(), huawei.NewCaller(build(t, kafka.KafkaClientBuilder().WithEndpoint(s.URL))),
		"", resize)
	if err != nil || *reply.Value != "8abf" || reply.At.Hour() != 2 {
		t.Errorf("%v, %v", reply, err)
	}
}

// TestMutateBreaks is about requests without an answer: did they leave?
func TestMutateBreaks(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	refuses := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route to host") }
	drops := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer drops.Close()
	secure := newServer(t, true)
	tests := []struct {
		name   string
		url    string
		config *config.HttpConfig
		key    string
		want   taskwait.Class
	}{
		{name: "connection refused", url: closed.URL, config: config.DefaultHttpConfig(), want: taskwait.ClassNotSent},
		{
			name: "an unknown certificate authority", url: secure.URL, config: config.DefaultHttpConfig(),
			want: taskwait.ClassPermanent,
		},
		{
			name: "a key with a newline", url: drops.URL, config: config.DefaultHttpConfig(), key: "ak\n",
			want: taskwait.ClassPermanent,
		},
		{name: "no such host", url: "http://kafka.invalid", config: config.DefaultHttpConfig(), want: taskwait.ClassNotSent},
		{
			name: "the client's own dialer", url: "http://10.0.0.1", config: config.DefaultHttpConfig().WithDialContext(refuses),
			want: taskwait.ClassNotSent,
		},
		{
			name: "dropped after it was read", url: drops.URL, config: config.DefaultHttpConfig(), want: taskwait.ClassTransient,
		},
		{
			name: "a round tripper that does not say", url: closed.URL, want: taskwait.ClassTransient,
			config: config.DefaultHttpConfig().WithHttpRoundTripper(broken{}),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := build(t, kafka.KafkaClientBuilder().WithEndpoint(tt.url).WithHttpConfig(tt.config))
			if tt.key != "" {
				credentialOf(client).AK = tt.key
			}
			_, err := huawei.Mutate(t.Context(), huawei.NewCaller(client), "", resize)
			if got := classOf(t, err); got != tt.want {
				t.Errorf("%v: %v, want %v", err, got, tt.want)
			}
		})
	}
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("broken pipe") }

// TestMutateStops: what the end of the context means depends on whether the request had left.
func TestMutateStops(t *testing.T) {
	s := newServer(t, false)
	c := huawei.NewCaller(build(t, kafka.KafkaClientBuilder().WithEndpoint(s.URL)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := huawei.Mutate(ctx, c, "", resize); classOf(t, err) != taskwait.ClassNotSent {
		t.Errorf("before: %v, want not sent", err)
	}
	s.hang.Store(true)
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		<-s.hung
		cancel()
	}()
	if _, err := huawei.Mutate(ctx, c, "", resize); !errors.Is(err, context.Canceled) ||
		strings.Contains(err.Error(), "not sent") {
		t.Errorf("in flight: %v, want the context's error", err)
	}
	<-s.gone
}

// TestMutateReads: what call itself makes of an answer is left as it is.
func TestMutateReads(t *testing.T) {
	s := newServer(t, false)
	c := huawei.NewCaller(build(t, kafka.KafkaClientBuilder().WithEndpoint(s.URL)))
	_, err := huawei.Mutate(t.Context(), c, "", func(c *core.HcHttpClient) (*string, error) {
		if _, err := resize(c); err != nil {
			return nil, err
		}
		return nil, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: errors.New("it says failed")}
	})
	if classOf(t, err) != taskwait.ClassPermanent || err.Error() != "it says failed" {
		t.Errorf("%v", err)
	}
}

// TestNotSent: a Start that asks first was not sent, whatever it was that the question met, unless that is final.
func TestNotSent(t *testing.T) {
	t.Parallel()
	lost := errors.New("reset")
	for _, tt := range []struct {
		name string
		err  error
		want taskwait.Class
	}{
		{"a plain error", lost, taskwait.ClassNotSent},
		{"trouble", &taskwait.QueryError{Code: "X.1", RetryAfter: time.Minute, Err: lost}, taskwait.ClassNotSent},
		{"a throttle", taskwait.Throttled(time.Minute, lost), taskwait.ClassThrottled},
		{"for good", fmt.Errorf("list: %w", taskwait.Permanent(lost)), taskwait.ClassPermanent},
	} {
		var before *taskwait.QueryError
		got := huawei.NotSent(tt.err)
		if got.Class != tt.want || !errors.Is(got, lost) {
			t.Errorf("%s: got %v: %v, want %v", tt.name, got.Class, got, tt.want)
		}
		if errors.As(tt.err, &before) && (got.Code != before.Code || got.RetryAfter != before.RetryAfter) {
			t.Errorf("%s: got %q and %v, want %q and %v", tt.name, got.Code, got.RetryAfter, before.Code, before.RetryAfter)
		}
	}
}
