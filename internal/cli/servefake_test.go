package cli

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// fake is a serve-fake that runs.
type fake struct {
	env  map[string]string
	stop func() (code int)
}

// serveFake serves a script, on a real port, and reads what it prints.
func serveFake(t *testing.T, script string) *fake {
	t.Helper()
	args := []string{"serve-fake"}
	if script != "" {
		file := filepath.Join(t.TempDir(), "cloud.yaml")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--script", file)
	}
	out, in := io.Pipe()
	ctx, cancel := context.WithCancelCause(t.Context())
	code := make(chan int, 1)
	s := &env{args: args, stdout: in, stderr: in, getenv: os.Getenv}
	go func() {
		code <- s.run(ctx)
		_ = in.Close()
	}()
	f := &fake{env: map[string]string{}}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if !ok {
			break // the last line is for people
		}
		f.env[name] = strings.Trim(value, "'")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the pipe
	f.stop = func() int {
		cancel(signalError{os.Interrupt})
		return <-code
	}
	return f
}

// call runs a command with the variables that serve-fake has printed.
func (f *fake) call(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b strings.Builder
	s := &env{args: args, stdout: &b, stderr: &b, getenv: func(name string) string { return f.env[name] }}
	code = s.run(t.Context())
	checkLines(t, args, b.String())
	return code, b.String()
}

// TestServeFake asks it over the network as another process would.
func TestServeFake(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `
instances: [i-1, i-2]
tasks:
  - {id: over, name: kafkaUpgrade, age: 1h, duration: 90s, outcome: FAILED}
  - {instance: i-2, id: steps, steps: [{after: 0s, status: CREATED}, {after: 100ms, status: SUCCESS}]}
faults:
  - {route: "GET tasks/{task}", kind: throttle, retry-after: 1s}
  - {route: any, kind: serve}
latency: 1ms
quota: 100
security-token: token-1
`)
	if f.env["HUAWEICLOUD_SDK_SECURITY_TOKEN"] != "token-1" || f.env[instanceName] != "i-1" {
		t.Fatalf("got the variables %q, want the token and the instance in them", f.env)
	}
	if code, out := f.call(t, "kafka", "wait", "--interval", "50ms", "over"); code != 1 ||
		!strings.Contains(out, "throttled, next try in") ||
		!strings.Contains(out, "failed: FAILED (kafkaUpgrade), took 1m30s") {
		t.Errorf("wait: got code %d, %s want 1, past a throttle", code, out)
	}
	if code, out := f.call(t, "kafka", "list", "--instance", "i-2"); code != 0 || !strings.Contains(out, "steps") {
		t.Errorf("list: got code %d, %s want 0 and the task", code, out)
	}
	f.env["HUAWEICLOUD_SDK_SECURITY_TOKEN"] = ""
	if code, out := f.call(t, "kafka", "wait", "--interval", "50ms", "over"); code != 6 ||
		!strings.Contains(out, "401 Unauthorized") {
		t.Errorf("without the token: got code %d, %s want 6", code, out)
	}
	if code := f.stop(); code != 130 {
		t.Errorf("stopped: got code %d, want 130", code)
	}
}

// TestServeFakeAddress: an address may have a port, and any but loopback is warned of.
func TestServeFakeAddress(t *testing.T) {
	for _, tt := range []struct {
		host string
		port uint16
		want string // empty: an error
	}{
		{loopback, 0, "127.0.0.1:0"},
		{"0.0.0.0", 8080, "0.0.0.0:8080"},
		{"0.0.0.0:8080", 0, "0.0.0.0:8080"},
		{"localhost", 8080, "localhost:8080"},
		{"::1", 8080, "[::1]:8080"},
		{"[::1]", 8080, "[::1]:8080"},
		{"[::1]:8080", 0, "[::1]:8080"},
		{":8080", 0, ":8080"},
		{"127.0.0.1:8080", 8080, ""},
		{"127.0.0.1:", 0, ""},
		{"127.0.0.1:99999", 0, ""},
		{"http://127.0.0.1", 0, ""},
		{"a b", 0, ""},
	} {
		if got, err := tcpAddress(tt.host, tt.port); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q, %d: got %q, %v, want %q", tt.host, tt.port, got, err, tt.want)
		}
	}
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(signalError{os.Interrupt})
	const warning = "everybody who reaches this machine can use the fake cloud"
	for host, warned := range map[string]bool{loopback: false, "0.0.0.0": true} {
		_, stdout, stderr := newTestEnv(t).run(stopped, "serve-fake", "--listen", host)
		if !strings.Contains(stdout, endpointName+"=http://127.0.0.1:") || strings.Contains(stderr, warning) != warned {
			t.Errorf("%s: got\n%s%s\nwant an endpoint to use here, and a warning: %v", host, stdout, stderr, warned)
		}
	}
}

