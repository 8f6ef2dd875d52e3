package huawei_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/httphandler"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// server is a service on loopback that tells what reached it.
type server struct {
	*httptest.Server
	mu          sync.Mutex
	headers     []http.Header
	connections atomic.Int32
	hang        atomic.Bool   // answer only when the client has gone
	hung        chan struct{} // told when a request begins to hang
	gone        chan struct{} // told when its client has gone
}

func newServer(t *testing.T, tls bool) *server {
	t.Helper()
	s := &server{hung: make(chan struct{}, 1), gone: make(chan struct{}, 1)}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.headers = append(s.headers, r.Header.Clone())
	s.mu.Unlock()
	switch {
	case s.hang.Load():
		_, _ = io.Copy(io.Discard, r.Body) // until it is read, a client that goes is not noticed
		s.hung <- struct{}{}
		<-r.Context().Done()
		s.gone <- struct{}{}
	case strings.HasSuffix(r.URL.Path, "/throttled"):
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	case strings.HasSuffix(r.URL.Path, "/stalled"):
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"task_count":`)
		_ = http.NewResponseController(w).Flush()
		s.hung <- struct{}{}
		<-r.Context().Done()
		s.gone <- struct{}{}
	default:
		_, _ = io.WriteString(w, `{"task_count":"1","tasks":[{"id":"task","status":"EXECUTING"}]}`)
	}
}

func credential(t *testing.T) auth.ICredential {
	t.Helper()
	c, err := basic.NewCredentialsBuilder().WithAk("ak").WithSk("sk").WithProjectId("project").SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func build(t *testing.T, b *core.HcHttpClientBuilder) *core.HcHttpClient {
	t.Helper()
	client, err := b.WithCredential(credential(t)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// marked is a RoundTripper of the user's own, which sees what is in the request's context.
type marked struct {
	http.RoundTripper
	seen atomic.Value
}

type contextKey struct{}

func (m *marked) RoundTrip(r *http.Request) (*http.Response, error) {
	if v := r.Context().Value(contextKey{}); v != nil {
		m.seen.Store(v)
	}
	return m.RoundTripper.RoundTrip(r)
}

// clients are the ways in which people build theirs. used tells, afterwards, whether what they set was honoured.
var clients = map[string]func(*testing.T) (client *core.HcHttpClient, s *server, used func() error){
	"plain": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, false)
		return build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL).WithHttpConfig(config.DefaultHttpConfig())), s, nil
	},
	"own transport": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, false)
		var dialled atomic.Int32
		wire := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}
		t.Cleanup(wire.CloseIdleConnections)
		return build(t,
				core.NewHcHttpClientBuilder().WithEndpoint(s.URL).
					WithHttpConfig(config.DefaultHttpConfig().WithHttpTransport(wire))),
			s,
			func() error { return want(dialled.Load() > 0, "the transport was not used") }
	},
	"own round tripper": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, false)
		wire := &http.Transport{}
		t.Cleanup(wire.CloseIdleConnections)
		m := &marked{RoundTripper: wire}
		return build(t,
				core.NewHcHttpClientBuilder().WithEndpoint(s.URL).
					WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(m))),
			s,
			func() error {
				return want(m.seen.Load() == "from the caller", "a value of the caller's context has not reached the transport")
			}
	},
	"dialer and handler": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, false)
		var dialled, handled atomic.Int32
		cfg := config.DefaultHttpConfig().WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}).WithHttpHandler(httphandler.NewHttpHandler().AddRequestHandler(func(http.Request) { handled.Add(1) }))
		return build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL).WithHttpConfig(cfg)), s,
			func() error {
				return want(dialled.Load() > 0 && handled.Load() > 0, "the dialer or the handler was not used")
			}
	},
	"proxy": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, false) // as a proxy it gets the whole URL of a host that does not exist
		host, port, _ := net.SplitHostPort(s.Listener.Addr().String())
		n, _ := strconv.Atoi(port)
		cfg := config.DefaultHttpConfig().
			WithProxy(config.NewProxy().WithSchema("http").WithHost(host).WithPort(n).WithUsername("user").WithPassword("pass"))
		return build(t,
				core.NewHcHttpClientBuilder().WithEndpoint("http://nowhere.invalid").WithHttpConfig(cfg)), s, func() error {
				s.mu.Lock()
				defer s.mu.Unlock()
				return want(s.headers[0].Get("Proxy-Authorization") != "", "the proxy was not told its user")
			}
	},
	"no verification": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, true)
		return build(t,
			core.NewHcHttpClientBuilder().WithEndpoint(s.URL).
				WithHttpConfig(config.DefaultHttpConfig().WithIgnoreSSLVerification(true))), s, nil
	},
	"region": func(t *testing.T) (*core.HcHttpClient, *server, func() error) {
		s := newServer(t, false)
		return build(t, core.NewHcHttpClientBuilder().WithRegion(region.NewRegion("here-1", s.URL))), s, nil
	},
}

func want(ok bool, otherwise string) error {
	if ok {
		return nil
	}
	return errors.New(otherwise)
}

func show(ctx context.Context, c *huawei.Caller, id string) (*model.ShowBackgroundTaskResponse, error) {
	reply, err := huawei.Query(ctx, c, "", func(hc *core.HcHttpClient) (*model.ShowBackgroundTaskResponse, error) {
		return bare(hc, id)
	})
	return reply.Value, err
}

func bare(hc *core.HcHttpClient, id string) (*model.ShowBackgroundTaskResponse, error) {
	return kafka.NewKafkaClient(hc).
		ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "instance", TaskId: id})
}

func TestQuery(t *testing.T) {
	for name, build := range clients {
		t.Run(name, func(t *testing.T) {
			client, s, used := build(t)
			before := fmt.Sprintf("%#v", *client)
			caller := huawei.NewCaller(client)
			ctx := context.WithValue(t.Context(), contextKey{}, "from the caller")
			for range 3 {
				if resp, err := show(ctx, caller, "task"); err != nil || *(*resp.Tasks)[0].Status != "EXECUTING" {
					t.Fatal(resp, err)
				}
			}
			if n := s.connections.Load(); n != 1 {
				t.Errorf("three requests took %d connections, want one", n)
			}
			if used != nil {
				if err := used(); err != nil {
					t.Error(err)
				}
			}
			var q *taskwait.QueryError
			if _, err := show(ctx, caller, "throttled"); !errors.As(err, &q) || q.Class != taskwait.ClassThrottled ||
				q.RetryAfter != 7*time.Second {
				t.Errorf("throttled: %v, want Retry-After 7s", err)
			}
			if after := fmt.Sprintf("%#v", *client); after != before {
				t.Errorf("the client was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// TestQueryCancelled cancels requests that hang, before the answer and in the middle of it.
func TestQueryCancelled(t *testing.T) {
	for name, build := range clients {
		for _, id := range []string{"task", "stalled"} {
			t.Run(name+", "+id, func(t *testing.T) {
				client, s, _ := build(t)
				s.hang.Store(id == "task")
				ctx, cancel := context.WithCancel(t.Context())
				failed := make(chan error, 1)
				go func() {
					_, err := show(ctx, huawei.NewCaller(client), id)
					failed <- err
				}()
				<-s.hung
				cancel()
				if err := <-failed; err != context.Canceled {
					t.Errorf("error = %v, want the context's own", err)
				}
				<-s.gone // the server sees the connection go
			})
		}
	}
}

// TestQueryLeavesNothing counts goroutines when the connections are closed.
func TestQueryLeavesNothing(t *testing.T) {
	s := newServer(t, false)
	wire := &http.Transport{}
	client := build(t,
		core.NewHcHttpClientBuilder().WithEndpoint(s.URL).WithHttpConfig(config.DefaultHttpConfig().WithHttpTransport(wire)))
	before := runtime.NumGoroutine()
	caller := huawei.NewCaller(client)
	for range 20 {
		if _, err := show(t.Context(), caller, "task"); err != nil {
			t.Fatal(err)
		}
	}
	wire.CloseIdleConnections()
	s.Close()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond) // for the server's side to notice
	}
	t.Errorf("%d goroutines, want %d as before", runtime.NumGoroutine(), before)
}

// TestQueryInvisible compares what reaches the service with a bare call of the SDK.
func TestQueryInvisible(t *testing.T) {
	s := newServer(t, false)
	cfg := config.DefaultHttpConfig().WithUserAgent("configured/1")
	client := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL).WithHttpConfig(cfg)).
		WithExtraHeaders(map[string]string{"X-Extra": "1", "User-Agent": "own/2"})
	if _, err := bare(client, "task"); err != nil {
		t.Fatal(err)
	}
	if _, err := show(t.Context(), huawei.NewCaller(client), "task"); err != nil {
		t.Fatal(err)
	}
	for _, h := range s.headers {
		for _, varies := range []string{"X-Sdk-Date", "Authorization"} {
			if h.Get(varies) == "" {
				t.Errorf("a request without %s: %v", varies, h)
			}
		}
		h.Del("X-Sdk-Date")
		h.Set("Authorization", h.Get("Authorization")[:strings.Index(h.Get("Authorization"), "Signature=")])
	}
	if len(s.headers) != 2 || !reflect.DeepEqual(s.headers[0], s.headers[1]) {
		t.Errorf("headers are\n%v\nand want to be those of a bare call:\n%v", s.headers[1:], s.headers[0])
	}
}

func TestQueryUnusable(t *testing.T) {
	s := newServer(t, false)
	noEndpoint := build(t, core.NewHcHttpClientBuilder())
	noCredential := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL))
	noCredential.WithCredential(nil)
	noKey := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL))
	noKey.WithCredential(&auth.BasicCredentials{})
	for name, tt := range map[string]struct {
		client *core.HcHttpClient
		want   string
	}{
		"nil":           {nil, "the SDK client is nil"},
		"no endpoint":   {noEndpoint, "no endpoint: build it with WithRegion or WithEndpoint"},
		"no credential": {noCredential, "no credential: build it with WithCredential"},
		"no key":        {noKey, "ak is required in credentials"},
	} {
		var q *taskwait.QueryError
		if _, err := show(t.Context(), huawei.NewCaller(tt.client), "task"); !errors.As(err, &q) ||
			q.Class != taskwait.ClassPermanent || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want it to say %q", name, err, tt.want)
		}
	}
	if n := len(s.headers); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

// TestQueryUnbound uses a client with an Authorization of its own, which the SDK does not let be bound.
func TestQueryUnbound(t *testing.T) {
	s := newServer(t, false)
	client := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL)).
		WithExtraHeaders(map[string]string{"Authorization": "Bearer own"})
	if _, err := show(t.Context(), huawei.NewCaller(client), "task"); err != nil {
		t.Error(err)
	}
	if len(s.headers) != 1 || s.headers[0].Get("Authorization") != "Bearer own" {
		t.Errorf("headers = %v, want one request with the client's own", s.headers)
	}
	var q *taskwait.QueryError
	if _, err := show(t.Context(), huawei.NewCaller(client), "throttled"); !errors.As(err, &q) ||
		q.Class != taskwait.ClassThrottled {
		t.Errorf("throttled: %v", err)
	}
}

// TestQueryNoDNSError: after a DNS error the SDK would go on to its next endpoint, though the context has ended.
func TestQueryNoDNSError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := config.DefaultHttpConfig().WithDialContext(func(context.Context, string, string) (net.Conn, error) {
		cancel()
		return nil, &net.DNSError{Err: "operation was canceled"}
	})
	client := build(t, core.NewHcHttpClientBuilder().WithEndpoint("https://one.invalid").WithHttpConfig(cfg))
	if _, err := show(ctx, huawei.NewCaller(client), "task"); err != context.Canceled {
		t.Errorf("error = %v, want the context's own", err)
	}
	var network *url.Error
	var q *taskwait.QueryError
	if _, err := show(t.Context(), huawei.NewCaller(client), "task"); !errors.As(err, &network) || !errors.As(err, &q) ||
		q.Class != taskwait.ClassTransient {
		t.Errorf("error = %v, want a transient one", err)
	}
}

// TestQueryReleases: a client with response handlers reads each body and never closes it; nothing may be held for it.
func TestQueryReleases(t *testing.T) {
	s := newServer(t, false)
	wire := &http.Transport{}
	t.Cleanup(wire.CloseIdleConnections)
	cfg := config.DefaultHttpConfig().WithHttpTransport(wire).
		WithHttpHandler(httphandler.NewHttpHandler().AddResponseHandler(func(http.Response) {}))
	caller := huawei.NewCaller(build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL).WithHttpConfig(cfg)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	held := &counter{Context: ctx}
	for range 50 {
		if _, err := show(held, caller, "task"); err != nil {
			t.Fatal(err)
		}
	}
	if n := held.n.Load(); n != 0 {
		t.Errorf("%d callbacks still wait for the context, want none", n)
	}
}

// counter counts the callbacks that are registered on a context.
type counter struct {
	context.Context
	n atomic.Int32
}

// AfterFunc is what context.WithTimeout and context.AfterFunc register with.
func (c *counter) AfterFunc(f func()) func() bool {
	c.n.Add(1)
	stop := context.AfterFunc(c.Context, f)
	return func() bool {
		stopped := stop()
		if stopped {
			c.n.Add(-1)
		}
		return stopped
	}
}

func TestCallerPrintsNothing(t *testing.T) {
	s := newServer(t, false)
	client := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL)).
		WithExtraHeaders(map[string]string{"X-Auth-Token": "hush"})
	caller := huawei.NewCaller(client)
	if _, err := show(t.Context(), caller, "task"); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if got := fmt.Sprintf(verb, caller); got != "huawei.Caller" {
			t.Errorf("%s of a Caller is %s", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ c *huawei.Caller }{caller}); strings.Contains(got, "hush") {
			t.Errorf("%s of what holds a Caller is %s", verb, got)
		}
	}
}
