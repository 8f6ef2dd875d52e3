package main

import (
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// cloud is an embedded one. A life takes seconds in it, and there is some trouble on the way.
type cloud struct{ *fakekafka.Cloud }

// newCloud says how things go: the task of the public IP is listed late, and a restart shows late too.
func newCloud() cloud {
	c := fakekafka.New()
	c.OnCreate(fakekafka.Change{Duration: 2 * time.Second})
	c.OnResize(fakekafka.Script{Stages: []fakekafka.Stage{
		{Name: "pre_check", Duration: time.Second}, {Name: "disk_expansion", Duration: 2 * time.Second},
	}})
	c.OnPublicIP(fakekafka.Script{Duration: 2 * time.Second, ListedAfter: time.Second})
	c.OnConfig(fakekafka.Script{Duration: 2 * time.Second})
	c.OnRestart(fakekafka.Change{FlipsAfter: 700 * time.Millisecond, Duration: 2 * time.Second})
	c.OnDelete(fakekafka.Change{Duration: time.Second})
	return cloud{c}
}

// before makes the trouble: the service is down for a moment, and somebody else is at work on the instance.
func (c cloud) before(step, instanceID string) {
	switch step {
	case "resize":
		c.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable())
	case "configure":
		c.AddTask(instanceID, fakekafka.Script{Name: "kafkaUpgrade", Duration: 1500 * time.Millisecond})
	}
}
