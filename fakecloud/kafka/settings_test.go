package kafka_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// call sends one request of a client's own making, and gives the answer's status and body.
func call(t *testing.T, cloud *fakekafka.Cloud, method, path, body string) (status int, answer string) {
	t.Helper()
	url := "https://kafka.fake/v2/" + owner.project + path
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(r, owner, body)
	resp, err := cloud.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestPaging walks through 25 and 101 tasks as clients of all ages do.
func TestPaging(t *testing.T) {
	for _, tt := range []struct {
		name         string
		tasks, limit int
		key          string
		first        int
		want         string // the sizes of the pages
	}{
		{"start counts from 1", 25, 10, "start", 1, "10 10 5"},
		{"offset counts from 0", 25, 10, "offset", 0, "10 10 5"},
		{"start, a page with one task", 101, 100, "start", 1, "100 1"},
		{"offset, a page with one task", 101, 100, "offset", 0, "100 1"},
		{"start, a full last page", 20, 10, "start", 1, "10 10 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud := fakekafka.New()
			for range tt.tasks {
				cloud.AddTask(instanceID, fakekafka.Script{})
			}
			seen, sizes := map[string]bool{}, []string{}
			for at, size := tt.first, tt.limit; size == tt.limit; at += size {
				_, body := call(t, cloud, "GET", fmt.Sprintf("/instances/%s/tasks?limit=%d&%s=%d", instanceID, tt.limit, tt.key,
					at), "")
				var page struct{ Tasks []struct{ ID string } }
				if err := json.Unmarshal([]byte(body), &page); err != nil {
					t.Fatal(err)
				}
				for _, task := range page.Tasks {
					seen[task.ID] = true
				}
				size = len(page.Tasks)
				sizes = append(sizes, fmt.Sprint(size))
			}
			if got := strings.Join(sizes, " "); got != tt.want || len(seen) != tt.tasks {
				t.Errorf("got pages of %s with %d tasks, want %s with %d", got, len(seen), tt.want, tt.tasks)
			}
		})
	}
}

// TestPagingBounds: what no client may ask for, and what one that has seen the end does.
func TestPagingBounds(t *testing.T) {
	cloud := newCloud()
	for _, tt := range []struct {
		name, path string
		want       int
	}{
		{"start 0", "/instances/" + instanceID + "/tasks?start=0", 400},
		{"start that is no number", "/instances/" + instanceID + "/tasks?start=x", 400},
		{"start beyond the end", "/instances/" + instanceID + "/tasks?start=100", 200},
		{"the largest offset", "/instances/" + instanceID + "/tasks?offset=2147483647&limit=100", 200},
		{"offset wins", "/instances/" + instanceID + "/tasks?start=0&offset=0", 200},
		{"instances from the beginning", "/instances?offset=0", 200},
		{"instances beyond the end", "/instances?offset=1", 400},
	} {
		if got, body := call(t, cloud, "GET", tt.path, ""); got != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.name, got, body, tt.want)
		}
	}
	if _, body := call(t, cloud, "GET", "/instances?offset=1", ""); !strings.Contains(body, "DMS.40050010") {
		t.Errorf("beyond the end: got %s, want DMS.40050010", body)
	}
}

// shown is what an instance is shown as, by name.
func shown(t *testing.T, cloud *fakekafka.Cloud, id string) map[string]any {
	t.Helper()
	_, body := call(t, cloud, "GET", "/instances/"+id, "")
	var row map[string]any
	if err := json.Unmarshal([]byte(body), &row); err != nil {
		t.Fatal(err)
	}
	return row
}

