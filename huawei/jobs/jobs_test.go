package jobs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// client is a client of the SDK for a server.
func client(t testing.TB, url string) *core.HcHttpClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk("ak").WithSk("sk").WithProjectId("p1").SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	c, err := core.NewHcHttpClientBuilder().WithEndpoint(url).WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig()).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestECS(t *testing.T) {
	t.Parallel()
	var path, authorization string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, authorization = r.URL.Path, r.Header.Get("Authorization")
		_, _ = io.WriteString(w, `{"status":"FAIL","job_id":"j1","job_type":"createServer",`+
			`"begin_time":"2016-04-25T20:04:47.591Z","end_time":"","error_code":"Ecs.0319","entities":{"sub_jobs":[`+
			`{"status":"FAIL","job_id":"j2","job_type":"createSingleServer","fail_reason":"no capacity"}]}}`)
	}))
	defer s.Close()
	task, err := jobs.ECS(client(t, s.URL)).Task(t.Context(), "j1")
	if err != nil {
		t.Fatal(err)
	}
	if path != "/v1/p1/jobs/j1" || authorization == "" {
		t.Errorf("the path %q, the header %q; want the project's job, signed", path, authorization)
	}
	if task.Status != taskwait.StatusFailed || task.FailureCode != "Ecs.0319" || task.Kind != "createServer" ||
		len(task.Steps) != 1 || task.CreatedAt.IsZero() {
		t.Errorf("got %v, want the failed createServer with its step", task)
	}
	job, err := jobs.As[model.ShowJobResponse](task)
	if err != nil || *job.JobId != "j1" || job.Status.Value() != "FAIL" {
		t.Errorf("the SDK's own type: %v, %v", job, err)
	}
}