// TestServeFakeUnread: where nobody can know the endpoint there is nothing to serve.
func TestServeFakeUnread(t *testing.T) {
	w := newTestEnv(t)
	w.stdout = full{}
	if code, _, stderr := w.run(t.Context(), "serve-fake"); code != 7 || !strings.Contains(stderr, "not complete") {
		t.Errorf("got code %d, stderr %q, want 7 at once", code, stderr)
	}
}

// TestServeFakeHangs stops though an answer hangs.
func TestServeFakeHangs(t *testing.T) {
	t.Parallel()
	f := serveFake(t, `faults: [{kind: serve}, {kind: hang}]`)
	if code, _ := f.call(t, "kafka", "list"); code != 0 {
		t.Errorf("got code %d, want 0", code)
	}
	hung := make(chan error, 1)
	go func() {
		resp, err := http.Get(f.env[endpointName])
		if err == nil {
			err = resp.Body.Close()
		}
		hung <- err
	}()
	if code := f.stop(); code != 130 {
		t.Errorf("stopped: got code %d, want 130", code)
	}
	if err := <-hung; err == nil {
		t.Error("got an answer, want none")
	}
}

func TestScriptErrors(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"no YAML", "tasks: [", "yaml: "},
		{"a field that there is not", "task: []", "field task not found"},
		{"a field of a task that there is not", "tasks: [{dauer: 1s}]", "field dauer not found"},
		{"no duration", "tasks: [{duration: long}]", `"long" is no duration, want such as 1m30s`},
		{"a bare number", "latency: 5", `"5" is no duration`},
		{
			"no such operation", "operations: {shrink: {}}",
			`operation "shrink", want resize, public-ip, config, reset-offset or one of`,
		},
		{"no such fault", "faults: [{kind: explode}]", `fault "explode", want one of ["drop" "drop-answer" "error"`},
		{"no such route", "faults: [{route: GET task, kind: drop}]", `route "GET task", want one of ["any"`},
		{"an id twice", "tasks: [{id: x}, {id: x}]", "there is one with this id already"},
		{"a bad status", "faults: [{kind: error, status: 42}]", "status 42"},
		{"a negative quota", "quota: -1", "-1 requests, want 0 to 1000000"},
		{"a huge quota", "quota: 2000000000", "2000000000 requests, want 0 to 1000000"},
		{"a fault two billion times", "faults: [{kind: drop, times: 2000000000}]", "times: 2000000000, want 0 to"},
		{"a fault less than no time", "faults: [{kind: drop, times: -1}]", "times: -1, want 0 to"},
		{"a negative duration", "tasks: [{duration: -1s}]", `"-1s" is negative`},
		{"a duration without end", "tasks: [{duration: 1000000h}]", `"1000000h" is more than ten years`},
		{"an empty id", `instances: [""]`, "instance"},
		{"an instance without an id", `instances: [{brokers: 3}]`, "instance"},
		{"a field of an instance that there is not", `instances: [{id: a, broker: 3}]`, "field broker not found"},
		{"a million brokers", `instances: [{id: a, brokers: 1000000}]`, `instance "a": 1000000 brokers`},
		{"an instance twice", "instances: [a, {id: a, brokers: 3}]", `instance "a" is there twice`},
		{"a task on no instance", "tasks: [{instance: kafka-2}]", `on instance "kafka-2", which is not among`},
		{"an operation on no instance", "instances: [a]\nscheduled: [{instance: kafka-1}]", `on instance "kafka-1"`},
		{"a project that no path can hold", "project: a/b", `project "a/b" holds`},
		{"a key that no request can carry", `access-key: "a\nb"`, "access-key holds white space"},
		{"a second document", "quota: 1\n---\nquota: 2", "a second YAML document"},
		{"no speed", "speed: -1", "speed: -1"},
		{"a speed that is no number", "speed: .nan", "speed: NaN"},
		{"no such change", "changes: {resize: {}}", `change "resize", want create, restart or delete`},
		{"no such shape", "jobs: [{shape: dms}]", `a job of shape "dms", want one of ["cce" "database" "elb" "v1"]`},
		{"no such progress", "tasks: [{progress: x}]", `progress "x", want one of`},
		{"no clock skew", "clock-skew: x", "clock-skew: "},
		{"an answer that there is not", "unknown-task: {status: 42}", "status 42"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseScript([]byte(tt.script))
			if err == nil {
				_, _, err = s.cloud()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestWholeProject: one file brings up a whole project, and each of its fields counts.
func TestWholeProject(t *testing.T) {
	s, err := parseScript([]byte(`
project: p-1
access-key: ak-1
secret-key: sk-1
iam-token: token-1
instances:
  - kafka-1
  - {id: kafka-2, name: two, version: 3.x, brokers: 5, storage: 500, status: FROZEN, product: c6.8u16g.cluster,
     zones: [z]}
scheduled: [{id: later, in: 1h, duration: 2h, outcome: FAILED}]
operations: {POST reassign: {name: reassigned, duration: 10m, user: me, params: "{}"}}
changes:
  restart: {duration: 2m, flips-after: 30s, outcome: ERROR}
  delete: {statuses: [{after: 0s, status: DELETING}, {after: 1h, status: ""}]}
unknown-task: {status: 404, code: X.1, message: none}
no-progress: {status: 400, code: X.2, message: none}
conflicts: false
config-job-id: false
status-first: true
strict-resize: true
recycle-bin: true
clock-skew: -1m
speed: 60
`))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		cloud, first, err := s.cloud()
		if err != nil || first != "kafka-1" || cloud.Project() != "p-1" {
			t.Fatalf("got %s in %s, error %v, want kafka-1 in p-1", first, cloud.Project(), err)
		}
		two, _ := cloud.Instance("kafka-2")
		if two.Name != "two" || two.Brokers != 5 || two.Storage != 500 || two.Product != "c6.8u16g.cluster" ||
			two.Status != "FROZEN" {
			t.Errorf("got %+v, want what the script says", two)
		}
		ask := func(method, path, body string) string {
			return askWithToken(t, cloud, "token-1", method, "/v2/p-1"+path, body)
		}
		for _, tt := range []struct{ name, got, want string }{
			{"an unknown task", ask("GET", "/instances/kafka-1/tasks/none", ""), "X.1"},
			{"an operation", ask("POST", "/kafka/instances/kafka-1/reassign", "{}"), "job_id"},
			{
				"one more, without conflicts", ask("PUT", "/instances/kafka-1/configs",
					`{"kafka_configs":[{"name":"a","value":"b"}]}`), `{"dynamic_config":1,"static_config":0}`,
			},
			{"a resize that is none", ask("POST", "/kafka/instances/kafka-1/extend", "{}"), "DMS.00400062"},
			{"a restart", ask("POST", "/instances/action", `{"action":"restart","instances":["kafka-1"]}`), "success"},
		} {
			if !strings.Contains(tt.got, tt.want) {
				t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
			}
		}
		want := map[time.Duration]string{ // since the restart, sixty times as fast
			0: "RUNNING", 500 * time.Millisecond: "RESTARTING", 2 * time.Second: "ERROR",
		}
		start := time.Now()
		for _, at := range slices.Sorted(maps.Keys(want)) {
			time.Sleep(at - time.Since(start))
			if state, _ := cloud.Instance("kafka-1"); state.Status != want[at] {
				t.Errorf("%v after the restart: got %s, want %s", at, state.Status, want[at])
			}
		}
		tasks := map[time.Duration]string{ // since the beginning
			10*time.Second - 1: "reassigned EXECUTING kafkaConfigModify SUCCESS ",
			10 * time.Second:   "reassigned SUCCESS kafkaConfigModify SUCCESS ",
			time.Minute:        "reassigned SUCCESS kafkaConfigModify SUCCESS kafkaUpgrade CREATED ",
			3 * time.Minute:    "reassigned SUCCESS kafkaConfigModify SUCCESS kafkaUpgrade FAILED ",
		}
		for _, at := range slices.Sorted(maps.Keys(tasks)) {
			time.Sleep(at - time.Since(start))
			got := ""
			for _, task := range cloud.Tasks("kafka-1") {
				got += task.Name + " " + string(task.Status) + " "
			}
			if got != tasks[at] {
				t.Errorf("after %v: got %s, want %s", at, got, tasks[at])
			}
		}
		if created := ask("GET", "/instances/kafka-1/tasks", ""); !strings.Contains(created,
			`"created_at":"1999-12-31T23:59:00.000Z"`) {
			t.Errorf("got %s, want times a minute behind ours", created)
		}
	})
}

