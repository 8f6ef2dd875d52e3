package jobs

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

func messages() []Service {
	return []Service{
		dcs(), dcsTasks(), dcsInstances(), rabbitMQ(), rabbitMQScheduled(), rabbitMQInstances(),
		rocketMQ(), rocketMQScheduled(), rocketMQInstances(),
	}
}

// DCS returns a Source for the jobs of Distributed Cache Service (dcs/v2 ShowJobInfo, ListCenterTask).
func DCS(client *core.HcHttpClient) *httptasks.Source { return dcs().Source(client) }

func dcs() Service {
	return Service{
		Name: "dcs", Func: "DCS", Waits: "jobs of Distributed Cache Service", Host: "dcs",
		Type: "dcs/v2 ShowJobInfoResponse", API: httptasks.API{
			URL: "/v2/{project_id}/jobs/{id}", ID: "job_id|id", Status: "status", Kind: "job_type|name",
			Code: "error_code", Reason: "fail_reason", CreatedAt: "begin_time|created_at", UpdatedAt: "end_time|updated_at",
			Created: words("INIT", "CREATED"), Executing: words("RUNNING", "EXECUTING"), Success: words("SUCCESS"),
			Failed: words("FAIL", "FAILED"),
			List: &httptasks.List{
				URL: "/v2/{project_id}/tasks", Rows: "tasks", Total: "task_count", Limit: "limit", Size: 1000,
				Offset: "offset", Since: "start_time", SinceLayout: "20060102150405",
			},
		},
		Note: "The words of the list, which are those of background tasks, are not documented.",
	}
}

// DCSTasks returns a Source for the background tasks of an instance of Distributed Cache Service (dcs/v2
// ListBackgroundTask, ShowBackgroundTaskProgress).
func DCSTasks(client *core.HcHttpClient, instanceID string) *httptasks.Source {
	return dcsTasks().Source(client, instanceID)
}

func dcsTasks() Service {
	const tasks = "/v2/{project_id}/instances/{instance_id}/tasks"
	return Service{
		Name: "dcs-tasks", Func: "DCSTasks", Waits: "background tasks of an instance of Distributed Cache Service",
		Host: "dcs", Type: "dcs/v2 ListBackgroundTaskResponse", Page: "api-dcs/ListBackgroundTask", API: httptasks.API{
			URL: tasks + "?limit=100", Task: "tasks", ID: "id", Status: "status", Kind: "name",
			CreatedAt: "created_at", UpdatedAt: "updated_at",
			Created: words("CREATED"), Executing: words("EXECUTING"), Success: words("SUCCESS"), Failed: words("FAILED"),
			List: &httptasks.List{
				URL: tasks, Rows: "tasks", Total: "task_count", Limit: "limit", Size: 100, Offset: "offset",
				Since: "start_time", SinceLayout: "20060102150405",
			},
			Details: &httptasks.API{
				URL: tasks + "/{id}/progress", Percent: "progress", Remaining: "remain_time", Steps: "step_details",
				Kind: "step_name", Status: "step_status", CreatedAt: "begin_time", UpdatedAt: "end_time",
			},
		},
		Note: "The words are not documented. EXECUTING and SUCCESS were seen; the others are those of DMS.",
	}
}

// DCSInstances returns a Source for instances of Distributed Cache Service that are to be RUNNING (dcs/v2
// ShowInstance).
func DCSInstances(client *core.HcHttpClient) *httptasks.Source { return dcsInstances().Source(client) }

func dcsInstances() Service {
	return Service{
		Name: "dcs-instances", Func: "DCSInstances", Waits: "instances of Distributed Cache Service", Host: "dcs",
		Resource: true, Type: "dcs/v2 ShowInstanceResponse", Page: "api-dcs/dcs-api-0312047", API: httptasks.API{
			URL: "/v2/{project_id}/instances/{id}", ID: "instance_id", Status: "status",
			CreatedAt: "created_at", UpdatedAt: "update_at", Created: words("CREATING"), Success: words("RUNNING"),
			Executing: words("RESTARTING", "EXTENDING", "RESTORING", "FLUSHING"),
			Failed:    words("CREATEFAILED", "ERROR", "FROZEN"),
		},
	}
}

