package jobs

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func management() []Service {
	return []Service{rfsStacks(), rfsPlans(), organizations()}
}

// RFSStacks returns a Source for stacks of Resource Formation Service that are to be deployed (rfs/v1
// GetStackMetadata). The id is the stack's name. When a stack is deployed anew its status is still the one before at
// first: give [taskwait.WithStalePhase] with that, such as CREATION_COMPLETE or DEPLOYMENT_COMPLETE.
func RFSStacks(client *core.HcHttpClient) *httptasks.Source { return rfsStacks().Source(client) }

func rfsStacks() Service {
	return Service{
		Name: "rfs-stacks", Func: "RFSStacks", Waits: "stacks of Resource Formation Service", Host: "rfs", Resource: true,
		Type: "rfs/v1 GetStackMetadataResponse", API: httptasks.API{
			URL: "/v1/{project_id}/stacks/{id}/metadata", ID: "stack_name", Status: "status", Reason: "status_message",
			CreatedAt: "create_time", UpdatedAt: "update_time", RequestID: "Client-Request-Id",
			Executing: words("DEPLOYMENT_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETION_IN_PROGRESS"),
			Success:   words("DEPLOYMENT_COMPLETE", "CREATION_COMPLETE"),
			Failed:    words("DEPLOYMENT_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "DELETION_FAILED"),
		},
		Note: "ROLLBACK_COMPLETE means that a deployment failed. CREATION_COMPLETE is an empty stack, and final.",
	}
}

// RFSPlans returns a Source for the execution plans of a stack of Resource Formation Service that are to be available
// (rfs/v1 GetExecutionPlanMetadata). The id is the plan's name. Whether its application has succeeded is the stack's to
// say.
func RFSPlans(client *core.HcHttpClient, stackName string) *httptasks.Source {
	return rfsPlans().Source(client, stackName)
}

func rfsPlans() Service {
	return Service{
		Name: "rfs-plans", Func: "RFSPlans", Waits: "execution plans of a stack of Resource Formation Service", Host: "rfs",
		Type: "rfs/v1 GetExecutionPlanMetadataResponse", API: httptasks.API{
			URL: "/v1/{project_id}/stacks/{stack_name}/execution-plans/{id}/metadata", ID: "execution_plan_name",
			Status: "status", Reason: "status_message", CreatedAt: "create_time", UpdatedAt: "apply_time",
			RequestID: "Client-Request-Id", Executing: words("CREATION_IN_PROGRESS", "APPLY_IN_PROGRESS"),
			Success: words("AVAILABLE", "APPLIED"), Failed: words("CREATION_FAILED"),
		},
		Note: "AVAILABLE means that the plan can be applied. APPLIED does not say how the deployment ended.",
	}
}

// Organizations returns a Source for the creation of accounts in an organization (organizations/v1
// ShowCreateAccountStatus). The client's credential is a global one.
func Organizations(client *core.HcHttpClient) *httptasks.Source {
	return organizations().Source(client)
}

func organizations() Service {
	return Service{
		Name: "organizations", Func: "Organizations", Waits: "the creation of accounts in an organization",
		Host: "organizations", Global: true, Type: "organizations/v1 ShowCreateAccountStatusResponse", API: httptasks.API{
			URL: "/v1/organizations/create-account-status/{id}", Task: "create_account_status", ID: "id", Status: "state",
			Reason: "failure_reason|failure_detail_msg.error_msg", CreatedAt: "created_at", UpdatedAt: "completed_at",
			Executing: words("in_progress"), Success: words("succeeded"), Failed: words("failed"),
		},
	}
}
