package jobs_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei/jobs"
)

const (
	created   = taskwait.StatusCreated
	executing = taskwait.StatusExecuting
	success   = taskwait.StatusSuccess
	failed    = taskwait.StatusFailed
	cancelled = taskwait.StatusCancelled
)

// answered asks a service for "j1", whose answer is a body.
func answered(t *testing.T, name, body string) (taskwait.Task, error) {
	t.Helper()
	all := jobs.Services()
	i := slices.IndexFunc(all, func(s jobs.Service) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no service %q", name)
	}
	api := all[i].API
	for _, v := range all[i].Needs() {
		api = api.With(v, "i1")
	}
	source, err := httptasks.NewFrom(func(context.Context, httptasks.Request) (httptasks.Answer, error) {
		return httptasks.Answer{Body: []byte(body), Header: http.Header{}}, nil
	}, api)
	if err != nil {
		t.Fatal(err)
	}
	return source.Task(t.Context(), "j1")
}

// TestWords has the answers in which the words alone mislead.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, service, body string
		want                taskwait.Status
		code, reason        string
	}{
		{"ELB: complete", "elb", `{"job":{"job_id":"j1","status":"COMPLETE","error_code":"","error_msg":""}}`,
			success, "", ""},
		{
			"ELB: complete after a rollback", "elb",
			`{"job":{"job_id":"j1","status":"COMPLETE","error_code":"ELB.1","error_msg":"full"}}`, failed, "ELB.1", "full",
		},
		{"ELB: still rolling back", "elb", `{"job":{"job_id":"j1","status":"ROLLBACKING","error_code":"ELB.1"}}`,
			executing, "", ""},
		{"ELB: the rollback failed", "elb", `{"job":{"job_id":"j1","status":"ROLLBACK_FAIL"}}`, failed, "", ""},
		{
			"RFS: rolled back", "rfs-stacks", `{"stack_name":"j1","status":"ROLLBACK_COMPLETE","status_message":"no quota"}`,
			failed, "", "no quota",
		},
		{"RFS: an empty stack", "rfs-stacks", `{"stack_name":"j1","status":"CREATION_COMPLETE"}`, success, "", ""},
		{
			"CBR: skipped", "cbr",
			`{"operation_log":{"id":"j1","status":"skipped","error_info":{"code":"Backup.1","message":"no change"}}}`,
			failed, "Backup.1", "no change",
		},
		{"CCE: an upgrade in pause", "cce-upgrades", `{"metadata":{"uid":"j1"},"status":{"phase":"Pause"}}`,
			executing, "", ""},
		{"VPCEP: to be accepted", "vpcep", `{"id":"j1","status":"pendingAcceptance"}`, executing, "", ""},
		{
			"VPCEP: failed, with a list of errors", "vpcep",
			`{"id":"j1","status":"failed","error":[{"error_code":"EndPoint.1","error_message":"no port"}]}`,
			failed, "EndPoint.1", "no port",
		},
		{"GaussDB: delayed", "gaussdb", `{"job":{"id":"j1","status":"Pending"}}`, created, "", ""},
		{"DWS: stopped", "dws", `{"job_id":"j1","status":"STOP"}`, cancelled, "", ""},
		{"DWS: later", "dws", `{"job_id":"j1","status":"DELAY_SCHEDULED"}`, created, "", ""},
		{
			"DWS: a cluster that grows", "dws-clusters", `{"cluster":{"id":"j1","status":"AVAILABLE","task_status":"GROWING"}}`,
			executing, "", "",
		},
		{"MRS: a result", "mrs-jobs", `{"job_detail":{"job_id":"j1","job_state":"FINISHED","job_result":"FAILED"}}`,
			failed, "", ""},
		{"MRS: no result yet", "mrs-jobs", `{"job_detail":{"job_id":"j1","job_state":"RUNNING","job_result":"UNDEFINED"}}`,
			executing, "", ""},
		{"MRS: no result at all", "mrs-jobs", `{"job_detail":{"job_id":"j1","job_state":"FINISHED"}}`, "FINISHED", "", ""},
		{"MRS: a cluster that is ready", "mrs-clusters", `{"cluster":{"clusterId":"j1","clusterState":"running","scale":""}}`,
			success, "", ""},
		{
			"MRS: a cluster that could not grow", "mrs-clusters",
			`{"cluster":{"clusterId":"j1","clusterState":"running","scale":"scaling-error"}}`, failed, "", "",
		},
		{"CSS: numbers", "css-clusters", `{"id":"j1","status":200}`, success, "", ""},
		{"DDS: normal, but busy", "dds-instances", `{"instances":[{"id":"j1","status":"normal","actions":["GROWING"]}]}`,
			"GROWING", "", ""},
		{"DDS: normal", "dds-instances", `{"instances":[{"id":"j1","status":"normal","actions":[]}]}`, success, "", ""},
		{"EVS: not in the SDK", "evs", `{"job_id":"j1","status":"WAITING_EXECUTE"}`, executing, "", ""},
		{
			"ECS: the reason of a part", "ecs", `{"job_id":"j1","status":"FAIL","entities":{"sub_jobs":[{"status":"SUCCESS"},` +
				`{"status":"FAIL","error_code":"Ecs.0319","entities":{"errorcode_message":"no capacity"}}]}}`,
			failed, "Ecs.0319", "no capacity",
		},
		{
			"ECS: a code, and the reason of a part", "ecs", `{"job_id":"j1","status":"FAIL","error_code":"Ecs.0319",` +
				`"entities":{"sub_jobs":[{"status":"FAIL","error_code":"Ecs.1","fail_reason":"no capacity"}]}}`,
			failed, "Ecs.0319", "no capacity",
		},
		{"RDS: a reason without a code", "rds", `{"job":{"id":"j1","status":"Failed","fail_reason":"disk"}}`,
			failed, "", "disk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := answered(t, tt.service, tt.body)
			if err != nil || got.Status != tt.want || got.FailureCode != tt.code || got.FailureReason != tt.reason {
				t.Errorf("got %v (%q, %q), %v; want %s (%q, %q)", got, got.FailureCode, got.FailureReason, err, tt.want, tt.code,
					tt.reason)
			}
		})
	}
}

