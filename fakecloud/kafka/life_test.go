package kafka_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

func TestTaskLife(t *testing.T) {
	minute := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
	type look struct {
		at   time.Duration
		want string
	}
	tests := []struct {
		name   string
		script fakekafka.Script
		looks  []look
	}{
		{
			"the zero script", fakekafka.Script{}, []look{{0, "CREATED"}, {300 * time.Millisecond, "EXECUTING"},
				{3*time.Second - 1, "EXECUTING"}, {3 * time.Second, "SUCCESS"}},
		},
		{
			"long, and bad", fakekafka.Script{Duration: minute(40), Outcome: taskwait.StatusFailed},
			[]look{{0, "CREATED"}, {time.Second, "EXECUTING"}, {minute(40) - 1, "EXECUTING"}, {minute(40), "FAILED"},
				{minute(4000), "FAILED"}},
		},
		{
			"step by step", fakekafka.Script{Steps: []fakekafka.Step{{0, "CREATED"}, {minute(1), "PAUSED"},
				{minute(2), "CANCELLED"}}}, []look{{0, "CREATED"}, {minute(1), "PAUSED"}, {minute(2), "CANCELLED"}},
		},
		{
			"listed late", fakekafka.Script{ListedAfter: minute(1), Duration: minute(2)},
			[]look{{0, ""}, {minute(1) - 1, ""}, {minute(1), "EXECUTING"}, {minute(2), "SUCCESS"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				client := newClient(t, owner, cloud.Transport())
				start := time.Now()
				id := cloud.AddTask(instanceID, tt.script)
				for _, l := range tt.looks {
					time.Sleep(l.at - time.Since(start))
					if got := status(t, client, id); got != l.want {
						t.Errorf("after %v: %q, want %q", l.at, got, l.want)
					}
				}
			})
		})
	}
}

// TestShape compares the answer with the API page's example (read 2026-11-23), key by key and type by type.
func TestShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		id := cloud.AddTask(instanceID, fakekafka.Script{Name: "bindInstancePublicIp", User: "paas_dms",
			Params: `{"enable_public_ip":true}`})
		var body []byte
		client := newClient(t, owner, roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := cloud.Transport().RoundTrip(r)
			if err == nil {
				body, err = io.ReadAll(resp.Body)
				resp.Body = io.NopCloser(strings.NewReader(string(body)))
			}
			return resp, err
		}))
		time.Sleep(time.Second)
		if _, err := show(client, instanceID, id); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"task_count": "1", "tasks": []any{map[string]any{
			"id": id, "name": "bindInstancePublicIp", "user_name": "paas_dms", "user_id": "3df5acbc24a54fadb62a043c9000a307",
			"params": `{"enable_public_ip":true}`, "status": "EXECUTING",
			"created_at": "2000-01-01T00:00:00.000Z", "updated_at": "2000-01-01T00:00:00.300Z", // where virtual time begins
		}}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("answer = %v\nwant     %v", got, want)
		}
	})
}

func TestListTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		var ids []string // the newest first
		for range 25 {
			ids = slices.Insert(ids, 0, cloud.AddTask(instanceID, fakekafka.Script{}))
			time.Sleep(time.Minute)
		}
		client := newClient(t, owner, cloud.Transport())
		number := func(n int32) *int32 { return &n }
		text := func(s string) *string { return &s }
		tests := []struct {
			name  string
			req   model.ListBackgroundTasksRequest
			want  []string
			total string
		}{
			{"no limit", model.ListBackgroundTasksRequest{}, ids[:10], "25"},
			{"the largest page", model.ListBackgroundTasksRequest{Limit: number(100)}, ids, "25"},
			{"the third page", model.ListBackgroundTasksRequest{Limit: number(10), Offset: number(20)}, ids[20:], "25"},
			{"beyond the end", model.ListBackgroundTasksRequest{Offset: number(100)}, nil, "25"},
			{"from a time on", model.ListBackgroundTasksRequest{BeginTime: text("20000101002300")}, ids[:2], "2"},
			{"up to a time", model.ListBackgroundTasksRequest{EndTime: text("20000101000100")}, ids[23:], "2"},
			{"page too large", model.ListBackgroundTasksRequest{Limit: number(101)}, nil, ""},
			{"page too small", model.ListBackgroundTasksRequest{Limit: number(0)}, nil, ""},
			{"negative offset", model.ListBackgroundTasksRequest{Offset: number(-1)}, nil, ""},
		}
		for _, tt := range tests {
			tt.req.InstanceId = instanceID
			resp, err := client.ListBackgroundTasks(&tt.req)
			if tt.total == "" {
				wantRefusal(t, err, 400, "DMS.00400062")
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			var got []string
			for _, row := range *resp.Tasks {
				got = append(got, *row.Id)
			}
			if !slices.Equal(got, tt.want) || *resp.TaskCount != tt.total {
				t.Errorf("%s: %d of %s, want %d of %s", tt.name, len(got), *resp.TaskCount, len(tt.want), tt.total)
			}
		}
		resp, err := show(client, instanceID, "") // the trap of the empty id
		if err != nil || len(*resp.Tasks) != 10 || cloud.Requests()[len(tests)].Route != fakekafka.RouteListTasks {
			t.Errorf("an empty task id: %v, %v, want the list", resp, err)
		}
	})
}

func TestDeleteAndResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakekafka.WithoutConflicts()) // two at once
		cloud.AddInstance(instanceID)
		cloud.OnResize(fakekafka.Script{Name: "grow", Duration: time.Hour})
		client := newClient(t, owner, cloud.Transport())
		space := int32(600)
		body := &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &space}
		first, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{InstanceId: instanceID, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		second, err := client.ResizeEngineInstance(&model.ResizeEngineInstanceRequest{
			Engine: model.GetResizeEngineInstanceRequestEngineEnum().KAFKA, InstanceId: instanceID, Body: body})
		if err != nil || *second.JobId == *first.JobId {
			t.Fatal(second, err)
		}
		remove := func() error {
			_, err := client.DeleteBackgroundTask(&model.DeleteBackgroundTaskRequest{InstanceId: instanceID,
				TaskId: *first.JobId})
			return err
		}
		time.Sleep(time.Minute)
		if got := status(t, client, *first.JobId); got != "EXECUTING" {
			t.Errorf("the resize is %q, want EXECUTING", got)
		}
		wantRefusal(t, remove(), 400, "DMS.00400026")
		time.Sleep(time.Hour)
		if err := remove(); err != nil {
			t.Error(err)
		}
		if got := status(t, client, *first.JobId) + status(t, client, *second.JobId); got != "SUCCESS" {
			t.Errorf("the two are %q, want the second alone, in SUCCESS", got)
		}
		if err := remove(); err != nil {
			t.Errorf("a record that is gone: %v", err)
		}
	})
}

func TestNothingThere(t *testing.T) {
	cloud := fakekafka.New()
	id := cloud.AddTask(instanceID, fakekafka.Script{})
	client := newClient(t, owner, cloud.Transport())
	_, err := show(client, "kafka-2", id)
	wantRefusal(t, err, 404, "DMS.00404022")
	_, err = client.ListInstanceTopics(&model.ListInstanceTopicsRequest{InstanceId: instanceID})
	wantRefusal(t, err, 404, "DMS.00404001")
	if got := status(t, client, "unknown"); got != "" {
		t.Errorf("an unknown task is %q, want an empty list", got)
	}
	elsewhere := owner
	elsewhere.project = "other"
	_, err = show(newClient(t, elsewhere, cloud.Transport()), instanceID, id)
	wantRefusal(t, err, 401, "DMS.10240104")
}

// TestBadScripts: a slip in a test is told where it is made.
func TestBadScripts(t *testing.T) {
	for name, script := range map[string]fakekafka.Script{
		"an id twice":        {ID: "taken"},
		"no id":              {ID: "a/b"},
		"negative duration":  {Duration: -1},
		"negative delay":     {ListedAfter: -1},
		"steps out of order": {Steps: []fakekafka.Step{{After: 2}, {After: 1}}},
	} {
		cloud := fakekafka.New()
		cloud.AddTask("kafka-1", fakekafka.Script{ID: "taken"})
		func() {
			defer func() {
				if v := recover(); v == nil {
					t.Errorf("%s: nothing is said", name)
				}
			}()
			cloud.AddTask("kafka-1", script)
		}()
	}
}
