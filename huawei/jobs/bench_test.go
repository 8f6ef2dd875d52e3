package jobs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// canned answers every request with a job of two parts that runs.
type canned struct{}

func (canned) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, running) }

func (canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(running)),
		ContentLength: int64(len(running)),
	}, nil
}

const (
	part = `{"status":"RUNNING","entities":{"server_id":"bae51750-0089-41a1-9b18-5c777978ff6d"},"job_id":` +
		`"2c9eb2c5544cbf6101544f0635672b60","job_type":"createSingleServer","begin_time":"2016-04-25T20:04:47.591Z",` +
		`"end_time":"","error_code":null,"fail_reason":null}`
	running = `{"status":"RUNNING","entities":{"sub_jobs_total":2,"sub_jobs":[` + part + `,` + part + `]},"job_id":` +
		`"j1","job_type":"createServer","begin_time":"2016-04-25T20:04:34.604Z","end_time":"","error_code":null,` +
		`"fail_reason":null}`
)

// BenchmarkTask is one poll, signature and all, beside the SDK's bare call: without a connection, and over one to this
// machine.
func BenchmarkTask(b *testing.B) {
	b.Run("memory", func(b *testing.B) { poll(b, inMemory(b, canned{})) })
	b.Run("loopback", func(b *testing.B) {
		s := httptest.NewServer(canned{})
		defer s.Close()
		poll(b, client(b, s.URL))
	})
}

func poll(b *testing.B, hc *core.HcHttpClient) {
	b.Run("jobs", func(b *testing.B) {
		source := jobs.ECS(hc)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := source.Task(b.Context(), "j1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare-sdk", func(b *testing.B) {
		client := ecs.NewEcsClient(hc)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.ShowJob(&model.ShowJobRequest{JobId: "j1"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