// TestCreationIsKept asks for all that can be asked for, and wants to see it again.
func TestCreationIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		_, body := call(t, cloud, "POST", "/kafka/instances", `{
			"name":"n","description":"d","engine":"kafka","engine_version":"3.x","broker_num":3,"storage_space":600,
			"vpc_id":"v","security_group_id":"g","subnet_id":"s","available_zones":["z1","z2"],
			"product_id":"c6.4u8g.cluster","storage_spec_code":"dms.physical.storage.ultra.v2","maintain_begin":"22:00:00",
			"maintain_end":"02:00:00","enable_publicip":true,"publicip_id":"e1,e2,e3","tenant_ips":["10.0.0.7"],
			"ssl_enable":true,"kafka_security_protocol":"SASL_SSL","sasl_enabled_mechanisms":["PLAIN","SCRAM-SHA-512"],
			"access_user":"u","password":"hush",
			"retention_policy":"time_base","ipv6_enable":true,"disk_encrypted_enable":true,"disk_encrypted_key":"k",
			"connector_enable":true,"enable_auto_topic":true,"enterprise_project_id":"e","tags":[{"key":"a","value":"b"}],
			"vpc_client_plain":true,"bss_param":{"charging_mode":"prePaid"}}`)
		var made struct {
			ID string `json:"instance_id"`
		}
		if err := json.Unmarshal([]byte(body), &made); err != nil || made.ID == "" {
			t.Fatal(body, err)
		}
		if row := shown(t, cloud, made.ID); row["cross_vpc_info"] != nil || row["connect_address"] != nil {
			t.Errorf("while it is created: %v, want no addresses", row)
		}
		time.Sleep(5 * time.Minute)
		row := shown(t, cloud, made.ID)
		for name, want := range map[string]any{
			"name": "n", "description": "d", "engine_version": "3.x", "broker_num": 3.0, "storage_space": 600.0, "vpc_id": "v",
			"security_group_id": "g", "subnet_id": "s", "available_zones": "[z1 z2]", "product_id": "c6.4u8g.cluster",
			"storage_spec_code": "dms.physical.storage.ultra.v2", "maintain_begin": "22:00:00", "maintain_end": "02:00:00",
			"enable_publicip": true, "ssl_enable": true, "kafka_security_protocol": "SASL_SSL",
			"sasl_enabled_mechanisms": "[PLAIN SCRAM-SHA-512]", "access_user": "u", "retention_policy": "time_base",
			"ipv6_enable":    true,
			"disk_encrypted": true, "disk_encrypted_key": "k", "connector_enable": true, "enable_auto_topic": true,
			"enterprise_project_id": "e", "tags": "[map[key:a value:b]]", "vpc_client_plain": true, "charging_mode": 0.0,
			"connect_address": "10.0.0.7,192.168.0.11,192.168.0.12", "port": 9093.0,
			"public_connect_address": "203.0.113.1:9095,203.0.113.2:9095,203.0.113.3:9095",
		} {
			if got := row[name]; got != want && fmt.Sprint(got) != want {
				t.Errorf("%s = %v, want %v", name, got, want)
			}
		}
		protocols, _ := row["port_protocols"].(map[string]any)
		if protocols["private_plain_enable"] != true || protocols["private_sasl_ssl_enable"] != true ||
			protocols["public_plain_enable"] != false {
			t.Errorf("port_protocols = %v", protocols)
		}
		if strings.Contains(fmt.Sprint(row), "hush") {
			t.Error("the password is shown")
		}
	})
}

// TestCreationIsRefused leaves out each field that must be given.
func TestCreationIsRefused(t *testing.T) {
	fields := map[string]any{
		"name": "n", "engine": "kafka", "engine_version": "2.7", "broker_num": 3, "storage_space": 300, "vpc_id": "v",
		"security_group_id": "g", "subnet_id": "s", "available_zones": []string{"z"}, "product_id": "p",
		"storage_spec_code": "c",
	}
	cloud := fakekafka.New()
	for _, missing := range append([]string{""}, "name", "engine_version", "broker_num", "storage_space", "vpc_id",
		"security_group_id",
		"subnet_id", "available_zones", "product_id", "storage_spec_code") {
		asked := map[string]any{}
		for name, value := range fields {
			if name != missing {
				asked[name] = value
			}
		}
		text, err := json.Marshal(asked)
		if err != nil {
			t.Fatal(err)
		}
		status, body := call(t, cloud, "POST", "/kafka/instances", string(text))
		if want := map[bool]int{true: 200, false: 400}[missing == ""]; status != want {
			t.Errorf("without %q: got %d %s, want %d", missing, status, body, want)
		}
	}
}

