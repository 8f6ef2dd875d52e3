package fakecloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// everyFault is one of each.
var everyFault = map[string]fakecloud.Fault{
	"serve":           fakecloud.Serve(),
	"zero":            {},
	"respond":         fakecloud.Respond(418, "I'm a teapot", "X-Pot", "tea", "Content-Type", "text/plain"),
	"no content":      fakecloud.Respond(204, ""),
	"redirect":        fakecloud.Respond(302, "", "Location", "https://elsewhere.fake/"),
	"empty":           fakecloud.Respond(200, ""),
	"null":            fakecloud.Respond(200, "null"),
	"error":           fakecloud.Error(500, "DMS.00500000", "Internal error."),
	"unavailable":     fakecloud.Unavailable(),
	"throttle":        fakecloud.Throttle(0),
	"throttle, after": fakecloud.Throttle(1500 * time.Millisecond),
	"throttle as 404": fakecloud.ThrottleAs404(),
	"html":            fakecloud.HTML(502),
	"slow":            fakecloud.Slow(time.Microsecond),
	"drop":            fakecloud.Drop(),
	"drop after":      fakecloud.DropAfter(),
	"truncate":        fakecloud.Truncate(),
	"wrong id":        fakecloud.WrongID(),
	"several rows":    fakecloud.SeveralRows(),
	"status":          fakecloud.WithStatus("PAUSED"),
	"not listed":      fakecloud.NotListed(),
}

// behind is what a client sees of a request, but for what differs from request to request.
type behind struct {
	status  int
	header  http.Header
	body    string
	noReply bool // an error instead of an answer
	cut     bool // an error within the body
}

// see makes a request that is signed by nobody, unless a client of the SDK does it.
func see(rt http.RoundTripper, req *http.Request) behind {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return behind{noReply: true}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	b := behind{status: resp.StatusCode, header: resp.Header.Clone(), body: string(body), cut: err != nil}
	for _, varies := range []string{"Date", "X-Request-Id"} {
		if b.header.Get(varies) == "" {
			b.body += " without " + varies
		}
		b.header.Del(varies)
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		b.body += err.Error()
	}
	return b
}

// TestDoorsAgree sends the same signed request, with each fault, through the door in memory and over a loopback port.
func TestDoorsAgree(t *testing.T) {
	for name, fault := range everyFault {
		t.Run(name, func(t *testing.T) {
			var got [2]behind
			for door := range got {
				cloud := fakecloud.New()
				id := cloud.AddTask(instanceID, fakecloud.Script{ID: "task", Duration: time.Hour})
				cloud.Inject(fakecloud.RouteShowTask, fault)
				rt := cloud.Transport()
				if door == 1 {
					server, err := cloud.Start()
					if err != nil {
						t.Fatal(err)
					}
					defer server.Close()
					wire := &http.Transport{DisableKeepAlives: true} // on a used connection net/http asks again by itself
					defer wire.CloseIdleConnections()
					rt = to(server.URL, wire)
				}
				client := newClient(t, owner, roundTripper(func(r *http.Request) (*http.Response, error) {
					got[door] = see(rt, r)
					return nil, errors.New("seen")
				}))
				_, _ = show(client, instanceID, id)
			}
			for i := range got {
				got[i].header.Del("Connection") // of one hop
				got[i].body = eraseTimes(got[i].body)
			}
			if !reflect.DeepEqual(got[0], got[1]) {
				t.Errorf("in memory:   %+v\nover a port: %+v", got[0], got[1])
			}
		})
	}
}

// to sends requests to a server without changing the host that was signed.
func to(url string, rt http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Host = r.URL.Host
		r.URL.Scheme, r.URL.Host, _ = strings.Cut(url, "://")
		return rt.RoundTrip(r)
	})
}

// eraseTimes takes out of a body when the task was made.
func eraseTimes(body string) string {
	if i := strings.Index(body, `"created_at"`); i >= 0 {
		return body[:i]
	}
	return body
}

