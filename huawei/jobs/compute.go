package jobs

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func compute() []Service {
	return []Service{ecs(), ecsServers(), bms(), bmsServers(), ims(), autoScaling()}
}

// ECS returns a Source for the jobs of Elastic Cloud Server (ecs/v2 ShowJob).
func ECS(client *core.HcHttpClient) *httptasks.Source { return ecs().Source(client) }

func ecs() Service {
	a := v1Job()
	a.Reason = "fail_reason|entities.errorcode_message"
	return Service{
		Name: "ecs", Func: "ECS", Waits: "jobs of Elastic Cloud Server", Host: "ecs",
		Type: "ecs/v2 ShowJobResponse", API: a,
		Note: "An answer of 200 with a code and a message, and without a status, counts as an error.",
	}
}

// ECSServers returns a Source for servers of Elastic Cloud Server that are to be ACTIVE (ecs/v2 ShowServer).
func ECSServers(client *core.HcHttpClient) *httptasks.Source { return ecsServers().Source(client) }

func ecsServers() Service {
	return Service{
		Name: "ecs-servers", Func: "ECSServers", Waits: "servers of Elastic Cloud Server", Host: "ecs", Resource: true,
		Type: "ecs/v2 ShowServerResponse", API: httptasks.API{
			URL: "/v1/{project_id}/cloudservers/{id}", Task: "server", ID: "id", Status: "status",
			CreatedAt: "created", UpdatedAt: "updated", Code: "fault.code", Reason: "fault.message",
			Created: words("BUILD"), Success: words("ACTIVE"), Failed: words("ERROR"), Deleted: words("DELETED", "SOFT_DELETED"),
			Executing: words("HARD_REBOOT", "MIGRATING", "REBOOT", "REBUILD", "RESIZE", "REVERT_RESIZE"),
		},
		PassedOn: words("PAUSED", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SUSPENDED", "VERIFY_RESIZE"),
		Note:     "A stopped server, or one whose resize waits for confirmation, stays so until somebody acts.",
	}
}

// BMS returns a Source for the jobs of Bare Metal Server (bms/v1 ShowJobInfos).
func BMS(client *core.HcHttpClient) *httptasks.Source { return bms().Source(client) }

func bms() Service {
	return Service{
		Name: "bms", Func: "BMS", Waits: "jobs of Bare Metal Server", Host: "bms",
		Type: "bms/v1 ShowJobInfosResponse", API: v1Job(), Note: "An answer of 200 may be an error, as for ECS.",
	}
}

// BMSServers returns a Source for bare metal servers that are to be ACTIVE (bms/v1 ListBareMetalServerDetails).
func BMSServers(client *core.HcHttpClient) *httptasks.Source { return bmsServers().Source(client) }

func bmsServers() Service {
	return Service{
		Name: "bms-servers", Func: "BMSServers", Waits: "servers of Bare Metal Server", Host: "bms", Resource: true,
		Type: "bms/v1 ListBareMetalServerDetailsResponse", API: httptasks.API{
			URL: "/v1/{project_id}/baremetalservers/{id}", Task: "server", ID: "id", Status: "status",
			CreatedAt: "created", UpdatedAt: "updated", Created: words("BUILD"), Executing: words("HARD_REBOOT", "REBOOT"),
			Success: words("ACTIVE"), Failed: words("ERROR"), Deleted: words("DELETED"),
		},
		PassedOn: words("SHUTOFF"),
		Note:     "A server shows SHUTOFF when it is stopped, and also while it starts or is rebuilt.",
	}
}

// IMS returns a Source for the jobs of Image Management Service (ims/v2 ShowJob).
func IMS(client *core.HcHttpClient) *httptasks.Source { return ims().Source(client) }

func ims() Service {
	a := v1Job()
	a.Percent, a.Fraction, a.Steps = "entities.process_percent", true, "entities.sub_jobs_result"
	a.Code = "error_code|entities.error_code|entities.addition_error_code"
	a.Reason = "fail_reason|entities.error|entities.addition_error_msg"
	return Service{
		Name: "ims", Func: "IMS", Waits: "jobs of Image Management Service", Host: "ims",
		Type: "ims/v2 ShowJobResponse", Page: "api-ims/ims_03_0905", API: a,
		Note: "The percentage is a fraction: 1 is 100 %.",
	}
}

// AS returns a Source for the scaling activities of a group of Auto Scaling (as/v1 ListScalingActivityLogs).
func AS(client *core.HcHttpClient, groupID string) *httptasks.Source {
	return autoScaling().Source(client, groupID)
}

func autoScaling() Service {
	const log = "/autoscaling-api/v1/{project_id}/scaling_activity_log/{group_id}"
	return Service{
		Name: "as", Func: "AS", Waits: "scaling activities of a group of Auto Scaling", Host: "as",
		Type: "as/v1 ListScalingActivityLogsResponse", API: httptasks.API{
			URL: log + "?limit=100", Task: "scaling_activity_log", ID: "id", Status: "status", Reason: "description",
			CreatedAt: "start_time", UpdatedAt: "end_time",
			Executing: words("DOING"), Success: words("SUCCESS"), Failed: words("FAIL"),
			List: &httptasks.List{
				URL: log, Rows: "scaling_activity_log", Total: "total_number", Limit: "limit", Size: 100,
				Offset: "start_number", Since: "start_time",
			},
		},
	}
}
