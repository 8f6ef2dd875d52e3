package fakecloud_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
)

func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		cloud := newCloud(fakecloud.WithQuota(2), fakecloud.WithLatency(10*time.Millisecond))
		for i, tt := range []struct {
			at   time.Duration
			want int
		}{
			{0, http.StatusUnauthorized}, // let in, though it is not signed
			{400 * time.Millisecond, http.StatusUnauthorized},
			{600 * time.Millisecond, http.StatusTooManyRequests},
			{999 * time.Millisecond, http.StatusTooManyRequests},
			{1000 * time.Millisecond, http.StatusUnauthorized},
			{1399 * time.Millisecond, http.StatusTooManyRequests},
			{1400 * time.Millisecond, http.StatusUnauthorized},
		} {
			time.Sleep(time.Until(start.Add(tt.at)))
			resp, err := cloud.Transport().RoundTrip(newRequest(t.Context(), t, http.MethodGet, nil))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("request %d, at %v: got %d, want %d", i+1, tt.at, resp.StatusCode, tt.want)
			}
			if after := resp.Header.Get("Retry-After"); (tt.want == http.StatusTooManyRequests) != (after == "1") {
				t.Errorf("request %d: got Retry-After %q with %d", i+1, after, resp.StatusCode)
			}
		}
	})
}