// TestAddedInstance: one that a test has added can be imported, as one that was created.
func TestAddedInstance(t *testing.T) {
	cloud := fakekafka.New()
	cloud.SetSpec(instanceID, fakekafka.Spec{Name: "other", Version: "3.x", Brokers: 5, Storage: 1000,
		Product: "c6.8u16g.cluster"})
	row := shown(t, cloud, instanceID)
	for name, want := range map[string]any{
		"name": "other", "engine_version": "3.x", "broker_num": 5.0, "total_storage_space": 1000.0,
		"product_id": "c6.8u16g.cluster",
		"node_num":   5.0,
	} {
		if row[name] != want {
			t.Errorf("%s = %v, want %v", name, row[name], want)
		}
	}
	for _, name := range []string{"vpc_id", "subnet_id", "security_group_id", "storage_spec_code"} {
		if row[name] == "" {
			t.Errorf("%s is empty", name)
		}
	}
	_, body := call(t, cloud, "GET", "/instances/"+instanceID+"/manage/cluster", "")
	if got := strings.Count(body, `"host"`); got != 5 {
		t.Errorf("%d brokers, want 5", got)
	}
	zones, err := newClient(t, owner, cloud.Transport()).ListAvailableZones(&model.ListAvailableZonesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if zone := (*zones.AvailableZones)[0]; fmt.Sprint(row["available_zones"]) != "["+*zone.Id+"]" ||
		fmt.Sprint(row["available_zone_names"]) != "["+*zone.Name+"]" {
		t.Errorf("zones = %v %v, want %v", row["available_zones"], row["available_zone_names"], zone)
	}
	defer func() {
		if got, want := recover(), "fakecloud: SetSpec: -1 brokers, 0 GB, want 0 or more"; got != want {
			t.Errorf("panic = %v, want %v", got, want)
		}
	}()
	cloud.SetSpec(instanceID, fakekafka.Spec{Brokers: -1})
}

// TestSettings changes what can be changed without a task.
func TestSettings(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	path := "/instances/" + instanceID
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		field                    string
		want                     string
	}{
		{"two settings", "PUT", path, `{"description":"d","maintain_begin":"22:00:00"}`, 204, "description", "d"},
		{"the one that was not asked for", "PUT", path, `{"description":""}`, 204, "maintain_begin", "22:00:00"},
		{"one may become empty", "PUT", path, `{"enterprise_project_id":"e"}`, 204, "description", ""},
		{"but not the name", "PUT", path, `{"name":""}`, 400, "name", instanceID},
		{"without a body", "PUT", path, "", 400, "name", instanceID},
		{
			"a tag", "POST", "/kafka/" + instanceID + "/tags/action", `{"action":"create","tags":[{"key":"a","value":"1"}]}`,
			204, "tags", "[map[key:a value:1]]",
		},
		{
			"another value", "POST", "/kafka/" + instanceID + "/tags/action",
			`{"action":"create","tags":[{"key":"a","value":"2"}]}`, 204, "tags", "[map[key:a value:2]]",
		},
		{
			"no tag", "POST", "/kafka/" + instanceID + "/tags/action", `{"action":"delete","tags":[{"key":"a"}]}`, 204, "tags",
			"[]",
		},
		{
			"an action that is none", "POST", "/kafka/" + instanceID + "/tags/action", `{"action":"x","tags":[{"key":"a"}]}`,
			400, "tags", "[]",
		},
		{"a password", "POST", path + "/password", `{"new_password":"hush"}`, 204, "access_user", "<nil>"},
		{"no password", "POST", path + "/password", `{}`, 400, "access_user", "<nil>"},
		{
			"an address", "POST", path + "/crossvpc/modify", `{"advertised_ip_contents":{"192.168.0.10":"10.0.0.1"}}`, 200,
			"cross_vpc_info", "10.0.0.1",
		},
		{"no address", "POST", path + "/crossvpc/modify", `{}`, 400, "cross_vpc_info", "10.0.0.1"},
	} {
		status, body := call(t, cloud, tt.method, tt.path, tt.body)
		if got := fmt.Sprint(shown(t, cloud, instanceID)[tt.field]); status != tt.status || got != tt.want &&
			!strings.Contains(got, tt.want+`"`) {
			t.Errorf("%s: got %d %s and %s = %s, want %d and %s", tt.name, status, body, tt.field, got, tt.status, tt.want)
		}
	}
	_, body := call(t, cloud, "POST", path+"/crossvpc/modify",
		`{"advertised_ip_contents":{"192.168.0.11":"a","1.2.3.4":"b"}}`)
	want := `{"success":false,"results":[{"advertised_ip":"b","success":false,"ip":"1.2.3.4"},` +
		`{"advertised_ip":"a","success":true,"ip":"192.168.0.11"}]}`
	if body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

// TestTaskOperations: what starts a task has its effect when that has ended well, and is refused while another runs.
func TestTaskOperations(t *testing.T) {
	path := "/instances/" + instanceID
	for _, tt := range []struct {
		name, method, path, body string
		task                     string
		field                    string
		before, after            string
	}{
		{
			"more brokers have more storage", "POST", "/kafka" + path + "/extend",
			`{"oper_type":"horizontal","new_broker_num":4}`, "kafkaInstanceExtend", "total_storage_space", "300", "400",
		},
		{
			"topics by themselves", "POST", path + "/autotopic", `{"enable_auto_topic":true}`, "kafkaConfigModify",
			"enable_auto_topic", "false", "true",
		},
		{"a connector", "POST", path + "/connector", "{}", "createConnector", "connector_enable", "false", "true"},
		{
			"a protocol", "POST", "/kafka" + path + "/plain-ssl-switch",
			`{"protocol":"private_plain_enable","enable":false,"pass_word":"hush"}`, "updateKafkaPortProtocol",
			"port_protocols", "private_plain_enable:true", "private_plain_enable:false",
		},
		{
			"offsets of all topics", "POST", path + "/management/groups/g/reset-message-offset",
			`{"topic":"","partition":-1,"timestamp":0}`, "kafkaResetConsumerOffset", "status", "RUNNING", "RUNNING",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				cloud.AddInstance(instanceID)
				if status, body := call(t, cloud, tt.method, tt.path, tt.body); status >= 300 {
					t.Fatal(status, body)
				}
				if got := fmt.Sprint(shown(t, cloud, instanceID)[tt.field]); !strings.Contains(got, tt.before) {
					t.Errorf("before: %s = %s, want %s", tt.field, got, tt.before)
				}
				if status, _ := call(t, cloud, tt.method, tt.path, tt.body); status != 400 {
					t.Errorf("while it runs: status %d, want 400", status)
				}
				time.Sleep(3 * time.Second)
				if got := fmt.Sprint(shown(t, cloud, instanceID)[tt.field]); !strings.Contains(got, tt.after) {
					t.Errorf("after: %s = %s, want %s", tt.field, got, tt.after)
				}
				_, list := call(t, cloud, "GET", path+"/tasks", "")
				if tasks := cloud.Tasks(instanceID); len(tasks) != 1 || tasks[0].Name != tt.task || strings.Contains(list, "hush") {
					t.Errorf("tasks = %v, want one %s without a password in %s", tasks, tt.task, list)
				}
			})
		})
	}
}

