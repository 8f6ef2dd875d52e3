package huawei_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// queryError is the error of a query of a client, which must be a QueryError.
func queryError(t *testing.T, client *core.HcHttpClient) *taskwait.QueryError {
	t.Helper()
	_, err := show(t.Context(), huawei.NewCaller(client), "task")
	var q *taskwait.QueryError
	if !errors.As(err, &q) {
		t.Fatalf("error = %v, want a QueryError", err)
	}
	return q
}

// TestOneTransport: Callers of one client share its connections, and leave nothing behind.
func TestOneTransport(t *testing.T) {
	s := newServer(t, false)
	client := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL))
	for range 20 {
		if _, err := show(t.Context(), huawei.NewCaller(client), "task"); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.connections.Load(); n != 1 {
		t.Errorf("20 Callers of one client took %d connections, want one", n)
	}
	other := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL))
	if _, err := show(t.Context(), huawei.NewCaller(other), "task"); err != nil {
		t.Fatal(err)
	}
	if n := s.connections.Load(); n != 2 {
		t.Errorf("two clients took %d connections, want one each", n)
	}
	freed := make(chan struct{})
	runtime.AddCleanup(other, func(freed chan struct{}) { close(freed) }, freed)
	runtime.KeepAlive(other)
	other = nil //nolint:ineffassign // so that nothing holds it
	for range 1000 {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-time.After(time.Millisecond):
		}
	}
	t.Error("a client that nobody uses any more is kept")
}

// TestBodyLimit: an answer without end is an error.
func TestBodyLimit(t *testing.T) {
	for _, size := range []int64{16 << 20, 16<<20 + 1, 1 << 40} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			const begin, end = `{"task_count":"`, `","tasks":[]}`
			_, _ = io.WriteString(w, begin)
			_, _ = io.CopyN(w, ones{}, size-int64(len(begin)+len(end)))
			_, _ = io.WriteString(w, end)
		}))
		_, err := show(t.Context(), huawei.NewCaller(build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL))), "task")
		var q *taskwait.QueryError
		long := size > 16<<20
		if long != (err != nil) || long &&
			(!errors.As(err, &q) || q.Class != taskwait.ClassTransient || err.Error() != "200 OK: the answer was cut off: it "+
				"is longer than 16 MiB") {
			t.Errorf("%d bytes: %.200v", size, err)
		}
		s.Close()
	}
}

type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
	}
	return len(p), nil
}

// dying is a connection that dies without a word when it is told to.
type dying struct {
	net.Conn
	dead chan struct{}
}

func (d *dying) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	select {
	case <-d.dead:
		<-make(chan struct{}) // whatever comes is lost
	default:
	}
	return n, err
}

// wrapped hides that a round tripper can close its idle connections, as those of tracing libraries do.
type wrapped struct{ http.RoundTripper }

// TestDeadConnection: a connection over HTTP/2 that has died is not used again.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wrap func(http.RoundTripper) http.RoundTripper
		lost int // queries, at most, beside the first
	}{
		{"transport", func(r http.RoundTripper) http.RoundTripper { return r }, 0},
		{"wrapped", func(r http.RoundTripper) http.RoundTripper { return wrapped{r} }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 2 {
					t.Errorf("the request came over %s", r.Proto)
				}
				_, _ = io.WriteString(w, `{"task_count":"1","tasks":[{"id":"task","status":"EXECUTING"}]}`)
			}))
			s.EnableHTTP2 = true
			s.StartTLS()
			defer s.Close()
			base := s.Client().Transport.(*http.Transport).Clone()
			var dialled atomic.Int32
			dead := make(chan struct{})
			base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				if dialled.Add(1) == 1 && err == nil {
					return &dying{c, dead}, nil
				}
				return c, err
			}
			cfg := config.DefaultHttpConfig().WithTimeout(2 * time.Second).WithHttpRoundTripper(tt.wrap(base))
			caller := huawei.NewCaller(build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL).WithHttpConfig(cfg)))
			if _, err := show(t.Context(), caller, "task"); err != nil {
				t.Fatal(err)
			}
			close(dead)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			_, err := show(ctx, caller, "task")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || dialled.Load() != 1 {
				t.Fatalf("over a dead connection: %v after %d dials, want the context's after one", err, dialled.Load())
			}
			time.Sleep(200 * time.Millisecond) // less than lies between two polls
			for n := range 4 {
				if _, err := show(t.Context(), caller, "task"); err != nil && n >= tt.lost {
					t.Errorf("query %d afterwards: %v", n, err)
				}
			}
		})
	}
}

