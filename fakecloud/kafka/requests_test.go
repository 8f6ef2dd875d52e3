package kafka_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestBadRequests sends what is not JSON, and what lacks a field that must be there: nothing is carried out.
func TestBadRequests(t *testing.T) {
	const path, engine = "/instances/" + instanceID, "/kafka/instances/" + instanceID
	for _, tt := range []struct{ name, method, path, body, code string }{
		{"a creation without a body", "POST", "/kafka/instances", "", "DMS.00400004"},
		{"a creation that is a list", "POST", "/kafka/instances", "[]", "DMS.00400005"},
		{"a creation with a number for a name", "POST", "/kafka/instances", `{"name":1}`, "DMS.00400062"},
		{"another engine", "POST", "/kafka/instances", `{"engine":"rabbitmq"}`, "DMS.00400062"},
		{"no action", "POST", "/instances/action", "", "DMS.00400004"},
		{"an action that is none", "POST", "/instances/action", `{"action":"x","instances":["a"]}`, "DMS.00400062"},
		{"an action on nothing", "POST", "/instances/action", `{"action":"restart"}`, "DMS.00400062"},
		{"a resize that is no JSON", "POST", engine + "/extend", "x", "DMS.00400005"},
		{"no body with automatic topics", "POST", path + "/autotopic", "", "DMS.00400004"},
		{"automatic topics, on or off", "POST", path + "/autotopic", "{}", "DMS.00400062"},
		{"an unknown protocol", "POST", engine + "/plain-ssl-switch", `{"protocol":"x"}`, "DMS.00400062"},
		{"no protocol", "POST", engine + "/plain-ssl-switch", "", "DMS.00400004"},
		{"no configuration", "PUT", path + "/configs", `{"kafka_configs":[]}`, "DMS.00400062"},
		{"a configuration that is no JSON", "PUT", path + "/configs", "x", "DMS.00400005"},
		{"no offset", "POST", path + "/management/groups/g/reset-message-offset", `{"topic":"t"}`, "DMS.00400062"},
		{"no body with an offset", "POST", path + "/management/groups/g/reset-message-offset", "", "DMS.00400004"},
		{"nothing to restore", "POST", "/recycle", "{}", "DMS.00400062"},
		{"no body with what to restore", "POST", "/recycle", "", "DMS.00400004"},
		{"a connector that is no JSON", "POST", path + "/connector", "x", "DMS.00400005"},
		{"a reassignment that is no JSON", "POST", engine + "/reassign", "x", "DMS.00400005"},
		{"a tag without an action", "POST", "/kafka/" + instanceID + "/tags/action", "", "DMS.00400004"},
		{"a password that is no JSON", "POST", path + "/password", "x", "DMS.00400005"},
		{"addresses that are no JSON", "POST", path + "/crossvpc/modify", "x", "DMS.00400005"},
		{"a page of instances that is too large", "GET", "/instances?limit=51", "", "DMS.00400062"},
	} {
		cloud := fakekafka.New()
		cloud.AddInstance(instanceID)
		if status, body := call(t, cloud, tt.method, tt.path, tt.body); status != 400 || !strings.Contains(body, tt.code) {
			t.Errorf("%s: got %d %s, want 400 %s", tt.name, status, body, tt.code)
		}
		if did, tasks := cloud.Operations(), cloud.Tasks(instanceID); len(did) != 0 || len(tasks) != 0 {
			t.Errorf("%s: carried out: %v, tasks %v", tt.name, did, tasks)
		}
	}
}

// TestSettingsOfBusy: an instance that is not RUNNING refuses changes of its settings; tags can always be changed.
func TestSettingsOfBusy(t *testing.T) {
	const path = "/instances/" + instanceID
	for _, tt := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"settings", "PUT", path, `{"description":"d"}`, 400},
		{"password", "POST", path + "/password", `{"new_password":"hush"}`, 400},
		{"addresses", "POST", path + "/crossvpc/modify", `{"advertised_ip_contents":{"192.168.0.10":"a"}}`, 400},
		{
			"offsets of one topic", "POST", path + "/management/groups/g/reset-message-offset", `{"topic":"t","timestamp":0}`,
			400,
		},
		{
			"tags", "POST", "/kafka/" + instanceID + "/tags/action", `{"action":"create","tags":[{"key":"a","value":"b"}]}`, 204,
		},
	} {
		cloud := fakekafka.New()
		cloud.SetStatus(instanceID, "FROZEN")
		if status, body := call(t, cloud, tt.method, tt.path, tt.body); status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.name, status, body, tt.want)
		}
	}
}

// TestListInstances narrows the list in each way.
func TestListInstances(t *testing.T) {
	cloud := fakekafka.New()
	for _, id := range []string{"kafka-1", "kafka-2", "kafka-22"} {
		cloud.AddInstance(id)
	}
	cloud.SetStatus("kafka-2", "FROZEN")
	for query, want := range map[string]string{
		"": `"instance_num":3`, "?name=kafka-2": `"instance_num":2`,
		"?name=kafka-2&exact_match_name=true": `"instance_num":1`,
		"?status=FROZEN":                      `"instance_num":1`, "?instance_id=kafka-1": `"instance_num":1`,
		"?engine=rabbitmq": `"instance_num":0`,
		"?engine=kafka":    `"instance_num":3`, "?offset=2&limit=1": `"instance_id":"kafka-1"`,
	} {
		if _, body := call(t, cloud, "GET", "/instances"+query, ""); !strings.Contains(body, want) {
			t.Errorf("%s: got %s, want %s", query, body, want)
		}
	}
}