// TestNoTask: the offsets of one topic are reset at once.
func TestNoTask(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	status, _ := call(t, cloud, "POST", "/instances/"+instanceID+"/management/groups/g/reset-message-offset",
		`{"topic":"t","partition":-1,"timestamp":0}`)
	if tasks, did := cloud.Tasks(instanceID), cloud.Operations(); status != 204 || len(tasks) != 0 || len(did) != 1 {
		t.Errorf("got %d, tasks %v, operations %v, want 204, none, one", status, tasks, did)
	}
}

// TestScheduledOperations: an operation that is planned for later has no task, and so no id of one, until then.
func TestScheduledOperations(t *testing.T) {
	for _, path := range []string{"reassign", "upgrade"} {
		synctest.Test(t, func(t *testing.T) {
			cloud := fakekafka.New()
			cloud.AddInstance(instanceID)
			at := time.Now().Add(time.Hour).UnixMilli()
			operation := "/kafka/instances/" + instanceID + "/" + path
			if status, body := call(t, cloud, "POST", operation,
				fmt.Sprintf(`{"is_schedule":true,"execute_at":%d}`, at)); status != 200 || strings.Contains(body, "job_id") {
				t.Errorf("%s: got %d %s, want 200 without job_id", path, status, body)
			}
			if _, body := call(t, cloud, "GET", "/instances/"+instanceID+"/scheduled-tasks", ""); !strings.Contains(body,
				`"job_count":"1"`) {
				t.Errorf("%s: got %s, want one", path, body)
			}
			if _, body := call(t, cloud, "POST", operation, `{"time_estimate":true}`); body != `{"reassignment_time":3}` {
				t.Errorf("%s: got %s, want an estimate", path, body)
			}
			time.Sleep(time.Hour - 1)
			if n := len(cloud.Tasks(instanceID)); n != 0 {
				t.Errorf("%s: %d tasks, want none", path, n)
			}
			time.Sleep(1)
			if n := len(cloud.Tasks(instanceID)); n != 1 {
				t.Errorf("%s: %d tasks, want one", path, n)
			}
		})
	}
}

