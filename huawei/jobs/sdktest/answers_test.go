package sdktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// fixture is a file of testdata: what a service answers for one job, and what a wait should make of it.
type fixture struct {
	Source  string   `json:"source"` // where the shape and the words were read
	ID      string   `json:"id"`     // of the job
	Vars    vars     `json:"vars"`
	Answers []answer `json:"answers"`
}

// vars are what stands in the path beside the id.
type vars map[string]string

type answer struct {
	Name    string          `json:"name"`
	Why     string          `json:"why"`
	HTTP    int             `json:"http"`    // default 200
	SDK     string          `json:"sdk"`     // "refuses": the SDK's own type does not decode it
	Lenient []string        `json:"lenient"` // the fields of want that may be more than is said
	Body    json.RawMessage `json:"body"`
	Want    want            `json:"want"`
}

// want is a task. Alternatives, where the service's documents leave a choice, are separated by a bar.
type want struct {
	Status  string   `json:"status"`
	Kind    string   `json:"kind"`
	Created string   `json:"created"`
	Ended   string   `json:"ended"` // of a task that has ended
	Percent *int     `json:"percent"`
	Code    string   `json:"code"`
	Reason  string   `json:"reason"`
	Steps   []string `json:"steps"` // their statuses, in the service's words
	Error   string   `json:"error"` // instead of a task: "not found", "transient"
}

func fixtures(t *testing.T) map[string]*fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	all := map[string]*fixture{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{}
		if err := json.Unmarshal(text, f); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = f
	}
	return all
}

// fixed is a service that gives one answer to everything that the gateway lets in.
type fixed struct{ answer *answer }

func (fixed) Endpoints() []fakecloud.Endpoint { return nil }

func (f fixed) NoEndpoint(e *fakecloud.Exchange, _ bool) {
	e.Status, e.Payload = max(f.answer.HTTP, http.StatusOK), f.answer.Body
}

