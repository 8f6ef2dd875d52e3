package jobs

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func network() []Service {
	return []Service{
		eip(), eips(), elb(), elbLoadBalancers(), natGateways(), vpcep(), apig(), apigTasks(), apigInstances(),
	}
}

// EIP returns a Source for the jobs of Elastic IP (eip/v2 ShowResourcesJobDetail).
func EIP(client *core.HcHttpClient) *httptasks.Source { return eip().Source(client) }

func eip() Service {
	return Service{
		Name: "eip", Func: "EIP", Waits: "jobs of Elastic IP", Host: "vpc",
		Type: "eip/v2 ShowResourcesJobDetailResponse", Page: "api-eip/ShowResourcesJobDetail", API: v1Job(),
		Note: "Only SUCCESS is documented. The other words are those of the same request elsewhere.",
	}
}

// EIPs returns a Source for elastic IPs that are to be usable, bound or not (eip/v3 ShowPublicip).
func EIPs(client *core.HcHttpClient) *httptasks.Source { return eips().Source(client) }

func eips() Service {
	return Service{
		Name: "eips", Func: "EIPs", Waits: "elastic IPs", Host: "vpc", Resource: true,
		Type: "eip/v3 ShowPublicipResponse", API: httptasks.API{
			URL: "/v3/{project_id}/eip/publicips/{id}", Task: "publicip", ID: "id", Status: "status",
			CreatedAt: "created_at", UpdatedAt: "updated_at", Created: words("PENDING_CREATE", "NOTIFYING"),
			Executing: words("BINDING", "PENDING_UPDATE", "PENDING_DELETE", "NOTIFY_DELETE"),
			Success:   words("DOWN", "ACTIVE", "ELB", "VPN"), Failed: words("FREEZED", "BIND_ERROR", "ERROR"),
		},
		Note: "DOWN means usable, and bound to nothing.",
	}
}

// ELB returns a Source for the jobs of Elastic Load Balance (elb/v3 ShowJob, ListJobs).
func ELB(client *core.HcHttpClient) *httptasks.Source { return elb().Source(client) }

func elb() Service {
	return Service{
		Name: "elb", Func: "ELB", Waits: "jobs of Elastic Load Balance", Host: "elb",
		Type: "elb/v3 ShowJobResponse", Page: "api-elb/ShowJob", API: httptasks.API{
			URL: "/v3/{project_id}/elb/jobs/{id}", Task: "job", ID: "job_id", Status: "status", Kind: "job_type",
			Code: "error_code", Reason: "error_msg", FailedByCode: true, CreatedAt: "begin_time", UpdatedAt: "end_time",
			Steps: "sub_jobs", Created: words("INIT"), Executing: words("RUNNING", "ROLLBACKING"),
			Success: words("SUCCESS", "COMPLETE"), Failed: words("FAIL", "ROLLBACK_FAIL"), Cancelled: words("CANCEL"),
			List: &httptasks.List{
				URL: "/v3/{project_id}/elb/jobs", Rows: "jobs", Limit: "limit", Size: 2000,
				Marker: "marker", Next: "page_info.next_marker", Since: "begin_time", SinceLayout: "2006-01-02T15:04:05",
			},
		},
		Note: "COMPLETE is a success, and a failure if there is an error code, as after a rollback.",
	}
}

// ELBLoadBalancers returns a Source for load balancers that are to be ACTIVE (elb/v3 ShowLoadBalancer).
func ELBLoadBalancers(client *core.HcHttpClient) *httptasks.Source {
	return elbLoadBalancers().Source(client)
}

func elbLoadBalancers() Service {
	return Service{
		Name: "elb-load-balancers", Func: "ELBLoadBalancers", Waits: "load balancers", Host: "elb", Resource: true,
		Type: "elb/v3 ShowLoadBalancerResponse", API: httptasks.API{
			URL: "/v3/{project_id}/elb/loadbalancers/{id}", Task: "loadbalancer", ID: "id", Status: "provisioning_status",
			CreatedAt: "created_at", UpdatedAt: "updated_at",
			Executing: words("PENDING_DELETE"), Success: words("ACTIVE"),
		},
	}
}

// NATGateways returns a Source for public NAT gateways that are to be ACTIVE (nat/v2 ShowNatGateway).
func NATGateways(client *core.HcHttpClient) *httptasks.Source { return natGateways().Source(client) }

func natGateways() Service {
	return Service{
		Name: "nat-gateways", Func: "NATGateways", Waits: "public NAT gateways", Host: "nat", Resource: true,
		Type: "nat/v2 ShowNatGatewayResponse", API: httptasks.API{
			URL: "/v2/{project_id}/nat_gateways/{id}", Task: "nat_gateway", ID: "id", Status: "status",
			CreatedAt: "created_at", Created: words("PENDING_CREATE"), Executing: words("PENDING_UPDATE", "PENDING_DELETE"),
			Success: words("ACTIVE"), Failed: words("INACTIVE"),
		},
	}
}

