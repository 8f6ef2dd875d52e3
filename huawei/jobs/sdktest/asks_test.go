package sdktest

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	apig "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2"
	apigmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2/model"
	autoscaling "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/as/v1"
	autoscalingmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/as/v1/model"
	bms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bms/v1"
	bmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bms/v1/model"
	cbr "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cbr/v1"
	cbrmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cbr/v1/model"
	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	ccemodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"
	css "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/css/v1"
	cssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/css/v1/model"
	dcs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dcs/v2"
	dcsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dcs/v2/model"
	ddm "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ddm/v1"
	ddmmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ddm/v1/model"
	dds "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dds/v3"
	ddsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dds/v3/model"
	dws "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dws/v2"
	dwsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dws/v2/model"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	ecsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	eip "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eip/v2"
	eipmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eip/v2/model"
	elb "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/elb/v3"
	elbmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/elb/v3/model"
	evs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/evs/v2"
	evsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/evs/v2/model"
	gaussdb "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdb/v3"
	gaussdbmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdb/v3/model"
	gaussdbfornosql "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdbfornosql/v3"
	gaussdbfornosqlmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdbfornosql/v3/model"
	gaussdbforopengauss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdbforopengauss/v3"
	gaussdbforopengaussmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdbforopengauss/v3/model"
	ims "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ims/v2"
	imsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ims/v2/model"
	mrs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/mrs/v1"
	mrsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/mrs/v1/model"
	organizations "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/organizations/v1"
	organizationsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/organizations/v1/model"
	rabbitmq "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rabbitmq/v2"
	rabbitmqmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rabbitmq/v2/model"
	rds "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rds/v3"
	rdsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rds/v3/model"
	rfs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rfs/v1"
	rfsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rfs/v1/model"
	rocketmq "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rocketmq/v2"
	rocketmqmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rocketmq/v2/model"
	sdrs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sdrs/v1"
	sdrsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sdrs/v1/model"
	sfsturbo "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sfsturbo/v1"
	sfsturbomodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sfsturbo/v1/model"
	vpcep "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpcep/v1"
	vpcepmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpcep/v1/model"
)

// ask is how the SDK's own client asks for a job. parent is what stands in the path beside the id: an instance, a
// cluster, a stack.
type ask func(client *core.HcHttpClient, parent, id string) (any, error)