func newClient(t testing.TB, g *fakecloud.Gateway) *core.HcHttpClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).
		WithProjectId(g.Project()).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := core.NewHcHttpClientBuilder().WithEndpoint("https://service.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(g.Transport())).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// parent is the instance, the cluster, the stack … in the paths of these tests.
const parent = "parent-1"

// services are the rows of the table by their names.
func services() map[string]jobs.Service {
	all := map[string]jobs.Service{}
	for _, s := range jobs.Services() {
		all[s.Name] = s
	}
	return all
}

// TestAnswers puts each answer behind a gateway, asks for it through the SDK's own client and through the table, and
// compares: the SDK's type holds all that the answer says, both requests are one, and the task is the one that the
// service's documents speak of.
func TestAnswers(t *testing.T) {
	table, asked := services(), map[string]bool{}
	all := fixtures(t)
	for _, a := range asks {
		f, s := all[a.service], table[a.service]
		if f == nil || s.Name == "" {
			t.Errorf("%s: no fixture, or not in the table", a.service)
			continue
		}
		asked[a.service] = true
		for i := range f.Answers {
			t.Run(a.service+"/"+f.Answers[i].Name, func(t *testing.T) {
				g := fakecloud.New(fixed{&f.Answers[i]})
				client := newClient(t, g)
				v, err := a.job(client, parent, f.ID)
				checkSDK(t, &f.Answers[i], v, err)
				task, err := s.Source(client, slices.Repeat([]string{parent}, len(s.Needs()))...).Task(t.Context(), f.ID)
				checkTask(t, &f.Answers[i], f.ID, task, err)
				checkRequests(t, g.Requests())
			})
		}
	}
	for name := range all {
		if !asked[name] {
			t.Errorf("%s: a fixture that nobody asks for", name)
		}
	}
}

// checkSDK makes sure that the SDK's own type holds all that the answer says.
func checkSDK(t *testing.T, a *answer, v any, err error) {
	t.Helper()
	if refused := a.SDK == "refuses" || a.HTTP >= 400; refused || err != nil {
		if (err != nil) != refused {
			t.Errorf("the SDK's client: got error %v, want one: %v", err, refused)
		}
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var held, said any
	if err := errors.Join(json.Unmarshal(text, &held), json.Unmarshal(a.Body, &said)); err != nil {
		t.Fatal(err)
	}
	if lost := missing("", said, held); lost != "" {
		t.Errorf("the SDK's type has no place for %s: it holds %s", lost, text)
	}
}

// missing is the place of something that is said and not held; "": there is none. What is empty may be missing, and
// a time may be written in another way.
func missing(at string, said, held any) string {
	switch said := said.(type) {
	case map[string]any:
		held, _ := held.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(said)) {
			if lost := missing(at+"."+name, said[name], held[name]); lost != "" {
				return lost
			}
		}
	case []any:
		held, _ := held.([]any)
		for i := range said {
			if i >= len(held) {
				return fmt.Sprintf("%s[%d]", at, i)
			}
			if lost := missing(fmt.Sprintf("%s[%d]", at, i), said[i], held[i]); lost != "" {
				return lost
			}
		}
	case string:
		if got, _ := held.(string); said != got && !sameTime(said, got) {
			return at
		}
	case nil:
	default:
		if fmt.Sprint(said) != fmt.Sprint(held) {
			return at
		}
	}
	return ""
}

// sameTime reports whether two texts are one time, to the second.
func sameTime(a, b string) bool {
	x, err1 := time.Parse(time.RFC3339, a)
	y, err2 := time.Parse(time.RFC3339, b)
	return err1 == nil && err2 == nil && x.Truncate(time.Second).Equal(y.Truncate(time.Second))
}

// classes are the errors that a fixture may want.
var classes = map[string]taskwait.Class{"not found": taskwait.ClassNotFound, "transient": taskwait.ClassTransient}

// checkTask compares a task with what the fixture says.
func checkTask(t *testing.T, a *answer, id string, task taskwait.Task, err error) {
	t.Helper()
	if a.Want.Error != "" || err != nil {
		class, ok := classes[a.Want.Error]
		var q *taskwait.QueryError
		if !ok || !errors.As(err, &q) || q.Class != class {
			t.Errorf("%s: got %v, error %v, want %q", a.Why, task, err, a.Want.Error)
		}
		return
	}
	check := func(name, got, wanted string) {
		t.Helper()
		if slices.Contains(strings.Split(wanted, "|"), got) || wanted == "" && slices.Contains(a.Lenient, name) {
			return
		}
		t.Errorf("%s: %s = %q, want %q", a.Why, name, got, wanted)
	}
	check("id", task.ID, id)
	check("status", string(task.Status), a.Want.Status)
	check("kind", task.Kind, a.Want.Kind)
	check("created", stamp(task.CreatedAt), a.Want.Created)
	check("percent", number(task.Percent), number(a.Want.Percent))
	check("code", task.FailureCode, a.Want.Code)
	check("reason", task.FailureReason, a.Want.Reason)
	if task.Status.Terminal() && a.Want.Ended != "" {
		check("ended", stamp(task.UpdatedAt), a.Want.Ended)
	}
	if a.Want.Steps != nil {
		var steps []string
		for _, s := range task.Steps {
			steps = append(steps, s.Status)
		}
		check("steps", strings.Join(steps, ","), strings.Join(a.Want.Steps, ","))
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// checkRequests makes sure that the table's request is the SDK's: its path, its query, to which a limit may have been
// added, and the headers that the services read.
func checkRequests(t *testing.T, all []fakecloud.Request) {
	t.Helper()
	if len(all) != 2 {
		t.Fatalf("got requests %v, want the SDK's and the table's", all)
	}
	sdk, ours := all[0], all[1]
	if sdk.Method != ours.Method || sdk.Path != ours.Path {
		t.Errorf("the table asks for %s %s, the SDK for %s %s", ours.Method, ours.Path, sdk.Method, sdk.Path)
	}
	for name := range sdk.Query {
		if sdk.Query.Get(name) != ours.Query.Get(name) {
			t.Errorf("the SDK's query is %v, the table's %v", sdk.Query, ours.Query)
		}
	}
	for name := range sdk.Header {
		if ours.Header.Get(name) == "" {
			t.Errorf("the SDK sends the header %s, the table does not: %v", name, ours.Header)
		}
	}
}
