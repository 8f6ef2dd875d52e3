package jobs

import (
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func analytics() []Service {
	return []Service{dws(), dwsClusters(), cssClusters(), mrsClusters(), mrsJobs()}
}

// DWS returns a Source for the jobs of Data Warehouse Service (dws/v2 ListJobDetails).
func DWS(client *core.HcHttpClient) *httptasks.Source { return dws().Source(client) }

func dws() Service {
	return Service{
		Name: "dws", Func: "DWS", Waits: "jobs of Data Warehouse Service", Host: "dws",
		Type: "dws/v2 ListJobDetailsResponse", Page: "api-dws/ListJobDetails", API: httptasks.API{
			URL: "/v1.0/{project_id}/job/{id}", ID: "job_id", Status: "status", Kind: "job_name", Percent: "progress",
			Code: "failed_code", Reason: "failed_detail", CreatedAt: "begin_time", UpdatedAt: "end_time",
			Permission: "dws:service:listJobDetail", Created: words("INIT", "WAITING", "DELAY_SCHEDULED"),
			Executing: words("RUNNING"), Success: words("SUCCESS"), Failed: words("FAIL"), Cancelled: words("STOP"),
		},
		Note: "STOP means that somebody stopped the job. Its times have no zone.",
	}
}

// DWSClusters returns a Source for clusters of Data Warehouse Service that are to be AVAILABLE (dws/v2
// ListClusterDetails). A task of the cluster, such as GROWING, counts while it is there.
func DWSClusters(client *core.HcHttpClient) *httptasks.Source { return dwsClusters().Source(client) }

func dwsClusters() Service {
	return Service{
		Name: "dws-clusters", Func: "DWSClusters", Waits: "clusters of Data Warehouse Service", Host: "dws", Resource: true,
		Type: "dws/v2 ListClusterDetailsResponse", API: httptasks.API{
			URL: "/v1.0/{project_id}/clusters/{id}", Task: "cluster", ID: "id", Status: "task_status|status",
			Code: "failed_reasons.error_code", Reason: "failed_reasons.error_msg", CreatedAt: "created", UpdatedAt: "updated",
			Created: words("CREATING"), Success: words("AVAILABLE"), Deleted: words("DELETED"),
			Executing: words("DELETING", "UNFREEZING", "FREEZING", "RESTORING", "SNAPSHOTTING", "GROWING", "REBOOTING",
				"SETTING_CONFIGURATION", "CONFIGURING_EXT_DATASOURCE", "DELETING_EXT_DATASOURCE", "ADD_CN_ING", "DEL_CN_ING",
				"CREATING_NODE", "DELETING_NODE", "REDISTRIBUTING", "WAITING_REDISTRIBUTION", "ELB_BINDING", "ELB_UNBINDING",
				"ELB_SWITCHING", "NETWORK_CONFIGURING", "DISK_EXPANDING", "ACTIVE_STANDY_SWITCHOVER", "CLUSTER_SHRINKING",
				"SHRINK_CHECKING", "FLAVOR_RESIZING", "MANAGE_IP_BINDING", "FINE_GRAINED_RESTORING", "DR_RECOVERING"),
			Failed: words("FAILED", "CREATE_FAILED", "DELETE_FAILED", "FROZEN", "POLICE_FROZEN", "REBOOT_FAILURE",
				"RESIZE_FAILURE", "CREATE_NODE_FAILED", "DELETE_NODE_FAILED", "REDISTRIBUTE_FAILURE", "ELB_BIND_FAILED",
				"ELB_UNBIND_FAILED", "ELB_SWITCHING_FAILED", "NETWORK_CONFIG_FAILED", "DISK_EXPAND_FAILED",
				"ACTIVE_STANDY_SWITCHOVER_FAILURE", "CLUSTER_SHRINK_FAILED", "SHRINK_CHECK_FAILED", "FLAVOR_RESIZING_FAILED",
				"MANAGE_IP_BIND_FAILED"),
		},
		PassedOn: words("REDISTRIBUTION_PAUSED", "ORDER_PENDING"),
		Note:     "The field task_status counts before the status.",
	}
}

// CSSClusters returns a Source for clusters of Cloud Search Service that are to be available (css/v1
// ShowClusterDetail).
func CSSClusters(client *core.HcHttpClient) *httptasks.Source { return cssClusters().Source(client) }

func cssClusters() Service {
	return Service{
		Name: "css-clusters", Func: "CSSClusters", Waits: "clusters of Cloud Search Service", Host: "css", Resource: true,
		Type: "css/v1 ShowClusterDetailResponse", API: httptasks.API{
			URL: "/v1.0/{project_id}/clusters/{id}", ID: "id", Status: "status", Kind: "actions.0",
			Percent: "actionProgress.CREATING|actionProgress.GROWING|actionProgress.REBOOTING|actionProgress.RESTORING",
			Code:    "failedReason.errorCode", Reason: "failedReason.errorMsg", CreatedAt: "created", UpdatedAt: "updated",
			Executing: words("100"), Success: words("200"), Failed: words("303"),
		},
		Note: "Words are numbers: 100 is busy, 200 available, 303 failed.",
	}
}

// MRSClusters returns a Source for clusters of MapReduce Service that are to be running, which is ready (mrs/v1
// ShowClusterDetails).
func MRSClusters(client *core.HcHttpClient) *httptasks.Source { return mrsClusters().Source(client) }

func mrsClusters() Service {
	return Service{
		Name: "mrs-clusters", Func: "MRSClusters", Waits: "clusters of MapReduce Service", Host: "mrs", Resource: true,
		Type: "mrs/v1 ShowClusterDetailsResponse", API: httptasks.API{
			URL: "/v1.1/{project_id}/cluster_infos/{id}", Task: "cluster", ID: "clusterId", Status: "scale|clusterState",
			Reason: "errorInfo|stageDesc", CreatedAt: "createAt", UpdatedAt: "updateAt",
			Executing: words("starting", "terminating", "scaling-out", "scaling-in", "scaling-up", "scaling_up_first",
				"scaled_up_first"),
			Success: words("running", "scaled-up-success"), Failed: words("failed", "abnormal", "frozen", "scaling-error"),
			Deleted: words("terminated"),
		},
		Note: "running means ready. The field scale counts first. After scaling-error the cluster runs as before.",
	}
}

// MRSJobs returns a Source for the jobs in a cluster of MapReduce Service (mrs/v2 ShowSingleJobExe), which can be
// cancelled. The result of a job counts before its state, which ends with FINISHED also for a job that failed.
func MRSJobs(client *core.HcHttpClient, clusterID string) *httptasks.Source {
	return mrsJobs().Source(client, clusterID)
}

func mrsJobs() Service {
	const job = "/v2/{project_id}/clusters/{cluster_id}/job-executions/{id}"
	return Service{
		Name: "mrs-jobs", Func: "MRSJobs", Waits: "jobs in a cluster of MapReduce Service", Host: "mrs",
		Type: "mrs/v2 ShowSingleJobExeResponse", Page: "api-mrs/mrs_02_0086", API: httptasks.API{
			URL: job, Task: "job_detail", ID: "job_id", Status: "job_result|job_state", Kind: "job_type",
			Percent: "job_progress", CreatedAt: "submitted_time|started_time", UpdatedAt: "finished_time",
			Created:   words("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED"),
			Executing: words("UNDEFINED", "RUNNING"), Success: words("SUCCEEDED"), Failed: words("FAILED"),
			Cancelled: words("KILLED"), Cancel: &httptasks.Request{Method: http.MethodPost, URL: job + "/kill"},
		},
		PassedOn: words("FINISHED"),
		Note:     "FINISHED does not say with which result. A job with the result UNDEFINED runs.",
	}
}
