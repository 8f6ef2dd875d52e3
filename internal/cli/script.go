package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/internal/text"
	"go.yaml.in/yaml/v3"
)

// scriptExample has the fields that most scripts need. docs/serve-fake.md explains all of them.
const scriptExample = `  instances:
    - kafka-1
    - {id: kafka-2, brokers: 5, storage: 500, status: FROZEN}
  tasks:
    - {instance: kafka-1, id: resize-1, duration: 20s, outcome: FAILED}
    - name: kafkaUpgrade
      age: 10m
      listed-after: 2s
      steps: [{after: 0s, status: CREATED}, {after: 1h, status: SUCCESS}]
  scheduled:
    - {name: kafkaUpgrade, in: 1h, duration: 10m}
  jobs:                   # of other services: v1, database, cce, elb
    - {shape: v1, name: createServer, duration: 4m, outcome: FAILED, code: X.1}
  operations:             # the tasks that requests start
    resize:
      stages: [{name: pre_check, takes: 1s}, {name: disk_expansion, takes: 10s}]
    public-ip: {duration: 3s, outcome: FAILED}
    POST reassign: {duration: 5m}
  changes:                # how instances are created, restarted, deleted
    create: {duration: 7m}
    restart: {flips-after: 5s, outcome: ERROR}
  faults:                 # each hits one request of its route, in this order
    - {route: "GET tasks/{task}", kind: unavailable, times: 2}
    - {route: any, kind: throttle, retry-after: 5s}
    - {route: GET tasks, kind: error, status: 403, code: DMS.00403, for: 30s}
    - {kind: status, message: PARTIAL, after: 1s}
  unknown-task: {status: 404, code: DMS.00404, message: no such task}
  latency: 50ms
  quota: 10               # requests a second
  speed: 60               # divides every duration here, and the defaults
  security-token: ""`

// span is a duration as people write it: 1m30s.
type span time.Duration

// UnmarshalYAML reads it.
func (s *span) UnmarshalYAML(n *yaml.Node) error {
	d, err := time.ParseDuration(n.Value)
	switch {
	case err != nil:
		return fmt.Errorf("line %d: %s is no duration, want such as 1m30s%s", n.Line, text.Quote(n.Value), withUnit(n.Value))
	case d < 0:
		return fmt.Errorf("line %d: %s is negative", n.Line, text.Quote(n.Value))
	case d > maxSpan:
		return fmt.Errorf("line %d: %s is more than ten years", n.Line, text.Quote(n.Value))
	}
	*s = span(d)
	return nil
}

// cloudScript is what a script file says.
type cloudScript struct {
	Project       string `yaml:"project"`
	AccessKey     string `yaml:"access-key"`
	SecretKey     string `yaml:"secret-key"`
	SecurityToken string `yaml:"security-token"`
	IAMToken      string `yaml:"iam-token"`

	Instances  []instanceScript        `yaml:"instances"`
	Tasks      []taskScript            `yaml:"tasks"`
	Scheduled  []scheduledScript       `yaml:"scheduled"`
	Jobs       []jobScript             `yaml:"jobs"`
	Operations map[string]taskScript   `yaml:"operations"`
	Changes    map[string]changeScript `yaml:"changes"`
	Faults     []faultScript           `yaml:"faults"`

	UnknownTask  *errorScript `yaml:"unknown-task"`
	NoProgress   *errorScript `yaml:"no-progress"`
	Conflicts    *bool        `yaml:"conflicts"`     // default true
	ConfigJobID  *bool        `yaml:"config-job-id"` // default true
	StatusFirst  bool         `yaml:"status-first"`
	StrictResize bool         `yaml:"strict-resize"`
	RecycleBin   bool         `yaml:"recycle-bin"`

	Latency   span    `yaml:"latency"`
	Quota     int     `yaml:"quota"`
	ClockSkew string  `yaml:"clock-skew"` // may be negative
	Speed     float64 `yaml:"speed"`      // default 1
}

