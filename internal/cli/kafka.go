package cli

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/region"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// kafkaService is what a target of Kafka belongs to.
var kafkaService = service{
	name: "kafka", needs: []need{{"instance", "id of the Kafka instance"}}, regions: region.SafeValueOf,
}

// credentialsText says where credentials come from.
const credentialsText = `The command looks for credentials where the SDK does, in this order:
  HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN);
  CLOUD_SDK_AK and CLOUD_SDK_SK;
  the file ~/.huaweicloud/credentials, or HUAWEICLOUD_SDK_CREDENTIALS_FILE;
  the metadata of the machine, if there is none of these.
Credentials cannot be given on the command line, and are never printed.
HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.`

func (s *env) kafkaCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kafka",
		Short: "Background tasks of Huawei Cloud DMS for Kafka",
		Long: `Background tasks of Huawei Cloud DMS for Kafka.

` + credentialsText,
		Args: cobra.ArbitraryArgs,
		RunE: needsCommand,
	}
	c.AddCommand(s.waitCommand(), s.startCommand(), s.listCommand(), s.cancelCommand(kafkaService,
		"scheduled tasks of the instance, which have not begun", func(c *core.HcHttpClient, values []string) canceller {
			return kafkatasks.NewScheduled(kafka.NewKafkaClient(c), values[0])
		}))
	return c
}

// connect makes a Source for the target. Errors of the command line are plain; where there are no credentials the error
// is an exitError.
func (s *env) connect(t *target, q *quota) (src *kafkatasks.Source, credentials string, err error) {
	k, err := s.resolve(t)
	if err != nil {
		return nil, "", err
	}
	src, err = s.dialKafka(t, k, q)
	return src, k.source, err
}

// dialKafka makes a Source for a target that is complete.
func (s *env) dialKafka(t *target, k *keys, q *quota) (*kafkatasks.Source, error) {
	client, err := s.dial(t, k, q)
	if err != nil {
		return nil, err
	}
	return kafkatasks.New(kafka.NewKafkaClient(client), t.values[0]), nil
}
