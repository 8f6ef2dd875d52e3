// Realcloud waits for one background task of Kafka in the real Huawei Cloud. It only asks, and changes nothing.
//
//	export CLOUD_SDK_AK=… CLOUD_SDK_SK=…
//	go run ./examples/realcloud -region eu-west-101 -project PROJECT_ID -instance INSTANCE_ID -task TASK_ID
//
// The keys come from the environment, never from the command line: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or
// CLOUD_SDK_AK and CLOUD_SDK_SK. Temporary keys need …_SECURITY_TOKEN with the same beginning too. -endpoint is for
// partitions and regions that the SDK does not know.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/examples/internal/demo"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "realcloud:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	s, err := parse(args, out)
	if err != nil {
		return err
	}
	client, err := demo.RealClient(s.region, s.endpoint, s.project, getenv)
	if err != nil {
		return err
	}
	waiter, err := taskwait.New(kafkatasks.New(client, s.instance), taskwait.WithTimeout(s.timeout))
	if err != nil {
		return err
	}
	task, err := waiter.WaitForTask(ctx, s.task, taskwait.WithProgress(func(p taskwait.Progress) {
		switch {
		case p.Err != nil:
			fmt.Fprintf(out, "%6.1fs  %v; next poll in %v\n", p.Elapsed.Seconds(), p.Err, p.Next.Round(time.Second))
		case p.Changed:
			fmt.Fprintf(out, "%6.1fs  %v\n", p.Elapsed.Seconds(), p.Task)
		}
	}))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "done: %v, created %v\n", task, task.CreatedAt.Format(time.RFC3339))
	return nil
}

// settings are what the command line says.
type settings struct {
	region, endpoint, project, instance, task string
	timeout                                   time.Duration
}

func parse(args []string, out io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("realcloud", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned
	flags.Usage = func() {
		flags.SetOutput(out)
		fmt.Fprintln(out,
			"Waits for one background task of Kafka. The keys are CLOUD_SDK_AK and CLOUD_SDK_SK in the environment.")
		flags.PrintDefaults()
	}
	flags.StringVar(&s.region, "region", "", "the region, such as eu-west-101")
	flags.StringVar(&s.endpoint, "endpoint", "",
		"the endpoint, such as https://dms.eu-west-101.myhuaweicloud.eu, instead of a region")
	flags.StringVar(&s.project, "project", "", "the project id (console: My Credentials)")
	flags.StringVar(&s.instance, "instance", "", "the id of the Kafka instance")
	flags.StringVar(&s.task, "task", "", "the id of the background task, the job_id that the operation has returned")
	flags.DurationVar(&s.timeout, "timeout", time.Hour, "how long to wait at most; 0: no limit")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected %q: everything is given by flags, see -help", flags.Arg(0))
	}
	return s, s.check()
}

// check says what is missing.
func (s *settings) check() error {
	var missing []string
	for _, f := range []struct{ name, value string }{
		{"-region or -endpoint", s.region + s.endpoint},
		{"-project", s.project},
		{"-instance", s.instance},
		{"-task", s.task},
	} {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("missing: %s (see -help)", strings.Join(missing, ", "))
	}
	if s.region != "" && s.endpoint != "" {
		return errors.New("give -region or -endpoint, not both")
	}
	return nil
}