// VPCEP returns a Source for VPC endpoints that are to be accepted (vpcep/v1 ListEndpointInfoDetails). There is no job:
// the id is the endpoint's.
func VPCEP(client *core.HcHttpClient) *httptasks.Source { return vpcep().Source(client) }

func vpcep() Service {
	return Service{
		Name: "vpcep", Func: "VPCEP", Waits: "VPC endpoints", Host: "vpcep", Resource: true,
		Type: "vpcep/v1 ListEndpointInfoDetailsResponse", API: httptasks.API{
			URL: "/v1/{project_id}/vpc-endpoints/{id}", ID: "id", Status: "status",
			Code: "error.0.error_code", Reason: "error.0.error_message", CreatedAt: "created_at", UpdatedAt: "updated_at",
			Executing: words("creating", "pendingAcceptance", "deleting"),
			Success:   words("accepted"), Failed: words("failed", "rejected"),
		},
		Note: "pendingAcceptance lasts until the owner of the endpoint service accepts or rejects.",
	}
}

// APIG returns a Source for dedicated gateways of API Gateway that are being created (apig/v2
// ShowDetailsOfInstanceProgressV2). The id is the gateway's.
func APIG(client *core.HcHttpClient) *httptasks.Source { return apig().Source(client) }

func apig() Service {
	return Service{
		Name: "apig", Func: "APIG", Waits: "the creation of gateways of API Gateway", Host: "apig",
		Type: "apig/v2 ShowDetailsOfInstanceProgressV2Response", Page: "api-apig/ShowDetailsOfInstanceProgressV2",
		API: httptasks.API{
			URL: "/v2/{project_id}/apigw/instances/{id}/progress", Status: "status", Percent: "progress",
			Code: "error_code", Reason: "error_msg", CreatedAt: "start_time", UpdatedAt: "end_time",
			Permission: "apig:instance:getCreateProgress",
			Executing:  words("creating"), Success: words("success"), Failed: words("failed"),
		},
	}
}

// APIGTasks returns a Source for the imports and exports of a gateway of API Gateway (apig/v2 ShowAsyncTaskResult).
// Which of the APIs of an import have failed is in the task's Raw, as task_result.
func APIGTasks(client *core.HcHttpClient, instanceID string) *httptasks.Source {
	return apigTasks().Source(client, instanceID)
}

func apigTasks() Service {
	return Service{
		Name: "apig-tasks", Func: "APIGTasks", Waits: "imports and exports of a gateway of API Gateway", Host: "apig",
		Type: "apig/v2 ShowAsyncTaskResultResponse", API: httptasks.API{
			URL: "/v2/{project_id}/apigw/instances/{instance_id}/async-tasks/{id}", ID: "task_id", Status: "task_status",
			Kind: "task_type", Reason: "task_result", Created: words("waiting"), Executing: words("processing"),
			Success: words("succeed"), Failed: words("failed"),
		},
	}
}

// APIGInstances returns a Source for dedicated gateways of API Gateway that are to be Running (apig/v2
// ShowDetailsOfInstanceV2).
func APIGInstances(client *core.HcHttpClient) *httptasks.Source {
	return apigInstances().Source(client)
}

func apigInstances() Service {
	return Service{
		Name: "apig-instances", Func: "APIGInstances", Waits: "gateways of API Gateway", Host: "apig", Resource: true,
		Type: "apig/v2 ShowDetailsOfInstanceV2Response", API: httptasks.API{
			URL: "/v2/{project_id}/apigw/instances/{id}", ID: "id", Status: "status", CreatedAt: "create_time",
			Created: words("Creating"), Success: words("Running"),
			Executing: words("CreateSuccess", "Initing", "Registering", "Installing", "Updating", "Rollbacking", "Deleting",
				"Unregistering", "Starting", "Freezing", "Restarting", "Resizing"),
			Failed: words("CreateFail", "InitingFailed", "RegisterFailed", "InstallFailed", "UpdateFailed", "RollbackFailed",
				"DeleteFailed", "UnRegisterFailed", "CreateTimeout", "InitTimeout", "RegisterTimeout", "InstallTimeout",
				"UpdateTimeout", "RollbackTimeout", "DeleteTimeout", "UnregisterTimeout", "Frozen", "RestartFail", "Unhealthy",
				"RestartTimeout", "ResizeFailed", "ResizeTimeout"),
		},
		PassedOn: words("RollbackSuccess"),
		Note:     "After CreateSuccess the gateway is not initialised yet, and does not run.",
	}
}
