package fakecloud_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud()
		cloud.Inject(routeShow, fakecloud.Slow(time.Minute), fakecloud.Drop(), fakecloud.HTML(502))
		start := time.Now()
		go func() { _, _ = show(t, cloud) }() // is answered last
		synctest.Wait()
		time.Sleep(time.Second)
		underway := cloud.Requests()
		if len(underway) != 1 || underway[0].Status != 0 || underway[0].Took != 0 || underway[0].Disconnected {
			t.Errorf("under way: %+v", underway)
		}
		_, _ = show(t, cloud)
		_, _ = show(t, cloud)
		call(t, cloud, "GET", jobsPath+"/2?limit=7", "")
		time.Sleep(time.Hour)
		want := []string{
			"0s GET " + jobsPath + "/1?: GET jobs/{job} 200 after 1m0s",
			"1s GET " + jobsPath + "/1?: GET jobs/{job} 0 after 0s",
			"1s GET " + jobsPath + "/1?: GET jobs/{job} 502 after 0s",
			"1s GET " + jobsPath + "/2?limit=7: GET jobs/{job} 404 after 0s",
		}
		var got []string
		for _, r := range cloud.Requests() {
			got = append(got, fmt.Sprintf("%v %s %s?%s: %s %d after %v", r.Time.Sub(start), r.Method, r.Path, r.Query.Encode(),
				r.Route, r.Status, r.Took))
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("got\n%s\nwant\n%s", g, w)
		}
	})
}

// TestRequestsKeepSecrets sends all that lets a client in, and looks for it in the log, printed with every verb.
func TestRequestsKeepSecrets(t *testing.T) {
	cloud := newCloud(fakecloud.WithSecurityToken("hush"))
	r := newRequest(t.Context(), t, "GET", nil)
	for _, name := range []string{"X-Security-Token", "X-Auth-Token", "Cookie", "Proxy-Authorization"} {
		r.Header.Set(name, "hush")
	}
	sign(r, owner, "")
	r.Header["authorization"] = r.Header["Authorization"] // not canonical
	delete(r.Header, "Authorization")
	if ok, message := letIn(t, cloud, r); !ok {
		t.Fatal(message)
	}
	log := cloud.Requests()
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if text := fmt.Sprintf(format, log); strings.Contains(text, "hush") || strings.Contains(text, "Signature") {
			t.Errorf("%s shows a secret: %s", format, text)
		}
	}
	if r.Header["authorization"] == nil || //nolint:staticcheck // on purpose not canonical
		log[0].Header.Get("X-Sdk-Date") == "" {
		t.Error("headers are missing that should be there")
	}
}

// TestRequestsAreCopies changes what it got.
func TestRequestsAreCopies(t *testing.T) {
	cloud := newCloud()
	r := newRequest(t.Context(), t, "GET", nil)
	r.URL.RawQuery = "limit=1"
	r.Header.Set("X-One", "1")
	letIn(t, cloud, r)
	for range 2 {
		got := cloud.Requests()[0]
		if got.Header.Get("X-One") != "1" || got.Query.Get("limit") != "1" {
			t.Fatalf("log = %+v", got)
		}
		got.Header["X-One"][0], got.Query["limit"][0] = "2", "2"
		clear(got.Header)
		r.Header["X-One"][0] = "3"
	}
}

// TestServerClose closes a server while requests hang in it: they fail, and nothing of them is left.
func TestServerClose(t *testing.T) {
	cloud := newCloud(fakecloud.WithLatency(time.Hour))
	server, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	errs := make(chan error)
	for range 3 {
		go func() {
			resp, err := client.Get(server.URL)
			if err == nil {
				_ = resp.Body.Close()
			}
			errs <- err
		}()
	}
	eventually(t, cloud, func(log []fakecloud.Request) bool { return len(log) == 3 })
	server.Close()
	for _, r := range cloud.Requests() { // complete, because nothing runs any more
		if !r.Disconnected || r.Took == 0 {
			t.Errorf("log = %+v, want it gone", r)
		}
	}
	for range 3 {
		if err := <-errs; err == nil {
			t.Error("no error, want one")
		}
	}
	server.Close() // twice is fine
	if resp, err := client.Get(server.URL); err == nil {
		_ = resp.Body.Close()
		t.Error("the port is still open")
	}
}

// TestServerClosePipelining: a client that has sent more hides from net/http that its connection is gone.
func TestServerClosePipelining(t *testing.T) {
	cloud := newCloud()
	cloud.Inject(fakecloud.AnyRoute, fakecloud.Hang())
	server, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for range 2 {
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: jobs.fake\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		eventually(t, cloud, func(log []fakecloud.Request) bool { return len(log) == 1 })
	}
	time.Sleep(20 * time.Millisecond) // for net/http to read on; if that is too short, the test proves less
	server.Close()
}

// TestServers: a cloud may have several servers at once.
func TestServers(t *testing.T) {
	cloud := newCloud()
	first, one := start(t, cloud)
	_, two := start(t, cloud)
	for _, url := range []string{one, two} {
		if got := ask(t, first, "GET", url+strings.TrimPrefix(showURL, "https://jobs.fake"), ""); got.status != 200 {
			t.Errorf("%+v, want status 200", got)
		}
	}
}
