// Package demo makes what the users of this library have already: a client of the SDK, and requests that start
// something. It is the same for the embedded cloud and for the real one.
package demo

import (
	"errors"
	"fmt"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/region"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

var errNoKeys = errors.New("no keys: set CLOUD_SDK_AK and CLOUD_SDK_SK, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK")

// Client returns a client of an embedded cloud. Its requests are answered in memory.
func Client(cloud *fakekafka.Cloud) (*kafka.KafkaClient, error) {
	settings := config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())
	builder := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithHttpConfig(settings)
	return build(builder, fakecloud.DefaultAccessKey, fakecloud.DefaultSecretKey, "", fakecloud.DefaultProject)
}

// RealClient returns a client of the real cloud: of a region, or of an endpoint where that is not empty. The keys come
// from the environment, as realcloud says.
func RealClient(inRegion, endpoint, project string, getenv func(string) string) (*kafka.KafkaClient, error) {
	ak, sk, token, err := keys(getenv)
	if err != nil {
		return nil, err
	}
	builder := kafka.KafkaClientBuilder()
	if endpoint != "" {
		return build(builder.WithEndpoint(endpoint), ak, sk, token, project)
	}
	r, err := region.SafeValueOf(inRegion)
	if err != nil {
		return nil, fmt.Errorf("-region %s: %w; or use -endpoint", inRegion, err)
	}
	return build(builder.WithRegion(r), ak, sk, token, project)
}

// build makes the client. The SDK's Build and ValueOf panic on bad input; their Safe forms return an error.
func build(builder *core.HcHttpClientBuilder, ak, sk, token, project string) (*kafka.KafkaClient, error) {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(ak).WithSk(sk).WithSecurityToken(token).WithProjectId(project).
		SafeBuild()
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	client, err := builder.WithCredential(credential).SafeBuild()
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return kafka.NewKafkaClient(client), nil
}

// keys finds the access key, the secret key and, for temporary ones, the token that belongs to them.
func keys(getenv func(string) string) (ak, sk, token string, err error) {
	for _, prefix := range []string{"HUAWEICLOUD_SDK_", "CLOUD_SDK_"} {
		ak, sk := getenv(prefix+"AK"), getenv(prefix+"SK")
		switch {
		case ak != "" && sk != "":
			return ak, sk, getenv(prefix + "SECURITY_TOKEN"), nil
		case ak != "":
			return "", "", "", fmt.Errorf("%sAK is set, but %sSK is not", prefix, prefix)
		case sk != "":
			return "", "", "", fmt.Errorf("%sSK is set, but %sAK is not", prefix, prefix)
		}
	}
	return "", "", "", errNoKeys
}
