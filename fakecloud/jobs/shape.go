package jobs

import (
	"maps"
	"net/http"
	"slices"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

// Shape is the shape of a service's answer, with the service's words for statuses.
type Shape string

// The shapes, and the services that have them.
const (
	V1       Shape = "v1"       // ECS, BMS, EVS, IMS, SDRS, EIP: GET /v1/{project}/jobs/{job}
	Database Shape = "database" // RDS and its like: GET /v3/{project}/jobs?id=, and the list of RDS
	CCE      Shape = "cce"      // CCE: GET /api/v3/projects/{project}/jobs/{job}
	ELB      Shape = "elb"      // ELB: GET /v3/{project}/elb/jobs/{job}, and the list
	DMS      Shape = "dms"      // RabbitMQ, RocketMQ, Kafka: GET /v2/{project}/instances/{instance}/tasks/{job}, the list

	// Resource is an instance of DCS or DMS, whose own status is the job: GET /v2/{project}/instances/{job}.
	Resource Shape = "resource"
)

// Shapes returns all shapes, sorted.
func Shapes() []Shape { return slices.Sorted(maps.Keys(forms)) }

// Word returns the shape's word for a status. A status that is none of taskwait's, or for which the shape has no word,
// is its own word.
func (s Shape) Word(status taskwait.Status) string {
	if f := forms[s]; f != nil {
		return f.word(status)
	}
	return string(status)
}

// form is what there is to know of a shape.
type form struct {
	name    string // of a job
	words   map[taskwait.Status]string
	layout  string // of its times
	write   func(v *view) any
	one     func(row any) any // an answer about one job; nil: it is a list
	list    func(p *page) any // nil: there are no lists
	unknown unknown
	routes  []route
}

func (f *form) word(status taskwait.Status) string {
	if w := f.words[status]; w != "" {
		return w
	}
	return string(status)
}

type route struct {
	fakecloud.Route
	path string
	list bool
}

// unknown is the answer for a job that a service does not know.
type unknown struct {
	status        int
	code, message string
}

// The routes.
const (
	RouteV1           fakecloud.Route = "GET v1 job"
	RouteDatabase     fakecloud.Route = "GET database job"
	RouteListDatabase fakecloud.Route = "GET database jobs"
	RouteCCE          fakecloud.Route = "GET cce job"
	RouteELB          fakecloud.Route = "GET elb job"
	RouteListELB      fakecloud.Route = "GET elb jobs"
	RouteDMS          fakecloud.Route = "GET dms task"
	RouteListDMS      fakecloud.Route = "GET dms tasks"
	RouteResource     fakecloud.Route = "GET resource"
)

const millis = "2006-01-02T15:04:05.000Z07:00"

// forms are the shapes. The codes for an unknown job are those of the services' error tables, where there is one that
// fits; that they come for this is a guess, but for DMS.00404022 of an instance.
var forms = map[Shape]*form{
	V1: {
		name: "createServer", layout: millis,
		words: map[taskwait.Status]string{
			taskwait.StatusCreated: "INIT", taskwait.StatusExecuting: "RUNNING", taskwait.StatusFailed: "FAIL",
		},
		write: (*view).v1, one: itself, unknown: unknown{http.StatusNotFound, "Ecs.0114", "The job does not exist."},
		routes: []route{{RouteV1, "/v1/{project}/jobs/{job}", false}},
	},
	Database: {
		name: "CreateMysqlSingleHAInstance", layout: "2006-01-02T15:04:05-0700",
		words: map[taskwait.Status]string{
			taskwait.StatusCreated: "Running", taskwait.StatusExecuting: "Running", taskwait.StatusSuccess: "Completed",
			taskwait.StatusFailed: "Failed",
		},
		write: (*view).database, one: as("job"), list: databasePage,
		unknown: unknown{http.StatusNotFound, "DBS.200404", "The job does not exist."},
		routes: []route{
			{RouteDatabase, "/v3/{project}/jobs", false}, {RouteListDatabase, "/v3/{project}/tasklist", true},
		},
	},
	CCE: {
		name: "CreateCluster", layout: "2006-01-02 15:04:05.999999999 -0700 MST",
		words: map[taskwait.Status]string{
			taskwait.StatusCreated: "Initializing", taskwait.StatusExecuting: "Running", taskwait.StatusSuccess: "Success",
			taskwait.StatusFailed: "Failed",
		},
		write: (*view).cce, one: itself, unknown: unknown{http.StatusNotFound, "CCE.01404001", "Resource not found."},
		routes: []route{{RouteCCE, "/api/v3/projects/{project}/jobs/{job}", false}},
	},
	ELB: {
		name: "CLONE_LOADBALANCER", layout: "2006-01-02T15:04:05Z07:00",
		words: map[taskwait.Status]string{
			taskwait.StatusCreated: "INIT", taskwait.StatusExecuting: "RUNNING", taskwait.StatusFailed: "FAIL",
			taskwait.StatusCancelled: "CANCEL",
		},
		write: (*view).elb, one: as("job"), list: elbPage,
		unknown: unknown{http.StatusNotFound, "ELB.8904", "The job does not exist."},
		routes: []route{
			{RouteELB, "/v3/{project}/elb/jobs/{job}", false}, {RouteListELB, "/v3/{project}/elb/jobs", true},
		},
	},
	DMS: {
		name: "bindInstancePublicIp", layout: millis,
		words: map[taskwait.Status]string{taskwait.StatusDeleted: "DELETED"},
		write: (*view).dms, list: dmsPage,
		unknown: unknown{http.StatusNotFound, "DMS.00404033", "This task does not exist."},
		routes: []route{
			{RouteDMS, "/v2/{project}/instances/{instance}/tasks/{job}", false},
			{RouteListDMS, "/v2/{project}/instances/{instance}/tasks", true},
		},
	},
	Resource: {
		name: "dcs-1", layout: millis,
		words: map[taskwait.Status]string{
			taskwait.StatusCreated: "CREATING", taskwait.StatusExecuting: "CREATING", taskwait.StatusSuccess: "RUNNING",
			taskwait.StatusFailed: "CREATEFAILED",
		},
		write: (*view).resource, one: itself,
		unknown: unknown{http.StatusNotFound, "DMS.00404022", "This instance does not exist."},
		routes:  []route{{RouteResource, "/v2/{project}/instances/{job}", false}},
	},
}