// instanceScript is an id alone, or an instance with more to say of it.
type instanceScript struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Version string   `yaml:"version"`
	Brokers int      `yaml:"brokers"`
	Storage int      `yaml:"storage"`
	Product string   `yaml:"product"`
	Zones   []string `yaml:"zones"`
	Status  string   `yaml:"status"`
}

// UnmarshalYAML reads it.
func (i *instanceScript) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		i.ID = n.Value
		return nil
	}
	text, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	type plain instanceScript // without this method
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true) // which n.Decode does not know
	if err := d.Decode((*plain)(i)); err != nil {
		return fmt.Errorf("line %d: an instance: %w", n.Line, err)
	}
	return nil
}

type errorScript struct {
	Status  int    `yaml:"status"`
	Code    string `yaml:"code"`
	Message string `yaml:"message"`
}

type changeScript struct {
	Duration   span         `yaml:"duration"`
	FlipsAfter span         `yaml:"flips-after"`
	Outcome    string       `yaml:"outcome"`
	Statuses   []stepScript `yaml:"statuses"`
}

type scheduledScript struct {
	Instance string `yaml:"instance"`
	ID       string `yaml:"id"`
	Name     string `yaml:"name"`
	Params   string `yaml:"params"`
	In       span   `yaml:"in"`
	Age      span   `yaml:"age"`
	Status   string `yaml:"status"`
	Duration span   `yaml:"duration"`
	Outcome  string `yaml:"outcome"`
}

type taskScript struct {
	Instance    string        `yaml:"instance"`
	ID          string        `yaml:"id"`
	Name        string        `yaml:"name"`
	User        string        `yaml:"user"`
	Params      string        `yaml:"params"`
	Age         span          `yaml:"age"`
	Duration    span          `yaml:"duration"`
	Outcome     string        `yaml:"outcome"`
	ListedAfter span          `yaml:"listed-after"`
	Steps       []stepScript  `yaml:"steps"`
	Stages      []stageScript `yaml:"stages"`
	Progress    string        `yaml:"progress"` // how it is written
}

type stageScript struct {
	Name  string `yaml:"name"`
	Takes span   `yaml:"takes"`
}

type stepScript struct {
	After  span   `yaml:"after"`
	Status string `yaml:"status"`
}

type faultScript struct {
	Route      string `yaml:"route"`
	Kind       string `yaml:"kind"`
	RetryAfter span   `yaml:"retry-after"`
	Status     int    `yaml:"status"`
	Code       string `yaml:"code"`
	Message    string `yaml:"message"`
	After      span   `yaml:"after"`
	Times      *int   `yaml:"times"`
	For        span   `yaml:"for"`
}

// maxTimes bounds how often a fault is served: each time takes memory.
const maxTimes = 1_000_000