// TestDeleteFailed deletes what could not be created, and nothing else.
func TestDeleteFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		cloud.AddInstance(instanceID)
		cloud.OnCreate(fakekafka.Change{Outcome: "CREATEFAILED"})
		client := newClient(t, owner, cloud.Transport())
		made, err := create(client, "failed")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if status, body := call(t, cloud, "POST", "/instances/action",
			`{"action":"delete","all_failure":"kafka"}`); status != 204 {
			t.Errorf("got %d %s, want 204", status, body)
		}
		if got := instanceStatus(t, client, *made.InstanceId) + " " +
			instanceStatus(t, client, instanceID); got != "DELETING RUNNING" {
			t.Errorf("got %s, want DELETING RUNNING", got)
		}
		if _, body := call(t, cloud, "GET", "/instances", ""); !strings.Contains(body, `"instance_num":1`) {
			t.Errorf("got %s, want the other one alone", body)
		}
	})
}

// TestRecycleBin deletes, restores, and deletes by force.
func TestRecycleBin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakekafka.WithRecycleBin())
		cloud.AddInstance(instanceID)
		client := newClient(t, owner, cloud.Transport())
		status := func() string { return instanceStatus(t, client, instanceID) }
		restore := func() *model.RestoreRecycleInstanceResponse {
			resp, err := client.RestoreRecycleInstance(&model.RestoreRecycleInstanceRequest{
				Body: &model.BatchResumeInstanceReq{Instances: &[]string{instanceID}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		if got := (*restore().Results)[0]; got.JobId != nil || got.ErrorMsg == nil {
			t.Errorf("one that is not deleted: %v, want an error", got)
		}
		if _, err := client.DeleteInstance(&model.DeleteInstanceRequest{InstanceId: instanceID}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		recycled, err := client.ShowRecycleInstances(&model.ShowRecycleInstancesRequest{})
		if err != nil || len(*recycled.RecycleInstances) != 1 || status() != "RECYCLE" {
			t.Fatalf("got %v, %v, %s, want it in the recycle bin", recycled, err, status())
		}
		if since := *(*recycled.RecycleInstances)[0].InRecycleTime; since != time.Now().UnixMilli() {
			t.Errorf("since %d, want %d", since, time.Now().UnixMilli())
		}
		if (*restore().Results)[0].JobId == nil {
			t.Error("no task, want one")
		}
		time.Sleep(3 * time.Second)
		if got := status(); got != "RUNNING" {
			t.Errorf("restored: %s, want RUNNING", got)
		}
		call(t, cloud, "POST", "/instances/action", `{"action":"delete","force_delete":true,"instances":["`+instanceID+`"]}`)
		time.Sleep(time.Minute)
		if got := status(); got != "DMS.00404022" {
			t.Errorf("deleted by force: %s, want DMS.00404022", got)
		}
	})
}

// TestStrictness: two options refuse more, or otherwise.
func TestStrictness(t *testing.T) {
	path := "/kafka/instances/" + instanceID + "/extend"
	for _, tt := range []struct {
		name, body    string
		usual, strict int
	}{
		{"more storage", `{"oper_type":"storage","new_storage_space":600}`, 200, 200},
		{"less storage", `{"oper_type":"storage","new_storage_space":100}`, 200, 400},
		{"more brokers", `{"oper_type":"horizontal","new_broker_num":4}`, 200, 200},
		{"fewer brokers", `{"oper_type":"horizontal","new_broker_num":2}`, 200, 400},
		{"another flavour", `{"oper_type":"vertical","new_product_id":"c6.8u16g.cluster"}`, 200, 200},
		{"no size", `{"oper_type":"vertical"}`, 200, 400},
		{"an unknown kind", `{"oper_type":"sideways","new_broker_num":4}`, 200, 400},
		{"a negative size", `{"oper_type":"storage","new_storage_space":-1}`, 400, 400},
	} {
		for _, c := range []struct {
			want int
			opts []fakecloud.Option
		}{{tt.usual, nil}, {tt.strict, []fakecloud.Option{fakekafka.WithStrictResize()}}} {
			cloud := fakekafka.New(c.opts...)
			cloud.AddInstance(instanceID)
			if got, body := call(t, cloud, "POST", path, tt.body); got != c.want {
				t.Errorf("%s: got %d %s, want %d", tt.name, got, body, c.want)
			}
		}
	}
	for _, c := range []struct {
		want string
		opts []fakecloud.Option
	}{{"DMS.00400017", nil}, {"DMS.00400026", []fakecloud.Option{fakekafka.WithStatusFirst()}}} {
		cloud := fakekafka.New(c.opts...)
		cloud.AddInstance(instanceID)
		call(t, cloud, "POST", path, `{"new_storage_space":600}`)
		if _, body := call(t, cloud, "POST", path, `{"new_storage_space":900}`); !strings.Contains(body, c.want) {
			t.Errorf("while it is EXTENDING: got %s, want %s", body, c.want)
		}
	}
}
