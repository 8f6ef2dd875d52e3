package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei/jobs"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/schedule"
)

const (
	demoInstance = "kafka-demo"
	demoTimeout  = 9 * time.Second
	// demoGrace is shorter than the default of a minute: nobody wants to watch a demonstration for so long.
	demoGrace = 2 * time.Second
	// demoSteady is long enough for the age of an answer to be seen.
	demoSteady = 1500 * time.Millisecond
)

func (s *env) demoCommand() *cobra.Command {
	var p printing
	var steady bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Wait for some tasks in an embedded cloud, without an account",
		Long: `Wait for the tasks of four services side by side, Kafka, ECS, RDS and CCE, that
end differently, in a cloud that is embedded in this program. Nothing leaves
it, and no account is needed. The cloud is down once, and throttles once. The
demonstration itself exits with 0, and says what "kafka wait" would have exited
with.`,
		Example: `  taskwait demo
  taskwait demo | cat
  taskwait demo --output json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.demo(c, &p, steady) },
	}
	p.flags(c)
	c.Flags().BoolVar(&steady, "steady", false, "for a picture: the same pauses each time, and no throttle")
	_ = c.Flags().MarkHidden("steady") // it exists
	return c
}

// demoTasks are the tasks of the demonstration.
var demoTasks = []struct {
	name    string
	takes   time.Duration
	outcome taskwait.Status
	past    time.Duration // the usual time
}{
	{"kafkaConfigModify", 1500 * time.Millisecond, taskwait.StatusSuccess, 1600 * time.Millisecond},
	{"bindInstancePublicIp", 3500 * time.Millisecond, taskwait.StatusFailed, 3 * time.Second},
	{"kafkaResetConsumerOffset", 4500 * time.Millisecond, taskwait.StatusCancelled, 5 * time.Second},
	{"kafkaInstanceExtend", 7500 * time.Millisecond, taskwait.StatusSuccess, 7 * time.Second},
	{"kafkaUpgrade", time.Hour, taskwait.StatusSuccess, 40 * time.Minute},
}

// demoJobs are those of other services.
var demoJobs = []struct {
	service string
	shape   fakejobs.Shape
	source  func(*core.HcHttpClient) *httptasks.Source
	name    string
	takes   time.Duration
	outcome taskwait.Status
}{
	{"ECS", fakejobs.V1, jobs.ECS, "createServer", 2500 * time.Millisecond, taskwait.StatusSuccess},
	{"RDS", fakejobs.Database, jobs.RDS, "CreateMysqlSingleHAInstance", 5500 * time.Millisecond, taskwait.StatusSuccess},
	{"CCE", fakejobs.CCE, jobs.CCE, "CreateCluster", 6500 * time.Millisecond, taskwait.StatusFailed},
}

func (s *env) demo(c *cobra.Command, p *printing, steady bool) error {
	if err := p.check(); err != nil {
		return err
	}
	cloud := fakekafka.New(fakekafka.WithoutConflicts())
	ids, history := demoCloud(cloud)
	own := *s
	own.transport, own.getenv = cloud.Transport(), demoEnvironment(s.getenv)
	t := newTarget(kafkaService)
	t.values[0], t.endpoint = demoInstance, "https://kafka.demo"
	k, err := own.resolve(&t)
	if err != nil {
		return err
	}
	client, err := own.dial(&t, k, nil)
	if err != nil {
		return err
	}
	r := own.newRun(t.subject(), p, selection{ids: ids})
	r.source.polled = kafkatasks.New(kafka.NewKafkaClient(client), demoInstance)
	r.subject.instance, r.subject.command = "", "" // there is nothing to wait for again
	r.beside = startDemoJobs(fakejobs.Beside(cloud.Gateway), client, history)
	for _, b := range r.beside {
		r.selection.ids = append(r.selection.ids, b.ids...)
	}
	r.opts, r.timeout = demoOptions(history), demoTimeout
	if !steady { // how long a throttle lasts has jitter
		cloud.Inject(fakekafka.RouteListTasks, fakecloud.Serve().Times(3), fakecloud.Throttle(time.Second))
	} else {
		r.opts = append(r.opts, taskwait.WithBackOff(func() backoff.BackOff {
			return backoff.NewConstantBackOff(demoSteady)
		}))
	}
	r.forPeople = false // what people are told at the end is below
	var e *exitError
	code := codeOK
	if errors.As(r.do(c.Context(), k.source), &e) {
		code = e.code
	}
	if signal, ok := stoppedBy(c.Context()); ok {
		return &exitError{code: signal.code()}
	}
	if p.forPeople() {
		s.wrapped(fmt.Sprintf("\"taskwait kafka wait\" would exit with %d now: %s.", code, meaning(code)))
	}
	return nil
}

// wrapped writes a line to standard output, broken between words where that is a terminal.
func (s *env) wrapped(text string) {
	lines := []string{text}
	if s.screen != nil {
		columns, _ := s.screen.size()
		lines = wrap(text, columns-1, gap)
	}
	for _, l := range lines {
		s.out.offer([]byte(l+"\n"), false)
	}
}

// startDemoJobs starts the jobs of the other services, as one client of the SDK reaches them.
func startDemoJobs(cloud *fakejobs.Cloud, client *core.HcHttpClient, history *schedule.History) (all []beside) {
	for _, j := range demoJobs {
		id := cloud.AddJob(j.shape, fakejobs.Script{Name: j.name, Steps: []fakejobs.Step{
			{Status: taskwait.StatusExecuting}, {After: j.takes, Status: j.outcome},
		}})
		for i := range 12 {
			history.Add(j.name, j.takes*time.Duration(94+i)/100)
		}
		all = append(all, beside{j.service, j.source(client), []string{id}})
	}
	return all
}

func demoOptions(history *schedule.History) []taskwait.Option {
	return []taskwait.Option{
		taskwait.WithInterval(400*time.Millisecond, time.Second),
		taskwait.WithNotFoundGrace(demoGrace), taskwait.WithHistory(history),
	}
}

// demoCloud starts the tasks, and makes up how long tasks of their kinds took. The cloud does not know the last id.
func demoCloud(cloud *fakekafka.Cloud) (ids []string, history *schedule.History) {
	history = &schedule.History{QueryCost: 100 * time.Millisecond} // somebody watches
	for _, t := range demoTasks {
		ids = append(ids, cloud.AddTask(demoInstance, fakekafka.Script{Name: t.name, Steps: []fakekafka.Step{
			{Status: taskwait.StatusExecuting}, {After: t.takes, Status: t.outcome},
		}}))
		for i := range 12 {
			history.Add(t.name, t.past*time.Duration(94+i)/100)
		}
	}
	cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable())
	return append(ids, strings.Repeat("0", idWidth)), history
}

// demoEnvironment is the environment with the embedded cloud's keys, and without any others.
func demoEnvironment(getenv func(string) string) func(string) string {
	own := cloudVariables(demoInstance, "")
	return func(name string) string {
		for _, prefix := range []string{sdkPrefix, samplePrefix, "TASKWAIT_"} {
			if strings.HasPrefix(name, prefix) {
				return own[name]
			}
		}
		return getenv(name)
	}
}

// cloudVariables are the environment variables by which the embedded cloud is reached.
func cloudVariables(instance, endpoint string) map[string]string {
	return map[string]string{
		sdkPrefix + "AK": fakecloud.DefaultAccessKey, sdkPrefix + "SK": fakecloud.DefaultSecretKey,
		projectName: fakecloud.DefaultProject, instanceName: instance, endpointName: endpoint,
	}
}
