package kafka_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// step is one request of the official Terraform provider, or several by which it waits.
type step struct {
	name         string
	method, path string // {project}, {instance}, {task}: the ids that were learnt before
	body         string
	status       int
	fields       string        // that the provider reads; "" for an answer without a body
	until        string        // it asks again, with the pause below, until this text is in the answer; "": once
	pause        time.Duration // between two requests
}

// The requests of one instance's life, as the provider sends them (version of 2026-08-21: resource dms_kafka_instance).
// It waits by polling the instance, its size or its task, and needs each of the fields.
var providerLife = []step{
	{
		name: "the project of the region", method: "GET", path: "/v3/projects?name=cn-north-4", status: 200,
		fields: "projects.id projects.name",
	},
	{name: "the account", method: "GET", path: "/v3/auth/domains", status: 200, fields: "domains.id domains.name"},
	{
		name: "ids of zones by their codes", method: "GET", path: "/v2/available-zones", status: 200,
		fields: "available_zones.id available_zones.code",
	},
	{
		name: "create", method: "POST", path: "/v2/{project}/kafka/instances", status: 200, fields: "instance_id",
		body: `{"name":"demo","description":"","engine":"kafka","engine_version":"3.x","broker_num":3,"storage_space":300,
			"vpc_id":"v","security_group_id":"g","subnet_id":"n","available_zones":["z"],"product_id":"c6.2u4g.cluster",
			"storage_spec_code":"dms.physical.storage.ultra.v2","ipv6_enable":true,"vpc_client_plain":true,
			"disk_encrypted_enable":true,"disk_encrypted_key":"k","connector_enable":true,"enable_auto_topic":true,
			"enterprise_project_id":"e","ssl_enable":true,"kafka_security_protocol":"SASL_PLAINTEXT",
			"access_user":"u","password":"hush","tags":[{"key":"a","value":"b"}],
			"port_protocol":{"private_plain_enable":true,"private_sasl_plaintext_enable":true},"bss_param":{}}`,
	},
	{
		name: "until it runs", method: "GET", path: "/v2/{project}/instances/{instance}", status: 200, fields: "status",
		until: `"status":"RUNNING"`, pause: 15 * time.Second,
	},
	{
		name: "until its ports are bound", method: "GET", path: "/v2/{project}/instances/{instance}", status: 200,
		until: `"cross_vpc_info":"{\"192.168.0.10\":`, pause: 10 * time.Second, fields: "cross_vpc_info",
	},
	{
		name: "read", method: "GET", path: "/v2/{project}/instances/{instance}", status: 200, fields: instanceFields,
		until: `"disk_encrypted":true`,
	},
	{
		name: "read: brokers", method: "GET", path: "/v2/{project}/instances/{instance}/manage/cluster", status: 200,
		fields: "cluster.brokers.host cluster.brokers.port cluster.brokers.broker_id cluster.brokers.health",
	},
	{
		name: "read: tags", method: "GET", path: "/v2/{project}/kafka/{instance}/tags", status: 200,
		fields: "tags.key tags.value",
	},
	{
		name: "read: parameters", method: "GET", path: "/v2/{project}/instances/{instance}/configs", status: 200,
		fields: "kafka_configs.name kafka_configs.value",
	},
	{
		name: "extend", method: "POST", path: "/v2/{project}/kafka/instances/{instance}/extend", status: 200,
		fields: "job_id",
		body:   `{"oper_type":"horizontal","new_broker_num":4}`,
	},
	{
		name: "until it has the size", method: "GET", path: "/v2/{project}/instances/{instance}", status: 200,
		until: `"total_storage_space":400`, pause: 15 * time.Second, fields: "broker_num product_id",
	},
	{
		name: "until all ports are bound", method: "GET", path: "/v2/{project}/instances/{instance}", status: 200,
		until: `\"192.168.0.13\":`, pause: 10 * time.Second, fields: "cross_vpc_info",
	},
	{
		name: "update", method: "PUT", path: "/v2/{project}/instances/{instance}", status: 204,
		body: `{"description":"new","maintain_begin":"22:00:00","maintain_end":"02:00:00"}`,
	},
	{
		name: "tags", method: "POST", path: "/v2/{project}/kafka/{instance}/tags/action", status: 204,
		body: `{"action":"delete","tags":[{"key":"a","value":"b"}]}`,
	},
	{
		name: "topics by themselves", method: "POST", path: "/v2/{project}/instances/{instance}/autotopic", status: 204,
		body: `{"enable_auto_topic":false}`,
	},
	{
		name: "until that task, by its name", method: "GET",
		path:   "/v2/{project}/instances/{instance}/tasks?limit=100&start=1",
		status: 200, until: `"name":"kafkaConfigModify",` +
			`"user_name":"fake_user","user_id":"3df5acbc24a54fadb62a043c9000a307",` +
			`"params":"{\"enable_auto_topic\":false}","status":"SUCCESS"`, pause: 5 * time.Second,
		fields: within("tasks", "name status id"),
	},
	{
		name: "a protocol", method: "POST", path: "/v2/{project}/kafka/instances/{instance}/plain-ssl-switch", status: 200,
		body: `{"protocol":"private_sasl_ssl_enable","enable":true,"user_name":"u","pass_word":"hush"}`, fields: "job_id",
	},
	{
		name: "until that task", method: "GET", path: "/v2/{project}/instances/{instance}/tasks/{task}", status: 200,
		until: `"status":"SUCCESS"`, pause: 30 * time.Second, fields: "tasks.status",
	},
	{
		name: "configure", method: "PUT", path: "/v2/{project}/instances/{instance}/configs", status: 200,
		body:   `{"kafka_configs":[{"name":"log.retention.hours","value":"48"}]}`,
		fields: "job_id dynamic_config static_config",
	},
	{
		name: "until that task", method: "GET", path: "/v2/{project}/instances/{instance}/tasks/{task}", status: 200,
		until: `"status":"SUCCESS"`, pause: 5 * time.Second, fields: "tasks.status",
	},
	{
		name: "restart", method: "POST", path: "/v2/{project}/instances/action", status: 200,
		body: `{"action":"restart","instances":["{instance}"]}`, fields: "results.result results.instance",
	},
	{
		name: "until it runs again", method: "GET", path: "/v2/{project}/instances/{instance}", status: 200,
		until: `"status":"RUNNING"`, pause: 20 * time.Second, fields: "status",
	},
	{name: "delete", method: "DELETE", path: "/v2/{project}/instances/{instance}", status: 204},
	{
		name: "until it is no more", method: "GET", path: "/v2/{project}/instances/{instance}", pause: 15 * time.Second,
		until: "DMS.00404022", status: 404, fields: "error_code error_msg",
	},
}