// raw answers each connection with some bytes, and closes it.
func raw(t *testing.T, answer string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(c).Peek(1)
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	})
	return l.Addr().String()
}

// TestHopeless: what can never be sent, or never be trusted, is not tried again.
func TestHopeless(t *testing.T) {
	const hopeless, passing = taskwait.ClassPermanent, taskwait.ClassTransient
	tls := newServer(t, true)
	plain := newServer(t, false)
	through := func(status string) *config.HttpConfig {
		host, port, _ := net.SplitHostPort(raw(t, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n"))
		var n int
		_, _ = fmt.Sscan(port, &n)
		return config.DefaultHttpConfig().WithProxy(config.NewProxy().WithSchema("http").WithHost(host).WithPort(n))
	}
	own := func(c *config.HttpConfig) *config.HttpConfig {
		p := c.HttpProxy.GetProxyUrl()
		wire := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(p) }}
		return config.DefaultHttpConfig().WithHttpTransport(wire)
	}
	for _, tt := range []struct {
		name     string
		endpoint string
		config   *config.HttpConfig
		class    taskwait.Class
		text     string
	}{
		{"an unknown certificate authority", tls.URL, nil, hopeless, "certificate signed by unknown authority"},
		{
			"TLS to a plain port", strings.Replace(plain.URL, "http:", "https:", 1), nil, hopeless,
			"HTTP response to HTTPS client",
		},
		{
			"TLS to another protocol", "https://" + raw(t, "220 mail ESMTP\r\n"), nil, hopeless,
			"does not look like a TLS handshake",
		},
		{
			"plain HTTP to a TLS port", "http://" + raw(t, "\x15\x03\x01\x00\x02\x02\x0a"), nil, hopeless,
			"malformed HTTP response",
		},
		{"no HTTP at all", "http://" + raw(t, "220 mail ESMTP\r\n"), nil, passing, "malformed HTTP"},
		{
			"a proxy's 407", "https://kafka.invalid", through("407 Proxy Authentication Required"), hopeless,
			"the proxy answered 407 Proxy Authentication Required",
		},
		{
			"a proxy's 407, in its own words", "https://kafka.invalid", through("407 Who are you?"), hopeless,
			"the proxy answered 407 Proxy Authentication Required",
		},
		{"a proxy's 403", "https://kafka.invalid", through("403 No"), hopeless, "the proxy answered 403 Forbidden"},
		{"a proxy's 502", "https://kafka.invalid", through("502 Bad Gateway"), passing, "the proxy answered 502 Bad Gateway"},
		{
			"a proxy's 407 to plain HTTP", "http://kafka.invalid", through("407 Proxy Authentication Required"), hopeless,
			"407 Proxy Authentication Required",
		},
		{
			"a proxy's 407, own transport", "https://kafka.invalid", own(through("407 Proxy Authentication Required")), hopeless,
			"Proxy Authentication Required",
		},
		{"a proxy's 403, own transport", "https://kafka.invalid", own(through("403 Forbidden")), hopeless, "Forbidden"},
		{"a proxy's 502, own transport", "https://kafka.invalid", own(through("502 Bad Gateway")), passing, "Bad Gateway"},
		{
			"a scheme in capitals, which the SDK misreads", "HTTP://127.0.0.1:1", nil, hopeless,
			`"https://HTTP://127.0.0.1:1", want http:// or https://, and a host`,
		},
		{
			"a scheme that is none", "httpx://127.0.0.1:1", nil, hopeless,
			`"httpx://127.0.0.1:1", want http:// or https://, and a host`,
		},
		{"no host", "https://:443", nil, hopeless, "and a host"},
		{
			"a malformed endpoint with a password", "https://user:hush@::bad", nil, hopeless,
			"the SDK client's endpoint cannot be used",
		},
		{"nobody listens", "http://127.0.0.1:1", nil, passing, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config == nil {
				tt.config = config.DefaultHttpConfig()
			}
			q := queryError(t, build(t, core.NewHcHttpClientBuilder().WithEndpoint(tt.endpoint).WithHttpConfig(tt.config)))
			if q.Class != tt.class || !strings.Contains(q.Error(), tt.text) || strings.Contains(q.Error(), "hush") {
				t.Errorf("%v: %v, want %v that says %q", q.Class, q, tt.class, tt.text)
			}
		})
	}
}

