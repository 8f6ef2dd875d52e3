package fakecloud_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// TestTransportHonoursContext cancels requests in memory: they end at that very moment, with the cause, and leave
// nothing behind: the bubble would notice.
func TestTransportHonoursContext(t *testing.T) {
	tests := []struct {
		name  string
		opts  []fakecloud.Option
		fault fakecloud.Fault
	}{
		{"latency", []fakecloud.Option{fakecloud.WithLatency(time.Hour)}, fakecloud.Serve()},
		{"hang", nil, fakecloud.Hang()},
		{"slow", nil, fakecloud.Slow(time.Hour)},
		{"slow to fail", nil, fakecloud.Drop().After(time.Hour)},
		{"stall", nil, fakecloud.Stall()},
		{"stall without a body", nil, fakecloud.Respond(204, "").After(time.Hour)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newCloud(tt.opts...)
				cloud.Inject(routeShow, tt.fault)
				ctx, cancel := context.WithTimeoutCause(t.Context(), 7*time.Second, errPatience)
				defer cancel()
				req := newRequest(ctx, t, "GET", nil)
				sign(req, owner, "")
				start := time.Now()
				err := send(cloud, req)
				if took := time.Since(start); !errors.Is(err, errPatience) || took != 7*time.Second {
					t.Errorf("error = %v after %v, want %v after 7s", err, took, errPatience)
				}
				log := cloud.Requests()
				if len(log) != 1 || !log[0].Disconnected {
					t.Errorf("log = %+v, want one request, gone", log)
				}
			})
		})
	}
}

func TestTransportRefusesDeadContext(t *testing.T) {
	cloud := newCloud()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := send(cloud, newRequest(ctx, t, "GET", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
	if log := cloud.Requests(); len(log) != 0 {
		t.Errorf("log = %+v, want nothing", log)
	}
}

// TestClientTimeout uses the HTTP client's own timeout, which the SDK sets.
func TestClientTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range []fakecloud.Fault{fakecloud.Hang(), fakecloud.Stall()} {
			cloud := newCloud()
			cloud.Inject(fakecloud.AnyRoute, fault)
			client := &http.Client{Transport: cloud.Transport(), Timeout: 9 * time.Second}
			req := newRequest(t.Context(), t, "GET", nil)
			sign(req, owner, "")
			start := time.Now()
			resp, err := client.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 9*time.Second {
				t.Errorf("error = %v after %v, want %v after 9s", err, took, context.DeadlineExceeded)
			}
		}
	})
}

// TestRequestBodies sends bodies that are in trouble themselves.
func TestRequestBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, errPatience)
		defer cancel()
		never, writer := io.Pipe() // nobody writes
		start := time.Now()
		err := send(cloud, newRequest(ctx, t, "POST", never))
		if took := time.Since(start); !errors.Is(err, errPatience) || took != 5*time.Second {
			t.Errorf("a body that hangs: %v after %v, want %v after 5s", err, took, errPatience)
		}
		if _, err := writer.Write(nil); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the body is not closed: %v", err)
		}

		broken, writer := io.Pipe()
		wrong := errors.New("wrong")
		writer.CloseWithError(wrong)
		if err := send(cloud, newRequest(t.Context(), t, "POST", broken)); !errors.Is(err, wrong) {
			t.Errorf("a body that fails: %v, want %v", err, wrong)
		}

		large := io.LimitReader(zeros{}, 12<<20+1)
		resp, err := cloud.Transport().RoundTrip(newRequest(t.Context(), t, "POST", large))
		if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a body that is too large: %v, %v, want 413", resp, err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestClose closes an answer's body while somebody reads it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud()
		cloud.Inject(fakecloud.AnyRoute, fakecloud.Respond(200, strings.Repeat("x", 10)), fakecloud.Stall())
		req := newRequest(t.Context(), t, "GET", nil)
		sign(req, owner, "")
		resp, err := cloud.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_ = resp.Body.Close() // twice is fine
		if n, err := resp.Body.Read(make([]byte, 10)); n != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a closed body: %d bytes, %v, want an error", n, err)
		}
		if resp, err = cloud.Transport().RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { _ = resp.Body.Close() })
		start := time.Now()
		_, err = io.ReadAll(resp.Body)
		if took := time.Since(start); err == nil || took != time.Minute {
			t.Errorf("a body that stalls: %v after %v, want an error after 1m", err, took)
		}
	})
}

// TestLatency is exact in a bubble, and the job is as it is when the answer is made.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud(fakecloud.WithLatency(50 * time.Millisecond))
		cloud.Inject(routeShow, fakecloud.Serve(), fakecloud.Slow(time.Minute))
		for _, tt := range []struct {
			want string
			took time.Duration
		}{{"RUNNING", 50 * time.Millisecond}, {"SUCCESS", time.Minute + 50*time.Millisecond}} {
			start := time.Now()
			if got := call(t, cloud, "GET", jobsPath+"/1", ""); !strings.Contains(got, tt.want) || time.Since(start) != tt.took {
				t.Errorf("%s after %v, want %s after %v", got, time.Since(start), tt.want, tt.took)
			}
		}
		log := cloud.Requests()
		if log[0].Took != 50*time.Millisecond || log[1].Took != time.Minute+50*time.Millisecond {
			t.Errorf("log = %+v, want 50ms and 1m0.05s", log)
		}
	})
}

// TestConcurrency is for the race detector.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud(fakecloud.WithLatency(time.Second))
		for range 50 {
			go func() {
				cloud.Inject(fakecloud.AnyRoute, fakecloud.Serve().For(time.Second), fakecloud.Unavailable())
				call(t, cloud, "POST", jobsPath, `{"name":"a"}`)
				call(t, cloud, "GET", jobsPath+"/1", "")
				cloud.Requests()
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(cloud.Requests()); n != 100 {
			t.Errorf("%d requests, want 100", n)
		}
	})
}
