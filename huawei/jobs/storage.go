package jobs

import (
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func storage() []Service {
	return []Service{evs(), evsVolumes(), sdrs(), sfsTurbo(), sfsTurboTasks(), sfsTurboShares(), cbr(), cbrBackups()}
}

// EVS returns a Source for the jobs of Elastic Volume Service (evs/v2 ShowJob).
func EVS(client *core.HcHttpClient) *httptasks.Source { return evs().Source(client) }

func evs() Service {
	a := v1Job()
	a.Executing = words("RUNNING", "WAITING_EXECUTE", "LISTENING")
	return Service{
		Name: "evs", Func: "EVS", Waits: "jobs of Elastic Volume Service", Host: "evs",
		Type: "evs/v2 ShowJobResponse", API: a,
		Note: "WAITING_EXECUTE and LISTENING are documented, though not in the SDK: the job still runs.",
	}
}

// EVSVolumes returns a Source for disks of Elastic Volume Service that are to be available or in use (evs/v2
// ShowVolume).
func EVSVolumes(client *core.HcHttpClient) *httptasks.Source { return evsVolumes().Source(client) }

func evsVolumes() Service {
	return Service{
		Name: "evs-volumes", Func: "EVSVolumes", Waits: "disks of Elastic Volume Service", Host: "evs", Resource: true,
		Type: "evs/v2 ShowVolumeResponse", Page: "api-evs/evs_04_0040", API: httptasks.API{
			URL: "/v2/{project_id}/cloudvolumes/{id}", Task: "volume", ID: "id", Status: "status",
			CreatedAt: "created_at", UpdatedAt: "updated_at", Created: words("creating"), Success: words("available", "in-use"),
			Executing: words("attaching", "detaching", "restoring-backup", "backing-up", "uploading", "downloading", "extending",
				"deleting", "rollbacking"),
			Failed: words("error", "error_restoring", "error_extending", "error_deleting", "error_rollbacking"),
		},
		PassedOn: words("awaiting-transfer"),
	}
}

// SDRS returns a Source for the jobs of Storage Disaster Recovery Service (sdrs/v1 ShowJobStatus).
func SDRS(client *core.HcHttpClient) *httptasks.Source { return sdrs().Source(client) }

func sdrs() Service {
	return Service{
		Name: "sdrs", Func: "SDRS", Waits: "jobs of Storage Disaster Recovery Service", Host: "sdrs",
		Type: "sdrs/v1 ShowJobStatusResponse", API: v1Job(),
	}
}

// SFSTurbo returns a Source for the jobs of SFS Turbo (sfsturbo/v1 ShowJobDetail).
func SFSTurbo(client *core.HcHttpClient) *httptasks.Source { return sfsTurbo().Source(client) }

func sfsTurbo() Service {
	a := v1Job()
	a.URL, a.Steps = "/v1/{project_id}/sfs-turbo/jobs/{id}", "sub_jobs"
	a.Created, a.Executing, a.Success, a.Failed = words("waiting"), words("running"), words("success"), words("failed")
	return Service{
		Name: "sfs-turbo", Func: "SFSTurbo", Waits: "jobs of SFS Turbo", Host: "sfs-turbo",
		Type: "sfsturbo/v1 ShowJobDetailResponse", Page: "api-sfsturbo/ShowJobDetail", API: a,
	}
}

// SFSTurboTasks returns a Source for the tasks of an SFS Turbo file system that measure directories (sfsturbo/v1
// ShowFsTask). To cancel one also deletes its record.
func SFSTurboTasks(client *core.HcHttpClient, shareID string) *httptasks.Source {
	return sfsTurboTasks().Source(client, shareID)
}

func sfsTurboTasks() Service {
	const tasks = "/v1/{project_id}/sfs-turbo/shares/{share_id}/fs/dir-usage/tasks"
	return Service{
		Name: "sfs-turbo-tasks", Func: "SFSTurboTasks", Waits: "directory tasks of an SFS Turbo file system",
		Host: "sfs-turbo", Type: "sfsturbo/v1 ShowFsTaskResponse", API: httptasks.API{
			URL: tasks + "/{id}", ID: "task_id", Status: "status", Reason: "dir_usage.message",
			CreatedAt: "begin_time", UpdatedAt: "end_time",
			Executing: words("DOING"), Success: words("SUCCESS"), Failed: words("FAIL"),
			List:   &httptasks.List{URL: tasks, Rows: "tasks", Limit: "limit", Size: 100, Marker: "marker"},
			Cancel: &httptasks.Request{Method: http.MethodDelete, URL: tasks + "/{id}"},
		},
	}
}

// SFSTurboShares returns a Source for SFS Turbo file systems that are to be available (sfsturbo/v1 ShowShare). The
// status of a change, such as an expansion, counts while it is there.
func SFSTurboShares(client *core.HcHttpClient) *httptasks.Source {
	return sfsTurboShares().Source(client)
}

func sfsTurboShares() Service {
	return Service{
		Name: "sfs-turbo-shares", Func: "SFSTurboShares", Waits: "SFS Turbo file systems", Host: "sfs-turbo", Resource: true,
		Type: "sfsturbo/v1 ShowShareResponse", API: httptasks.API{
			URL: "/v1/{project_id}/sfs-turbo/shares/{id}", ID: "id", Status: "sub_status|status", CreatedAt: "created_at",
			Percent: "action_progress.CREATING",
			Created: words("100"), Executing: words("121", "132", "137", "138", "150", "151"),
			Success: words("200", "221", "232", "237", "238", "250", "251"),
			Failed:  words("303", "800", "321", "332", "337", "338", "350", "351"),
		},
		Note: "Words are numbers: 100 is being created, 200 available, 800 frozen; 1xx is a change, 2xx done, 3xx failed.",
	}
}

// CBR returns a Source for the tasks of Cloud Backup and Recovery (cbr/v1 ShowOpLog).
func CBR(client *core.HcHttpClient) *httptasks.Source { return cbr().Source(client) }

func cbr() Service {
	return Service{
		Name: "cbr", Func: "CBR", Waits: "tasks of Cloud Backup and Recovery", Host: "cbr",
		Type: "cbr/v1 ShowOpLogResponse", Page: "api-cbr/ShowOpLog", API: httptasks.API{
			URL: "/v3/{project_id}/operation-logs/{id}", Task: "operation_log", ID: "id", Status: "status",
			Kind: "operation_type", Percent: "extra_info.common.progress", Code: "error_info.code", Reason: "error_info.message",
			CreatedAt: "created_at", UpdatedAt: "ended_at|updated_at", Created: words("waiting"), Executing: words("running"),
			Success: words("success"), Failed: words("failed", "timeout", "skipped"),
		},
		Note: "skipped is a failure: a check failed, and no backup was made.",
	}
}

// CBRBackups returns a Source for backups of Cloud Backup and Recovery that are to be available (cbr/v1 ShowBackup).
func CBRBackups(client *core.HcHttpClient) *httptasks.Source { return cbrBackups().Source(client) }

func cbrBackups() Service {
	return Service{
		Name: "cbr-backups", Func: "CBRBackups", Waits: "backups of Cloud Backup and Recovery", Host: "cbr", Resource: true,
		Type: "cbr/v1 ShowBackupResponse", API: httptasks.API{
			URL: "/v3/{project_id}/backups/{id}", Task: "backup", ID: "id", Status: "status",
			CreatedAt: "created_at", UpdatedAt: "updated_at", Created: words("waiting_protect"), Success: words("available"),
			Executing: words("protecting", "deleting", "restoring", "waiting_delete", "waiting_restore"), Failed: words("error"),
		},
	}
}
