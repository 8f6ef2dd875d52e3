// Package kafka is an embedded Huawei Cloud DMS for Kafka, for tests and demonstrations. It speaks the real HTTP API to
// the real SDK, in this process and without an account. It verifies signatures, runs tasks by a script, and injects
// faults ([fakecloud.Gateway]).
//
//	cloud := kafka.New()
//	id := cloud.AddTask("kafka-1", kafka.Script{Name: "resize", Duration: 40 * time.Minute})
//	cfg := config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())
//
// It has these routes, which all report the same state:
//   - instances: create (two ways), show, list, delete, and restart or delete many (see [Change]); settings, password,
//     tags, cross-VPC addresses; brokers, zones, the configuration; the recycle bin;
//   - operations that start a background task: all whose answer has a job_id in the SDK, and those whose task must be
//     found by its name ([TaskNames]);
//   - background tasks: show, list, delete a record, and show the progress of an expansion ([Script.Stages]);
//   - scheduled tasks: list, change, delete ([Cloud.AddScheduled]).
//
// While an instance is busy, operations on it are refused ([WithoutConflicts]). [Cloud.Operations], [Cloud.Instance]
// and [Cloud.Tasks] say what has really happened.
//
// Errors have the codes of the service's own table (DMS for Kafka, API reference, "Error Codes"). Where the real
// service documents nothing, as on its answer for a task that it does not know, the cloud guesses, and a comment says
// so.
package kafka

import (
	"net/http"
	"sync"

	"github.com/taskwait/taskwait/fakecloud"
)

// Cloud is one account with one project, and the DMS for Kafka in it. Make it with [New]. It is safe for concurrent
// use.
type Cloud struct {
	*fakecloud.Gateway

	unknown         *serviceError // what to say of an unknown task; nil: an empty list
	noProgress      *serviceError // what to say of the progress of a task that has none; nil: {}
	hideConfigJobID bool
	strictResize    bool
	statusFirst     bool
	recycleBin      bool
	speed           float64
	allowConflicts  bool

	mu         sync.Mutex
	instances  map[string]*instance    // the deleted ones too
	changes    map[string][]StatusStep // by the status on the way
	scripts    map[fakecloud.Route]Script
	operations []Operation
	started    int // tasks, so far
	created    int // instances, so far
}

// New returns a cloud without instances, with the default credentials and project, no latency and no faults. Options
// are those of this package and of the gateway.
func New(opts ...fakecloud.Option) *Cloud {
	c := &Cloud{
		instances: map[string]*instance{}, changes: map[string][]StatusStep{}, scripts: map[fakecloud.Route]Script{},
		speed: 1,
	}
	c.Gateway = fakecloud.New(service{c}, opts...)
	return c
}

// option makes a gateway's option of one of this package.
func option(set func(*Cloud)) fakecloud.Option {
	return fakecloud.ServiceOption(func(s service) { set(s.cloud) })
}

// WithUnknownTask sets the error that answers a request to show or delete a task that does not exist; see
// [fakecloud.Error]. Default: no error, but 200 with an empty list, and 204. What the real service does is not
// documented.
func WithUnknownTask(status int, code, message string) fakecloud.Option {
	fakecloud.CheckStatus("WithUnknownTask", status)
	return option(func(c *Cloud) { c.unknown = &serviceError{status, code, message} })
}

// AddInstance adds an instance with this id, if there is none. It is RUNNING. Any id is allowed.
func (c *Cloud) AddInstance(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance(id)
}

// AddTask starts a task on an instance, and returns the id of the task. If there is no such instance, it is added.
// While the task runs the instance is busy, see [WithoutConflicts]. The task does not change the instance.
func (c *Cloud) AddTask(instanceID string, s Script) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addTask(c.instance(instanceID), s).ID
}

// newID makes ids of tasks that look like the service's, the same ones in each run.
func (c *Cloud) newID() string {
	c.started++
	return fakecloud.HexID("task", c.started)
}

