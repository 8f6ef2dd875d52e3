package jobs

import (
	"fmt"
	"net/http"

	"github.com/taskwait/taskwait/httptasks"
)

// The shapes that several services share, each from the SDK's types, v0.1.207. They are functions, so that a program
// has in it only what it uses, and each caller changes its own.

// v1Job is the job of ECS, BMS, EVS, IMS, SDRS and EIP: the same path on different hosts, so that an id is good only
// for the service that gave it.
func v1Job() httptasks.API {
	return httptasks.API{
		URL: "/v1/{project_id}/jobs/{id}", ID: "job_id", Status: "status", Kind: "job_type",
		Code: "error_code", Reason: "fail_reason", CreatedAt: "begin_time", UpdatedAt: "end_time",
		Steps:   "entities.sub_jobs",
		Created: words("INIT"), Executing: words("RUNNING"), Success: words("SUCCESS"), Failed: words("FAIL"),
	}
}

// databaseJob is the job of RDS and its relatives. The progress is there while the job runs, and "" otherwise.
func databaseJob() httptasks.API {
	return httptasks.API{
		URL: "/v3/{project_id}/jobs?id={id}", Task: "job", ID: "id|job_id", Status: "status", Kind: "name|job_name",
		Percent: "process|progress", Reason: "fail_reason",
		CreatedAt: "created|create_time|created_time|created_at", UpdatedAt: "ended|end_time|ended_time|ended_at",
		Executing: words("Running"), Success: words("Completed"), Failed: words("Failed"),
	}
}

// scheduledJob is the row of a database service's list of scheduled jobs, which has no request for one of them. size is
// the most rows that a page may have.
func scheduledJob(url, rows string, size int) httptasks.API {
	return httptasks.API{
		URL: fmt.Sprintf("%s?limit=%d", url, size), Task: rows,
		ID: "id|job_id|task_id", Status: "status|job_status", Kind: "name|job_name|task_name",
		CreatedAt: "create_time", UpdatedAt: "end_time",
		Created: words("Pending"), Executing: words("Running"), Success: words("Completed"), Failed: words("Failed"),
		Cancelled: words("Canceled"),
		List: &httptasks.List{
			URL: url, Rows: rows, Total: "total_count", Limit: "limit", Size: size, Offset: "offset",
		},
	}
}

// databaseInstance is the instance of a database service whose only request for it is its list, narrowed to the id.
func databaseInstance() httptasks.API {
	return httptasks.API{
		URL: "/v3/{project_id}/instances?id={id}", Task: "instances", ID: "id", Status: "status",
		CreatedAt: "created", UpdatedAt: "updated",
		Created: words("BUILD"), Success: words("ACTIVE"), Failed: words("FAILED", "FROZEN", "STORAGE FULL"),
	}
}

// dmsTask is the background task of RabbitMQ and RocketMQ, which is that of Kafka.
func dmsTask() httptasks.API {
	const tasks = "/v2/{project_id}/instances/{instance_id}/tasks"
	return httptasks.API{
		URL: tasks + "/{id}", Task: "tasks", ID: "id", Status: "status", Kind: "name",
		CreatedAt: "created_at", UpdatedAt: "updated_at", Permission: "dms:instance:getBackgroundTask",
		Created: words("CREATED"), Executing: words("EXECUTING"), Success: words("SUCCESS"), Failed: words("FAILED"),
		Cancelled: words("CANCELLED"), Deleted: words("DELETED"),
		List: &httptasks.List{
			URL: tasks, Rows: "tasks", Total: "task_count", Limit: "limit", Size: 100, Offset: "offset",
			Since: "begin_time", SinceLayout: "20060102150405",
		},
	}
}

// dmsScheduled is a task of RabbitMQ and RocketMQ that is planned for later. Its id is not that of the background task.
func dmsScheduled() httptasks.API {
	const tasks = "/v2/{project_id}/instances/{instance_id}/scheduled-tasks"
	a := dmsTask()
	a.URL, a.Task, a.Permission = tasks+"?limit=100", "jobs", ""
	a.List = &httptasks.List{
		URL: tasks, Rows: "jobs", Total: "job_count", Limit: "limit", Size: 100, Offset: "start",
	}
	a.Cancel = &httptasks.Request{Method: http.MethodPut, URL: tasks + "/{id}?status=CANCELLED"}
	return a
}

// dmsInstance is an instance of RabbitMQ and RocketMQ.
func dmsInstance() httptasks.API {
	return httptasks.API{
		URL: "/v2/{project_id}/instances/{id}", ID: "instance_id", Status: "status", CreatedAt: "created_at",
		Permission: "dms:instance:get", Created: words("CREATING"), Success: words("RUNNING"),
		Executing: words("RESTARTING", "STARTING", "EXTENDING", "FREEZING", "UPGRADING", "ROLLBACK", "ROLLINGBACK",
			"DELETING"),
		Failed: words("CREATEFAILED", "ERROR", "EXTENDEDFAILED", "FROZEN"), Deleted: words("DELETED"),
		NotFound: words("DMS.00404022"),
	}
}

func words(w ...string) []string { return w }