// parseScript reads a script. An unknown field is an error: a misspelt fault that never comes would look like a
// client that copes with it. So is a second document, of which nothing would be used.
func parseScript(text []byte) (*cloudScript, error) {
	s := &cloudScript{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := d.Decode(&cloudScript{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second YAML document, want only one")
	}
	return s, nil
}

// The largest values: what is beyond is a slip, and would take memory or time without end.
const (
	maxQuota   = 1_000_000
	maxSpeed   = 1_000_000
	maxBrokers = 1000
	maxSpan    = 10 * 365 * 24 * time.Hour
)

// check refuses what no cloud can be.
func (s *cloudScript) check() error {
	switch {
	case s.Quota < 0 || s.Quota > maxQuota:
		return fmt.Errorf("quota: %d requests, want 0 to %d", s.Quota, maxQuota)
	case !(s.Speed >= 0 && s.Speed <= maxSpeed): // refuses NaN too
		return fmt.Errorf("speed: %v, want more than 0, and at most %d", s.Speed, maxSpeed)
	}
	if s.Project != "" {
		if err := checkID("project", s.Project); err != nil {
			return err
		}
	}
	for name, key := range map[string]string{
		"access-key": s.AccessKey, "secret-key": s.SecretKey, "security-token": s.SecurityToken, "iam-token": s.IAMToken,
	} {
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%s holds white space, or a character that is not ASCII: no request can carry it", name)
		}
	}
	return s.checkInstances()
}

// checkInstances refuses instances that cannot be, and those of which nothing is said but that a task is on them.
func (s *cloudScript) checkInstances() error {
	known := map[string]bool{"": true} // the first one
	if len(s.Instances) == 0 {
		known[serveInstance] = true
	}
	for i := range s.Instances {
		one := &s.Instances[i]
		if err := checkID("instance", one.ID); err != nil {
			return err
		}
		if known[one.ID] {
			return fmt.Errorf("instance %q is given twice", one.ID)
		}
		known[one.ID] = true
		if one.Brokers < 0 || one.Brokers > maxBrokers || one.Storage < 0 {
			return fmt.Errorf("instance %q: %d brokers, %d GB, want 0 to %d, and 0 or more", one.ID, one.Brokers,
				one.Storage,
				maxBrokers)
		}
	}
	on := func(id string) error {
		if !known[id] {
			return fmt.Errorf("a task is on instance %s, which is not among the instances", text.Quote(id))
		}
		return nil
	}
	var errs []error
	for i := range s.Tasks {
		errs = append(errs, on(s.Tasks[i].Instance))
	}
	for i := range s.Scheduled {
		errs = append(errs, on(s.Scheduled[i].Instance))
	}
	return errors.Join(errs...)
}

// scaled is a duration of the script as the speed has it.
func (s *cloudScript) scaled(d span) time.Duration {
	return time.Duration(float64(d) / cmp.Or(s.Speed, 1))
}

// cloud makes the cloud, and gives the id of its first instance. What cannot be played is an error.
func (s *cloudScript) cloud() (cloud *fakekafka.Cloud, instance string, err error) {
	defer func() {
		if v := recover(); v != nil { // how fakecloud reports a mistake in a test; here it is the user's
			err = fmt.Errorf("%v", v)
		}
	}()
	if err := s.check(); err != nil {
		return nil, "", err
	}
	opts, err := s.options()
	if err != nil {
		return nil, "", err
	}
	cloud = fakekafka.New(opts...)
	instances := s.Instances
	if len(instances) == 0 {
		instances = []instanceScript{{ID: serveInstance}}
	}
	for i := range instances {
		instances[i].add(cloud)
	}
	first := instances[0].ID
	for i := range s.Tasks {
		task, err := s.Tasks[i].script()
		if err != nil {
			return nil, "", err
		}
		cloud.AddTask(cmp.Or(s.Tasks[i].Instance, first), task)
	}
	for i := range s.Scheduled {
		cloud.AddScheduled(cmp.Or(s.Scheduled[i].Instance, first), s.scheduled(&s.Scheduled[i]))
	}
	return cloud, first, errors.Join(s.jobs(cloud), s.operations(cloud), s.changes(cloud), s.faults(cloud))
}

// options are those of the cloud.
func (s *cloudScript) options() ([]fakecloud.Option, error) {
	opts := []fakecloud.Option{
		fakecloud.WithProject(cmp.Or(s.Project, fakecloud.DefaultProject)),
		fakecloud.WithSecurityToken(s.SecurityToken),
		fakecloud.WithCredentials(cmp.Or(s.AccessKey, fakecloud.DefaultAccessKey),
			cmp.Or(s.SecretKey, fakecloud.DefaultSecretKey)),
		fakecloud.WithIAMToken(cmp.Or(s.IAMToken, fakecloud.DefaultIAMToken)),
		fakecloud.WithLatency(s.scaled(s.Latency)), fakecloud.WithQuota(s.Quota), fakekafka.WithSpeed(cmp.Or(s.Speed,
			1)),
	}
	if s.ClockSkew != "" {
		skew, err := time.ParseDuration(s.ClockSkew)
		if err != nil {
			return nil, fmt.Errorf("clock-skew: %w", err)
		}
		opts = append(opts, fakecloud.WithClockSkew(skew))
	}
	if e := s.UnknownTask; e != nil {
		opts = append(opts, fakekafka.WithUnknownTask(e.Status, e.Code, e.Message))
	}
	if e := s.NoProgress; e != nil {
		opts = append(opts, fakekafka.WithNoProgress(e.Status, e.Code, e.Message))
	}
	for _, o := range []struct {
		on  bool
		opt func() fakecloud.Option
	}{
		{s.Conflicts != nil && !*s.Conflicts, fakekafka.WithoutConflicts},
		{s.ConfigJobID != nil && !*s.ConfigJobID, fakekafka.WithoutConfigJobID},
		{s.StatusFirst, fakekafka.WithStatusFirst},
		{s.StrictResize, fakekafka.WithStrictResize},
		{s.RecycleBin, fakekafka.WithRecycleBin},
	} {
		if o.on {
			opts = append(opts, o.opt())
		}
	}
	return opts, nil
}

// add makes the instance.
func (i *instanceScript) add(cloud *fakekafka.Cloud) {
	cloud.SetSpec(i.ID, fakekafka.Spec{
		Name: i.Name, Version: i.Version, Brokers: i.Brokers, Storage: i.Storage, Product: i.Product, Zones: i.Zones,
	})
	cloud.SetStatus(i.ID, i.Status)
}

// progressShapes are how a progress may be written.
var progressShapes = map[string]fakekafka.ProgressShape{
	"": fakekafka.ShapeDocumented, "documented": fakekafka.ShapeDocumented, "statue": fakekafka.ShapeStatue,
	"strings": fakekafka.ShapeStrings, "bare": fakekafka.ShapeBare, "text": fakekafka.ShapeText,
	"empty": fakekafka.ShapeEmpty,
}

func (t *taskScript) script() (fakekafka.Script, error) {
	shape, ok := progressShapes[t.Progress]
	if !ok {
		return fakekafka.Script{}, fmt.Errorf("progress %q, want one of %q", t.Progress,
			slices.Sorted(maps.Keys(progressShapes)))
	}
	s := fakekafka.Script{
		ID: t.ID, Name: t.Name, User: t.User, Params: t.Params, Duration: time.Duration(t.Duration),
		Outcome: taskwait.Status(t.Outcome), ListedAfter: time.Duration(t.ListedAfter), Shape: shape,
	}
	if t.Age != 0 {
		s.CreatedAt = time.Now().Add(-time.Duration(t.Age))
	}
	for _, step := range t.Steps {
		s.Steps = append(s.Steps, fakekafka.Step{After: time.Duration(step.After),
			Status: taskwait.Status(step.Status)})
	}
	for _, stage := range t.Stages {
		s.Stages = append(s.Stages, fakekafka.Stage{Name: stage.Name, Duration: time.Duration(stage.Takes)})
	}
	return s, nil
}

func (s *cloudScript) scheduled(t *scheduledScript) fakekafka.Scheduled {
	now := time.Now()
	return fakekafka.Scheduled{
		ID: t.ID, Name: t.Name, Params: t.Params, At: now.Add(s.scaled(t.In)),
		CreatedAt: now.Add(-time.Duration(t.Age)),
		Status:    taskwait.Status(t.Status), Duration: time.Duration(t.Duration), Outcome: taskwait.Status(t.Outcome),
	}
}

// operations sets what the tasks do that requests start, by a short name or by that of their route.
func (s *cloudScript) operations(cloud *fakekafka.Cloud) error {
	short := map[string]fakecloud.Route{
		"resize": fakekafka.RouteResize, "public-ip": fakekafka.RoutePublicIP, "config": fakekafka.RouteModifyConfigs,
		"reset-offset": fakekafka.RouteResetOffset,
	}
	for name, t := range s.Operations {
		route := cmp.Or(short[name], fakecloud.Route(name))
		if fakekafka.TaskNames()[route] == "" {
			return fmt.Errorf("operation %q, want resize, public-ip, config, reset-offset or one of %q",
				name, slices.Sorted(maps.Keys(fakekafka.TaskNames())))
		}
		script, err := t.script()
		if err != nil {
			return err
		}
		cloud.OnOperation(route, script)
	}
	return nil
}

// changes sets how instances are created, restarted and deleted.
func (s *cloudScript) changes(cloud *fakekafka.Cloud) error {
	set := map[string]func(fakekafka.Change){"create": cloud.OnCreate, "restart": cloud.OnRestart,
		"delete": cloud.OnDelete}
	for name, c := range s.Changes {
		f := set[name]
		if f == nil {
			return fmt.Errorf("change %q, want create, restart or delete", name)
		}
		change := fakekafka.Change{
			Duration: time.Duration(c.Duration), FlipsAfter: time.Duration(c.FlipsAfter), Outcome: c.Outcome,
		}
		for _, step := range c.Statuses {
			change.Statuses = append(change.Statuses, fakekafka.StatusStep{After: time.Duration(step.After),
				Status: step.Status})
		}
		f(change)
	}
	return nil
}

func (s *cloudScript) faults(cloud *fakekafka.Cloud) error {
	for i := range s.Faults {
		f := &s.Faults[i]
		route := fakecloud.Route(cmp.Or(f.Route, string(fakecloud.AnyRoute)))
		fault, err := f.fault(route, s.scaled)
		if err != nil {
			return err
		}
		if !slices.Contains(cloud.Routes(), route) {
			return fmt.Errorf("route %q, want one of %q", f.Route, cloud.Routes())
		}
		cloud.Inject(route, fault)
	}
	return nil
}

// fault is what one request for a route gets, or several. On any route the rows of Kafka's tasks are meant.
func (f *faultScript) fault(route fakecloud.Route, scaled func(span) time.Duration) (fakecloud.Fault, error) {
	kinds := map[string]func() fakecloud.Fault{
		"serve": fakecloud.Serve, "unavailable": fakecloud.Unavailable, "throttle-404": fakekafka.ThrottleAs404,
		"hang": fakecloud.Hang, "drop": fakecloud.Drop, "drop-answer": fakecloud.DropAnswer,
		"truncate": fakecloud.Truncate,
		"stall":    fakecloud.Stall, "wrong-id": fakekafka.WrongID, "several-rows": fakekafka.SeveralRows,
		"not-listed": fakekafka.NotListed,
		"throttle":   func() fakecloud.Fault { return fakecloud.Throttle(scaled(f.RetryAfter)) },
		"error":      func() fakecloud.Fault { return fakecloud.Error(f.Status, f.Code, f.Message) },
		"html":       func() fakecloud.Fault { return fakecloud.HTML(cmp.Or(f.Status, 502)) },
		"status":     func() fakecloud.Fault { return fakekafka.Status(f.Message) },
	}
	if slices.Contains(fakejobs.Routes(), route) {
		maps.Copy(kinds, f.jobKinds())
	}
	of := kinds[f.Kind]
	if of == nil {
		return fakecloud.Fault{}, fmt.Errorf("fault %q, want one of %q", f.Kind, slices.Sorted(maps.Keys(kinds)))
	}
	fault := of()
	if f.After > 0 {
		fault = fault.After(scaled(f.After))
	}
	if f.Times != nil && (*f.Times < 0 || *f.Times > maxTimes) {
		return fakecloud.Fault{}, fmt.Errorf("times: %d, want 0 to %d", *f.Times, maxTimes)
	}
	if f.Times != nil {
		fault = fault.Times(*f.Times)
	}
	return fault.For(scaled(f.For)), nil
}
