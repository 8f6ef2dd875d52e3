package kafkatasks_test

import (
	"errors"
	"flag"
	"net/http"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/chaos"
)

var (
	chaosRuns  = flag.Int("chaos", 40, "how many random scripts TestChaos plays")
	chaosFirst = flag.Uint64("chaos.first", 1, "the first of them")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "the one script to play; 0: as many as -chaos says")
)

// rowFaults are further answers of the query for the task chaosID: rows that are odd, and a good answer that says when
// to come again. And one is no answer at all.
var rowFaults = []chaos.Fault{
	{Means: chaos.Unsigned, Fault: fakecloud.Fault{}},
	{Means: chaos.Lagging, Fault: oddRow(`"user_id":7,"params":{"a":[1]},"created_at":1763350067752`)},
	{Means: chaos.Lagging, Fault: oddRow(`"created_at":"1970-01-01T00:00:00Z","updated_at":"9999-12-31T23:59:59Z"`)},
	{Means: chaos.Lagging, Fault: oddRow(`"created_at":"yesterday","updated_at":-1,"name":null`)},
	{Means: chaos.Lagging, Fault: oddRow(`"created_at":"2020-01-01T00:00:00+24:00","more":{"x":[null]}`)},
	{Means: chaos.Lagging, Fault: oddRow(`"name":"late"`, "Retry-After", "7")},
	{
		Means: chaos.Lagging,
		Fault: fakecloud.Respond(200, "\ufeff"+`{"tasks":[null,7,{},{"id":"`+chaosID+`","status":" CREATED "}]} {"more":1}`),
	},
	{Means: chaos.Bare, Fault: fakecloud.Respond(200, `{"tasks":[{"id":"`+chaosID+`","status":null}]}`)},
	{
		Means: chaos.Missing,
		Fault: fakecloud.Respond(200, `{"tasks":[null,{"status":"SUCCESS"},{"id":"other","status":"SUCCESS"}]}`),
	},
	{Means: chaos.Missing, Fault: fakecloud.Error(404, "DMS.00404033", "This task does not exist.")},
	{Means: chaos.Transient, Fault: fakecloud.Respond(404, "")},
	{Means: chaos.Transient, Fault: fakecloud.Respond(404, "default backend - 404", "Content-Type", "text/plain")},
	{
		Means: chaos.Throttled,
		Fault: fakecloud.Respond(200, `{"error_code":"APIGW.0308","error_msg":"over ratelimit,limit:5,time:10 second"}`),
	},
}

const chaosID = "chaos"

func oddRow(fields string, headers ...string) fakecloud.Fault {
	row := `{"task_count":1,"tasks":[{"id":"` + chaosID + `","status":"EXECUTING",` + fields + `}]}`
	return fakecloud.Respond(200, row, headers...)
}

// faults are what can befall a request beside those of any API.
var faults = append(chaos.Faults(),
	chaos.Fault{Weight: 5, Means: chaos.Rows, Fault: fakekafka.SeveralRows()},
	chaos.Fault{Weight: 5, Means: chaos.Unknown, Fault: fakekafka.Status("PAUSED")},
	chaos.Fault{Weight: 2, Means: chaos.Blank, Fault: fakekafka.Status("")},
	chaos.Fault{Weight: 6, Means: chaos.Missing, Fault: fakekafka.NotListed()},
	chaos.Fault{Weight: 4, Means: chaos.Missing, Fault: fakekafka.WrongID(), Says: "another id"},
	chaos.Fault{Weight: 3, Means: chaos.Absent, Fault: gone404},
	chaos.Fault{Weight: 3, Means: chaos.Throttled, Fault: fakekafka.ThrottleAs404()},
	chaos.Fault{Weight: 2, Means: chaos.Missing, Fault: fakecloud.Respond(200, `{"task_count":1,"tasks":[]}`)},
	chaos.Fault{
		Weight: 2, Means: chaos.Transient,
		Fault: fakecloud.Respond(200, `{"error_code":"DMS.00404022","error_msg":"This instance does not exist.","tasks":[]}`),
	},
	chaos.Fault{Means: chaos.Transient, Fault: fakecloud.Respond(200, `{"task_count":"7","tasks":{}}`)},
	chaos.Fault{Means: chaos.Permanent, Fault: fakecloud.Error(400, "DMS.00400070", "Invalid task ID format.")},
	chaos.Fault{Means: chaos.Denied, Fault: fakecloud.Error(403, "DMS.00403002", "No permission.")},
	chaos.Fault{Means: chaos.Permanent, Fault: fakecloud.Error(404, "DMS.00404001", "The requested URL does not exist.")},
)

// TestChaos plays random scripts of answers, faults and latencies through the real SDK. To play a million:
//
//	go test -run TestChaos ./huawei/kafkatasks -chaos 1000000 -timeout 0
func TestChaos(t *testing.T) {
	t.Parallel()
	from, to := *chaosFirst, *chaosFirst+uint64(*chaosRuns)-1
	if *chaosSeed != 0 {
		from, to = *chaosSeed, *chaosSeed
	}
	chaos.Run(t, &chaos.Service{Faults: faults, Odd: rowFaults, Start: startChaos}, from, to,
		"go test -run TestChaos ./huawei/kafkatasks -chaos.seed")
}

// startChaos starts the task of a script.
func startChaos(t *testing.T, s *chaos.Script) chaos.Started {
	cloud := fakekafka.New(fakecloud.WithLatency(s.Latency))
	cloud.Inject(fakekafka.RouteShowTask, s.Show...)
	cloud.Inject(fakekafka.RouteListTasks, s.List...)
	for range s.Others {
		cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
	}
	script := fakekafka.Script{ID: chaosID, ListedAfter: s.ListedAfter}
	for _, step := range s.Steps {
		script.Steps = append(script.Steps, fakekafka.Step(step))
	}
	return chaos.Started{
		ID: cloud.AddTask("kafka-1", script), Source: kafkatasks.New(newClient(t, cloud), "kafka-1"),
		Unsigned: kafkatasks.New(failing(t, cloud), "kafka-1"),
	}
}

// failing is a client whose credential fails: its file is missing while it is rotated, say.
func failing(t *testing.T, cloud *fakekafka.Cloud) *kafka.KafkaClient {
	client := newClient(t, cloud)
	client.HcClient.WithCredential(&missingKeys{client.HcClient.GetCredential()})
	return client
}

type missingKeys struct{ auth.ICredential }

func (*missingKeys) ProcessAuthRequest(
	*impl.DefaultHttpClient, *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	return nil, errors.New("the token file is missing")
}

func newClient(t testing.TB, cloud *fakekafka.Cloud) *kafka.KafkaClient {
	t.Helper()
	return clientOver(t, cloud.Transport())
}

func clientOver(t testing.TB, wire http.RoundTripper) *kafka.KafkaClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).
		WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.NewKafkaClient(client)
}