// TestRow reads everything that a row has, of services that differ in where it stands.
func TestRow(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, tt := range []struct {
		name, body, kind string
		percent, steps   int
		created, updated time.Time
	}{
		{
			"ims", `{"job_id":"j1","status":"RUNNING","job_type":"k","begin_time":"2024-01-02T03:04:05.006Z","end_time":"",` +
				`"entities":{"process_percent":0.29,"sub_jobs_result":[{"status":"INIT","job_id":"s"}]}}`,
			"k", 29, 1, at("2024-01-02T03:04:05.006Z"), time.Time{},
		},
		{
			"rds", `{"job":{"id":"j1","name":"k","status":"Running","process":"60%","created":"2018-08-06T10:41:14+0800",` +
				`"ended":""}}`, "k", 60, 0, at("2018-08-06T02:41:14Z"), time.Time{},
		},
		{
			"dcs", `{"job_id":"j1","job_type":"k","status":"SUCCESS","begin_time":"1684191545379","end_time":"1684191548248"}`,
			"k", -1, 0, at("2023-05-15T22:59:05.379Z"), at("2023-05-15T22:59:08.248Z"),
		},
		{
			"cce", `{"metadata":{"uid":"j1","creationTimestamp":"2020-02-02 08:12:40.672772389 +0000 UTC"},"spec":{"type":"k",` +
				`"subJobs":[{"metadata":{"uid":"a"},"status":{"phase":"Success"}},{"metadata":{"uid":"b"}}]},` +
				`"status":{"phase":"Running"}}`, "k", -1, 2, at("2020-02-02T08:12:40.672772389Z"), time.Time{},
		},
		{
			"cbr", `{"operation_log":{"id":"j1","status":"running","operation_type":"k","created_at":"2020-02-23T01:00:32.5",` +
				`"extra_info":{"common":{"progress":7}}}}`, "k", 7, 0, at("2020-02-23T01:00:32.5Z"), time.Time{},
		},
		{
			"dws", `{"job_id":"j1","status":"RUNNING","job_name":"k","progress":"9%","begin_time":"2022-11-09T20:25:00"}`,
			"k", 9, 0, at("2022-11-09T20:25:00Z"), time.Time{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := answered(t, tt.name, tt.body)
			percent := -1
			if got.Percent != nil {
				percent = *got.Percent
			}
			if err != nil || got.Kind != tt.kind || percent != tt.percent || len(got.Steps) != tt.steps ||
				!got.CreatedAt.Equal(tt.created) || !got.UpdatedAt.Equal(tt.updated) {
				t.Errorf("got %v, %d steps, %v to %v, %v", got, len(got.Steps), got.CreatedAt, got.UpdatedAt, err)
			}
		})
	}
}
