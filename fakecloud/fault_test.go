package fakecloud_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

// looks shows the job n times, and gives the statuses, "-" for no answer.
func looks(t *testing.T, cloud *fakecloud.Gateway, n int, pause time.Duration) string {
	t.Helper()
	var all []string
	for i := range n {
		if i > 0 {
			time.Sleep(pause)
		}
		status, err := show(t, cloud)
		if err != nil {
			all = append(all, "-")
			continue
		}
		all = append(all, http.StatusText(status))
	}
	return strings.Join(all, ", ")
}

func TestInject(t *testing.T) {
	teapot := fakecloud.Respond(418, "{}")
	tests := []struct {
		name   string
		inject func(*fakecloud.Gateway)
		pause  time.Duration
		want   string // of four looks
	}{
		{"none", func(*fakecloud.Gateway) {}, 0, "OK, OK, OK, OK"},
		{"in order, one each", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, fakecloud.Unavailable(), fakecloud.Serve(), fakecloud.Drop())
		}, 0, "Service Unavailable, OK, -, OK"},
		{"queued one after the other", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, fakecloud.Unavailable())
			c.Inject(routeShow, teapot)
		}, 0, "Service Unavailable, I'm a teapot, OK, OK"},
		{"those of the route first", func(c *fakecloud.Gateway) {
			c.Inject(fakecloud.AnyRoute, teapot)
			c.Inject(routeShow, fakecloud.Unavailable())
		}, 0, "Service Unavailable, I'm a teapot, OK, OK"},
		{"for another route", func(c *fakecloud.Gateway) { c.Inject(routeStart, teapot) }, 0, "OK, OK, OK, OK"},
		{
			"times", func(c *fakecloud.Gateway) { c.Inject(routeShow, teapot.Times(2)) }, 0,
			"I'm a teapot, I'm a teapot, OK, OK",
		},
		{"times, and then another", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, teapot.Times(2), fakecloud.Unavailable())
		}, 0, "I'm a teapot, I'm a teapot, Service Unavailable, OK"},
		{"more times than memory has room for", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, teapot.Times(1<<30))
		}, 0, "I'm a teapot, I'm a teapot, I'm a teapot, I'm a teapot"},
		{"twice for a while", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, teapot.For(time.Second).Times(2))
		}, time.Second, "I'm a teapot, I'm a teapot, OK, OK"},
		{"no times", func(c *fakecloud.Gateway) { c.Inject(routeShow, teapot.Times(-1)) }, 0, "OK, OK, OK, OK"},
		{"for a while, from the first look on", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, teapot.For(3*time.Second), fakecloud.Unavailable())
		}, time.Second, "I'm a teapot, I'm a teapot, I'm a teapot, Service Unavailable"},
		{
			"for no time", func(c *fakecloud.Gateway) { c.Inject(routeShow, teapot.For(0)) }, 0,
			"I'm a teapot, OK, OK, OK",
		},
		{"cleared", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, teapot)
			c.Clear()
		}, 0, "OK, OK, OK, OK"},
		{"the zero fault", func(c *fakecloud.Gateway) {
			c.Inject(routeShow, fakecloud.Fault{}, fakecloud.Fault{}.After(time.Second), teapot)
		}, 0, "OK, OK, I'm a teapot, OK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newCloud()
				tt.inject(cloud)
				time.Sleep(time.Hour) // what is queued does not age
				if got := looks(t, cloud, 4, tt.pause); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// TestFaultIsAValue uses one fault in two clouds, and twice in one.
func TestFaultIsAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fakecloud.Unavailable().For(time.Minute)
		first, second := newCloud(), newCloud()
		first.Inject(routeShow, down)
		if got, want := looks(t, first, 2, time.Minute),
			"Service Unavailable, OK"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		time.Sleep(time.Hour)
		for _, cloud := range []*fakecloud.Gateway{first, second} {
			cloud.Inject(routeShow, down)
			if got, want := looks(t, cloud, 2, time.Minute),
				"Service Unavailable, OK"; got != want {
				t.Errorf("again: got %s, want %s", got, want)
			}
		}
	})
}

// TestSlips are mistakes in a test, which are to be found at once.
func TestSlips(t *testing.T) {
	half := []string{"Retry-After"}
	tests := []struct {
		name, want string
		slip       func()
	}{
		{"no status", "fakecloud: Respond: status 0, want one from 200 to 599", func() { fakecloud.Respond(0, "") }},
		{
			"an interim status", "fakecloud: Error: status 100, want one from 200 to 599",
			func() { fakecloud.Error(100, "", "") },
		},
		{
			"half a header", `fakecloud: Respond: headers ["Retry-After"], want pairs of name and value`,
			func() { fakecloud.Respond(503, "", half...) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("panic = %v, want %v", got, tt.want)
				}
			}()
			tt.slip()
		})
	}
}
