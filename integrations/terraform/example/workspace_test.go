package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/fakecloud/kafka"
)

// workspace is a directory with a configuration, and a cloud of its own, which outlives every process.
type workspace struct {
	*testing.T
	cloud *kafka.Cloud
	dir   string
	env   []string
}

// resourceName is the address of the one resource.
const resourceName = "example_kafka_instance.orders"

// newWorkspace makes one. What the service does takes a second in it at most, and polls come every few milliseconds.
func newWorkspace(t *testing.T, opts ...fakecloud.Option) *workspace {
	t.Helper()
	c := kafka.New(append(opts, fakecloud.WithLatency(10*time.Millisecond))...)
	c.OnCreate(kafka.Change{Duration: 400 * time.Millisecond})
	c.OnResize(kafka.Script{Duration: 400 * time.Millisecond})
	c.OnDelete(kafka.Change{Duration: 300 * time.Millisecond})
	server, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	w := &workspace{T: t, cloud: c, dir: t.TempDir()}
	accessKey, secretKey, _ := c.Credentials()
	w.env = []string{
		"TF_CLI_CONFIG_FILE=" + filepath.Join(w.dir, "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_LOG_PROVIDER=DEBUG", "TF_LOG_PATH=" + filepath.Join(w.dir, "log"),
		"TF_VAR_endpoint=" + server.URL, "TF_VAR_project_id=" + c.Project(), "TF_VAR_access_key=" + accessKey,
		"TF_VAR_secret_key=" + secretKey, "HOME=" + w.dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
	}
	w.write("cli.tfrc", fmt.Sprintf("provider_installation {\n  dev_overrides { %q = %q }\n  direct {}\n}\n",
		"taskwait/example", providerDir))
	w.configure()
	return w
}

func (w *workspace) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// configure writes README.md's configuration, with quick polls, and with each old text replaced by a new one.
func (w *workspace) configure(replace ...string) {
	w.Helper()
	text, err := os.ReadFile("example.tf")
	if err != nil {
		w.Fatal(err)
	}
	replace = append(replace, `"shop/production"`, "\"shop/production\"\n  poll       = \"20ms\"")
	for n := 0; n < len(replace); n += 2 {
		if !strings.Contains(string(text), replace[n]) {
			w.Fatalf("example.tf has no %q", replace[n])
		}
	}
	w.write("main.tf", strings.NewReplacer(replace...).Replace(string(text)))
}

// command is one of terraform's, in the workspace.
func (w *workspace) command(args ...string) *exec.Cmd {
	//nolint:gosec // our own arguments
	c := exec.CommandContext(w.Context(), terraform, args...)
	c.Dir, c.Env = w.dir, w.env
	return c
}

// during runs a command of terraform's, and meanwhile while that polls a route. It returns what the command prints, and
// its error.
func (w *workspace) during(r fakecloud.Route, meanwhile func(), args ...string) (string, error) {
	w.Helper()
	before := w.asked(r)
	c, out := w.start(args...)
	w.until("a wait", func() bool { return w.asked(r) >= before+5 }) // a refresh has but two of them
	meanwhile()
	err := c.Wait()
	return out.String(), err
}

// run runs a command of terraform's, and returns what it prints. It must end with this exit code.
func (w *workspace) run(code int, args ...string) string {
	w.Helper()
	text, err := w.command(args...).CombinedOutput()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		w.Fatal(err)
	}
	if got != code {
		w.Errorf("terraform %s ended with %d, want %d:\n%s", strings.Join(args, " "), got, code, text)
	}
	return string(text)
}

var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// The commands, and how they end.
const (
	ok      = 0
	failed  = 1
	changes = 2 // plan: there is something to do
)

// apply is a command, too.
var apply = []string{"apply", "-auto-approve", "-input=false"}

func (w *workspace) apply(code int) string {
	w.Helper()
	return w.run(code, apply...)
}

func (w *workspace) plan(code int) string {
	w.Helper()
	return w.run(code, "plan", "-detailed-exitcode", "-input=false")
}

func (w *workspace) destroy(code int) string {
	w.Helper()
	return w.run(code, "destroy", "-auto-approve", "-input=false")
}

// state is what the state file has of the resource.
type state struct {
	Status     string // of the object: "tainted" or nothing
	Private    []byte
	Attributes struct {
		ID      string
		Storage int
		Status  string
	}
}

// state reads the state file; nil: the resource is not in it.
func (w *workspace) state() *state {
	w.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if errors.Is(err, os.ErrNotExist) || err == nil && len(text) == 0 {
		return nil
	}
	var file struct {
		Resources []struct{ Instances []state }
	}
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		w.Fatalf("state file: %v\n%s", err, text)
	}
	if len(file.Resources) == 0 {
		return nil
	}
	return &file.Resources[0].Instances[0]
}

// carriedOut counts the requests for a route that the service has carried out.
func (w *workspace) carriedOut(r fakecloud.Route) (n int) {
	for _, o := range w.cloud.Operations() {
		if o.Route == r {
			n++
		}
	}
	return n
}

// want makes sure how often the service has created, extended and deleted.
func (w *workspace) want(creations, extensions, deletions int) {
	w.Helper()
	got := []int{
		w.carriedOut(kafka.RouteCreateInstance), w.carriedOut(kafka.RouteResize), w.carriedOut(kafka.RouteDeleteInstance),
	}
	if want := []int{creations, extensions, deletions}; fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("the service has carried out %v creations, extensions and deletions, want %v", got, want)
	}
}

// says makes sure that an output has these texts, whatever its line breaks.
func (w *workspace) says(output string, texts ...string) {
	w.Helper()
	output = colour.ReplaceAllString(output, "")
	plain := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
	for _, text := range texts {
		if !strings.Contains(plain, text) {
			w.Errorf("output has no %q:\n%s", text, output)
		}
	}
}

// log is what the provider has logged.
func (w *workspace) log() string {
	text, err := os.ReadFile(filepath.Join(w.dir, "log"))
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// start starts a command, whose output goes to the buffer.
func (w *workspace) start(args ...string) (*exec.Cmd, *bytes.Buffer) {
	w.Helper()
	c, out := w.command(args...), &bytes.Buffer{}
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		w.Fatal(err)
	}
	return c, out
}

// until polls for something to become true.
func (w *workspace) until(what string, is func() bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 5*time.Minute)
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			w.Fatalf("there never was %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// asked counts the requests for a route.
func (w *workspace) asked(r fakecloud.Route) (n int) {
	for _, q := range w.cloud.Requests() {
		if q.Route == r {
			n++
		}
	}
	return n
}
