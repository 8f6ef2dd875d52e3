package kafkatasks_test

import (
	"context"
	"fmt"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func Example() {
	cloud := fakecloud.New() // instead of the real one
	jobID := cloud.AddTask("kafka-1", fakecloud.Script{Name: "bindInstancePublicIp", Duration: 10 * time.Millisecond})

	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		fmt.Println(err)
		return
	}
	hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		fmt.Println(err)
		return
	}
	client := kafka.NewKafkaClient(hc)

	waiter, err := taskwait.New(kafkatasks.New(client, "kafka-1"), taskwait.WithInterval(time.Millisecond, 5*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), jobID)
	fmt.Println(task.Name, task.Status, err)
	// Output: bindInstancePublicIp SUCCESS <nil>
}