// TestProviderLife plays them, signed as the provider's SDK signs, with temporary credentials.
func TestProviderLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakecloud.WithSecurityToken("temporary"))
		p := &provider{transport: cloud.Transport(), ids: map[string]string{}}
		for _, s := range providerLife {
			p.play(t, s)
		}
		for _, r := range cloud.Requests() {
			if r.Route == fakecloud.RouteUnknown || r.Route == fakekafka.RouteListTasks && r.Query.Get("start") == "" {
				t.Errorf("%s %s was not understood", r.Method, r.Path)
			}
		}
	})
}

// provider is the client of such requests.
type provider struct {
	transport http.RoundTripper
	ids       map[string]string // project, instance, task: as learnt from the answers
}

const patience = 60 // requests by which a step waits, at most

func (p *provider) play(t *testing.T, s step) {
	t.Helper()
	for range patience {
		status, body := p.send(t, s)
		if s.until != "" && !strings.Contains(body, s.until) {
			time.Sleep(s.pause)
			continue
		}
		if status != s.status {
			t.Fatalf("%s: got %d %s, want %d", s.name, status, body, s.status)
		}
		checkAnswer(t, []byte(body), s.fields, new(any))
		p.learn(body)
		return
	}
	t.Fatalf("%s: there never was %s", s.name, s.until)
}

func (p *provider) send(t *testing.T, s step) (status int, body string) {
	t.Helper()
	fill := func(text string) string {
		for name, id := range p.ids {
			text = strings.ReplaceAll(text, "{"+name+"}", id)
		}
		return text
	}
	text := fill(s.body)
	r, err := http.NewRequestWithContext(t.Context(), s.method, "https://dms.cn-north-4.fake"+fill(s.path),
		strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "golangsdk/2.0.0")
	sign(r, owner, text, "accept", "content-type", "user-agent", "x-sdk-date")
	r.Header.Set("X-Security-Token", "temporary") // after the signature
	resp, err := p.transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// learn takes the ids from an answer.
func (p *provider) learn(body string) {
	var answer struct {
		Projects []struct {
			ID string `json:"id"`
		} `json:"projects"`
		InstanceID string `json:"instance_id"`
		JobID      string `json:"job_id"`
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return // no body
	}
	for _, project := range answer.Projects {
		p.ids["project"] = project.ID
	}
	if answer.InstanceID != "" {
		p.ids["instance"] = answer.InstanceID
	}
	if answer.JobID != "" {
		p.ids["task"] = answer.JobID
	}
}