// TestScriptJobs: jobs of other services stand behind the same gateway, and have their own faults.
func TestScriptJobs(t *testing.T) {
	s, err := parseScript([]byte(`
project: p-1
speed: 2
jobs:
  - {shape: v1, id: j-1, name: resizeServer, age: 1h, duration: 20s, outcome: FAILED, code: X.1, reason: sold out,
     jobs: [{id: sub-1, listed-after: 1s}]}
  - {shape: elb, id: j-1, steps: [{after: 0s, status: ROLLBACKING}, {after: 1m, status: ROLLBACK_FAIL}]}
faults:
  - {route: GET v1 job, kind: status, message: PAUSED}
`))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		cloud, _, err := s.cloud()
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			after      time.Duration
			path, want string
		}{
			{0, "/v1/p-1/jobs/j-1", `"status":"PAUSED"`},
			{0, "/v1/p-1/jobs/j-1", `"job_type":"resizeServer","status":"FAIL"`},
			{0, "/v3/p-1/elb/jobs/j-1", `"status":"ROLLBACKING"`},
			{30 * time.Second, "/v3/p-1/elb/jobs", `"status":"ROLLBACK_FAIL"`},
		} {
			time.Sleep(tt.after)
			got := askWithToken(t, cloud, fakecloud.DefaultIAMToken, "GET", tt.path, "")
			if !strings.Contains(got, tt.want) {
				t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
			}
		}
	})
}

