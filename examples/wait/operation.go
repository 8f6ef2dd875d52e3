package main

import (
	"log"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// operation makes a client for an embedded cloud, where the binding of a public IP takes 3 s, as in the vendor's example.
func operation() (client *kafka.KafkaClient, instanceID, jobID string) {
	cloud := fakekafka.New()
	jobID = cloud.AddTask("kafka-1", fakekafka.Script{Name: "bindInstancePublicIp"})
	credential, err := basic.NewCredentialsBuilder().
		WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).
		SafeBuild()
	if err != nil {
		log.Fatal(err)
	}
	hc, err := kafka.KafkaClientBuilder().
		WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).
		SafeBuild()
	if err != nil {
		log.Fatal(err)
	}
	return kafka.NewKafkaClient(hc), "kafka-1", jobID
}
