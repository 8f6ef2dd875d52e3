package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud()
		var out strings.Builder
		if err := run(t.Context(), cloud, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		if want := "instances 16 to 20: 400 of 400 tasks done\n"; !strings.HasSuffix(out.String(), want) {
			t.Errorf("got %q, want it to end with %q", out.String(), want)
		}
		asked := cloud.Requests()
		for _, r := range asked {
			if r.Status == http.StatusTooManyRequests {
				t.Errorf("got a 429 at %v, want the quota kept", r.Time)
			}
		}
		if len(asked) > 2*instances*tasksEach {
			t.Errorf("got %d requests, want two for each task at most", len(asked))
		}
		t.Log(len(asked), "requests")
	})
}