// TestGoneClients lets clients go away while the cloud is busy with them.
func TestGoneClients(t *testing.T) {
	for name, fault := range map[string]fakecloud.Fault{
		"hang": fakecloud.Hang(), "stall": fakecloud.Stall(), "slow": fakecloud.Slow(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakecloud.New()
				id := cloud.AddTask(instanceID, fakecloud.Script{})
				cloud.Inject(fakecloud.AnyRoute, fault)
				before := runtime.NumGoroutine()
				ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
				defer cancel()
				client := newClient(t, owner, roundTripper(func(r *http.Request) (*http.Response, error) {
					return cloud.Transport().RoundTrip(r.WithContext(ctx))
				}))
				start := time.Now()
				_, err := show(client, instanceID, id)
				if took := time.Since(start); err == nil || took != 7*time.Second {
					t.Errorf("%v after %v, want an error after 7s", err, took)
				}
				synctest.Wait()
				if n := runtime.NumGoroutine(); n > before {
					t.Errorf("%d goroutines, want %d as before", n, before)
				}
				if log := cloud.Requests(); name != "stall" && (len(log) != 1 || !log[0].Gone || log[0].Status != 0) {
					t.Errorf("log = %+v, want one request whose client has gone", log)
				}
			})
		})
	}
}

func TestFaultsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakecloud.New(fakecloud.WithLatency(time.Second))
		id := cloud.AddTask(instanceID, fakecloud.Script{})
		client := newClient(t, owner, cloud.Transport())
		cloud.Inject(fakecloud.AnyRoute, fakecloud.HTML(502))
		cloud.Inject(fakecloud.RouteListTasks, fakecloud.Drop())
		cloud.Inject(fakecloud.RouteShowTask, fakecloud.Unavailable().Times(2)...)
		cloud.Inject(fakecloud.RouteShowTask, fakecloud.Throttle(0).For(3*time.Second), fakecloud.Serve())
		start, got := time.Now(), ""
		for range 9 {
			_, _ = show(client, instanceID, id)
		}
		for _, r := range cloud.Requests() {
			got += fmt.Sprintf("%d@%v ", r.Status, r.Time.Sub(start).Seconds())
		}
		// The throttle's three seconds count from the third second, when it first befell a request. Its fault is drawn
		// before the answer takes its second.
		if want := "503@1 503@2 429@3 429@4 429@5 200@6 502@7 200@8 200@9 "; got != want {
			t.Errorf("answers = %s\nwant      %s", got, want)
		}
		cloud.Clear()
		cloud.Inject(fakecloud.RouteShowTask, fakecloud.Drop())
		cloud.Clear()
		if _, err := show(client, instanceID, id); err != nil {
			t.Errorf("after Clear: %v", err)
		}
	})
}

func TestRequestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakecloud.New(fakecloud.WithSecurityToken("t0ken"))
		a := owner
		a.token = "t0ken"
		id := cloud.AddTask(instanceID, fakecloud.Script{})
		cloud.Inject(fakecloud.RouteShowTask, fakecloud.Drop())
		_, _ = show(newClient(t, a, cloud.Transport()), instanceID, id)
		log := cloud.Requests()
		if len(log) != 1 || log[0].Route != fakecloud.RouteShowTask || log[0].Method != http.MethodGet || log[0].Status != 0 ||
			log[0].Path != "/v2/"+owner.project+"/instances/"+instanceID+"/tasks/"+id || log[0].Header.Get("X-Project-Id") != owner.project {
			t.Errorf("log = %+v", log)
		}
		for _, secret := range []string{"t0ken", owner.sk, "Signature", owner.ak} {
			if strings.Contains(fmt.Sprintf("%+v", log), secret) {
				t.Errorf("the log holds %s", secret)
			}
		}
	})
}

func TestConcurrentClients(t *testing.T) {
	cloud := fakecloud.New()
	id := cloud.AddTask(instanceID, fakecloud.Script{})
	var all sync.WaitGroup
	for range 8 {
		client := newClient(t, owner, cloud.Transport())
		all.Go(func() {
			for range 20 {
				cloud.Inject(fakecloud.AnyRoute, fakecloud.NotListed())
				cloud.AddTask(instanceID, fakecloud.Script{})
				if _, err := show(client, instanceID, id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(cloud.Requests()); n != 160 {
		t.Errorf("%d requests in the log, want 160", n)
	}
}