// TestEndpoints: of several endpoints the next one is used where a name does not resolve, as the SDK does.
func TestEndpoints(t *testing.T) {
	s := newServer(t, false)
	var mu sync.Mutex
	var looked []string
	cfg := config.DefaultHttpConfig().WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if host, _, _ := net.SplitHostPort(addr); strings.HasSuffix(host, ".invalid") {
			looked = append(looked, host)
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	})
	client := build(t,
		core.NewHcHttpClientBuilder().
			WithEndpoints([]string{"http://one.invalid", "http://two.invalid", s.URL, "http://four.invalid"}).
			WithHttpConfig(cfg))
	caller := huawei.NewCaller(client)
	for range 3 {
		if _, err := show(t.Context(), caller, "task"); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(looked, " "); got != "one.invalid two.invalid" {
		t.Errorf("looked up %s, want the first two once", got)
	}
	if _, err := bare(client, "task"); err != nil {
		t.Errorf("the SDK's own call: %v", err)
	}
	client = build(t,
		core.NewHcHttpClientBuilder().WithEndpoints([]string{"http://one.invalid", "http://two.invalid"}).WithHttpConfig(cfg))
	if q := queryError(t, client); q.Class != taskwait.ClassTransient || !strings.Contains(q.Error(), "two.invalid") {
		t.Errorf("%v: %v, want a transient error", q.Class, q)
	}
}

func credentialOf(c *core.HcHttpClient) *auth.BasicCredentials {
	return c.GetCredential().(*auth.BasicCredentials)
}

// TestKeys: a key that was read with the end of its line can never be sent.
func TestKeys(t *testing.T) {
	s := newServer(t, false)
	for name, change := range map[string]func(*core.HcHttpClient){
		"access key":     func(c *core.HcHttpClient) { credentialOf(c).AK = "hush\n" },
		"secret key":     func(c *core.HcHttpClient) { credentialOf(c).SK = "hush\r\n" },
		"security token": func(c *core.HcHttpClient) { credentialOf(c).SecurityToken = " hush" },
		"X-Auth-Token":   func(c *core.HcHttpClient) { c.WithExtraHeaders(map[string]string{"X-Auth-Token": "hush\n"}) },
		"X-Project-Id":   func(c *core.HcHttpClient) { credentialOf(c).ProjectId = "hush\n" },
	} {
		client := build(t, core.NewHcHttpClientBuilder().WithEndpoint(s.URL))
		change(client)
		q := queryError(t, client)
		if q.Class != taskwait.ClassPermanent || !strings.Contains(q.Error(), name) && name != "X-Project-Id" ||
			strings.Contains(q.Error(), "hush") && name != "X-Project-Id" {
			t.Errorf("%s: %v, %v; want a permanent error that names it", name, q.Class, q)
		}
	}
	if n := len(s.headers); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}
