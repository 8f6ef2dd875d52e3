package jobs_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/fakecloud/jobs"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// ask sends one request, let in by its token, and gives the answer's status and body.
func ask(t *testing.T, c *jobs.Cloud, path string) string {
	t.Helper()
	path = strings.ReplaceAll(path, "{p}", c.Project())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://jobs.fake"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", fakecloud.DefaultIAMToken)
	resp, err := c.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, text)
}

// paths are where a job of each shape is shown.
var paths = map[jobs.Shape]string{
	jobs.V1:       "/v1/{p}/jobs/job-1",
	jobs.Database: "/v3/{p}/jobs?id=job-1",
	jobs.CCE:      "/api/v3/projects/{p}/jobs/job-1",
	jobs.ELB:      "/v3/{p}/elb/jobs/job-1",
	jobs.DMS:      "/v2/{p}/instances/instance-1/tasks/job-1",
	jobs.Resource: "/v2/{p}/instances/job-1",
}

// lists are where the jobs of a shape are listed.
var lists = map[jobs.Shape]string{
	jobs.Database: "/v3/{p}/tasklist", jobs.ELB: "/v3/{p}/elb/jobs", jobs.DMS: "/v2/{p}/instances/instance-1/tasks",
}

// TestShapes follows a job of each shape from its start to its failure.
func TestShapes(t *testing.T) {
	for _, tt := range []struct {
		name                    jobs.Shape
		created, running, ended string
	}{
		{
			jobs.V1,
			`{"begin_time":"2000-01-01T00:00:00.000Z","end_time":"","entities":{},"error_code":null,"fail_reason":null,` +
				`"job_id":"job-1","job_type":"createServer","status":"INIT"}`,
			`{"begin_time":"2000-01-01T00:00:00.000Z","end_time":"","entities":{},"error_code":null,"fail_reason":null,` +
				`"job_id":"job-1","job_type":"createServer","status":"RUNNING"}`,
			`{"begin_time":"2000-01-01T00:00:00.000Z","end_time":"2000-01-01T00:00:10.000Z","entities":{},` +
				`"error_code":"Code.1","fail_reason":"no room","job_id":"job-1","job_type":"createServer","status":"FAIL"}`,
		},
		{
			jobs.Database,
			`{"job":{"created":"2000-01-01T00:00:00+0000","entities":{},"id":"job-1",` +
				`"instance":{"id":"instance-1","name":"instance-1"},"name":"CreateMysqlSingleHAInstance","process":"0%",` +
				`"status":"Running"}}`,
			`{"job":{"created":"2000-01-01T00:00:00+0000","entities":{},"id":"job-1",` +
				`"instance":{"id":"instance-1","name":"instance-1"},"name":"CreateMysqlSingleHAInstance","process":"60%",` +
				`"status":"Running"}}`,
			`{"job":{"created":"2000-01-01T00:00:00+0000","ended":"2000-01-01T00:00:10+0000","entities":{},` +
				`"fail_reason":"no room","id":"job-1","instance":{"id":"instance-1","name":"instance-1"},` +
				`"name":"CreateMysqlSingleHAInstance","process":"","status":"Failed"}}`,
		},
		{
			jobs.CCE,
			`{"apiVersion":"v3","kind":"Job","metadata":{"creationTimestamp":"2000-01-01 00:00:00 +0000 UTC","uid":"job-1",` +
				`"updateTimestamp":"2000-01-01 00:00:00 +0000 UTC"},"spec":{"clusterUID":"instance-1",` +
				`"resourceID":"instance-1","subJobs":[],"type":"CreateCluster"},` +
				`"status":{"phase":"Initializing","reason":""}}`,
			`{"apiVersion":"v3","kind":"Job","metadata":{"creationTimestamp":"2000-01-01 00:00:00 +0000 UTC","uid":"job-1",` +
				`"updateTimestamp":"2000-01-01 00:00:01 +0000 UTC"},"spec":{"clusterUID":"instance-1",` +
				`"resourceID":"instance-1","subJobs":[],"type":"CreateCluster"},"status":{"phase":"Running","reason":""}}`,
			`{"apiVersion":"v3","kind":"Job","metadata":{"creationTimestamp":"2000-01-01 00:00:00 +0000 UTC","uid":"job-1",` +
				`"updateTimestamp":"2000-01-01 00:00:10 +0000 UTC"},"spec":{"clusterUID":"instance-1",` +
				`"resourceID":"instance-1","subJobs":[],"type":"CreateCluster"},` +
				`"status":{"phase":"Failed","reason":"no room"}}`,
		},
		{
			jobs.ELB,
			`{"job":{"begin_time":"2000-01-01T00:00:00Z","end_time":"","error_code":"","error_msg":"","job_id":"job-1",` +
				`"job_type":"CLONE_LOADBALANCER","resource_id":"instance-1","status":"INIT","sub_jobs":[]}}`,
			`{"job":{"begin_time":"2000-01-01T00:00:00Z","end_time":"","error_code":"","error_msg":"","job_id":"job-1",` +
				`"job_type":"CLONE_LOADBALANCER","resource_id":"instance-1","status":"RUNNING","sub_jobs":[]}}`,
			`{"job":{"begin_time":"2000-01-01T00:00:00Z","end_time":"2000-01-01T00:00:10Z","error_code":"Code.1",` +
				`"error_msg":"no room","job_id":"job-1","job_type":"CLONE_LOADBALANCER","resource_id":"instance-1",` +
				`"status":"FAIL","sub_jobs":[]}}`,
		},
		{
			jobs.DMS,
			`{"task_count":"1","tasks":[{"created_at":"2000-01-01T00:00:00.000Z","id":"job-1",` +
				`"name":"bindInstancePublicIp","params":"{}","status":"CREATED","updated_at":"2000-01-01T00:00:00.000Z",` +
				`"user_id":"3df5acbc24a54fadb62a043c9000a307","user_name":"fake_user"}]}`,
			`{"task_count":"1","tasks":[{"created_at":"2000-01-01T00:00:00.000Z","id":"job-1",` +
				`"name":"bindInstancePublicIp","params":"{}","status":"EXECUTING","updated_at":"2000-01-01T00:00:01.000Z",` +
				`"user_id":"3df5acbc24a54fadb62a043c9000a307","user_name":"fake_user"}]}`,
			`{"task_count":"1","tasks":[{"created_at":"2000-01-01T00:00:00.000Z","id":"job-1",` +
				`"name":"bindInstancePublicIp","params":"{}","status":"FAILED","updated_at":"2000-01-01T00:00:10.000Z",` +
				`"user_id":"3df5acbc24a54fadb62a043c9000a307","user_name":"fake_user"}]}`,
		},
		{
			jobs.Resource,
			`{"created_at":"2000-01-01T00:00:00.000Z","error_code":"","instance_id":"job-1","name":"dcs-1",` +
				`"status":"CREATING"}`,
			`{"created_at":"2000-01-01T00:00:00.000Z","error_code":"","instance_id":"job-1","name":"dcs-1",` +
				`"status":"CREATING"}`,
			`{"created_at":"2000-01-01T00:00:00.000Z","error_code":"Code.1","instance_id":"job-1","name":"dcs-1",` +
				`"status":"CREATEFAILED"}`,
		},
	} {
		t.Run(string(tt.name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := jobs.New()
				c.AddJob(tt.name, jobs.Script{
					ID: "job-1", Duration: 10 * time.Second, Outcome: taskwait.StatusFailed, Code: "Code.1", Reason: "no room",
				})
				for _, at := range []struct {
					after time.Duration
					want  string
				}{{0, tt.created}, {6 * time.Second, tt.running}, {4 * time.Second, tt.ended}} {
					time.Sleep(at.after)
					if got, want := ask(t, c, paths[tt.name]), "200 "+at.want; got != want {
						t.Errorf("after %v more: got\n%s\nwant\n%s", at.after, got, want)
					}
				}
			})
		})
	}
}

