package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/text"
)

// The environment variables that stand for flags that are not given. Those of project and account are the SDK's.
const (
	variablePrefix = "TASKWAIT_"
	instanceName   = variablePrefix + "INSTANCE"
	regionName     = variablePrefix + "REGION"
	endpointName   = variablePrefix + "ENDPOINT"
	domainName     = sdkPrefix + "DOMAIN_ID"
)

// service is a service of Huawei Cloud, as far as the command line is concerned.
type service struct {
	name    string // of its command
	needs   []need
	regions func(id string) (*region.Region, error)
	global  bool // credentials are an account's, not a project's
}

// need is a flag for what a task's URL has in it beside the project and the id.
type need struct{ flag, what string }

// variable is the environment variable that stands for the flag.
func (n need) variable() string { return variablePrefix + strings.ToUpper(n.flag) }

// target says whose tasks are meant, and how to reach them.
type target struct {
	service
	values                    []string // of what the service needs
	region, project, endpoint string   // project: of a global service it is the account
	trustFlags
}

func newTarget(of service) target { return target{service: of, values: make([]string, len(of.needs))} }

// owner is the flag of what the credentials are for, and the variable that stands for it.
func (t *target) owner() (flag, variable string) {
	if t.global {
		return "domain", domainName
	}
	return "project", projectName
}

func (t *target) flags(c *cobra.Command) {
	f := c.Flags()
	hidden := []string{"endpoint"}
	for i, n := range t.needs {
		f.StringVar(&t.values[i], n.flag, "", fmt.Sprintf("%s (default $%s)", n.what, n.variable()))
		hidden = append(hidden, n.flag)
	}
	f.StringVar(&t.region, "region", "", "region, such as eu-west-101 (default $TASKWAIT_REGION)")
	if t.global {
		f.StringVar(&t.project, "domain", "", "account id (default $HUAWEICLOUD_SDK_DOMAIN_ID)")
	} else {
		f.StringVar(&t.project, "project", "",
			"project id (default $HUAWEICLOUD_SDK_PROJECT_ID, or that of the credentials file)")
	}
	f.StringVar(&t.endpoint, "endpoint", "", "URL of the service, instead of a region (default $TASKWAIT_ENDPOINT)")
	t.trustFlags.flags(c)
	complete(c, "region", func() []string { return t.regionNames() })
	owner, _ := t.owner()
	for _, name := range append(hidden, owner) {
		complete(c, name, func() []string { return nil })
	}
}

// arguments are those that say whose tasks are meant, by their names, for a state.
func (t *target) arguments(command string) map[string]string {
	owner, _ := t.owner()
	all := map[string]string{"command": command, "--" + owner: t.project}
	for i, n := range t.needs {
		all["--"+n.flag] = t.values[i]
	}
	for name, value := range map[string]string{"--region": t.region, "--endpoint": t.endpoint} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// subject is what the tasks belong to.
func (t *target) subject() subject {
	of := subject{command: t.name, title: t.name, refused: refusedKeys}
	for i, n := range t.needs {
		of.title, of.instance = n.flag+" "+t.values[i], t.values[i]
		of.flags = append(of.flags, "--"+n.flag, t.values[i])
	}
	owner, _ := t.owner()
	of.flags = append(of.flags, "--region", t.region, "--endpoint", t.endpoint, "--"+owner, t.project,
		"--ca-file", t.caFile)
	return of
}

// complete fills in what is not given from the environment and the keys, and checks everything before anything is sent.
func (t *target) complete(getenv func(string) string, k *keys) error {
	get := func(name string) string { return strings.TrimSpace(getenv(name)) }
	var err error
	for i, n := range t.needs {
		if t.values[i] = cmp.Or(t.values[i], get(n.variable())); t.values[i] == "" {
			return fmt.Errorf("--%s is missing (or %s)", n.flag, n.variable())
		}
		err = errors.Join(err, checkID("--"+n.flag, t.values[i]))
	}
	owner, variable := t.owner()
	if t.project = cmp.Or(t.project, get(variable)); !t.global {
		t.project = cmp.Or(t.project, k.project)
	}
	either := "give --region or --endpoint"
	if t.region == "" && t.endpoint == "" {
		t.region, t.endpoint, either = get(regionName), get(endpointName), "set "+regionName+" or "+endpointName
	}
	switch {
	case t.project == "":
		return fmt.Errorf("--%s is missing (or %s); the console shows it under My Credentials", owner, variable)
	case t.region == "" && t.endpoint == "":
		return errors.New("--region is missing (or TASKWAIT_REGION), or --endpoint (or TASKWAIT_ENDPOINT)")
	case t.region != "" && t.endpoint != "":
		return errors.New(either + ", not both")
	}
	err = errors.Join(err, checkID("--"+owner, t.project))
	if t.endpoint != "" {
		var bad error
		t.endpoint, bad = checkEndpoint(t.endpoint)
		err = errors.Join(err, bad)
	}
	return err
}

// checkID returns an error if id cannot stand for one thing in the path of a request.
func checkID(what, id string) error {
	if wrong := ids.Check(id); wrong != "" {
		return fmt.Errorf("taskwait: %w: %s %s %s", taskwait.ErrInvalidID, what, text.Quote(id), wrong)
	}
	return nil
}

// resolve completes the target. That there are no credentials is an error only if the project may be there.
func (s *env) resolve(t *target) (*keys, error) {
	k, err := s.findKeys()
	k.fault = err
	_, variable := t.owner()
	if err != nil && cmp.Or(t.project, strings.TrimSpace(s.getenv(variable))) == "" {
		return nil, &exitError{codeUnknown, err}
	}
	return &k, t.complete(s.getenv, &k) // before the credentials: no secret is needed to correct it
}

// dial makes a client of the SDK for a target that is complete, with SafeBuild and SafeValueOf: the other ones panic on
// bad input.
func (s *env) dial(t *target, k *keys, q *quota) (*core.HcHttpClient, error) {
	if k.fault != nil {
		return nil, &exitError{codeUnknown, k.fault}
	}
	builder := core.NewHcHttpClientBuilder()
	endpoint := t.endpoint
	if endpoint != "" {
		builder = builder.WithEndpoint(endpoint)
	} else {
		r, err := t.regions(t.region)
		if err != nil {
			return nil, fmt.Errorf("--region %s is not one that the SDK knows for %s; give --endpoint instead%s",
				text.Quote(t.region), t.name, didYouMean(similar(t.region, t.regionNames())))
		}
		builder, endpoint = builder.WithRegion(r), r.Endpoints[0]
	}
	roots, err := t.pool()
	if err != nil {
		return nil, err
	}
	if t.global {
		builder = builder.WithCredentialsType("global.Credentials")
	}
	credential, err := s.credential(k, t)
	if err != nil {
		return nil, &exitError{codeUnknown, err}
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
		client.WithCredential(newReloading(credential, s, k, t)) // after SafeBuild, which checks the type
	}
	return client, nil
}

// regionNames are those that the SDK knows. It lists them only in the error for one that it does not know.
func (t *target) regionNames() []string {
	_, err := t.regions("?")
	if err == nil {
		return nil
	}
	found := regexp.MustCompile(`\b[a-z]{2}-[a-z]+-[0-9]+\b`).FindAllString(err.Error(), -1)
	slices.Sort(found)
	return found
}
