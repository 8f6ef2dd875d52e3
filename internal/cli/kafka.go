package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/region"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// The environment variables that stand for flags which are not given. The project's is the SDK's.
const (
	instanceName = "TASKWAIT_INSTANCE"
	regionName   = "TASKWAIT_REGION"
	endpointName = "TASKWAIT_ENDPOINT"
)

// target says whose tasks are meant, and how to reach them.
type target struct {
	instance, region, project, endpoint string
}

// printing says how to print.
type printing struct {
	output string
	quiet  bool
}

const (
	outputText = "text"
	outputJSON = "json"
)

func (s *System) kafkaCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kafka",
		Short: "Background tasks of Huawei Cloud DMS for Kafka",
		Long: `Background tasks of Huawei Cloud DMS for Kafka.

Credentials are looked for where the SDK does: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with HUAWEICLOUD_SDK_SECURITY_TOKEN),
CLOUD_SDK_AK and CLOUD_SDK_SK, the credentials file (~/.huaweicloud/credentials, or HUAWEICLOUD_SDK_CREDENTIALS_FILE),
and last, where none of these is there, the metadata of the machine. They are never given on the command line, and
never printed.`,
		Args: cobra.ArbitraryArgs,
		RunE: needsCommand,
	}
	c.AddCommand(s.waitCommand(), s.listCommand())
	return c
}

func (t *target) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&t.instance, "instance", "", "id of the Kafka instance (default $TASKWAIT_INSTANCE)")
	f.StringVar(&t.region, "region", "", "region, such as eu-west-101 (default $TASKWAIT_REGION)")
	f.StringVar(&t.project, "project", "", "project id (default $HUAWEICLOUD_SDK_PROJECT_ID, or that of the credentials file)")
	f.StringVar(&t.endpoint, "endpoint", "", "URL of the service, instead of a region (default $TASKWAIT_ENDPOINT)")
}

func (p *printing) flags(c *cobra.Command) {
	c.Flags().StringVarP(&p.output, "output", "o", outputText, "text, or json: one object per line and event")
	c.Flags().BoolVarP(&p.quiet, "quiet", "q", false, "print nothing but what went wrong, to standard error")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{outputText, outputJSON}, cobra.ShellCompDirectiveNoFileComp))
}

func (p *printing) check() error {
	if p.output != outputText && p.output != outputJSON {
		return fmt.Errorf("--output %q, want text or json", p.output)
	}
	return nil
}

// notes reports whether there is a person to be told more than the output itself.
func (p *printing) notes() bool { return p.output == outputText && !p.quiet }

// reporter is who prints.
func (s *System) reporter(p *printing) reporter {
	switch {
	case p.quiet:
		return silent{s.Stderr}
	case p.output == outputJSON:
		return newJSONLines(s.Stdout)
	case s.Live != nil:
		return startLive(s.Stdout, s.Getenv("NO_COLOR") == "", s.Live)
	}
	return plain{s.Stdout}
}

// complete fills in what is not given from the environment and the keys, and checks the whole before anything is sent.
func (t *target) complete(getenv func(string) string, k *keys) error {
	t.instance = cmp.Or(t.instance, getenv(instanceName))
	t.project = cmp.Or(t.project, getenv(projectName), k.project)
	if t.region == "" && t.endpoint == "" {
		t.endpoint = getenv(endpointName)
		if t.endpoint == "" {
			t.region = getenv(regionName)
		}
	}
	switch {
	case t.instance == "":
		return errors.New("--instance is missing (or TASKWAIT_INSTANCE)")
	case t.project == "":
		return errors.New("--project is missing (or HUAWEICLOUD_SDK_PROJECT_ID); the console shows it under My Credentials")
	case t.region == "" && t.endpoint == "":
		return errors.New("--region is missing (or TASKWAIT_REGION), or --endpoint (or TASKWAIT_ENDPOINT)")
	case t.region != "" && t.endpoint != "":
		return errors.New("give --region or --endpoint, not both")
	}
	return errors.Join(taskwait.CheckID("--instance", t.instance), taskwait.CheckID("--project", t.project), t.checkEndpoint())
}

func (t *target) checkEndpoint() error {
	if t.endpoint == "" {
		return nil
	}
	u, err := url.Parse(t.endpoint)
	if strings.Contains(t.endpoint, "@") { // not shown: it may be a password
		return errors.New("--endpoint has a user or a password in it, want a URL such as https://dms.eu-west-101.myhuaweicloud.eu")
	}
	if err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" {
		return fmt.Errorf("--endpoint %q, want a URL such as https://dms.eu-west-101.myhuaweicloud.eu", t.endpoint)
	}
	return nil
}

// connect makes a Source for the target. Errors of the command line are plain; where there are no credentials, it is an
// [exitError].
func (s *System) connect(t *target) (src *kafkatasks.Source, credentials string, err error) {
	k, keysErr := s.findKeys()
	if err := t.complete(s.Getenv, &k); err != nil {
		return nil, "", err // before the credentials: it needs no secret to be mended
	}
	if keysErr != nil {
		return nil, "", &exitError{codeNoAnswer, keysErr}
	}
	client, err := s.client(t, &k)
	if err != nil {
		return nil, "", err
	}
	return kafkatasks.New(client, t.instance), k.source, nil
}

// client makes the SDK's client. Its Build and ValueOf panic on bad input; their Safe forms do not.
func (s *System) client(t *target, k *keys) (*kafka.KafkaClient, error) {
	builder := kafka.KafkaClientBuilder()
	if t.endpoint != "" {
		builder = builder.WithEndpoint(t.endpoint)
	} else {
		r, err := region.SafeValueOf(t.region)
		if err != nil {
			return nil, fmt.Errorf("--region %q is not one that the SDK knows; give --endpoint instead", t.region)
		}
		builder = builder.WithRegion(r)
	}
	credential, err := s.credential(k, t.project)
	if err != nil {
		return nil, &exitError{codeNoAnswer, err}
	}
	cfg := config.DefaultHttpConfig()
	if s.Transport != nil {
		cfg = cfg.WithHttpRoundTripper(s.Transport)
	}
	client, err := builder.WithCredential(credential).WithHttpConfig(cfg).SafeBuild()
	if err != nil {
		return nil, &exitError{codeNoAnswer, fmt.Errorf("credentials from %s: %w", k.source, err)}
	}
	return kafka.NewKafkaClient(client), nil
}
