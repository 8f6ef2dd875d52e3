// Package fakecloud is an embedded Huawei Cloud DMS for Kafka, for tests and demonstrations: the real HTTP API, spoken to
// the real SDK, in this process and without an account. Signatures are verified, tasks run on a script, and faults come
// on demand.
//
// It has two doors that behave alike. [Cloud.Transport] is an [http.RoundTripper] in memory, which also works inside a
// testing/synctest bubble, where a task of 40 minutes takes milliseconds:
//
//	cloud := fakecloud.New()
//	id := cloud.AddTask("kafka-1", fakecloud.Script{Name: "resize", Duration: 40 * time.Minute})
//	cfg := config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())
//
// [Cloud.Start] is a server on a loopback port, for clients in whatever language.
//
// The routes are these, and all tell of one state:
//   - instances: create (two ways), show, list, delete, and restart or delete many ([Change] says how that goes);
//   - operations that start a background task: resize (two ways), bind or unbind public IPs, change the configuration,
//     reset a consumer group's offsets (two ways); and show the configuration;
//   - background tasks: show, list, delete a record, and show the progress of an expansion ([Script.Stages]);
//   - scheduled tasks: list, change, delete ([Cloud.AddScheduled]).
//
// While an instance is busy, operations on it are refused ([WithoutConflicts]). [Cloud.Operations], [Cloud.Instance] and
// [Cloud.Tasks] say what has really happened.
//
// Errors have the codes of the service's own table (DMS for Kafka, API reference, "Error Codes") and of its gateway's.
// What the real service does not document, such as its answer for a task that it does not know, is a guess, and says so
// where it is made.
package fakecloud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// What a client needs to be let in, unless options say otherwise. None of it is a secret anywhere.
const (
	DefaultAccessKey = "FAKE-ACCESS-KEY"
	DefaultSecretKey = "fake-secret-key"
	DefaultProject   = "fa4ec10d000000000000000000000001"
)

// Cloud is one account with one project. Make it with [New]. It is safe for concurrent use. Its clock is time.Now, so that
// in a bubble it is virtual.
type Cloud struct {
	project   string
	accessKey string
	secretKey string
	token     string
	latency   time.Duration
	skew      time.Duration

	unknown     *serviceError // what to say of an unknown task; nil: an empty list
	noProgress  *serviceError // what to say of the progress of a task that has none; nil: {}
	configJobID bool
	lax         bool // without conflicts

	mu         sync.Mutex
	instances  map[string]*instance    // those too that are gone
	changes    map[string][]StatusStep // by the status on the way
	scripts    map[Route]Script
	faults     map[Route][]Fault
	log        []Request
	operations []Operation
	tasks      int // made so far
	made       int // instances, so far
	quota      []time.Time
	admitted   int // requests, by the quota
}

// Option changes a [Cloud] that [New] makes. Later options win.
type Option func(*Cloud)

// New returns a cloud without instances, with the default credentials and project, without latency or faults.
func New(opts ...Option) *Cloud {
	c := &Cloud{
		project: DefaultProject, accessKey: DefaultAccessKey, secretKey: DefaultSecretKey,
		instances: map[string]*instance{}, changes: map[string][]StatusStep{}, scripts: map[Route]Script{}, faults: map[Route][]Fault{},
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// WithProject sets the id of the one project there is. Default [DefaultProject].
func WithProject(id string) Option { return func(c *Cloud) { c.project = id } }

// WithCredentials sets the access key and the secret key that requests must be signed with. Default [DefaultAccessKey]
// and [DefaultSecretKey].
func WithCredentials(accessKey, secretKey string) Option {
	return func(c *Cloud) { c.accessKey, c.secretKey = accessKey, secretKey }
}

// WithSecurityToken makes the credentials temporary: requests must carry and sign this token. Default "": permanent ones,
// with which a token is refused.
func WithSecurityToken(token string) Option { return func(c *Cloud) { c.token = token } }

// WithLatency sets how long each answer takes. Default 0.
func WithLatency(d time.Duration) Option { return func(c *Cloud) { c.latency = d } }

// WithClockSkew sets how far the cloud's clock is ahead of ours; negative: behind. Default 0. It shows in the Date of
// every answer and in the times of the tasks, and signatures more than 15 minutes away from it are refused, as the real
// gateway does. [ClockSkew] does the same for a while.
func WithClockSkew(d time.Duration) Option { return func(c *Cloud) { c.skew = d } }

// WithUnknownTask sets the error that showing or deleting a task answers with when there is no such task; see [Error].
// Default: none, but 200 with an empty list, and 204. What the real service does is not documented.
func WithUnknownTask(status int, code, message string) Option {
	checkStatus("WithUnknownTask", status)
	return func(c *Cloud) { c.unknown = &serviceError{status, code, message} }
}

// AddInstance makes an instance with this id, if there is none. It is RUNNING. Any id is as good as another.
func (c *Cloud) AddInstance(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance(id)
}

// AddTask starts a task on an instance, which it makes if there is none, and returns the task's id. While it runs the
// instance is busy, see [WithoutConflicts]; otherwise it does nothing to it.
func (c *Cloud) AddTask(instanceID string, s Script) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addTask(c.instance(instanceID), s).ID
}

// Requests returns what has been asked so far, in the order of arrival, requests under way included.
func (c *Cloud) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.log)
	for i := range all {
		all[i].Header, all[i].Query = all[i].Header.Clone(), url.Values(http.Header(all[i].Query).Clone())
	}
	return all
}

// newID makes ids of tasks that look like the service's, the same ones in each run.
func (c *Cloud) newID() string {
	c.tasks++
	return hexID("task", c.tasks)
}

func hexID(kind string, n int) string {
	sum := sha256.Sum256(fmt.Append(nil, kind, n))
	return hex.EncodeToString(sum[:16])
}

// checkStatus panics for a status that no answer can have: a slip in a test, which is to be found at once.
func checkStatus(who string, status int) {
	if status < http.StatusOK || status > 599 {
		panic(fmt.Sprintf("fakecloud: %s: status %d, want one from 200 to 599", who, status))
	}
}
