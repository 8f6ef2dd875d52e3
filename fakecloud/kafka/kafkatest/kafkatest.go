// Package kafkatest gives a test an embedded DMS for Kafka, and a client of the SDK for it:
//
//	cloud, client := kafkatest.Start(t)
//	cloud.AddInstance("kafka-1")
//	err := yourCode(ctx, client, "kafka-1")
//
// Everything happens in memory, so it also works inside a testing/synctest bubble, where an hour takes milliseconds. It
// is the only package of fakecloud that imports the SDK.
package kafkatest

import (
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/fakecloud/kafka"
)

// Start returns a cloud and a client with its keys. There is nothing to stop. If the test fails, the log of requests is
// printed at its end. If no client can be made, the test ends at once.
func Start(t testing.TB, opts ...fakecloud.Option) (*kafka.Cloud, *sdk.KafkaClient) {
	t.Helper()
	cloud := kafka.New(opts...)
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, r := range cloud.Requests() {
			t.Logf("fakecloud: %v", r)
		}
	})
	return cloud, client(t, cloud)
}

func client(t testing.TB, cloud *kafka.Cloud) *sdk.KafkaClient {
	t.Helper()
	accessKey, secretKey, token := cloud.Credentials()
	credential, err := basic.NewCredentialsBuilder().
		WithAk(accessKey).WithSk(secretKey).WithSecurityToken(token).WithProjectId(cloud.Project()).SafeBuild()
	if err != nil {
		t.Fatalf("kafkatest: credentials: %v", err)
	}
	hc, err := sdk.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		t.Fatalf("kafkatest: client: %v", err)
	}
	return sdk.NewKafkaClient(hc)
}
