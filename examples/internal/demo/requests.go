package demo

import (
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
)

// Create returns a request for an instance, whose answer has the instance's id.
func Create(name string) func(*kafka.KafkaClient) (*string, error) {
	body := &model.CreateInstanceByEngineReq{
		Name: name, Engine: model.GetCreateInstanceByEngineReqEngineEnum().KAFKA, EngineVersion: "2.7",
		ProductId: "c6.2u4g.cluster", BrokerNum: 3, StorageSpace: 300,
		StorageSpecCode: model.GetCreateInstanceByEngineReqStorageSpecCodeEnum().DMS_PHYSICAL_STORAGE_HIGH_V2,
		VpcId:           "vpc-1", SubnetId: "subnet-1", SecurityGroupId: "group-1", AvailableZones: []string{"zone-1"},
	}
	return func(c *kafka.KafkaClient) (*string, error) {
		answer, err := c.CreateInstanceByEngine(&model.CreateInstanceByEngineRequest{
			Engine: model.GetCreateInstanceByEngineRequestEngineEnum().KAFKA, Body: body,
		})
		if err != nil {
			return nil, err
		}
		return answer.InstanceId, nil
	}
}

// Resize returns a request for more storage, whose answer has the task's id.
func Resize(instanceID string, gigabytes int32) func(*kafka.KafkaClient) (*string, error) {
	return func(c *kafka.KafkaClient) (*string, error) {
		answer, err := c.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
			InstanceId: instanceID, Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &gigabytes},
		})
		if err != nil {
			return nil, err
		}
		return answer.JobId, nil
	}
}

// BindPublicIP returns a request to bind a public IP, whose answer has no id.
func BindPublicIP(instanceID, ip string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		_, err := c.ModifyKafkaPublicIpAccessSwitch(&model.ModifyKafkaPublicIpAccessSwitchRequest{
			InstanceId: instanceID, Body: &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: &ip},
		})
		return err
	}
}

// Configure returns a request to set a parameter, whose answer has no id.
func Configure(instanceID, name, value string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		_, err := c.ModifyInstanceConfigs(&model.ModifyInstanceConfigsRequest{
			InstanceId: instanceID, Body: &model.ModifyInstanceConfigsReq{
				KafkaConfigs: &[]model.ModifyInstanceConfig{{Name: &name, Value: &value}},
			},
		})
		return err
	}
}
