package kafka_test

import (
	"strings"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// asker asks one route through a method of the SDK's client.
type asker struct {
	ask   func(client *kafka.KafkaClient, id string) error
	blank func() any // a value of the type of the answer
}

func via[Req, Resp any](method func(*kafka.KafkaClient, *Req) (*Resp, error), request func(id string) *Req) asker {
	return asker{
		ask: func(client *kafka.KafkaClient, id string) error {
			_, err := method(client, request(id))
			return err
		},
		blank: func() any { return new(Resp) },
	}
}

// within gives the fields of what stands in another field.
func within(field, fields string) string {
	all := strings.Fields(fields)
	for n := range all {
		all[n] = field + "." + all[n]
	}
	return strings.Join(all, " ")
}

const taskFields = "id name user_name user_id params status created_at updated_at"

// instanceFields are those of an instance that the official Terraform provider or the API page's example reads.
const instanceFields = "" +
	"instance_id name description engine engine_version specification resource_spec_code status type " +
	"connect_address port charging_mode vpc_id vpc_name subnet_id subnet_name subnet_cidr security_group_id " +
	"security_group_name created_at user_id user_name product_id maintain_begin maintain_end enable_publicip " +
	"ssl_enable broker_ssl_enable cert_replaced ssl_two_way_enable kafka_security_protocol " +
	"sasl_enabled_mechanisms storage_space total_storage_space used_storage_space storage_resource_id " +
	"storage_spec_code storage_type service_type is_logical_volume extend_times partition_num broker_num node_num " +
	"available_zones available_zone_names enterprise_project_id retention_policy management_connect_address " +
	"cross_vpc_info ipv6_enable ipv6_connect_addresses connector_enable connector_id connector_node_num " +
	"enable_auto_topic rest_enable rest_connect_address kafka_public_status public_bandwidth " +
	"public_access_enabled message_query_inst_enable vpc_client_plain support_features trace_enable agent_enable " +
	"pod_connect_address disk_encrypted disk_encrypted_key kafka_private_connect_address ces_version " +
	"new_auth_cert new_spec_billing_enable enable_acl enable_log_collection dns_enable tags " +
	"port_protocols.private_plain_enable port_protocols.private_plain_address " +
	"port_protocols.private_sasl_ssl_enable port_protocols.private_sasl_plaintext_enable " +
	"port_protocols.public_plain_enable port_protocols.public_sasl_ssl_enable " +
	"port_protocols.public_sasl_plaintext_enable"

// routeTest is a line in the table of tests.
type routeTest struct {
	name     fakecloud.Route
	mutating bool
	fields   string // of the answer that clients read, or that the API page's example shows
	asker
}

// everyRoute asks for everything that the SDK's client can ask for here. A task is t1, a scheduled one s1 or s2.
var everyRoute = []routeTest{
	{
		fakekafka.RouteShowTask, false, "task_count " + within("tasks",
			"id name user_name user_id params status created_at updated_at"),
		via((*kafka.KafkaClient).ShowBackgroundTask, func(id string) *model.ShowBackgroundTaskRequest {
			return &model.ShowBackgroundTaskRequest{InstanceId: id, TaskId: "t1"}
		}),
	},
	{
		fakekafka.RouteListTasks, false, "task_count " + within("tasks",
			"id name user_name user_id params status created_at updated_at"),
		via((*kafka.KafkaClient).ListBackgroundTasks, func(id string) *model.ListBackgroundTasksRequest {
			return &model.ListBackgroundTasksRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteProgress, false, "progress_percentage remain_time " +
			within("step_list", "name statue start_time end_time"),
		via((*kafka.KafkaClient).ShowBackgroundTaskProgress, func(id string) *model.ShowBackgroundTaskProgressRequest {
			return &model.ShowBackgroundTaskProgressRequest{InstanceId: id, TaskId: "t1"}
		}),
	},
	{
		fakekafka.RouteDeleteTask, true, "",
		via((*kafka.KafkaClient).DeleteBackgroundTask, func(id string) *model.DeleteBackgroundTaskRequest {
			return &model.DeleteBackgroundTaskRequest{InstanceId: id, TaskId: "t1"}
		}),
	},
	{
		fakekafka.RouteListScheduled, false, "job_count " +
			within("jobs", "id name status params created_at updated_at schedule_at"),
		via((*kafka.KafkaClient).ListScheduledTasks, func(id string) *model.ListScheduledTasksRequest {
			return &model.ListScheduledTasksRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteUpdateScheduled, true, "",
		via((*kafka.KafkaClient).UpdateScheduledTask, func(id string) *model.UpdateScheduledTaskRequest {
			return &model.UpdateScheduledTaskRequest{InstanceId: id, TaskId: "s1", Status: pointer("CANCELLED")}
		}),
	},
	{
		fakekafka.RouteDeleteScheduled, true, "",
		via((*kafka.KafkaClient).DeleteScheduledTask, func(id string) *model.DeleteScheduledTaskRequest {
			return &model.DeleteScheduledTaskRequest{InstanceId: id, TaskId: "s2"}
		}),
	},
	{
		fakekafka.RouteListInstances, false, "instance_num " + within("instances", instanceFields),
		via((*kafka.KafkaClient).ListInstances, func(_ string) *model.ListInstancesRequest {
			return &model.ListInstancesRequest{Engine: model.GetListInstancesRequestEngineEnum().KAFKA}
		}),
	},
	{
		fakekafka.RouteShowInstance, false, instanceFields,
		via((*kafka.KafkaClient).ShowInstance, func(id string) *model.ShowInstanceRequest {
			return &model.ShowInstanceRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteUpdateInstance, true, "",
		via((*kafka.KafkaClient).UpdateInstance, func(id string) *model.UpdateInstanceRequest {
			return &model.UpdateInstanceRequest{
				InstanceId: id,
				Body:       &model.UpdateInstanceReq{Description: pointer("d")},
			}
		}),
	},
	{
		fakekafka.RouteResetPassword, true, "",
		via((*kafka.KafkaClient).ResetPassword, func(id string) *model.ResetPasswordRequest {
			return &model.ResetPasswordRequest{InstanceId: id, Body: &model.ResetPasswordReq{NewPassword: "hush"}}
		}),
	},
	{
		fakekafka.RouteCrossVPC, true, "success results.advertised_ip results.success results.ip",
		via((*kafka.KafkaClient).UpdateInstanceCrossVpcIp, func(id string) *model.UpdateInstanceCrossVpcIpRequest {
			return &model.UpdateInstanceCrossVpcIpRequest{
				InstanceId: id,
				Body:       &model.UpdateInstanceCrossVpcIpReq{AdvertisedIpContents: map[string]string{"192.168.0.10": "10.0.0.1"}},
			}
		}),
	},
	{
		fakekafka.RouteAutoTopic, true, "",
		via((*kafka.KafkaClient).UpdateInstanceAutoCreateTopic, func(id string) *model.UpdateInstanceAutoCreateTopicRequest {
			return &model.UpdateInstanceAutoCreateTopicRequest{
				InstanceId: id,
				Body:       &model.UpdateInstanceAutoCreateTopicReq{EnableAutoTopic: true},
			}
		}),
	},
	{
		fakekafka.RouteShowTags, false, "tags",
		via((*kafka.KafkaClient).ShowKafkaTags, func(id string) *model.ShowKafkaTagsRequest {
			return &model.ShowKafkaTagsRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteChangeTags, true, "",
		via((*kafka.KafkaClient).BatchCreateOrDeleteKafkaTag, func(id string) *model.BatchCreateOrDeleteKafkaTagRequest {
			return &model.BatchCreateOrDeleteKafkaTagRequest{InstanceId: id, Body: changeTags("create", "k", "v")}
		}),
	},
	{
		fakekafka.RouteListZones, false, "region_id " + within("available_zones",
			"id code name port resource_availability soldOut default_az remain_time ipv6_enable"),
		via((*kafka.KafkaClient).ListAvailableZones, func(_ string) *model.ListAvailableZonesRequest {
			return &model.ListAvailableZonesRequest{}
		}),
	},
	{
		fakekafka.RouteShowBrokers, false, within("cluster.brokers", "health host port broker_id"),
		via((*kafka.KafkaClient).ShowKafkaCluster, func(id string) *model.ShowKafkaClusterRequest {
			return &model.ShowKafkaClusterRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteShowCluster, false, "cluster.controller cluster.topics_count " +
			within("cluster.brokers", "host port broker_id is_controller version register_time is_health"),
		via((*kafka.KafkaClient).ShowCluster, func(id string) *model.ShowClusterRequest {
			return &model.ShowClusterRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteListRecycled, false, "retention_days default_use_recycle recycle_instances",
		via((*kafka.KafkaClient).ShowRecycleInstances, func(_ string) *model.ShowRecycleInstancesRequest {
			return &model.ShowRecycleInstancesRequest{}
		}),
	},
	{
		fakekafka.RouteShowConfigs, false, within("kafka_configs",
			"name value default_value config_type valid_values value_type"),
		via((*kafka.KafkaClient).ShowInstanceConfigs, func(id string) *model.ShowInstanceConfigsRequest {
			return &model.ShowInstanceConfigsRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteModifyConfigs, true, "job_id dynamic_config static_config",
		via((*kafka.KafkaClient).ModifyInstanceConfigs, func(id string) *model.ModifyInstanceConfigsRequest {
			return &model.ModifyInstanceConfigsRequest{InstanceId: id, Body: configs("a", "b")}
		}),
	},
	{
		fakekafka.RouteResize, true, "job_id",
		via((*kafka.KafkaClient).ResizeKafkaInstance, func(id string) *model.ResizeKafkaInstanceRequest {
			return &model.ResizeKafkaInstanceRequest{
				InstanceId: id,
				Body:       &model.ResizeEngineInstanceReq{OperType: "horizontal", NewBrokerNum: pointer(int32(5))},
			}
		}),
	},
	{
		fakekafka.RouteResize, true, "job_id",
		via((*kafka.KafkaClient).ResizeEngineInstance, func(id string) *model.ResizeEngineInstanceRequest {
			return &model.ResizeEngineInstanceRequest{
				InstanceId: id, Engine: model.GetResizeEngineInstanceRequestEngineEnum().KAFKA,
				Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: pointer(int32(600))},
			}
		}),
	},
	{
		fakekafka.RoutePublicIP, true, "",
		via((*kafka.KafkaClient).ModifyKafkaPublicIpAccessSwitch,
			func(id string) *model.ModifyKafkaPublicIpAccessSwitchRequest {
				return &model.ModifyKafkaPublicIpAccessSwitchRequest{
					InstanceId: id,
					Body:       &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: pointer("ip")},
				}
			}),
	},
	{
		fakekafka.RouteResetOffset, true, "",
		via((*kafka.KafkaClient).ResetMessageOffsetWithEngine, func(id string) *model.ResetMessageOffsetWithEngineRequest {
			return &model.ResetMessageOffsetWithEngineRequest{InstanceId: id, Group: "g", Body: offset()}
		}),
	},
	{
		fakekafka.RouteResetOffset, true, "",
		via((*kafka.KafkaClient).ResetMessageOffset, func(id string) *model.ResetMessageOffsetRequest {
			return &model.ResetMessageOffsetRequest{InstanceId: id, Group: "g", Body: offset()}
		}),
	},
	{
		fakekafka.RouteSwitchProtocol, true, "job_id protocol enable",
		via((*kafka.KafkaClient).UpdateKafkaPortProtocol, func(id string) *model.UpdateKafkaPortProtocolRequest {
			return &model.UpdateKafkaPortProtocolRequest{
				InstanceId: id, Engine: model.GetUpdateKafkaPortProtocolRequestEngineEnum().KAFKA,
				Body: plainSSL("private_sasl_ssl_enable", true),
			}
		}),
	},
	{
		fakekafka.RouteReassign, true, "job_id",
		via((*kafka.KafkaClient).CreateKafkaReassignmentTask, func(id string) *model.CreateKafkaReassignmentTaskRequest {
			return &model.CreateKafkaReassignmentTaskRequest{
				InstanceId: id,
				Body:       &model.PartitionReassignRequest{Reassignments: []model.PartitionReassignEntity{{Topic: "t"}}},
			}
		}),
	},
	{
		fakekafka.RouteUpgrade, true, "job_id",
		via((*kafka.KafkaClient).UpgradeInstance, func(id string) *model.UpgradeInstanceRequest {
			return &model.UpgradeInstanceRequest{InstanceId: id, Body: &model.UpgradeInstanceReq{}}
		}),
	},
	{
		fakekafka.RouteCreateConnector, true, "job_id",
		via((*kafka.KafkaClient).CreateConnector, func(id string) *model.CreateConnectorRequest {
			return &model.CreateConnectorRequest{
				InstanceId: id,
				Body:       &model.CreateConnectorReq{NodeCnt: pointer("2")},
			}
		}),
	},
	{
		fakekafka.RouteDeleteConnector, true, "job_id",
		via((*kafka.KafkaClient).DeleteConnector, func(id string) *model.DeleteConnectorRequest {
			return &model.DeleteConnectorRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteCreateTopicQuota, true, "job_id",
		via((*kafka.KafkaClient).CreateKafkaTopicQuota, func(id string) *model.CreateKafkaTopicQuotaRequest {
			return &model.CreateKafkaTopicQuotaRequest{InstanceId: id, Body: topicQuota()}
		}),
	},
	{
		fakekafka.RouteModifyTopicQuota, true, "job_id",
		via((*kafka.KafkaClient).ModifyKafkaTopicQuota, func(id string) *model.ModifyKafkaTopicQuotaRequest {
			return &model.ModifyKafkaTopicQuotaRequest{InstanceId: id, Body: topicQuota()}
		}),
	},
	{
		fakekafka.RouteDeleteTopicQuota, true, "job_id",
		via((*kafka.KafkaClient).DeleteKafkaTopicQuota, func(id string) *model.DeleteKafkaTopicQuotaRequest {
			return &model.DeleteKafkaTopicQuotaRequest{InstanceId: id, Body: topicQuota()}
		}),
	},
	{
		fakekafka.RouteCreateClientQuota, true, "job_id",
		via((*kafka.KafkaClient).CreateKafkaUserClientQuotaTask,
			func(id string) *model.CreateKafkaUserClientQuotaTaskRequest {
				return &model.CreateKafkaUserClientQuotaTaskRequest{
					InstanceId: id,
					Body:       &model.CreateKafkaUserClientQuotaTaskReq{User: pointer("u")},
				}
			}),
	},
	{
		fakekafka.RouteUpdateClientQuota, true, "job_id",
		via((*kafka.KafkaClient).UpdateKafkaUserClientQuotaTask,
			func(id string) *model.UpdateKafkaUserClientQuotaTaskRequest {
				return &model.UpdateKafkaUserClientQuotaTaskRequest{
					InstanceId: id,
					Body:       &model.UpdateKafkaUserClientQuotaTaskReq{User: pointer("u")},
				}
			}),
	},
	{
		fakekafka.RouteDeleteClientQuota, true, "job_id",
		via((*kafka.KafkaClient).DeleteKafkaUserClientQuotaTask,
			func(id string) *model.DeleteKafkaUserClientQuotaTaskRequest {
				return &model.DeleteKafkaUserClientQuotaTaskRequest{
					InstanceId: id,
					Body:       &model.DeleteKafkaUserClientQuotaTaskReq{User: pointer("u")},
				}
			}),
	},
	{
		fakekafka.RouteStartRebalanceLog, true, "job_id",
		via((*kafka.KafkaClient).CreateKafkaRebalanceLogTask, func(id string) *model.CreateKafkaRebalanceLogTaskRequest {
			return &model.CreateKafkaRebalanceLogTaskRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteStopRebalanceLog, true, "job_id",
		via((*kafka.KafkaClient).StopKafkaRebalanceLogTask, func(id string) *model.StopKafkaRebalanceLogTaskRequest {
			return &model.StopKafkaRebalanceLogTaskRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteStartLog, true, "job_id",
		via((*kafka.KafkaClient).StartKafkaLogTask, func(id string) *model.StartKafkaLogTaskRequest {
			return &model.StartKafkaLogTaskRequest{
				InstanceId: id, LogType: model.GetStartKafkaLogTaskRequestLogTypeEnum().REBALANCE,
				Body: &model.StartKafkaLogTaskReq{},
			}
		}),
	},
	{
		fakekafka.RouteStopLog, true, "job_id",
		via((*kafka.KafkaClient).StopKafkaLogTask, func(id string) *model.StopKafkaLogTaskRequest {
			return &model.StopKafkaLogTaskRequest{InstanceId: id,
				LogType: model.GetStopKafkaLogTaskRequestLogTypeEnum().REBALANCE}
		}),
	},
	{
		fakekafka.RouteAccessPolicy, true, "job_id",
		via((*kafka.KafkaClient).UpdateTopicAccessPolicy, func(id string) *model.UpdateTopicAccessPolicyRequest {
			return &model.UpdateTopicAccessPolicyRequest{
				InstanceId: id,
				Body:       &model.UpdateTopicAccessPolicyReq{Topics: []model.AccessPolicyTopicEntity{}},
			}
		}),
	},
	{
		fakekafka.RouteRestore, false, "results.instance_id results.error_msg",
		via((*kafka.KafkaClient).RestoreRecycleInstance, func(id string) *model.RestoreRecycleInstanceRequest {
			return &model.RestoreRecycleInstanceRequest{Body: &model.BatchResumeInstanceReq{Instances: &[]string{id}}}
		}),
	},
	{
		fakekafka.RouteAction, true, "results.result results.instance",
		via((*kafka.KafkaClient).BatchRestartOrDeleteInstances, func(id string) *model.BatchRestartOrDeleteInstancesRequest {
			return &model.BatchRestartOrDeleteInstancesRequest{
				Body: &model.BatchRestartOrDeleteInstanceReq{Action: model.GetBatchRestartOrDeleteInstanceReqActionEnum().RESTART,
					Instances: &[]string{id}},
			}
		}),
	},
	{
		fakekafka.RouteDeleteInstance, true, "",
		via((*kafka.KafkaClient).DeleteInstance, func(id string) *model.DeleteInstanceRequest {
			return &model.DeleteInstanceRequest{InstanceId: id}
		}),
	},
	{
		fakekafka.RouteCreateInstance, true, "instance_id",
		via((*kafka.KafkaClient).CreatePostPaidKafkaInstance, func(_ string) *model.CreatePostPaidKafkaInstanceRequest {
			return &model.CreatePostPaidKafkaInstanceRequest{Body: creation("another")}
		}),
	},
	{
		fakekafka.RouteCreateInstance, true, "instance_id",
		via((*kafka.KafkaClient).CreateInstanceByEngine, func(_ string) *model.CreateInstanceByEngineRequest {
			return &model.CreateInstanceByEngineRequest{
				Engine: model.GetCreateInstanceByEngineRequestEngineEnum().KAFKA,
				Body:   creation("another"),
			}
		}),
	},
}

// ofProject are the routes that belong to no instance.
var ofProject = map[fakecloud.Route]bool{
	fakekafka.RouteCreateInstance: true, fakekafka.RouteListInstances: true, fakekafka.RouteListZones: true,
	fakekafka.RouteListRecycled: true, fakekafka.RouteRestore: true,
}

func configs(pairs ...string) *model.ModifyInstanceConfigsReq {
	var all []model.ModifyInstanceConfig
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, model.ModifyInstanceConfig{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return &model.ModifyInstanceConfigsReq{KafkaConfigs: &all}
}

func offset() *model.ResetMessageOffsetReq {
	return &model.ResetMessageOffsetReq{Partition: -1, MessageOffset: pointer(int64(0))}
}

func changeTags(action string, pairs ...string) *model.BatchCreateOrDeleteTagReq {
	var all []model.TagEntity
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, model.TagEntity{Key: &pairs[i], Value: &pairs[i+1]})
	}
	enum := model.GetBatchCreateOrDeleteTagReqActionEnum()
	a := map[string]model.BatchCreateOrDeleteTagReqAction{"create": enum.CREATE, "delete": enum.DELETE}[action]
	return &model.BatchCreateOrDeleteTagReq{Action: &a, Tags: &all}
}

func plainSSL(protocol string, enable bool) *model.PlainSslEnableRequest {
	enum := model.GetPlainSslEnableRequestProtocolEnum()
	p := map[string]model.PlainSslEnableRequestProtocol{
		"private_plain_enable": enum.PRIVATE_PLAIN_ENABLE, "private_sasl_ssl_enable": enum.PRIVATE_SASL_SSL_ENABLE,
	}[protocol]
	return &model.PlainSslEnableRequest{Protocol: p, Enable: enable, PassWord: pointer("hush")}
}

func topicQuota() *model.KafkaTopicQuota {
	return &model.KafkaTopicQuota{Topic: pointer("t"), ProducerByteRate: pointer(int32(1024))}
}