// The routes of the service.
const (
	RouteShowTask   fakecloud.Route = "GET tasks/{task}"
	RouteListTasks  fakecloud.Route = "GET tasks"
	RouteDeleteTask fakecloud.Route = "DELETE tasks/{task}"
	RouteProgress   fakecloud.Route = "GET tasks/{task}/progress"

	RouteCreateInstance fakecloud.Route = "POST instances"
	RouteListInstances  fakecloud.Route = "GET instances"
	RouteShowInstance   fakecloud.Route = "GET instances/{instance}"
	RouteDeleteInstance fakecloud.Route = "DELETE instances/{instance}"
	RouteAction         fakecloud.Route = "POST instances/action" // restart or delete many

	RouteResize        fakecloud.Route = "POST extend"
	RoutePublicIP      fakecloud.Route = "POST public-boundwidth" // sic
	RouteShowConfigs   fakecloud.Route = "GET configs"
	RouteModifyConfigs fakecloud.Route = "PUT configs"
	RouteResetOffset   fakecloud.Route = "PUT reset-message-offset" // POST on the older path

	RouteUpdateInstance fakecloud.Route = "PUT instances/{instance}"
	RouteResetPassword  fakecloud.Route = "POST password"
	RouteCrossVPC       fakecloud.Route = "POST crossvpc/modify"
	RouteAutoTopic      fakecloud.Route = "POST autotopic"
	RouteShowTags       fakecloud.Route = "GET tags"
	RouteChangeTags     fakecloud.Route = "POST tags/action"
	RouteListZones      fakecloud.Route = "GET available-zones"
	RouteShowBrokers    fakecloud.Route = "GET manage/cluster"
	RouteShowCluster    fakecloud.Route = "GET management/cluster"
	RouteListRecycled   fakecloud.Route = "GET recycle"
	RouteRestore        fakecloud.Route = "POST recycle"

	RouteSwitchProtocol    fakecloud.Route = "POST plain-ssl-switch"
	RouteReassign          fakecloud.Route = "POST reassign"
	RouteUpgrade           fakecloud.Route = "POST upgrade"
	RouteCreateConnector   fakecloud.Route = "POST connector"
	RouteDeleteConnector   fakecloud.Route = "POST delete-connector"
	RouteCreateTopicQuota  fakecloud.Route = "POST kafka-topic-quota"
	RouteModifyTopicQuota  fakecloud.Route = "PUT kafka-topic-quota"
	RouteDeleteTopicQuota  fakecloud.Route = "DELETE kafka-topic-quota"
	RouteCreateClientQuota fakecloud.Route = "POST kafka-user-client-quota"
	RouteUpdateClientQuota fakecloud.Route = "PUT kafka-user-client-quota"
	RouteDeleteClientQuota fakecloud.Route = "DELETE kafka-user-client-quota"
	RouteStartRebalanceLog fakecloud.Route = "POST log/rebalance-log"
	RouteStopRebalanceLog  fakecloud.Route = "DELETE log/rebalance-log"
	RouteStartLog          fakecloud.Route = "POST logs/{log}"
	RouteStopLog           fakecloud.Route = "DELETE logs/{log}"
	RouteAccessPolicy      fakecloud.Route = "POST topics/accesspolicy"

	RouteListScheduled   fakecloud.Route = "GET scheduled-tasks"
	RouteUpdateScheduled fakecloud.Route = "PUT scheduled-tasks/{task}"
	RouteDeleteScheduled fakecloud.Route = "DELETE scheduled-tasks/{task}"
)

const (
	instancePath = "/v2/{project}/instances/{instance}"
	kafkaPath    = "/v2/{project}/kafka/instances/{instance}"
	enginePath   = "/v2/kafka/{project}/instances/{instance}"
)

