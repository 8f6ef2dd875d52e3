// Realcloud waits for one Kafka background task of the real Huawei Cloud.
//
//	export CLOUD_SDK_AK=… CLOUD_SDK_SK=…
//	go run ./examples/realcloud -region eu-west-101 -project PROJECT_ID -instance INSTANCE_ID -task TASK_ID
//
// The keys come from the environment, never from the command line: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or
// CLOUD_SDK_AK and CLOUD_SDK_SK; temporary ones need …_SECURITY_TOKEN with the same beginning too. -endpoint is for partitions
// and regions that the SDK does not know. It only asks, and changes nothing.
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

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/region"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "realcloud:", err)
		stop()
		os.Exit(1)
	}
}

type settings struct {
	region, endpoint, project, instance, task string
	timeout                                   time.Duration
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	s, err := parse(args, out)
	if err != nil {
		return err
	}
	client, err := connect(s, getenv)
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
			fmt.Fprintf(out, "%6.1fs  %v; next look in %v\n", p.Elapsed.Seconds(), p.Err, p.Next.Round(time.Second))
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

func parse(args []string, out io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("realcloud", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned
	flags.Usage = func() {
		flags.SetOutput(out)
		fmt.Fprintln(out, "Waits for one Kafka background task of Huawei Cloud. The keys are CLOUD_SDK_AK and CLOUD_SDK_SK in the environment.")
		flags.PrintDefaults()
	}
	flags.StringVar(&s.region, "region", "", "the region, such as eu-west-101")
	flags.StringVar(&s.endpoint, "endpoint", "", "the endpoint, such as https://dms.eu-west-101.myhuaweicloud.eu, instead of a region")
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
		{"-region or -endpoint", s.region + s.endpoint}, {"-project", s.project}, {"-instance", s.instance}, {"-task", s.task},
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

// connect makes the client. The SDK's Build and ValueOf panic on bad input; their Safe forms do not.
func connect(s settings, getenv func(string) string) (*kafka.KafkaClient, error) {
	ak, sk, token, err := keys(getenv)
	if err != nil {
		return nil, err
	}
	credential, err := basic.NewCredentialsBuilder().
		WithAk(ak).WithSk(sk).WithSecurityToken(token).WithProjectId(s.project).
		SafeBuild()
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	builder := kafka.KafkaClientBuilder().WithCredential(credential)
	if s.endpoint != "" {
		builder = builder.WithEndpoint(s.endpoint)
	} else {
		r, err := region.SafeValueOf(s.region)
		if err != nil {
			return nil, fmt.Errorf("-region %s: %w; or use -endpoint", s.region, err)
		}
		builder = builder.WithRegion(r)
	}
	client, err := builder.SafeBuild()
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return kafka.NewKafkaClient(client), nil
}

// keys finds the access key, the secret key and, for temporary ones, the token that belongs to them.
func keys(getenv func(string) string) (ak, sk, token string, err error) {
	for _, prefix := range []string{"HUAWEICLOUD_SDK_", "CLOUD_SDK_"} {
		ak, sk := getenv(prefix+"AK"), getenv(prefix+"SK")
		switch {
		case ak != "" && sk != "":
			return ak, sk, getenv(prefix + "SECURITY_TOKEN"), nil
		case ak != "":
			return "", "", "", fmt.Errorf("%sAK is set, but %sSK is not", prefix, prefix)
		case sk != "":
			return "", "", "", fmt.Errorf("%sSK is set, but %sAK is not", prefix, prefix)
		}
	}
	return "", "", "", errors.New("no keys: set CLOUD_SDK_AK and CLOUD_SDK_SK (or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK)")
}
