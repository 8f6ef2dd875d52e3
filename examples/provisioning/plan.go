package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/provider"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/region"
	"github.com/taskwait/taskwait"
)

// plan is what is to be made.
type plan struct {
	name, product, zone, vpc, subnet, group, publicIP string

	timeout, shortest, longest time.Duration
}

func (p *plan) options() []taskwait.Option {
	return []taskwait.Option{taskwait.WithTimeout(p.timeout), taskwait.WithInterval(p.shortest, p.longest)}
}

// create is the request for the instance. It has no password, as access without one is enough here.
func (p *plan) create(c *kafka.KafkaClient) (*string, error) {
	body := &model.CreateInstanceByEngineReq{
		Name: p.name, Engine: model.GetCreateInstanceByEngineReqEngineEnum().KAFKA, EngineVersion: "2.7", BrokerNum: 3, StorageSpace: 300,
		VpcId: p.vpc, SubnetId: p.subnet, SecurityGroupId: p.group, AvailableZones: []string{p.zone}, ProductId: p.product,
		StorageSpecCode: model.GetCreateInstanceByEngineReqStorageSpecCodeEnum().DMS_PHYSICAL_STORAGE_HIGH_V2,
	}
	resp, err := c.CreateInstanceByEngine(&model.CreateInstanceByEngineRequest{
		Engine: model.GetCreateInstanceByEngineRequestEngineEnum().KAFKA, Body: body,
	})
	if err != nil {
		return nil, err
	}
	return resp.InstanceId, nil
}

func (p *plan) resize(id string) func(*kafka.KafkaClient) (*string, error) {
	return func(c *kafka.KafkaClient) (*string, error) {
		space := int32(600)
		resp, err := c.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
			InstanceId: id, Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &space},
		})
		if err != nil {
			return nil, err
		}
		return resp.JobId, nil
	}
}

// bind binds the public IP. There is no id in the answer.
func (p *plan) bind(id string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		_, err := c.ModifyKafkaPublicIpAccessSwitch(&model.ModifyKafkaPublicIpAccessSwitchRequest{
			InstanceId: id, Body: &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: &p.publicIP},
		})
		return err
	}
}

// configure keeps messages for two days. There is no id in the answer.
func (p *plan) configure(id string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		name, value := "log.retention.hours", "48"
		_, err := c.ModifyInstanceConfigs(&model.ModifyInstanceConfigsRequest{InstanceId: id, Body: &model.ModifyInstanceConfigsReq{
			KafkaConfigs: &[]model.ModifyInstanceConfig{{Name: &name, Value: &value}},
		}})
		return err
	}
}

// settings are what the command line says.
type settings struct {
	plan             plan
	real, acceptCost bool
	region, endpoint string
}

func parse(args []string, out io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("provisioning", flag.ContinueOnError)
	s.define(flags)
	flags.SetOutput(io.Discard) // its errors are returned
	flags.Usage = func() {
		flags.SetOutput(out)
		fmt.Fprintln(out, "Leads a Kafka instance through its whole life, in an embedded cloud, or with -real and -accept-cost in yours.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected %q: everything is given by flags, see -help", flags.Arg(0))
	}
	return s, s.check()
}

func (s *settings) define(flags *flag.FlagSet) {
	flags.BoolVar(&s.real, "real", false, "against the real cloud, with the keys in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK")
	flags.BoolVar(&s.acceptCost, "accept-cost", false, "yes, the instance may cost money until it is deleted")
	flags.StringVar(&s.region, "region", "", "the region, such as eu-west-101")
	flags.StringVar(&s.endpoint, "endpoint", "", "the endpoint, instead of a region")
	flags.StringVar(&s.plan.zone, "zone", "", "the id of the availability zone")
	flags.StringVar(&s.plan.vpc, "vpc", "", "the id of the VPC")
	flags.StringVar(&s.plan.subnet, "subnet", "", "the id of the subnet")
	flags.StringVar(&s.plan.group, "security-group", "", "the id of the security group")
	flags.StringVar(&s.plan.publicIP, "publicip", "", "the id of a free public IP; none: that step is left out")
	flags.StringVar(&s.plan.product, "product", "c6.2u4g.cluster", "the product id, which is the size of a broker")
	flags.StringVar(&s.plan.name, "name", "taskwait-"+time.Now().UTC().Format("20060102-150405"), "the name of the new instance")
	flags.DurationVar(&s.plan.timeout, "timeout", time.Hour, "how long each step may take")
	s.plan.shortest, s.plan.longest = 4*time.Second, 30*time.Second
}

// check says what is missing for the real cloud.
func (s *settings) check() error {
	switch {
	case !s.real && !s.acceptCost:
		return nil
	case !s.real:
		return errors.New("-accept-cost means something only with -real: nothing was done")
	case !s.acceptCost:
		return errors.New("-real creates an instance, which costs money until it is deleted; say -accept-cost too: nothing was done")
	case (s.region == "") == (s.endpoint == ""):
		return errors.New("give -region or -endpoint, one of them: nothing was done")
	}
	var missing []string
	for _, f := range []struct{ name, value string }{
		{"-zone", s.plan.zone}, {"-vpc", s.plan.vpc}, {"-subnet", s.plan.subnet}, {"-security-group", s.plan.group},
	} {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("missing: %s (see -help): nothing was done", strings.Join(missing, ", "))
	}
	return nil
}

// connect makes a client of the real cloud.
func connect(s *settings) (*kafka.KafkaClient, error) {
	credential, err := provider.BasicCredentialEnvProvider().GetCredentials()
	if err != nil {
		return nil, fmt.Errorf("no keys: set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, and HUAWEICLOUD_SDK_PROJECT_ID (%w)", err)
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
