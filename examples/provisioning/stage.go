package main

import (
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// stage is the embedded cloud, in memory. It plays the whole life in seconds, with some trouble on the way.
type stage struct {
	cloud  *fakekafka.Cloud
	client *kafka.KafkaClient
}

func newStage() (*stage, error) {
	s := &stage{cloud: fakekafka.New()}
	s.script()
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(s.cloud.Transport())).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	s.client = kafka.NewKafkaClient(client)
	return s, nil
}

// script says how things go: the task of the public IP is listed late, and a restart shows late too.
func (s *stage) script() {
	s.cloud.OnCreate(fakekafka.Change{Duration: 2 * time.Second})
	s.cloud.OnResize(fakekafka.Script{Stages: []fakekafka.Stage{
		{Name: "pre_check", Duration: time.Second}, {Name: "disk_expansion", Duration: 2 * time.Second},
	}})
	s.cloud.OnPublicIP(fakekafka.Script{Duration: 2 * time.Second, ListedAfter: time.Second})
	s.cloud.OnConfig(fakekafka.Script{Duration: 2 * time.Second})
	s.cloud.OnRestart(fakekafka.Change{FlipsAfter: 700 * time.Millisecond, Duration: 2 * time.Second})
	s.cloud.OnDelete(fakekafka.Change{Duration: time.Second})
}

// plan is the one for here, where nothing takes long.
func (s *stage) plan() plan {
	return plan{
		name: "demo", product: "c6.2u4g.cluster", zone: "z1", vpc: "v1", subnet: "s1", group: "g1", publicIP: "ip-1",
		timeout: time.Minute, shortest: 400 * time.Millisecond, longest: time.Second,
	}
}

// before makes trouble: the service is down for a moment, and somebody else is at work on the instance.
func (s *stage) before(step, name string) {
	switch step {
	case "resize":
		s.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable())
	case "configure":
		if id := s.id(name); id != "" {
			s.cloud.AddTask(id, fakekafka.Script{Name: "kafkaUpgrade", Duration: 1500 * time.Millisecond})
		}
	}
}

func (s *stage) id(name string) string {
	for _, o := range s.cloud.Operations() {
		if i, ok := s.cloud.Instance(o.InstanceID); ok && i.Name == name {
			return i.ID
		}
	}
	return ""
}
