package fakecloud_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// connect makes a client of the SDK, as for the real cloud, but with a door of the embedded one as its transport.
func connect(cloud *fakecloud.Cloud) *kafka.KafkaClient {
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		panic(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		panic(err)
	}
	return kafka.NewKafkaClient(client)
}

// In a test, put all this into a synctest bubble, and let the task take as long as real ones do.
func Example() {
	cloud := fakecloud.New()
	id := cloud.AddTask("kafka-1", fakecloud.Script{Name: "resize", Duration: 20 * time.Millisecond})
	waiter, err := taskwait.New(kafkatasks.New(connect(cloud), "kafka-1"), taskwait.WithInterval(time.Millisecond, 5*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), id)
	fmt.Println(task.Name, task.Status, err)
	// Output: resize SUCCESS <nil>
}

func ExampleCloud_Inject() {
	cloud := fakecloud.New()
	id := cloud.AddTask("kafka-1", fakecloud.Script{Duration: time.Nanosecond})
	cloud.Inject(fakecloud.RouteShowTask, fakecloud.Drop(), fakecloud.Error(500, "DMS.00500000", "Internal error."))
	waiter, err := taskwait.New(kafkatasks.New(connect(cloud), "kafka-1"), taskwait.WithInterval(time.Millisecond, time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := waiter.WaitForTask(context.Background(), id)
	fmt.Println(task.Status, err)
	for _, r := range cloud.Requests() {
		fmt.Println(r.Route, r.Status)
	}
	// Output:
	// SUCCESS <nil>
	// GET tasks/{task} 0
	// GET tasks/{task} 500
	// GET tasks/{task} 200
}

// A server is for clients that cannot be given a transport, in whatever language.
func ExampleCloud_Start() {
	server, err := fakecloud.New().Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	resp, err := http.Get(server.URL + "/v2/p/instances/i/tasks/t")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	fmt.Println(resp.Status, "without a signature")
	// Output: 401 Unauthorized without a signature
}