// endpoints is the table of the service.
var endpoints = []struct {
	route        fakecloud.Route
	method, path string
	serve        handler
}{
	{RouteShowTask, http.MethodGet, instancePath + "/tasks/{task}", inInstance((*Cloud).showTask)},
	{RouteListTasks, http.MethodGet, instancePath + "/tasks", inInstance((*Cloud).listTasks)},
	// An empty task id lists: the trap that a waiter must not fall into.
	{RouteListTasks, http.MethodGet, instancePath + "/tasks/", inInstance((*Cloud).listTasks)},
	{RouteDeleteTask, http.MethodDelete, instancePath + "/tasks/{task}", inInstance((*Cloud).deleteTask)},
	{RouteProgress, http.MethodGet, instancePath + "/tasks/{task}/progress", inInstance((*Cloud).showProgress)},

	// {engine}: there is but one here.
	{RouteCreateInstance, http.MethodPost, "/v2/{project}/kafka/instances", inProject((*Cloud).createInstance)},
	{RouteCreateInstance, http.MethodPost, "/v2/kafka/{project}/instances", inProject((*Cloud).createInstance)},
	{RouteListInstances, http.MethodGet, "/v2/{project}/instances", inProject((*Cloud).listInstances)},
	{RouteShowInstance, http.MethodGet, instancePath, inInstance((*Cloud).showInstance)},
	{RouteDeleteInstance, http.MethodDelete, instancePath, inInstance((*Cloud).deleteInstance)},
	{RouteAction, http.MethodPost, "/v2/{project}/instances/action", inProject((*Cloud).actOnInstances)},

	{RouteResize, http.MethodPost, kafkaPath + "/extend", inInstance((*Cloud).resizeInstance)},
	{RouteResize, http.MethodPost, enginePath + "/extend", inInstance((*Cloud).resizeInstance)},
	{RouteResize, http.MethodPost, instancePath + "/extend", inInstance((*Cloud).resizeInstance)}, // golangsdk's older way
	{
		RoutePublicIP, http.MethodPost, "/v1/{project}/instances/{instance}/public-boundwidth",
		inInstance((*Cloud).switchPublicIP),
	},
	{RouteShowConfigs, http.MethodGet, instancePath + "/configs", inInstance((*Cloud).showConfigs)},
	{RouteModifyConfigs, http.MethodPut, instancePath + "/configs", inInstance((*Cloud).modifyConfigs)},
	{
		RouteResetOffset, http.MethodPut, enginePath + "/groups/{group}/reset-message-offset",
		inInstance((*Cloud).resetOffset),
	},
	{
		RouteResetOffset, http.MethodPost, instancePath + "/management/groups/{group}/reset-message-offset",
		inInstance((*Cloud).resetOffset),
	},

	{RouteUpdateInstance, http.MethodPut, instancePath, inInstance((*Cloud).updateInstance)},
	{RouteResetPassword, http.MethodPost, instancePath + "/password", inInstance((*Cloud).resetPassword)},
	{RouteCrossVPC, http.MethodPost, instancePath + "/crossvpc/modify", inInstance((*Cloud).changeCrossVPC)},
	{RouteAutoTopic, http.MethodPost, instancePath + "/autotopic", inInstance((*Cloud).switchAutoTopic)},
	{RouteShowTags, http.MethodGet, "/v2/{project}/kafka/{instance}/tags", inInstance((*Cloud).showTags)},
	{RouteChangeTags, http.MethodPost, "/v2/{project}/kafka/{instance}/tags/action", inInstance((*Cloud).changeTags)},
	{RouteListZones, http.MethodGet, "/v2/available-zones", (*Cloud).listZones},
	{RouteShowBrokers, http.MethodGet, instancePath + "/manage/cluster", inInstance((*Cloud).showBrokers)},
	{RouteShowCluster, http.MethodGet, instancePath + "/management/cluster", inInstance((*Cloud).showCluster)},
	{RouteListRecycled, http.MethodGet, "/v2/{project}/recycle", inProject((*Cloud).listRecycled)},
	{RouteRestore, http.MethodPost, "/v2/{project}/recycle", inProject((*Cloud).restoreInstances)},

	{RouteSwitchProtocol, http.MethodPost, kafkaPath + "/plain-ssl-switch", inInstance((*Cloud).switchProtocol)},
	{RouteReassign, http.MethodPost, kafkaPath + "/reassign", startsOrSchedules()},
	{RouteUpgrade, http.MethodPost, kafkaPath + "/upgrade", startsOrSchedules()},
	{RouteCreateConnector, http.MethodPost, instancePath + "/connector", starts(setConnector(true))},
	{RouteDeleteConnector, http.MethodPost, kafkaPath + "/delete-connector", starts(setConnector(false))},
	{RouteCreateTopicQuota, http.MethodPost, enginePath + "/kafka-topic-quota", starts(nil)},
	{RouteModifyTopicQuota, http.MethodPut, enginePath + "/kafka-topic-quota", starts(nil)},
	{RouteDeleteTopicQuota, http.MethodDelete, enginePath + "/kafka-topic-quota", starts(nil)},
	{RouteCreateClientQuota, http.MethodPost, enginePath + "/kafka-user-client-quota", starts(nil)},
	{RouteUpdateClientQuota, http.MethodPut, enginePath + "/kafka-user-client-quota", starts(nil)},
	{RouteDeleteClientQuota, http.MethodDelete, enginePath + "/kafka-user-client-quota", starts(nil)},
	{RouteStartRebalanceLog, http.MethodPost, enginePath + "/log/rebalance-log", starts(nil)},
	{RouteStopRebalanceLog, http.MethodDelete, enginePath + "/log/rebalance-log", starts(nil)},
	{RouteStartLog, http.MethodPost, kafkaPath + "/logs/{log}", starts(nil)},
	{RouteStopLog, http.MethodDelete, kafkaPath + "/logs/{log}", starts(nil)},
	{RouteAccessPolicy, http.MethodPost, "/v1/{project}/instances/{instance}/topics/accesspolicy", starts(nil)},

	{RouteListScheduled, http.MethodGet, instancePath + "/scheduled-tasks", inInstance((*Cloud).listScheduled)},
	{RouteUpdateScheduled, http.MethodPut, instancePath + "/scheduled-tasks/{task}", inInstance((*Cloud).updateScheduled)},
	{
		RouteDeleteScheduled, http.MethodDelete, instancePath + "/scheduled-tasks/{task}",
		inInstance((*Cloud).deleteScheduled),
	},
}

