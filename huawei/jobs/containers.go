package jobs

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func containers() []Service {
	return []Service{
		cce(), cceUpgrades(), cceClusters(), cceNodes(), cceAutopilot(), cceAutopilotJobs(), cceAutopilotClusters(),
	}
}

// CCE returns a Source for the jobs of Cloud Container Engine (cce/v3 ShowJob).
func CCE(client *core.HcHttpClient) *httptasks.Source { return cce().Source(client) }

func cce() Service {
	return Service{
		Name: "cce", Func: "CCE", Waits: "jobs of Cloud Container Engine", Host: "cce",
		Type: "cce/v3 ShowJobResponse", API: httptasks.API{
			URL: "/api/v3/projects/{project_id}/jobs/{id}", ID: "metadata.uid", Status: "status.phase", Kind: "spec.type",
			Reason: "status.reason", CreatedAt: "metadata.creationTimestamp", UpdatedAt: "metadata.updateTimestamp",
			Steps: "spec.subJobs", Created: words("Initializing"), Executing: words("Running"), Success: words("Success"),
			Failed: words("Failed"),
		},
	}
}

// CCEUpgrades returns a Source for the upgrades of a cluster of Cloud Container Engine (cce/v3 ShowUpgradeClusterTask).
func CCEUpgrades(client *core.HcHttpClient, clusterID string) *httptasks.Source {
	return cceUpgrades().Source(client, clusterID)
}

func cceUpgrades() Service {
	a := cce().API
	a.URL = "/api/v3/projects/{project_id}/clusters/{cluster_id}/operation/upgrade/tasks/{id}"
	a.Kind, a.Steps, a.Percent, a.Reason = "kind", "", "status.progress", ""
	a.UpdatedAt = "status.completionTime|metadata.updateTimestamp"
	a.Created, a.Executing = words("Init", "Queuing"), words("Running", "Pause")
	return Service{
		Name: "cce-upgrades", Func: "CCEUpgrades", Waits: "upgrades of a cluster of Cloud Container Engine", Host: "cce",
		Type: "cce/v3 ShowUpgradeClusterTaskResponse", Page: "api-cce/ShowUpgradeClusterTask", API: a,
		Note: "Pause is not an end: it lasts until somebody continues the upgrade.",
	}
}

// CCEClusters returns a Source for clusters of Cloud Container Engine that are to be Available (cce/v3 ShowCluster).
func CCEClusters(client *core.HcHttpClient) *httptasks.Source { return cceClusters().Source(client) }

func cceClusters() Service {
	return Service{
		Name: "cce-clusters", Func: "CCEClusters", Waits: "clusters of Cloud Container Engine", Host: "cce", Resource: true,
		Type: "cce/v3 ShowClusterResponse", API: httptasks.API{
			URL: "/api/v3/projects/{project_id}/clusters/{id}?errorStatus=true", ID: "metadata.uid", Status: "status.phase",
			Reason: "status.reason", CreatedAt: "metadata.creationTimestamp", UpdatedAt: "metadata.updateTimestamp",
			Created: words("Creating"), Success: words("Available"),
			Executing: words("ScalingUp", "ScalingDown", "Deleting", "Upgrading", "Resizing", "RollingBack", "Hibernating",
				"Awaking"),
			Failed: words("Unavailable", "RollbackFailed", "Error"),
		},
		PassedOn: words("Hibernation", "Empty"),
		Note:     "Asked with errorStatus: without it the service says Deleting where it means Error.",
	}
}

// CCENodes returns a Source for nodes of a cluster of Cloud Container Engine that are to be Active (cce/v3 ShowNode).
func CCENodes(client *core.HcHttpClient, clusterID string) *httptasks.Source {
	return cceNodes().Source(client, clusterID)
}

func cceNodes() Service {
	a := cceClusters().API
	a.URL = "/api/v3/projects/{project_id}/clusters/{cluster_id}/nodes/{id}?errorStatus=true"
	a.Reason, a.Created, a.Executing = "", words("Build"), words("Installing", "Upgrading", "Deleting")
	a.Success, a.Failed = words("Active"), words("Abnormal", "Error")
	return Service{
		Name: "cce-nodes", Func: "CCENodes", Waits: "nodes of a cluster of Cloud Container Engine", Host: "cce",
		Resource: true, Type: "cce/v3 ShowNodeResponse", API: a, Note: "Asked with errorStatus, as for CCE clusters.",
	}
}

// CCEAutopilot returns a Source for the jobs of CCE Autopilot (cce/v3 GetAutopilotOneJob, ListAutopilotJobs).
func CCEAutopilot(client *core.HcHttpClient) *httptasks.Source { return cceAutopilot().Source(client) }

func cceAutopilot() Service {
	a := cce().API
	a.URL, a.Status, a.Steps = "/autopilot/v2/projects/{project_id}/jobs/{id}", "status.status", "spec.subjobs"
	a.UpdatedAt = "status.completionTime|metadata.updateTimestamp"
	a.List = &httptasks.List{URL: "/autopilot/v2/projects/{project_id}/jobs"}
	return Service{
		Name: "cce-autopilot", Func: "CCEAutopilot", Waits: "jobs of CCE Autopilot", Host: "cce",
		Type: "cce/v3 GetAutopilotOneJobResponse", API: a,
	}
}

// CCEAutopilotV3 returns a Source for the jobs of CCE Autopilot whose ids clusters are created and deleted with (cce/v3
// ShowAutopilotJob).
func CCEAutopilotV3(client *core.HcHttpClient) *httptasks.Source {
	return cceAutopilotJobs().Source(client)
}

func cceAutopilotJobs() Service {
	a := cce().API
	a.URL = "/autopilot/v3/projects/{project_id}/jobs/{id}"
	return Service{
		Name: "cce-autopilot-v3", Func: "CCEAutopilotV3", Waits: "jobs of CCE Autopilot, version 3 of the API", Host: "cce",
		Type: "cce/v3 ShowAutopilotJobResponse", API: a,
	}
}

// CCEAutopilotClusters returns a Source for clusters of CCE Autopilot that are to be Available (cce/v3
// ShowAutopilotCluster).
func CCEAutopilotClusters(client *core.HcHttpClient) *httptasks.Source {
	return cceAutopilotClusters().Source(client)
}

func cceAutopilotClusters() Service {
	a := cceClusters().API
	a.URL = "/autopilot/v3/projects/{project_id}/clusters/{id}?errorStatus=true"
	a.Executing = words("Deleting", "Upgrading", "RollingBack")
	return Service{
		Name: "cce-autopilot-clusters", Func: "CCEAutopilotClusters", Waits: "clusters of CCE Autopilot", Host: "cce",
		Resource: true, Type: "cce/v3 ShowAutopilotClusterResponse", API: a, Note: "Asked with errorStatus, as for CCE.",
	}
}
