package huawei_test

import (
	"context"
	"fmt"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei"
)

// A call of the SDK that hangs ends with its context, though the SDK has never heard of contexts.
func ExampleQuery() {
	cloud := fakekafka.New()
	cloud.Inject(fakecloud.AnyRoute, fakecloud.Hang())
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	caller := huawei.NewCaller(client) // once
	_, err = huawei.Query(ctx, caller, "dms:instance:getBackgroundTask",
		func(c *core.HcHttpClient) (*model.ShowBackgroundTaskResponse, error) {
			return kafka.NewKafkaClient(c).
				ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "kafka-1", TaskId: "task"})
		})
	fmt.Println(err)
	// Output: context deadline exceeded
}