// service is the gateway's view of a [Cloud].
type service struct{ cloud *Cloud }

// Endpoints makes the gateway's table.
func (s service) Endpoints() []fakecloud.Endpoint {
	var all []fakecloud.Endpoint
	for _, p := range endpoints {
		serve := func(e *fakecloud.Exchange) {
			s.cloud.mu.Lock()
			defer s.cloud.mu.Unlock()
			p.serve(s.cloud, &exchange{Exchange: e})
		}
		all = append(all, fakecloud.Endpoint{Route: p.route, Method: p.method, Path: p.path, Serve: serve})
	}
	return all
}

// NoEndpoint answers in the service's words.
func (service) NoEndpoint(e *fakecloud.Exchange, methodAlone bool) {
	if methodAlone {
		e.Fail(http.StatusMethodNotAllowed, "DMS.00405001", "This request method is not allowed.")
		return
	}
	e.Fail(http.StatusNotFound, "DMS.00404001", "The requested URL does not exist.")
}

// handler makes the answer to a request that was let in. It is called with the cloud's lock held.
type handler func(*Cloud, *exchange)

// exchange is a request and its answer.
type exchange struct {
	*fakecloud.Exchange
	instance *instance // that the path names
}

// serviceError is an error of the service.
type serviceError struct {
	status        int
	code, message string
}

func (e *exchange) refuse(err *serviceError) { e.Fail(err.status, err.code, err.message) }

// inProject is a handler for what belongs to our project.
func inProject(serve handler) handler {
	return func(c *Cloud, e *exchange) {
		if e.Vars["project"] != c.Project() {
			e.Fail(http.StatusUnauthorized, "DMS.10240104", "The project ID and token do not match.")
			return
		}
		serve(c, e)
	}
}

// inInstance is a handler for what belongs to an instance of our project, which it brings up to date.
func inInstance(serve handler) handler {
	return inProject(func(c *Cloud, e *exchange) {
		e.instance = c.instances[e.Vars["instance"]]
		if e.instance == nil || e.instance.status(e.Now) == deleted {
			e.refuse(errNoInstance)
			return
		}
		c.advance(e.instance, e.Now)
		serve(c, e)
	})
}
