package kafka_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// ended has so many tasks on one instance that have ended, the last of them t1.
func ended(n int) *fakekafka.Cloud {
	cloud := fakekafka.New(fakekafka.WithSpeed(1e6))
	for range n - 1 {
		cloud.AddTask(instanceID, fakekafka.Script{})
	}
	cloud.AddTask(instanceID, fakekafka.Script{ID: "t1"})
	return cloud
}

// BenchmarkServer asks for one task over loopback: a bare handler that answers the same bytes, and the cloud, which
// verifies the signature and logs the request.
func BenchmarkServer(b *testing.B) {
	cloud := ended(1)
	server, err := cloud.Start()
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	const path = "/v2/" + fakecloud.DefaultProject + "/instances/" + instanceID + "/tasks/t1"
	request := func(b *testing.B, url string) *http.Request {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		sign(r, owner, "")
		return r
	}
	_, body := get(b, request(b, server.URL))
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		_, _ = w.Write(body)
	}))
	defer bare.Close()
	for _, bb := range []struct{ name, url string }{{"bare-handler", bare.URL}, {"fakecloud", server.URL}} {
		b.Run(bb.name, func(b *testing.B) {
			r := request(b, bb.url)
			b.ReportAllocs()
			for b.Loop() {
				if status, _ := get(b, r); status != http.StatusOK {
					b.Fatal(status)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

func get(b *testing.B, r *http.Request) (status int, body []byte) {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	return resp.StatusCode, body
}

// BenchmarkTasks asks in memory for one task, and for a page of a hundred, of ten, a thousand and ten thousand.
func BenchmarkTasks(b *testing.B) {
	const tasks = "https://kafka.fake/v2/" + fakecloud.DefaultProject + "/instances/" + instanceID + "/tasks"
	for _, bb := range []struct{ name, url string }{{"query", tasks + "/t1"}, {"list", tasks + "?limit=100"}} {
		for _, n := range []int{10, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/tasks=%d", bb.name, n), func(b *testing.B) {
				transport := ended(n).Transport()
				r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, bb.url, nil)
				if err != nil {
					b.Fatal(err)
				}
				sign(r, owner, "")
				b.ReportAllocs()
				for b.Loop() {
					resp, err := transport.RoundTrip(r)
					if err != nil || resp.StatusCode != http.StatusOK {
						b.Fatal(resp, err)
					}
					_ = resp.Body.Close()
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			})
		}
	}
}
