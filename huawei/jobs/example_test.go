package jobs_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// rdsClient stands for the RdsClient of the SDK's package rds/v3, whose field HcClient it has.
type rdsClient struct{ HcClient *core.HcHttpClient }

// newRDSClient is a client for an embedded cloud.
func newRDSClient(cloud *fakejobs.Cloud) (rdsClient, error) {
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).
		WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		return rdsClient{}, err
	}
	client, err := core.NewHcHttpClientBuilder().WithEndpoint("https://rds.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	return rdsClient{client}, err
}

// A wait for a job of RDS, through any client that the SDK's rds.NewRdsClient returns.
func ExampleRDS() {
	cloud := fakejobs.New()
	jobID := cloud.AddJob(fakejobs.Database, fakejobs.Script{
		Name: "CreateMysqlSingleHAInstance", CreatedAt: time.Now().Add(-time.Minute),
	})
	client, err := newRDSClient(cloud)
	if err != nil {
		log.Fatal(err)
	}

	waiter, err := taskwait.New(jobs.RDS(client.HcClient), taskwait.WithTimeout(30*time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	task, err := waiter.WaitForTask(context.Background(), jobID)
	fmt.Println(task.Kind, task.Status, err)
	// Output: CreateMysqlSingleHAInstance SUCCESS <nil>
}

// Which services can cancel what is waited for, and what they need beside the id.
func ExampleServices() {
	for _, s := range jobs.Services() {
		if s.API.Cancel != nil {
			fmt.Println(s.Func, s.Needs())
		}
	}
	// Output:
	// SFSTurboTasks [share_id]
	// GaussDBScheduled []
	// GaussDBForOpenGaussScheduled []
	// DDSScheduled []
	// RabbitMQScheduled [instance_id]
	// RocketMQScheduled [instance_id]
	// MRSJobs [cluster_id]
}
