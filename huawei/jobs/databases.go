package jobs

import (
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func databases() []Service {
	return []Service{
		rds(), rdsScheduled(), rdsInstances(), gaussDB(), gaussDBScheduled(), gaussDBInstances(),
		openGauss(), openGaussScheduled(), openGaussInstances(), noSQL(), noSQLInstances(),
		dds(), ddsScheduled(), ddsInstances(), ddm(), ddmInstances(),
	}
}

// RDS returns a Source for the jobs of Relational Database Service (rds/v3 ListJobInfo, ListTasks). A job is found only
// some seconds after the request that began it, which is what the grace of [taskwait.WithNotFoundGrace] is for.
func RDS(client *core.HcHttpClient) *httptasks.Source { return rds().Source(client) }

func rds() Service {
	a := databaseJob()
	a.List = &httptasks.List{
		URL: "/v3/{project_id}/tasklist", Rows: "tasks", Total: "total_count", Limit: "limit", Size: 50, Offset: "offset",
	}
	return Service{
		Name: "rds", Func: "RDS", Waits: "jobs of Relational Database Service", Host: "rds",
		Type: "rds/v3 ListJobInfoResponse", Page: "api-rds/rds_08_0001", API: a,
		Note: "The service knows a job only some seconds after it began.",
	}
}

// RDSScheduled returns a Source for the scheduled tasks of Relational Database Service (rds/v3 ListScheduleTasks).
func RDSScheduled(client *core.HcHttpClient) *httptasks.Source { return rdsScheduled().Source(client) }

func rdsScheduled() Service {
	a := scheduledJob("/v3/{project_id}/schedule-tasks", "schedule_tasks", 50)
	a.Created, a.Failed = words("Initing", "Pending"), words("Failed", "Unauthorized")
	return Service{
		Name: "rds-scheduled", Func: "RDSScheduled", Waits: "scheduled tasks of Relational Database Service", Host: "rds",
		Type: "rds/v3 ListScheduleTasksResponse", API: a, Note: "Unauthorized is a failure: the task may not run.",
	}
}

// RDSInstances returns a Source for instances of Relational Database Service that are to be ACTIVE (rds/v3
// ListInstances).
func RDSInstances(client *core.HcHttpClient) *httptasks.Source { return rdsInstances().Source(client) }

func rdsInstances() Service {
	a := databaseInstance()
	a.Executing = words("MODIFYING", "REBOOTING", "RESTORING", "MODIFYING INSTANCE TYPE", "SWITCHOVER", "MIGRATING",
		"BACKING UP", "MODIFYING DATABASE PORT")
	a.Failed = append(a.Failed, "CREATE FAIL")
	return Service{
		Name: "rds-instances", Func: "RDSInstances", Waits: "instances of Relational Database Service", Host: "rds",
		Resource: true, Type: "rds/v3 ListInstancesResponse", API: a,
	}
}

// GaussDB returns a Source for the jobs of TaurusDB, formerly GaussDB(for MySQL) (gaussdb/v3 ShowGaussMySqlJobInfo,
// ListImmediateJobs).
func GaussDB(client *core.HcHttpClient) *httptasks.Source { return gaussDB().Source(client) }

func gaussDB() Service {
	a := databaseJob()
	a.Created, a.Cancelled = words("Pending", "Unauthorized"), words("Canceled")
	a.List = &httptasks.List{
		URL: "/v3/{project_id}/immediate-jobs", Rows: "jobs", Total: "total_count", Limit: "limit", Size: 50,
		Offset: "offset", First: 1, Permission: "gaussdbformysql:task:list",
	}
	return Service{
		Name: "gaussdb", Func: "GaussDB", Waits: "jobs of TaurusDB, formerly GaussDB(for MySQL)", Host: "gaussdb",
		Type: "gaussdb/v3 ShowGaussMySqlJobInfoResponse", Page: "api-taurusdb/ListImmediateJobs", API: a,
		Note: "Pending is a delayed job, and Unauthorized a job that waits for authorization: neither has begun.",
	}
}

// GaussDBScheduled returns a Source for the scheduled jobs of TaurusDB (gaussdb/v3 ListScheduleJobs).
func GaussDBScheduled(client *core.HcHttpClient) *httptasks.Source {
	return gaussDBScheduled().Source(client)
}

func gaussDBScheduled() Service {
	a := scheduledJob("/v3/{project_id}/scheduled-jobs", "schedules", 50)
	a.Cancel = &httptasks.Request{
		Method: http.MethodDelete, URL: "/v3/{project_id}/scheduled-jobs", Body: `{"job_ids":["{id}"]}`,
	}
	return Service{
		Name: "gaussdb-scheduled", Func: "GaussDBScheduled", Waits: "scheduled jobs of TaurusDB", Host: "gaussdb",
		Type: "gaussdb/v3 ListScheduleJobsResponse", API: a,
	}
}

// GaussDBInstances returns a Source for instances of TaurusDB that are to be ACTIVE (gaussdb/v3
// ShowGaussMySqlInstanceInfo).
func GaussDBInstances(client *core.HcHttpClient) *httptasks.Source {
	return gaussDBInstances().Source(client)
}

func gaussDBInstances() Service {
	a := databaseInstance()
	a.URL, a.Task = "/v3/{project_id}/instances/{id}", "instance"
	a.Executing = words("MODIFYING", "REBOOTING", "RESTORING", "SWITCHOVER", "MIGRATING", "BACKING UP",
		"MODIFYING DATABASE PORT")
	return Service{
		Name: "gaussdb-instances", Func: "GaussDBInstances", Waits: "instances of TaurusDB", Host: "gaussdb", Resource: true,
		Type: "gaussdb/v3 ShowGaussMySqlInstanceInfoResponse", API: a,
	}
}

// GaussDBForOpenGauss returns a Source for the jobs of GaussDB, formerly GaussDB(for openGauss)
// (gaussdbforopengauss/v3 ShowJobDetail, ListTasks).
func GaussDBForOpenGauss(client *core.HcHttpClient) *httptasks.Source {
	return openGauss().Source(client)
}

func openGauss() Service {
	a := databaseJob()
	a.List = &httptasks.List{
		URL: "/v3/{project_id}/tasks", Rows: "tasks", Total: "total_count", Limit: "limit", Size: 100, Offset: "offset",
	}
	return Service{
		Name: "opengauss", Func: "GaussDBForOpenGauss", Waits: "jobs of GaussDB, formerly GaussDB(for openGauss)",
		Host: "gaussdb-opengauss", Type: "gaussdbforopengauss/v3 ShowJobDetailResponse", API: a,
		Note: "The words are documented for the list of jobs alone.",
	}
}

// GaussDBForOpenGaussScheduled returns a Source for the scheduled tasks of GaussDB (gaussdbforopengauss/v3
// ListScheduleTask).
func GaussDBForOpenGaussScheduled(client *core.HcHttpClient) *httptasks.Source {
	return openGaussScheduled().Source(client)
}

func openGaussScheduled() Service {
	a := scheduledJob("/v3/{project_id}/instances/schedule-tasks", "tasks", 100)
	a.UpdatedAt = "" // the rows have no end
	a.Cancel = &httptasks.Request{
		Method: http.MethodPut, URL: "/v3/{project_id}/instances/schedule-task/{id}/cancel",
	}
	return Service{
		Name: "opengauss-scheduled", Func: "GaussDBForOpenGaussScheduled", Waits: "scheduled tasks of GaussDB",
		Host: "gaussdb-opengauss", Type: "gaussdbforopengauss/v3 ListScheduleTaskResponse", API: a,
	}
}

// GaussDBForOpenGaussInstances returns a Source for instances of GaussDB that are to be ACTIVE (gaussdbforopengauss/v3
// ListInstances).
func GaussDBForOpenGaussInstances(client *core.HcHttpClient) *httptasks.Source {
	return openGaussInstances().Source(client)
}

func openGaussInstances() Service {
	a := databaseInstance()
	a.Executing = words("EXPANDING", "REBOOTING", "UPGRADING", "RESTORING", "BACKING UP", "REDUCING REPLICATION")
	return Service{
		Name: "opengauss-instances", Func: "GaussDBForOpenGaussInstances", Waits: "instances of GaussDB",
		Host: "gaussdb-opengauss", Resource: true, Type: "gaussdbforopengauss/v3 ListInstancesResponse", API: a,
	}
}

// GaussDBForNoSQL returns a Source for the jobs of GeminiDB, formerly GaussDB(for NoSQL) (gaussdbfornosql/v3 ListJobs).
// The service lists those of the last 30 days.
func GaussDBForNoSQL(client *core.HcHttpClient) *httptasks.Source { return noSQL().Source(client) }

func noSQL() Service {
	a := databaseJob()
	a.Task, a.CreatedAt, a.UpdatedAt = "jobs", "start_time", "end_time"
	a.List = &httptasks.List{
		URL: "/v3/{project_id}/jobs", Rows: "jobs", Total: "total_count", Limit: "limit", Size: 50, Offset: "offset",
	}
	return Service{
		Name: "nosql", Func: "GaussDBForNoSQL", Waits: "jobs of GeminiDB, formerly GaussDB(for NoSQL)",
		Host: "gaussdb-nosql", Type: "gaussdbfornosql/v3 ListJobsResponse", API: a,
	}
}

// GaussDBForNoSQLInstances returns a Source for instances of GeminiDB that are to be normal, and busy with nothing
// (gaussdbfornosql/v3 ListInstances).
func GaussDBForNoSQLInstances(client *core.HcHttpClient) *httptasks.Source {
	return noSQLInstances().Source(client)
}

func noSQLInstances() Service {
	s := ddsInstances()
	s.Name, s.Func, s.Waits = "nosql-instances", "GaussDBForNoSQLInstances", "instances of GeminiDB"
	s.Host, s.Type = "gaussdb-nosql", "gaussdbfornosql/v3 ListInstancesResponse"
	return s
}

// DDS returns a Source for the jobs of Document Database Service (dds/v3 ShowJobDetail).
func DDS(client *core.HcHttpClient) *httptasks.Source { return dds().Source(client) }

func dds() Service {
	return Service{
		Name: "dds", Func: "DDS", Waits: "jobs of Document Database Service", Host: "dds",
		Type: "dds/v3 ShowJobDetailResponse", API: databaseJob(),
	}
}

// DDSScheduled returns a Source for the scheduled jobs of Document Database Service (dds/v3 ListScheduledTasks). The
// service lists those of the last seven days.
func DDSScheduled(client *core.HcHttpClient) *httptasks.Source { return ddsScheduled().Source(client) }

func ddsScheduled() Service {
	a := scheduledJob("/v3/{project_id}/scheduled-jobs", "schedules", 100)
	a.Cancel = &httptasks.Request{Method: http.MethodDelete, URL: "/v3/{project_id}/scheduled-jobs/{id}"}
	return Service{
		Name: "dds-scheduled", Func: "DDSScheduled", Waits: "scheduled jobs of Document Database Service", Host: "dds",
		Type: "dds/v3 ListScheduledTasksResponse", API: a,
	}
}

// DDSInstances returns a Source for instances of Document Database Service that are to be normal, and busy with nothing
// (dds/v3 ListInstances).
func DDSInstances(client *core.HcHttpClient) *httptasks.Source { return ddsInstances().Source(client) }

func ddsInstances() Service {
	a := databaseInstance()
	a.Status, a.Created, a.Success = "actions.0|status", words("creating"), words("normal")
	a.Failed = words("abnormal", "createfail", "enlargefail", "data_disk_full", "frozen")
	return Service{
		Name: "dds-instances", Func: "DDSInstances", Waits: "instances of Document Database Service", Host: "dds",
		Resource: true, Type: "dds/v3 ListInstancesResponse", API: a,
		Note: "The actions that an instance is busy with count before its status. Their words are not documented.",
	}
}

// DDM returns a Source for the jobs of Distributed Database Middleware (ddm/v1 ShowDdmJobResult).
func DDM(client *core.HcHttpClient) *httptasks.Source { return ddm().Source(client) }

func ddm() Service {
	a := databaseJob()
	a.URL = "/v3/{project_id}/jobs/{id}"
	return Service{
		Name: "ddm", Func: "DDM", Waits: "jobs of Distributed Database Middleware", Host: "ddm",
		Type: "ddm/v1 ShowDdmJobResultResponse", Page: "api-ddm/ListTasks", API: a,
	}
}

// DDMInstances returns a Source for instances of Distributed Database Middleware that are to be RUNNING (ddm/v1
// ShowInstance).
func DDMInstances(client *core.HcHttpClient) *httptasks.Source { return ddmInstances().Source(client) }

func ddmInstances() Service {
	return Service{
		Name: "ddm-instances", Func: "DDMInstances", Waits: "instances of Distributed Database Middleware", Host: "ddm",
		Resource: true, Type: "ddm/v1 ShowInstanceResponse", Page: "api-ddm/ddm_api_01_0064", API: httptasks.API{
			URL: "/v1/{project_id}/instances/{id}", ID: "id", Status: "status", Reason: "error_msg",
			CreatedAt: "created", UpdatedAt: "updated", Created: words("CREATING"), Success: words("RUNNING"),
			Executing: words("RESTARTING", "FREEZING", "UNFREEZING", "RESIZING", "UPGRADE_VERSION_INSTANCE",
				"ROLL_BACK_DB_VERSION", "GROWING", "REDUCING", "RESTORE", "BACKUP", "MODIFY_NAME", "MIGRATE_DATABASE",
				"RESET_PASSWORD", "ONDEMAND_TO_PERIOD", "PERIOD_RESOURCE_SPEC_CHG", "SET_CONFIGURATION"),
			Failed: words("CREATEFAILED", "ERROR", "FROZEN", "data_disk_full"),
		},
	}
}
