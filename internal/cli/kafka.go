package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/region"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/text"
)

// The environment variables that stand for flags that are not given. The one of the project is the SDK's.
const (
	instanceName = "TASKWAIT_INSTANCE"
	regionName   = "TASKWAIT_REGION"
	endpointName = "TASKWAIT_ENDPOINT"
)

// target says whose tasks are meant, and how to reach them.
type target struct {
	instance, region, project, endpoint string
	trustFlags
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

func (s *env) kafkaCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kafka",
		Short: "Background tasks of Huawei Cloud DMS for Kafka",
		Long: `Background tasks of Huawei Cloud DMS for Kafka.

Credentials are looked up where the SDK looks, in this order:
  HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN);
  CLOUD_SDK_AK and CLOUD_SDK_SK;
  the file ~/.huaweicloud/credentials, or HUAWEICLOUD_SDK_CREDENTIALS_FILE;
  the metadata of the machine, where none of these exists.
They are never given on the command line, and never printed.
HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.`,
		Args: cobra.ArbitraryArgs,
		RunE: needsCommand,
	}
	c.AddCommand(s.waitCommand(), s.startCommand(), s.listCommand())
	return c
}

func (t *target) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&t.instance, "instance", "", "id of the Kafka instance (default $TASKWAIT_INSTANCE)")
	f.StringVar(&t.region, "region", "", "region, such as eu-west-101 (default $TASKWAIT_REGION)")
	f.StringVar(&t.project, "project", "",
		"project id (default $HUAWEICLOUD_SDK_PROJECT_ID, or that of the credentials file)")
	f.StringVar(&t.endpoint, "endpoint", "", "URL of the service, instead of a region (default $TASKWAIT_ENDPOINT)")
	t.trustFlags.flags(c)
	complete(c, "region", func() []string { return regions() })
	for _, name := range []string{"instance", "project", "endpoint"} {
		complete(c, name, func() []string { return nil })
	}
}

// arguments are those that say whose tasks are meant, by their names, for a state.
func (t *target) arguments(command string) map[string]string {
	all := map[string]string{"command": command, "--instance": t.instance, "--project": t.project}
	for name, value := range map[string]string{"--region": t.region, "--endpoint": t.endpoint} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// subject is the instance.
func (t *target) subject() subject {
	return subject{
		command: "kafka", title: "instance " + t.instance, instance: t.instance, refused: refusedKeys,
		flags: []string{"--instance", t.instance, "--region", t.region, "--endpoint", t.endpoint, "--project", t.project},
	}
}

// complete makes a shell complete the values of a flag with names, and not with files.
func complete(c *cobra.Command, flag string, names func() []string) {
	_ = c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	})
}

func (p *printing) flags(c *cobra.Command) {
	c.Flags().StringVarP(&p.output, "output", "o", outputText, "text, or json: one object per line and event")
	c.Flags().BoolVarP(&p.quiet, "quiet", "q", false, "print nothing but what went wrong, to standard error")
	complete(c, "output", func() []string { return []string{outputText, outputJSON} })
	c.ValidArgsFunction = cobra.NoFileCompletions
}

func (p *printing) check() error {
	if p.output != outputText && p.output != outputJSON {
		return fmt.Errorf("--output %s, want text or json", text.Quote(p.output))
	}
	return nil
}

// forPeople reports whether a person reads the output, who may want to know more than it says.
func (p *printing) forPeople() bool { return p.output == outputText && !p.quiet }

// reporter is what prints.
func (s *env) reporter(p *printing) reporter {
	switch {
	case p.quiet:
		return quietReporter{s.hint}
	case p.output == outputJSON:
		return jsonReporter{s.out.offer}
	case s.screen != nil:
		return startLive(s.screen, s.out.offer, s.hint)
	}
	return textReporter{s.out.offer, s.hint}
}

// complete fills in what is not given from the environment and the keys, and checks everything before anything is sent.
func (t *target) complete(getenv func(string) string, k *keys) error {
	get := func(name string) string { return strings.TrimSpace(getenv(name)) }
	t.instance = cmp.Or(t.instance, get(instanceName))
	t.project = cmp.Or(t.project, get(projectName), k.project)
	if t.region == "" && t.endpoint == "" {
		t.endpoint = get(endpointName)
		if t.endpoint == "" {
			t.region = get(regionName)
		}
	}
	switch {
	case t.instance == "":
		return errors.New("--instance is missing (or TASKWAIT_INSTANCE)")
	case t.project == "":
		return errors.New("--project is missing (or HUAWEICLOUD_SDK_PROJECT_ID); " +
			"the console shows it under My Credentials")
	case t.region == "" && t.endpoint == "":
		return errors.New("--region is missing (or TASKWAIT_REGION), or --endpoint (or TASKWAIT_ENDPOINT)")
	case t.region != "" && t.endpoint != "":
		return errors.New("give --region or --endpoint, not both")
	}
	var err error
	if t.endpoint != "" {
		t.endpoint, err = checkEndpoint(t.endpoint)
	}
	return errors.Join(checkID("--instance", t.instance), checkID("--project", t.project), err)
}

// checkID returns an error if id cannot stand for one thing in the path of a request.
func checkID(what, id string) error {
	if wrong := ids.Check(id); wrong != "" {
		return fmt.Errorf("taskwait: %w: %s %s %s", taskwait.ErrInvalidID, what, text.Quote(id), wrong)
	}
	return nil
}

var hostName = regexp.MustCompile(`^([A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)$`)

