package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

const (
	demoInstance = "kafka-demo"
	demoTimeout  = 9 * time.Second
	// demoGrace is shorter than the default of a minute: nobody wants to look at a demonstration for so long.
	demoGrace = 2 * time.Second
)

func (s *System) demoCommand() *cobra.Command {
	var p printing
	c := &cobra.Command{
		Use:   "demo",
		Short: "Wait for a handful of tasks in an embedded cloud: no account, ten seconds",
		Long: `Wait for a handful of tasks with different fates in a cloud that is embedded in this program. Nothing leaves it, and no
account is needed. On the way the cloud is down once, and throttles once. The demonstration itself exits with 0, and
says what "kafka wait" would have exited with.`,
		Example: `  taskwait demo
  taskwait demo | cat
  taskwait demo --output json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.demo(c, &p) },
	}
	p.flags(c)
	return c
}

// demoTasks are the tasks of the demonstration. What each has taken so far, give or take, is in past.
var demoTasks = []struct {
	name    string
	takes   time.Duration
	outcome taskwait.Status
	past    time.Duration
}{
	{"kafkaConfigModify", 1500 * time.Millisecond, taskwait.StatusSuccess, 1600 * time.Millisecond},
	{"bindInstancePublicIp", 3500 * time.Millisecond, taskwait.StatusFailed, 3 * time.Second},
	{"kafkaResetConsumerOffset", 5500 * time.Millisecond, taskwait.StatusCancelled, 6 * time.Second},
	{"kafkaInstanceExtend", 7500 * time.Millisecond, taskwait.StatusSuccess, 7 * time.Second},
	{"kafkaUpgrade", time.Hour, taskwait.StatusSuccess, 40 * time.Minute},
}

func (s *System) demo(c *cobra.Command, p *printing) error {
	if err := p.check(); err != nil {
		return err
	}
	cloud := fakekafka.New(fakekafka.WithoutConflicts())
	ids, history := demoCloud(cloud)
	own := *s
	own.Transport, own.Getenv = cloud.Transport(), demoEnvironment(s.Getenv)
	t := target{instance: demoInstance, endpoint: "https://kafka.demo"}
	src, credentials, err := own.connect(&t)
	if err != nil {
		return err
	}
	r := own.newRun(src, t, p, wanted{ids: ids}, demoOptions(history))
	r.notes = false // there is nothing to be resumed
	r.tell(&event{Event: eventStart, Instance: t.instance, Credentials: credentials, Tasks: ids})
	code := r.end(c.Context(), r.await(c.Context()))
	if signal, ok := stoppedBy(c.Context()); ok {
		return &exitError{code: signal.code()}
	}
	if p.notes() {
		fmt.Fprintf(s.Stdout, "\"taskwait kafka wait\" would exit with %d now: %s.\n", code, meaning(code))
	}
	return nil
}

func demoOptions(history *taskwait.History) []taskwait.Option {
	return []taskwait.Option{
		taskwait.WithTimeout(demoTimeout), taskwait.WithInterval(400*time.Millisecond, time.Second),
		taskwait.WithNotFoundGrace(demoGrace), taskwait.WithHistory(history), taskwait.WithQueryCost(100 * time.Millisecond),
	}
}

// meaning is what codesText says of a code.
func meaning(code int) string {
	for line := range strings.Lines(codesText) {
		if text, ok := strings.CutPrefix(line, fmt.Sprintf("  %-4d ", code)); ok {
			return strings.TrimSpace(text)
		}
	}
	return "see --help"
}

// demoCloud starts the tasks, and makes up what tasks of their kinds have taken. The last id is one that nobody knows.
func demoCloud(cloud *fakekafka.Cloud) (ids []string, history *taskwait.History) {
	history = taskwait.NewHistory()
	for _, t := range demoTasks {
		ids = append(ids, cloud.AddTask(demoInstance, fakekafka.Script{Name: t.name, Steps: []fakekafka.Step{
			{Status: taskwait.StatusExecuting}, {After: t.takes, Status: t.outcome},
		}}))
		for i := range 12 {
			history.Add(t.name, t.past*time.Duration(94+i)/100)
		}
	}
	cloud.Inject(fakekafka.RouteListTasks, fakecloud.Serve().Times(3), fakecloud.Throttle(time.Second))
	cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable())
	return append(ids, strings.Repeat("0", idWidth)), history
}

// demoEnvironment is the environment with the embedded cloud's keys, and without any others.
func demoEnvironment(getenv func(string) string) func(string) string {
	own := cloudVariables(demoInstance, "")
	return func(name string) string {
		if strings.HasPrefix(name, sdkPrefix) || strings.HasPrefix(name, samplePrefix) || strings.HasPrefix(name, "TASKWAIT_") {
			return own[name]
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