// askWithToken asks as a client with a token of IAM.
func askWithToken(t *testing.T, cloud *fakekafka.Cloud, token, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://kafka.fake"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	resp, err := cloud.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestScriptExample plays the example of --help, and looks for each of its fields and kinds of faults in
// docs/serve-fake.md.
func TestScriptExample(t *testing.T) {
	s, err := parseScript([]byte(scriptExample))
	if err != nil {
		t.Fatal(err)
	}
	if _, instance, err := s.cloud(); err != nil || instance != "kafka-1" {
		t.Errorf("got instance %q, error %v, want kafka-1", instance, err)
	}
	text, err := os.ReadFile("../../docs/serve-fake.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`([a-z-]+):`).FindAllStringSubmatch(scriptExample, -1) {
		if !strings.Contains(string(text), m[1]) {
			t.Errorf("docs/serve-fake.md: got no %q, want it explained", m[1])
		}
	}
	for route, name := range fakekafka.TaskNames() {
		if !strings.Contains(string(text), "`"+string(route)+"`") || !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/serve-fake.md: got no %s by the name of %s, want it explained", route, name)
		}
	}
	for _, m := range regexp.MustCompile("yaml:\"([a-z-]+)\"").FindAllStringSubmatch(
		source(t, "script.go")+source(t, "jobscript.go"), -1) {
		if !strings.Contains(string(text), m[1]) {
			t.Errorf("docs/serve-fake.md: got no %q, want it explained", m[1])
		}
	}
	_, err = (&faultScript{Kind: "?"}).fault(fakecloud.AnyRoute, (&cloudScript{}).scaled)
	for _, m := range regexp.MustCompile(`"([a-z0-9-]+)"`).FindAllStringSubmatch(err.Error(), -1) {
		if !strings.Contains(string(text), "`"+m[1]+"`") {
			t.Errorf("docs/serve-fake.md: got no kind %q, want it explained", m[1])
		}
	}
}

// TestRoutes: whatever a script may name is a route of the cloud.
func TestRoutes(t *testing.T) {
	all := fakekafka.New().Routes()
	if len(all) < 15 || all[0] != fakecloud.AnyRoute || all[len(all)-1] != fakecloud.RouteUnknown {
		t.Errorf("got %q, want all of them, any first and unknown last", all)
	}
}

// FuzzParseScript: whatever the file holds, it is a cloud or an error.
func FuzzParseScript(f *testing.F) {
	f.Add(scriptExample)
	f.Add("tasks: [{steps: [{after: 1s, status: X}, {after: 0s, status: Y}]}]")
	f.Add("quota: -1")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return // a file of that size makes clouds of that size
		}
		s, err := parseScript([]byte(text))
		if err != nil || s.Quota > 1000 || len(s.Faults) > 100 {
			return
		}
		for i := range s.Faults {
			s.Faults[i].Times = nil // a million of them is a million
		}
		if cloud, _, err := s.cloud(); (cloud == nil) && err == nil {
			t.Errorf("%q: got neither a cloud nor an error", text)
		}
	})
}

// source is a file of this package.
func source(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