// TestProgress shows an expansion at several moments, in each shape.
func TestProgress(t *testing.T) {
	stages := []fakekafka.Stage{{Name: "pre_check", Duration: 10 * time.Second},
		{Name: "disk_expansion", Duration: 30 * time.Second}}
	const began, between = `946684800000`, `946684810000` // where virtual time begins, and ten seconds later
	for _, tt := range []struct {
		name   string
		script fakekafka.Script
		at     time.Duration
		want   string
	}{
		{"in the middle", fakekafka.Script{}, 20 * time.Second, `{"progress_percentage":50,"remain_time":20,"step_list":[` +
			`{"end_time":` + between + `,"name":"pre_check","start_time":` + began + `,"status":"COMPLETED"},` +
			`{"end_time":null,"name":"disk_expansion","start_time":` + between + `,"status":"IN_PROGRESS"}]}`},
		{"at the beginning", fakekafka.Script{}, 0, `{"progress_percentage":0,"remain_time":40,"step_list":[` +
			`{"end_time":null,"name":"pre_check","start_time":` + began + `,"status":"IN_PROGRESS"},` +
			`{"end_time":null,"name":"disk_expansion","start_time":null,"status":"WAITING"}]}`},
		{
			"at the end, bare", fakekafka.Script{Shape: fakekafka.ShapeBare}, time.Minute,
			`{"progress_percentage":100,"remain_time":0}`,
		},
		{"failed", fakekafka.Script{Outcome: "FAILED", Duration: 20 * time.Second}, time.Minute,
			`{"progress_percentage":50,"remain_time":0,"step_list":[` +
				`{"end_time":` + between + `,"name":"pre_check","start_time":` + began + `,"status":"COMPLETED"},` +
				`{"end_time":946684820000,"name":"disk_expansion","start_time":` + between + `,"status":"FAILED"}]}`},
		{
			"late, never more than 99", fakekafka.Script{Duration: time.Hour, Shape: fakekafka.ShapeBare}, time.Minute,
			`{"progress_percentage":99,"remain_time":0}`,
		},
		{"by the SDK's types", fakekafka.Script{Shape: fakekafka.ShapeStrings}, time.Second,
			`{"progress_percentage":2,"remain_time":39,"step_list":[` +
				`{"end_time":null,"name":"pre_check","start_time":"` + began + `","statue":"IN_PROGRESS"},` +
				`{"end_time":null,"name":"disk_expansion","start_time":null,"statue":"WAITING"}]}`},
		{"as a text", fakekafka.Script{Shape: fakekafka.ShapeText}, 0,
			`{"progress_percentage":"0","remain_time":"40","step_list":[` +
				`{"end_time":null,"name":"pre_check","start_time":"` + began + `","status":"IN_PROGRESS"},` +
				`{"end_time":null,"name":"disk_expansion","start_time":null,"status":"WAITING"}]}`},
		{"empty", fakekafka.Script{Shape: fakekafka.ShapeEmpty}, 0, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				tt.script.ID, tt.script.Stages = "t1", stages
				cloud.AddTask(instanceID, tt.script)
				time.Sleep(tt.at)
				if _, got := call(t, cloud, "GET", "/instances/"+instanceID+"/tasks/t1/progress", ""); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
	for _, tt := range []struct {
		opts []fakecloud.Option
		want string
	}{{nil, "{}"}, {[]fakecloud.Option{fakekafka.WithNoProgress(400, "DMS.1", "no")}, "DMS.1"}} {
		if _, got := call(t, newCloud(tt.opts...), "GET", "/instances/"+instanceID+"/tasks/t1/progress",
			""); !strings.Contains(got, tt.want) {
			t.Errorf("a task without a progress: got %s, want %s", got, tt.want)
		}
	}
}

// TestConfigs sets a known parameter and an unknown one, and shows both.
func TestConfigs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		cloud.AddInstance(instanceID)
		_, body := call(t, cloud, "PUT", "/instances/"+instanceID+"/configs",
			`{"kafka_configs":[{"name":"log.retention.hours","value":"48"},{"name":"my.own","value":"1"}]}`)
		if !strings.Contains(body, `"dynamic_config":1,"static_config":1`) {
			t.Errorf("got %s, want one of each", body)
		}
		time.Sleep(3 * time.Second)
		_, body = call(t, cloud, "GET", "/instances/"+instanceID+"/configs", "")
		for _, want := range []string{
			`"name":"log.retention.hours","valid_values":"1~168","default_value":"72","config_type":"static","value":"48"`,
			`"name":"my.own","config_type":"dynamic","value":"1"`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("got %s, want %s", body, want)
			}
		}
	})
}
