package jobs

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

// v1 is the job that ECS, BMS, EVS, IMS, SDRS and EIP have in common (ShowJobResponse in the SDK, v0.1.207). They have
// one path, but not one another's jobs: a job's id goes to the endpoint that issued it.
var v1 = httptasks.API{
	URL: "/v1/{project_id}/jobs/{id}", ID: "job_id", Status: "status", Kind: "job_type",
	Code: "error_code", Reason: "fail_reason|entities.errorcode_message", CreatedAt: "begin_time", UpdatedAt: "end_time",
	Steps:   "entities.sub_jobs",
	Created: []string{"INIT"}, Executing: []string{"RUNNING"}, Success: []string{"SUCCESS"}, Failed: []string{"FAIL"},
}

// ECS returns a Source for the jobs of Elastic Cloud Server. As: model.ShowJobResponse.
func ECS(client *core.HcHttpClient) *httptasks.Source {
	api := v1
	api.Name, api.Permission = "ecs", "ecs:cloudServers:get"
	return New(client, api)
}