// TestWords: a shape writes taskwait's statuses in its own words, and any other as it is.
func TestWords(t *testing.T) {
	for _, tt := range []struct {
		name   jobs.Shape
		status taskwait.Status
		want   string
	}{
		{jobs.V1, taskwait.StatusExecuting, "RUNNING"}, {jobs.V1, taskwait.StatusSuccess, "SUCCESS"},
		{jobs.Database, taskwait.StatusCreated, "Running"}, {jobs.CCE, taskwait.StatusSuccess, "Success"},
		{jobs.ELB, taskwait.StatusCancelled, "CANCEL"}, {jobs.ELB, "ROLLBACK_FAIL", "ROLLBACK_FAIL"},
		{jobs.DMS, taskwait.StatusFailed, "FAILED"}, {jobs.Resource, taskwait.StatusSuccess, "RUNNING"},
		{"none", taskwait.StatusFailed, "FAILED"},
	} {
		if got := tt.name.Word(tt.status); got != tt.want {
			t.Errorf("%s: %s is written as %s, want %s", tt.name, tt.status, got, tt.want)
		}
	}
}

// TestUnknown is what is said of a job that there is not, not yet, or no more.
func TestUnknown(t *testing.T) {
	want := map[jobs.Shape]string{
		jobs.V1:       `404 {"error":{"code":"Ecs.0114","message":"The job does not exist."}}`,
		jobs.Database: `404 {"error_msg":"The job does not exist.","error_code":"DBS.200404"}`,
		jobs.CCE:      `404 {"code":404,"errorCode":"CCE.01404001","errorMessage":"Resource not found."}`,
		jobs.ELB:      `404 {"error_msg":"The job does not exist.","error_code":"ELB.8904"}`,
		jobs.DMS:      `404 {"error_msg":"This task does not exist.","error_code":"DMS.00404033"}`,
		jobs.Resource: `404 {"error_msg":"This instance does not exist.","error_code":"DMS.00404022"}`,
	}
	for _, shape := range jobs.Shapes() {
		synctest.Test(t, func(t *testing.T) {
			c := jobs.New()
			if got := ask(t, c, paths[shape]); got != want[shape] {
				t.Errorf("%s: got %s, want %s", shape, got, want[shape])
			}
			c.AddJob(shape, jobs.Script{
				ID: "job-1", ListedAfter: time.Second,
				Steps: []jobs.Step{{Status: "EXECUTING"}, {After: time.Minute, Status: taskwait.StatusDeleted}},
			})
			if got := ask(t, c, paths[shape]); got != want[shape] {
				t.Errorf("%s, not listed yet: got %s, want %s", shape, got, want[shape])
			}
			time.Sleep(time.Second)
			if got := ask(t, c, paths[shape]); !strings.HasPrefix(got, "200 ") {
				t.Errorf("%s, listed: got %s, want 200", shape, got)
			}
			time.Sleep(time.Minute)
			got := ask(t, c, paths[shape])
			if ok := got == want[shape]; ok == (shape == jobs.DMS) {
				t.Errorf("%s, deleted: got %s", shape, got)
			}
		})
	}
	c := jobs.New(jobs.WithUnknownJob(400, "X.1", "what job?"))
	if got, want := ask(t, c, paths[jobs.ELB]), `400 {"error_msg":"what job?","error_code":"X.1"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSubJobs: the steps of a job are told where the shape has a place for them.
func TestSubJobs(t *testing.T) {
	for shape, want := range map[jobs.Shape]string{
		jobs.V1: `"entities":{"sub_jobs":[{"begin_time":"2000-01-01T00:00:00.000Z",` +
			`"end_time":"2000-01-01T00:00:03.000Z","entities":{},"error_code":"Ecs.0319","fail_reason":"sold out",` +
			`"job_id":"sub-1","job_type":"createSingleServer","status":"FAIL"}],"sub_jobs_total":1}`,
		jobs.CCE: `"subJobs":[{"apiVersion":"v3","kind":"Job","metadata":{`,
		jobs.ELB: `"sub_jobs":[{"begin_time":"2000-01-01T00:00:00Z","end_time":"2000-01-01T00:00:03Z",` +
			`"error_code":"Ecs.0319","error_msg":"sold out","job_id":"sub-1"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := jobs.New()
			c.AddJob(shape, jobs.Script{ID: "job-1", Duration: time.Minute, Jobs: []jobs.Script{{
				ID: "sub-1", Name: "createSingleServer", Outcome: taskwait.StatusFailed, Code: "Ecs.0319", Reason: "sold out",
			}}})
			time.Sleep(4 * time.Second)
			if got := ask(t, c, paths[shape]); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %s in it", shape, got, want)
			}
		})
	}
}

// TestLists goes through the pages of each list.
func TestLists(t *testing.T) {
	for shape, want := range map[jobs.Shape][]string{
		jobs.Database: {`"tasks":[]`, `"id":"job-3"`, `"id":"job-1"`, `"total_count":3`, `"total_count":0`},
		jobs.ELB: {
			`"jobs":[],"page_info":{"current_count":0,"previous_marker":""}`, `"next_marker":"job-2"`, `"job_id":"job-1"`,
			`"current_count":1`, `"jobs":[]`,
		},
		jobs.DMS: {`{"task_count":"0","tasks":[]}`, `"id":"job-3"`, `"id":"job-1"`, `"task_count":"3"`, `"task_count":"3"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := jobs.New()
			next := func(n int, query string) {
				t.Helper()
				if got := ask(t, c, lists[shape]+query); !strings.Contains(got, want[n]) {
					t.Errorf("%s%s: got %s, want %s in it", shape, query, got, want[n])
				}
			}
			next(0, "")
			for n := range 3 {
				c.AddJob(shape, jobs.Script{ID: fmt.Sprintf("job-%d", n+1), Name: fmt.Sprintf("kind-%d", n+1)})
				time.Sleep(time.Second)
			}
			second := "?limit=2&offset=2"
			if shape == jobs.ELB {
				second = "?limit=2&marker=job-2"
			}
			next(1, "?limit=2")
			next(2, second)
			next(3, second)
			next(4, "?status=none&id=none")
			for _, wrong := range []string{"?limit=0", "?limit=2001", "?limit=x", "?offset=-1"} {
				if got := ask(t, c, lists[shape]+wrong); !strings.HasPrefix(got, "400 ") {
					t.Errorf("%s%s: got %s, want 400", shape, wrong, got)
				}
			}
		})
	}
}

// TestFaults: another job, several, none, and a word that nobody knows.
func TestFaults(t *testing.T) {
	for _, shape := range jobs.Shapes() {
		c := jobs.New(fakecloud.WithQuota(5))
		c.AddJob(shape, jobs.Script{ID: "job-1"})
		c.Inject(fakecloud.AnyRoute, jobs.WrongID(), jobs.Status("PAUSED"), jobs.NotListed(), jobs.SeveralRows())
		for _, tt := range []struct{ with, without string }{
			{fakecloud.HexID("wrong", 0), "job-1"}, {"PAUSED", shape.Word("CREATED")}, {"200 {", "job-1"}, {"job-1", "nothing"},
			{"job-1", "nothing"}, {"429", "job-1"},
		} {
			got := ask(t, c, paths[shape])
			if !strings.Contains(got, tt.with) || strings.Contains(got, `"`+tt.without+`"`) {
				t.Errorf("%s: got %s, want %s in it, and not %s", shape, got, tt.with, tt.without)
			}
		}
	}
}

// TestSpeed: everything in a script goes faster.
func TestSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := jobs.New(jobs.WithSpeed(60))
		c.AddJob(jobs.CCE, jobs.Script{ID: "job-1", Duration: time.Hour})
		time.Sleep(time.Minute)
		if got := ask(t, c, paths[jobs.CCE]); !strings.Contains(got, `"phase":"Success"`) {
			t.Errorf("after a minute of an hour, 60 times as fast: %s, want Success", got)
		}
	})
}

// TestPanics: what cannot be played is a slip in a test, and is found where it is made.
func TestPanics(t *testing.T) {
	c := jobs.New()
	c.AddJob(jobs.V1, jobs.Script{ID: "job-1"})
	for want, f := range map[string]func(){
		`fakecloud: script of job "job-1": there is one with this id already`: func() {
			c.AddJob(jobs.V1, jobs.Script{ID: "job-1"})
		},
		`fakecloud: script of job "a": a duration is negative`: func() {
			c.AddJob(jobs.V1, jobs.Script{ID: "a", Duration: -1})
		},
		`fakecloud: script of job "a": the steps are not in the order of After`: func() {
			c.AddJob(jobs.V1, jobs.Script{ID: "a", Steps: []jobs.Step{{After: 2}, {After: 1}}})
		},
		`fakecloud: no shape "v9", want one of ["cce" "database" "dms" "elb" "resource" "v1"]`: func() {
			c.AddJob("v9", jobs.Script{})
		},
		"fakecloud: WithSpeed: 0, want a positive number": func() { jobs.WithSpeed(0) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic = %v, want %v", got, want)
				}
			}()
			f()
		}()
	}
}

// TestBeside: behind the gateway of Kafka there are jobs too, and what both have is Kafka's.
func TestBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kafka := fakekafka.New()
		task := kafka.AddTask("instance-1", fakekafka.Script{})
		c := jobs.Beside(kafka.Gateway, jobs.WithSpeed(2))
		c.AddJob(jobs.ELB, jobs.Script{ID: "job-1", Duration: 20 * time.Second})
		time.Sleep(10 * time.Second)
		if got, want := ask(t, c, paths[jobs.ELB]), `"status":"SUCCESS"`; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
		path := "/v2/{p}/instances/instance-1/tasks/" + task
		if got, want := ask(t, c, path), `"status":"SUCCESS"`; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
		for _, want := range []fakecloud.Route{jobs.RouteELB, fakekafka.RouteResize} {
			if routes := kafka.Routes(); !slices.Contains(routes, want) {
				t.Errorf("routes = %q, want %s among them", routes, want)
			}
		}
	})
}
