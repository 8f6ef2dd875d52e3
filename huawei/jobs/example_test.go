package jobs_test

import (
	"fmt"

	"github.com/taskwait/taskwait/huawei/jobs"
)

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