// asks are those of the services, by their names in the table.
var asks = []struct {
	service string
	job     ask
}{
	{"apig", func(c *core.HcHttpClient, _, id string) (any, error) {
		return apig.NewApigClient(c).ShowDetailsOfInstanceProgressV2(
			&apigmodel.ShowDetailsOfInstanceProgressV2Request{InstanceId: id})
	}},
	{"apig-tasks", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return apig.NewApigClient(c).ShowAsyncTaskResult(
			&apigmodel.ShowAsyncTaskResultRequest{InstanceId: parent, TaskId: id})
	}},
	{"as", func(c *core.HcHttpClient, parent, _ string) (any, error) {
		return autoscaling.NewAsClient(c).ListScalingActivityLogs(
			&autoscalingmodel.ListScalingActivityLogsRequest{ScalingGroupId: parent})
	}},
	{"bms", func(c *core.HcHttpClient, _, id string) (any, error) {
		return bms.NewBmsClient(c).ShowJobInfos(&bmsmodel.ShowJobInfosRequest{JobId: id})
	}},
	{"cbr", func(c *core.HcHttpClient, _, id string) (any, error) {
		return cbr.NewCbrClient(c).ShowOpLog(&cbrmodel.ShowOpLogRequest{OperationLogId: id})
	}},
	{"cce", func(c *core.HcHttpClient, _, id string) (any, error) {
		return cce.NewCceClient(c).ShowJob(&ccemodel.ShowJobRequest{JobId: id})
	}},
	{"cce-autopilot", func(c *core.HcHttpClient, _, id string) (any, error) {
		return cce.NewCceClient(c).GetAutopilotOneJob(&ccemodel.GetAutopilotOneJobRequest{JobId: id})
	}},
	{"cce-upgrades", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return cce.NewCceClient(c).ShowUpgradeClusterTask(
			&ccemodel.ShowUpgradeClusterTaskRequest{ClusterId: parent, TaskId: id})
	}},
	{"css-clusters", func(c *core.HcHttpClient, _, id string) (any, error) {
		return css.NewCssClient(c).ShowClusterDetail(&cssmodel.ShowClusterDetailRequest{ClusterId: id})
	}},
	{"dcs", func(c *core.HcHttpClient, _, id string) (any, error) {
		return dcs.NewDcsClient(c).ShowJobInfo(&dcsmodel.ShowJobInfoRequest{JobId: id})
	}},
	{"dcs-tasks", func(c *core.HcHttpClient, parent, _ string) (any, error) {
		return dcs.NewDcsClient(c).ListBackgroundTask(&dcsmodel.ListBackgroundTaskRequest{InstanceId: parent})
	}},
	{"ddm", func(c *core.HcHttpClient, _, id string) (any, error) {
		return ddm.NewDdmClient(c).ShowDdmJobResult(&ddmmodel.ShowDdmJobResultRequest{JobId: id})
	}},
	{"dds", func(c *core.HcHttpClient, _, id string) (any, error) {
		return dds.NewDdsClient(c).ShowJobDetail(&ddsmodel.ShowJobDetailRequest{Id: id})
	}},
	{"dws", func(c *core.HcHttpClient, _, id string) (any, error) {
		return dws.NewDwsClient(c).ListJobDetails(&dwsmodel.ListJobDetailsRequest{JobId: id})
	}},
	{"ecs", func(c *core.HcHttpClient, _, id string) (any, error) {
		return ecs.NewEcsClient(c).ShowJob(&ecsmodel.ShowJobRequest{JobId: id})
	}},
	{"eip", func(c *core.HcHttpClient, _, id string) (any, error) {
		return eip.NewEipClient(c).ShowResourcesJobDetail(&eipmodel.ShowResourcesJobDetailRequest{JobId: id})
	}},
	{"elb", func(c *core.HcHttpClient, _, id string) (any, error) {
		return elb.NewElbClient(c).ShowJob(&elbmodel.ShowJobRequest{JobId: id})
	}},
	{"evs", func(c *core.HcHttpClient, _, id string) (any, error) {
		return evs.NewEvsClient(c).ShowJob(&evsmodel.ShowJobRequest{JobId: id})
	}},
	{"gaussdb", func(c *core.HcHttpClient, _, id string) (any, error) {
		return gaussdb.NewGaussDBClient(c).ShowGaussMySqlJobInfo(&gaussdbmodel.ShowGaussMySqlJobInfoRequest{Id: id})
	}},
	{"ims", func(c *core.HcHttpClient, _, id string) (any, error) {
		return ims.NewImsClient(c).ShowJob(&imsmodel.ShowJobRequest{JobId: id})
	}},
	{"mrs-clusters", func(c *core.HcHttpClient, _, id string) (any, error) {
		return mrs.NewMrsClient(c).ShowClusterDetails(&mrsmodel.ShowClusterDetailsRequest{ClusterId: id})
	}},
	{"nosql", func(c *core.HcHttpClient, _, id string) (any, error) {
		return gaussdbfornosql.NewGaussDBforNoSQLClient(c).ListJobs(&gaussdbfornosqlmodel.ListJobsRequest{Id: &id})
	}},
	{"opengauss", func(c *core.HcHttpClient, _, id string) (any, error) {
		return gaussdbforopengauss.NewGaussDBforopenGaussClient(c).ShowJobDetail(
			&gaussdbforopengaussmodel.ShowJobDetailRequest{Id: id})
	}},
	{"organizations", func(c *core.HcHttpClient, _, id string) (any, error) {
		return organizations.NewOrganizationsClient(c).ShowCreateAccountStatus(
			&organizationsmodel.ShowCreateAccountStatusRequest{CreateAccountStatusId: id})
	}},
	{"rabbitmq", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return rabbitmq.NewRabbitMQClient(c).ShowBackgroundTask(
			&rabbitmqmodel.ShowBackgroundTaskRequest{InstanceId: parent, TaskId: id})
	}},
	{"rds", func(c *core.HcHttpClient, _, id string) (any, error) {
		return rds.NewRdsClient(c).ListJobInfo(&rdsmodel.ListJobInfoRequest{Id: id})
	}},
	{"rfs-plans", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return rfs.NewRfsClient(c).GetExecutionPlanMetadata(
			&rfsmodel.GetExecutionPlanMetadataRequest{StackName: parent, ExecutionPlanName: id, ClientRequestId: "r-1"})
	}},
	{"rfs-stacks", func(c *core.HcHttpClient, _, id string) (any, error) {
		return rfs.NewRfsClient(c).GetStackMetadata(
			&rfsmodel.GetStackMetadataRequest{StackName: id, ClientRequestId: "r-1"})
	}},
	{"rocketmq", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return rocketmq.NewRocketMQClient(c).ShowBackgroundTask(
			&rocketmqmodel.ShowBackgroundTaskRequest{InstanceId: parent, TaskId: id})
	}},
	{"sdrs", func(c *core.HcHttpClient, _, id string) (any, error) {
		return sdrs.NewSdrsClient(c).ShowJobStatus(&sdrsmodel.ShowJobStatusRequest{JobId: id})
	}},
	{"sfs-turbo", func(c *core.HcHttpClient, _, id string) (any, error) {
		return sfsturbo.NewSFSTurboClient(c).ShowJobDetail(&sfsturbomodel.ShowJobDetailRequest{JobId: id})
	}},
	{"sfs-turbo-tasks", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return sfsturbo.NewSFSTurboClient(c).ShowFsTask(
			&sfsturbomodel.ShowFsTaskRequest{ShareId: parent, Feature: "dir-usage", TaskId: id})
	}},
	{"dcs-instances", func(c *core.HcHttpClient, _, id string) (any, error) {
		return dcs.NewDcsClient(c).ShowInstance(&dcsmodel.ShowInstanceRequest{InstanceId: id})
	}},
	{"rds-instances", func(c *core.HcHttpClient, _, id string) (any, error) {
		return rds.NewRdsClient(c).ListInstances(&rdsmodel.ListInstancesRequest{Id: &id})
	}},
	{"cce-clusters", func(c *core.HcHttpClient, _, id string) (any, error) {
		return cce.NewCceClient(c).ShowCluster(&ccemodel.ShowClusterRequest{ClusterId: id})
	}},
	{"cce-nodes", func(c *core.HcHttpClient, parent, id string) (any, error) {
		return cce.NewCceClient(c).ShowNode(&ccemodel.ShowNodeRequest{ClusterId: parent, NodeId: id})
	}},
	{"elb-load-balancers", func(c *core.HcHttpClient, _, id string) (any, error) {
		return elb.NewElbClient(c).ShowLoadBalancer(&elbmodel.ShowLoadBalancerRequest{LoadbalancerId: id})
	}},
	{"vpcep", func(c *core.HcHttpClient, _, id string) (any, error) {
		return vpcep.NewVpcepClient(c).ListEndpointInfoDetails(
			&vpcepmodel.ListEndpointInfoDetailsRequest{VpcEndpointId: id})
	}},
}
