package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taskwait/taskwait/fakecloud"
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
	if code, out := f.call(t, "kafka", "wait", "--interval", "50ms", "over"); code != 1 || !strings.Contains(out,
		"throttled, next try in") || !strings.Contains(out, "failed: FAILED (kafkaUpgrade), took 1m30s") {
		t.Errorf("wait: got code %d, %s want 1, past a throttle", code, out)
	}
	if code, out := f.call(t, "kafka", "list", "--instance", "i-2"); code != 0 || !strings.Contains(out, "steps") {
		t.Errorf("list: got code %d, %s want 0 and the task", code, out)
	}
	f.env["HUAWEICLOUD_SDK_SECURITY_TOKEN"] = ""
	if code, out := f.call(t, "kafka", "wait", "--interval", "50ms", "over"); code != 6 || !strings.Contains(out,
		"401 Unauthorized") {
		t.Errorf("without the token: got code %d, %s want 6", code, out)
	}
	if code := f.stop(); code != 130 {
		t.Errorf("stopped: got code %d, want 130", code)
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
		{"a bare number", "latency: 5", `"5" is no duration, want such as 1m30s; did you mean 5s or 5m?`},
		{"no such operation", "operations: {shrink: {}}",
			`operation "shrink", want resize, public-ip, config or reset-offset`},
		{"no such fault", "faults: [{kind: explode}]", `fault "explode", want one of ["drop" "drop-answer" "error"`},
		{"no such route", "faults: [{route: GET task, kind: drop}]", `route "GET task", want one of ["any"`},
		{"an id twice", "tasks: [{id: x}, {id: x}]", "there is one with this id already"},
		{"a bad status", "faults: [{kind: error, status: 42}]", "status 42"},
		{"far too many faults", "faults: [{kind: drop, times: 2e9}]", "times: 2000000000, want 0 to 1000000"},
		{"fewer than no faults", "faults: [{kind: drop, times: -1}]", "times: -1"},
		{"a negative duration", "tasks: [{duration: -1s}]", `"-1s" is negative`},
		{"a negative age", "tasks: [{age: -1h}]", `"-1h" is negative`},
		{"an empty instance", `instances: [""]`, `instance ""`},
		{"an impossible instance", `instances: [a/b]`, `instance "a/b"`},
		{"a second document", "quota: 1\n---\nquota: 2", "a second YAML document"},
		{"a negative quota", "quota: -1", "-1 requests, want 0 or more"},
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

// TestScriptExample plays the example of --help, and looks for each of its fields and kinds of faults in docs/serve-
// fake.md.
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
	_, err = (&faultScript{Kind: "?"}).fault()
	for _, m := range regexp.MustCompile(`"([a-z0-9-]+)"`).FindAllStringSubmatch(err.Error(), -1) {
		if !strings.Contains(string(text), "`"+m[1]+"`") {
			t.Errorf("docs/serve-fake.md: got no kind %q, want it explained", m[1])
		}
	}
}

// TestRoutes: whatever a script may name is a route of the cloud.
func TestRoutes(t *testing.T) {
	all := fakecloud.Routes()
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