// RabbitMQ returns a Source for the background tasks of an instance of RabbitMQ (rabbitmq/v2 ShowBackgroundTask,
// ListBackgroundTasks).
func RabbitMQ(client *core.HcHttpClient, instanceID string) *httptasks.Source {
	return rabbitMQ().Source(client, instanceID)
}

func rabbitMQ() Service {
	return Service{
		Name: "rabbitmq", Func: "RabbitMQ", Waits: "background tasks of an instance of RabbitMQ", Host: "dms",
		Type: "rabbitmq/v2 ShowBackgroundTaskResponse", Page: "api-rabbitmq/ShowBackgroundTask", API: dmsTask(),
	}
}

// RabbitMQScheduled returns a Source for the scheduled tasks of an instance of RabbitMQ (rabbitmq/v2
// ListScheduledTasks), which can be cancelled. Their ids are not those of the background tasks.
func RabbitMQScheduled(client *core.HcHttpClient, instanceID string) *httptasks.Source {
	return rabbitMQScheduled().Source(client, instanceID)
}

func rabbitMQScheduled() Service {
	return Service{
		Name: "rabbitmq-scheduled", Func: "RabbitMQScheduled", Waits: "scheduled tasks of an instance of RabbitMQ",
		Host: "dms", Type: "rabbitmq/v2 ListScheduledTasksResponse", API: dmsScheduled(),
	}
}

// RabbitMQInstances returns a Source for instances of RabbitMQ that are to be RUNNING (rabbitmq/v2 ShowInstance).
func RabbitMQInstances(client *core.HcHttpClient) *httptasks.Source {
	return rabbitMQInstances().Source(client)
}

func rabbitMQInstances() Service {
	return Service{
		Name: "rabbitmq-instances", Func: "RabbitMQInstances", Waits: "instances of RabbitMQ", Host: "dms", Resource: true,
		Type: "rabbitmq/v2 ShowInstanceResponse", Page: "api-kafka/kafka-api-180514012", API: dmsInstance(),
	}
}

// RocketMQ returns a Source for the background tasks of an instance of RocketMQ (rocketmq/v2 ShowBackgroundTask,
// ListBackgroundTasks, ShowBackgroundTaskProgress).
func RocketMQ(client *core.HcHttpClient, instanceID string) *httptasks.Source {
	return rocketMQ().Source(client, instanceID)
}

func rocketMQ() Service {
	a := dmsTask()
	a.Details = &httptasks.API{
		URL: a.URL + "/progress", Percent: "progress_percentage", Remaining: "remain_time", Steps: "step_list",
		Kind: "name", Status: "statue|status", CreatedAt: "start_time", UpdatedAt: "end_time",
	}
	return Service{
		Name: "rocketmq", Func: "RocketMQ", Waits: "background tasks of an instance of RocketMQ", Host: "dms",
		Type: "rocketmq/v2 ShowBackgroundTaskResponse", Page: "api-hrm/ShowBackgroundTask", API: a,
	}
}

// RocketMQScheduled returns a Source for the scheduled tasks of an instance of RocketMQ (rocketmq/v2
// ListScheduledTasks), which can be cancelled. Their ids are not those of the background tasks.
func RocketMQScheduled(client *core.HcHttpClient, instanceID string) *httptasks.Source {
	return rocketMQScheduled().Source(client, instanceID)
}

func rocketMQScheduled() Service {
	return Service{
		Name: "rocketmq-scheduled", Func: "RocketMQScheduled", Waits: "scheduled tasks of an instance of RocketMQ",
		Host: "dms", Type: "rocketmq/v2 ListScheduledTasksResponse", API: dmsScheduled(),
	}
}

// RocketMQInstances returns a Source for instances of RocketMQ that are to be RUNNING (rocketmq/v2 ShowInstance).
func RocketMQInstances(client *core.HcHttpClient) *httptasks.Source {
	return rocketMQInstances().Source(client)
}

func rocketMQInstances() Service {
	return Service{
		Name: "rocketmq-instances", Func: "RocketMQInstances", Waits: "instances of RocketMQ", Host: "dms", Resource: true,
		Type: "rocketmq/v2 ShowInstanceResponse", Page: "api-hrm/hrm-api-0010", API: dmsInstance(),
	}
}