// checkEndpoint gives the URL as it will be used: the SDK knows a scheme in lower case only, and drops everything
// behind the host.
func checkEndpoint(endpoint string) (string, error) {
	const example = "want a URL such as https://dms.eu-west-101.myhuaweicloud.eu"
	if strings.Contains(endpoint, "@") { // not shown: it may hold a password
		return "", errors.New("--endpoint has a user or a password in it, " + example)
	}
	fault := func(what string) (string, error) {
		return "", fmt.Errorf("--endpoint %s %s, %s", text.Quote(endpoint), what, example)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return fault("is no URL")
	}
	port, portErr := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	switch {
	case u.Scheme != "http" && u.Scheme != "https": // url.Parse has made it lower case
		return fault("does not begin with https://")
	case !hostName.MatchString(u.Hostname()):
		return fault("has no host")
	case portErr != nil || port == 0 || strings.HasSuffix(u.Host, ":"):
		return fault("has no valid port")
	case strings.Trim(u.Path, "/") != "":
		return fault("has a path, which the service does not")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(endpoint, "#"):
		return fault("has a query or a fragment")
	}
	return u.Scheme + "://" + u.Host, nil
}

// connect makes a Source for the target. Errors of the command line are plain; where there are no credentials the error
// is an exitError.
func (s *env) connect(t *target, q *quota) (src *kafkatasks.Source, credentials string, err error) {
	k, err := s.resolve(t)
	if err != nil {
		return nil, "", err
	}
	src, err = s.dial(t, k, q)
	return src, k.source, err
}

// resolve completes the target. That there are no credentials is an error only if the project may be there.
func (s *env) resolve(t *target) (*keys, error) {
	k, err := s.findKeys()
	k.fault = err
	if err != nil && cmp.Or(t.project, strings.TrimSpace(s.getenv(projectName))) == "" {
		return nil, &exitError{codeUnknown, err}
	}
	return &k, t.complete(s.getenv, &k) // before the credentials: no secret is needed to correct it
}

// dial makes a Source for a target that is complete.
func (s *env) dial(t *target, k *keys, q *quota) (*kafkatasks.Source, error) {
	if k.fault != nil {
		return nil, &exitError{codeUnknown, k.fault}
	}
	client, err := s.client(t, k, q)
	if err != nil {
		return nil, err
	}
	return kafkatasks.New(client, t.instance), nil
}

// client makes the client of the SDK, with SafeBuild and SafeValueOf: the other ones panic on bad input.
func (s *env) client(t *target, k *keys, q *quota) (*kafka.KafkaClient, error) {
	builder := kafka.KafkaClientBuilder()
	endpoint := t.endpoint
	if endpoint != "" {
		builder = builder.WithEndpoint(endpoint)
	} else {
		r, err := region.SafeValueOf(t.region)
		if err != nil {
			return nil, fmt.Errorf("--region %s is not one that the SDK knows; give --endpoint instead%s",
				text.Quote(t.region), didYouMean(similar(t.region, regions())))
		}
		builder, endpoint = builder.WithRegion(r), r.Endpoints[0]
	}
	credential, err := s.credential(k, t.project)
	if err != nil {
		return nil, &exitError{codeUnknown, err}
	}
	roots, err := t.pool()
	if err != nil {
		return nil, err
	}
	transport, err := s.roundTripper(endpoint, roots)
	if err != nil {
		return nil, &exitError{codeUnknown, err}
	}
	cfg := config.DefaultHttpConfig().WithHttpRoundTripper(q.over(transport))
	client, err := builder.WithCredential(credential).WithHttpConfig(cfg).SafeBuild()
	if err != nil {
		return nil, &exitError{codeUnknown, fmt.Errorf("credentials from %s: %w", k.source, err)}
	}
	if k.reload != nil {
		client.WithCredential(newReloading(credential, s, k, t.project)) // after SafeBuild, which checks the type
	}
	return kafka.NewKafkaClient(client), nil
}

const (
	idleTimeout      = 90 * time.Second // as http.DefaultTransport
	handshakeTimeout = 10 * time.Second // as http.DefaultTransport
)

// roundTripper reaches the network, through a proxy where the environment names one. It is the SDK's own transport but
// for the proxy, further authorities, and the limits on what is idle or hangs: HTTP/1.1, as a TLS config of its own
// implies.
func (s *env) roundTripper(endpoint string, roots *x509.CertPool) (http.RoundTripper, error) {
	if s.transport != nil {
		return s.transport, nil
	}
	if s.proxy != nil {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, endpoint, nil)
		var u *url.URL
		if err == nil {
			u, err = s.proxy(req)
		}
		if err != nil || u != nil && !isProxy(u) { // not shown: it may hold a password
			return nil, errors.New("the proxy of HTTPS_PROXY or HTTP_PROXY is no valid URL")
		}
	}
	return &http.Transport{
		Proxy: s.proxy, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		IdleConnTimeout: idleTimeout, TLSHandshakeTimeout: handshakeTimeout,
	}, nil
}

// isProxy reports whether a proxy can have this URL. http.ProxyFromEnvironment makes a path or a host of much that is
// none.
func isProxy(u *url.URL) bool {
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) &&
		hostName.MatchString(u.Hostname()) && err == nil && port > 0 && strings.Trim(u.Path, "/") == ""
}

// regions are those that the SDK knows. It lists them only in the error for one that it does not know.
func regions() []string {
	_, err := region.SafeValueOf("?")
	if err == nil {
		return nil
	}
	found := regexp.MustCompile(`\b[a-z]{2}-[a-z]+-[0-9]+\b`).FindAllString(err.Error(), -1)
	slices.Sort(found)
	return found
}
