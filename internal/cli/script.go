package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"go.yaml.in/yaml/v3"
)

// scriptExample has every field that there is. docs/serve-fake.md explains them.
const scriptExample = `  instances: [kafka-1]
  tasks:
    - {instance: kafka-1, id: resize-1, name: kafkaInstanceExtend, duration: 20s, outcome: FAILED}
    - {name: kafkaUpgrade, age: 10m, listed-after: 2s, steps: [{after: 0s, status: CREATED}, {after: 1h, status: SUCCESS}]}
  operations:             # what the tasks do that requests start
    resize: {stages: [{name: pre_check, takes: 1s}, {name: disk_expansion, takes: 10s}]}
    public-ip: {duration: 3s, outcome: FAILED}
  faults:                 # each befalls one request of its route, in this order
    - {route: "GET tasks/{task}", kind: unavailable, times: 2}
    - {route: any, kind: throttle, retry-after: 5s}
    - {route: GET tasks, kind: error, status: 403, code: DMS.00403, message: no, for: 30s}
  latency: 50ms
  quota: 10               # requests a second
  security-token: ""`

// span is a duration as people write it: 1m30s.
type span time.Duration

// UnmarshalYAML reads it.
func (s *span) UnmarshalYAML(n *yaml.Node) error {
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no duration, want such as 1m30s", n.Line, n.Value)
	}
	*s = span(d)
	return nil
}

// cloudScript is what a script file says.
type cloudScript struct {
	Instances     []string              `yaml:"instances"`
	Tasks         []taskScript          `yaml:"tasks"`
	Operations    map[string]taskScript `yaml:"operations"`
	Faults        []faultScript         `yaml:"faults"`
	Latency       span                  `yaml:"latency"`
	Quota         int                   `yaml:"quota"`
	SecurityToken string                `yaml:"security-token"`
}

type taskScript struct {
	Instance    string        `yaml:"instance"`
	ID          string        `yaml:"id"`
	Name        string        `yaml:"name"`
	Age         span          `yaml:"age"`
	Duration    span          `yaml:"duration"`
	Outcome     string        `yaml:"outcome"`
	ListedAfter span          `yaml:"listed-after"`
	Steps       []stepScript  `yaml:"steps"`
	Stages      []stageScript `yaml:"stages"`
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

// parseScript reads a script. A field that there is not is an error: a misspelt fault that never comes would look like a
// client that copes with it.
func parseScript(text []byte) (*cloudScript, error) {
	s := &cloudScript{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s, nil
}

// cloud makes the cloud, and gives the id of its first instance. What cannot be played is an error.
func (s *cloudScript) cloud() (cloud *fakekafka.Cloud, instance string, err error) {
	defer func() {
		if v := recover(); v != nil { // fakecloud's way to tell a test of its slip; here it is the user's
			err = fmt.Errorf("%v", v)
		}
	}()
	cloud = fakekafka.New(fakecloud.WithLatency(time.Duration(s.Latency)), fakecloud.WithQuota(s.Quota), fakecloud.WithSecurityToken(s.SecurityToken))
	instances := s.Instances
	if len(instances) == 0 {
		instances = []string{serveInstance}
	}
	for _, id := range instances {
		cloud.AddInstance(id)
	}
	for i := range s.Tasks {
		cloud.AddTask(cmp.Or(s.Tasks[i].Instance, instances[0]), s.Tasks[i].script())
	}
	return cloud, instances[0], errors.Join(s.operations(cloud), s.faults(cloud))
}

func (t *taskScript) script() fakekafka.Script {
	s := fakekafka.Script{
		ID: t.ID, Name: t.Name, Duration: time.Duration(t.Duration), Outcome: taskwait.Status(t.Outcome),
		ListedAfter: time.Duration(t.ListedAfter),
	}
	if t.Age != 0 {
		s.CreatedAt = time.Now().Add(-time.Duration(t.Age))
	}
	for _, step := range t.Steps {
		s.Steps = append(s.Steps, fakekafka.Step{After: time.Duration(step.After), Status: taskwait.Status(step.Status)})
	}
	for _, stage := range t.Stages {
		s.Stages = append(s.Stages, fakekafka.Stage{Name: stage.Name, Duration: time.Duration(stage.Takes)})
	}
	return s
}

func (s *cloudScript) operations(cloud *fakekafka.Cloud) error {
	set := map[string]func(fakekafka.Script){
		"resize": cloud.OnResize, "public-ip": cloud.OnPublicIP, "config": cloud.OnConfig, "reset-offset": cloud.OnOffsetReset,
	}
	for name, t := range s.Operations {
		f := set[name]
		if f == nil {
			return fmt.Errorf("operation %q, want resize, public-ip, config or reset-offset", name)
		}
		f(t.script())
	}
	return nil
}

func (s *cloudScript) faults(cloud *fakekafka.Cloud) error {
	for i := range s.Faults {
		f := &s.Faults[i]
		fault, err := f.fault()
		if err != nil {
			return err
		}
		route := fakecloud.Route(cmp.Or(f.Route, string(fakecloud.AnyRoute)))
		if !slices.Contains(cloud.Routes(), route) {
			return fmt.Errorf("route %q, want one of %q", f.Route, cloud.Routes())
		}
		cloud.Inject(route, fault)
	}
	return nil
}

// fault is one that befalls a request, or several.
func (f *faultScript) fault() (fakecloud.Fault, error) {
	kinds := map[string]func() fakecloud.Fault{
		"serve": fakecloud.Serve, "unavailable": fakecloud.Unavailable, "throttle-404": fakekafka.ThrottleAs404,
		"hang": fakecloud.Hang, "drop": fakecloud.Drop, "drop-answer": fakecloud.DropAnswer, "truncate": fakecloud.Truncate,
		"stall": fakecloud.Stall, "wrong-id": fakekafka.WrongID, "several-rows": fakekafka.SeveralRows, "not-listed": fakekafka.NotListed,
		"throttle": func() fakecloud.Fault { return fakecloud.Throttle(time.Duration(f.RetryAfter)) },
		"error":    func() fakecloud.Fault { return fakecloud.Error(f.Status, f.Code, f.Message) },
		"html":     func() fakecloud.Fault { return fakecloud.HTML(cmp.Or(f.Status, 502)) },
		"status":   func() fakecloud.Fault { return fakekafka.Status(f.Message) },
	}
	of := kinds[f.Kind]
	if of == nil {
		return fakecloud.Fault{}, fmt.Errorf("fault %q, want one of %q", f.Kind, slices.Sorted(maps.Keys(kinds)))
	}
	fault := of()
	if f.After > 0 {
		fault = fault.After(time.Duration(f.After))
	}
	if f.Times != nil {
		fault = fault.Times(*f.Times)
	}
	return fault.For(time.Duration(f.For)), nil
}
