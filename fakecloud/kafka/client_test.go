package kafka_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	signer "github.com/taskwait/taskwait/fakecloud/internal/sign"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

const instanceID = "kafka-1"

// account is what a client says of itself.
type account struct{ ak, sk, token, project string }

var owner = account{ak: fakecloud.DefaultAccessKey, sk: fakecloud.DefaultSecretKey, project: fakecloud.DefaultProject}

// sign signs a request as a client does that has no SDK.
func sign(r *http.Request, a account, body string, headers ...string) {
	signer.Request(r, a.ak, a.sk, body, headers...)
}

// newClient is a client of the real SDK, whose requests go through rt.
func newClient(t testing.TB, a account, rt http.RoundTripper) *kafka.KafkaClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(a.ak).WithSk(a.sk).WithSecurityToken(a.token).
		WithProjectId(a.project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(rt)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.NewKafkaClient(client)
}

func show(client *kafka.KafkaClient, instance, id string) (*model.ShowBackgroundTaskResponse, error) {
	return client.ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: instance, TaskId: id})
}

// status is the task's status; "" if it is not listed.
func status(t testing.TB, client *kafka.KafkaClient, id string) string {
	t.Helper()
	resp, err := show(client, instanceID, id)
	if err != nil {
		t.Fatal(err)
	}
	if len(*resp.Tasks) == 0 {
		return ""
	}
	return *(*resp.Tasks)[0].Status
}

// wantRefusal fails the test unless err is the service's error with this status and code.
func wantRefusal(t testing.TB, err error, status int, code string) {
	t.Helper()
	var refused *sdkerr.ServiceResponseError
	if !errors.As(err, &refused) || refused.StatusCode != status || refused.ErrorCode != code || refused.RequestId == "" {
		t.Errorf("error = %v, want %d %s with a request id", err, status, code)
	}
}

// roundTripper is a function that is an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newCloud has one task, t1.
func newCloud(opts ...fakecloud.Option) *fakekafka.Cloud {
	cloud := fakekafka.New(opts...)
	cloud.AddTask(instanceID, fakekafka.Script{ID: "t1"})
	return cloud
}
