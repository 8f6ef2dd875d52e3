package cli

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

var update = flag.Bool("update", false, "write testdata anew")

const testInstance = "kafka-1"

// testEnv is what surrounds the command of a test.
type testEnv struct {
	t         testing.TB
	cloud     *fakekafka.Cloud
	env       map[string]string
	cache     string
	home      string
	transport http.RoundTripper
	network   bool // the real one, for servers of a test
	stdin     io.Reader
	stdout    io.Writer
	screen    *screen

	errColumns func() int
}

func newTestEnv(t testing.TB) *testEnv {
	cloud := fakekafka.New(fakekafka.WithoutConflicts())
	cloud.AddInstance(testInstance)
	return &testEnv{t: t, cloud: cloud, env: cloudVariables(testInstance, "https://kafka.fake")}
}

// run runs a command line. What it prints as JSON must be what its schema says.
func (w *testEnv) run(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errOut bytes.Buffer
	s := &env{
		args: args, stdout: &out, stderr: &errOut, getenv: func(name string) string { return w.env[name] },
		cache: w.cache, home: w.home, transport: w.cloud.Transport(), stdin: w.stdin,
		screen: w.screen, errColumns: w.errColumns,
	}
	if w.transport != nil || w.network {
		s.transport = w.transport
	}
	if w.stdout != nil {
		s.stdout = w.stdout
	}
	code = s.run(ctx)
	checkLines(w.t, args, out.String())
	return code, out.String(), errOut.String()
}

// broken is a network without an answer, and a reader that is gone.
type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, syscall.EPIPE }
func (broken) Write([]byte) (int, error)                       { return 0, syscall.EPIPE }

func script(id string, takes time.Duration, outcome taskwait.Status) fakekafka.Script {
	return fakekafka.Script{ID: id, Name: "bindInstancePublicIp", Duration: takes, Outcome: outcome}
}

// addTasks adds one task for each outcome, by the name of its id.
func addTasks(c *fakekafka.Cloud) {
	for id, outcome := range map[string]taskwait.Status{
		"good": taskwait.StatusSuccess, "bad": taskwait.StatusFailed, "off": taskwait.StatusCancelled,
		"erased": taskwait.StatusDeleted,
	} {
		c.AddTask(testInstance, script(id, 20*time.Second, outcome))
	}
	c.AddTask(testInstance, script("long", 24*time.Hour, taskwait.StatusSuccess))
}

func TestWaitExitCodes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		set    func(*testEnv)
		args   string
		want   int
		stdout string // a part of it
		stderr string // a part of it
	}{
		{"success", nil, "good", 0, "succeeded: SUCCESS (bindInstancePublicIp), took 20s\n",
			"credentials from the environment (HUAWEICLOUD_SDK_AK)"},
		{"failed", nil, "bad", 1, "failed: FAILED (bindInstancePublicIp)", ""},
		{"cancelled", nil, "off", 3, "cancelled: CANCELLED", ""},
		{"deleted", nil, "erased", 3, "deleted: DELETED", ""},
		{"not found", nil, "nobody", 4, "not found after 1m: the instance lists no task with this id", ""},
		{"timed out", nil, "--timeout 1m long", 5, "timed out after 1m: EXECUTING (bindInstancePublicIp, seen 0s ago)",
			"to wait again: taskwait kafka wait --instance kafka-1 --endpoint https://kafka.fake --project " +
				fakecloud.DefaultProject + " --timeout 1m0s long\n"},
		{"no permission", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Error(403, "DMS.00400503", "no"))
		}, "good", 6, "403 Forbidden, this needs the permission dms:instance:getBackgroundTask", ""},
		{"wrong keys", func(w *testEnv) { w.env["HUAWEICLOUD_SDK_SK"] = "wrong-secret" }, "good", 6, "401 Unauthorized",
			"taskwait: the service refuses the credentials from the environment (HUAWEICLOUD_SDK_AK): check that"},
		{"no network", func(w *testEnv) { w.transport = broken{} }, "good", 6, "no answer", ""},
		{"no network, and no time", func(w *testEnv) { w.transport = broken{} }, "--timeout 30s good", 6,
			": never answered; 1", ""},
		{"seen, and no answer since", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable().Times(99))
		}, "--timeout 30s long", 6, "s ago; since then 1", "to wait again"},
		{"seen, and hangs since", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Hang().Times(99))
		}, "--timeout 20s long", 6, "polls failed: no answer within ", "to wait again"},
		{"an unknown status", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteShowTask, fakekafka.Status("PARTIAL").Times(99))
		}, "--timeout 30s long", 6, "answered, in a status that is not known: PARTIAL (bindInstancePublicIp, seen 0s " +
			"ago)",
			"to wait again"},
		{"not listed, and no time", nil, "--timeout 30s nobody", 4, "not found", ""},
		{"several good", nil, "good good", 0, "", ""},
		{"several", nil, "good bad off nobody", 1, "4 tasks: 1 failed, 1 cancelled, 1 not found, 1 succeeded\n", ""},
		{"past faults", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Unavailable(), fakecloud.Throttle(12*time.Second))
		}, "good", 0, "throttled, next try in 1", ""},
		{"a closed stdout: good", func(w *testEnv) { w.stdout = broken{} }, "good", 0, "", ""},
		{"a closed stdout: bad", func(w *testEnv) { w.stdout = broken{} }, "bad", 1, "", ""},
		{"a closed stdout: json", func(w *testEnv) { w.stdout = broken{} }, "--output json bad", 1, "", ""},
		{"fail fast", nil, "--fail-fast bad long", 1, "2 tasks: 1 failed, 1 stopped\n", "to wait again"},
		{"all", func(w *testEnv) {
			w.cloud.AddTask(testInstance, fakekafka.Script{Duration: time.Minute,
				CreatedAt: time.Now().Add(-time.Hour)})
		}, "--all --timeout 1m", 1, "5 tasks: 1 failed, 1 cancelled, 1 deleted, 1 timed out, 1 succeeded\n", ""},
		{"all: nothing runs", func(w *testEnv) { w.env[instanceName] = "kafka-2"; w.cloud.AddInstance("kafka-2") },
			"--all", 0, "", "nothing runs"},
		{"all: no network", func(w *testEnv) { w.transport = broken{} }, "--all", 6, "could not query", "--all\n"},
		{"a name", func(w *testEnv) {
			w.cloud.AddTask(testInstance, fakekafka.Script{Name: "kafkaUpgrade", Outcome: taskwait.StatusFailed,
				ListedAfter: 4 * time.Second})
		}, "--name kafkaUpgrade --since 0s", 1, "failed: FAILED (kafkaUpgrade), took 3.0s\n", ""},
		{"a name: none", nil, "--name kafkaUpgrade --since 5m", 4,
			"not found after 1m: no task kafkaUpgrade has begun since then\n", ""},
		{"a name: too long ago", func(w *testEnv) {
			w.cloud.AddTask(testInstance, fakekafka.Script{Name: "kafkaUpgrade",
				CreatedAt: time.Now().Add(-6 * time.Minute)})
		}, "--name kafkaUpgrade --since 5m", 4, "not found", ""},
		{"a name: several", nil, "--name bindInstancePublicIp --since 5m", 4, "several match, give the id: ", ""},
		{"quiet: good", nil, "--quiet good", 0, "", ""},
		{"quiet: bad", nil, "--quiet bad", 1, "", "taskwait: bad: failed: FAILED (bindInstancePublicIp), took 20s\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				if tt.set != nil {
					tt.set(w)
				}
				code, stdout, stderr := w.run(t.Context(), append([]string{"kafka", "wait"},
					strings.Fields(tt.args)...)...)
				if code != tt.want || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in them\n%s\n%s", code, stdout, stderr,
						tt.want, tt.stdout, tt.stderr)
				}
				if strings.Contains(tt.args, "--quiet") && stdout != "" {
					t.Errorf("got stdout %q, want none", stdout)
				}
				if strings.Contains(stdout+stderr, "\x1b") || strings.Contains(stdout+stderr, "-secret") {
					t.Errorf("got a control character or a secret printed:\n%s%s", stdout, stderr)
				}
			})
		})
	}
}

// TestBothInEnvironment: what is wrong in the environment is named by its variables.
func TestBothInEnvironment(t *testing.T) {
	t.Parallel()
	w := newTestEnv(t)
	w.env[regionName] = "eu-west-101"
	code, _, stderr := w.run(t.Context(), "kafka", "wait", "x")
	if want := "set TASKWAIT_REGION or TASKWAIT_ENDPOINT, not both"; code != 2 || !strings.Contains(stderr, want) {
		t.Errorf("got code %d, stderr %q, want 2, and in it %q", code, stderr, want)
	}
}

// TestUsage is about what is found before anything is sent.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args, want string
	}{
		{"nothing", "", "Available Commands"},
		{"no such command", "kafak", `unknown command "kafak" for "taskwait"`},
		{"a group alone", "kafka", "Available Commands"},
		{"no such command in a group", "kafka wiat", `unknown command "wiat" for "taskwait kafka"`},
		{"no such flag", "kafka wait --taimout 1m x", "unknown flag: --taimout"},
		{"no task", "kafka wait", "which task? Give ids, or --name and --since, or --all\n"},
		{"no task, a state", "kafka wait --state x", "or --all, the same as when the wait in --state began"},
		{"ids and all", "kafka wait --all x", "only one of the three"},
		{"ids and a name", "kafka wait --name n --since 1m x", "only one of the three"},
		{"a name alone", "kafka wait --name n", "--name and --since need each other"},
		{"since alone", "kafka wait --since 1m x", "--name and --since need each other"},
		{"a bad since", "kafka wait --name n --since yesterday", `--since "yesterday", want how long ago`},
		{"a since to come", "kafka wait --name n --since -5m", `--since "-5m"`},
		{"a bad id", "kafka wait ../x", `"../x"`},
		{"a bad instance", "kafka wait --instance a/b x", `--instance "a/b"`},
		{"no number", "kafka wait --timeout soon x", "--timeout"},
		{"a negative timeout", "kafka wait --timeout -1s x", "--timeout -1s, want 0 or more"},
		{"no interval", "kafka wait --interval 0s x", "--interval 0s"},
		{"hardly an interval", "kafka wait --interval 1ns x", "want the first at least 1ms"},
		{"hardly a heartbeat", "kafka wait --heartbeat 1ns x", "--heartbeat 1ns, want 0, or at least 100ms"},
		{"a flag in place of a value", "kafka wait --instance -q x", `--instance "-q", want a value, not a flag`},
		{"no whole number", "kafka wait --all --expect 1e3", `--expect "1e3", want a whole number`},
		{"too large a number", "kafka wait --all --expect 18446744073709551616", "that is not too large"},
		{"intervals the wrong way round", "kafka wait --interval 1m --max-interval 1s x", "--max-interval 1s"},
		{"no such output, to be escaped", "kafka wait --output \u202ex x", `--output "\u202ex", want text or json`},
		{"a limit of nothing", "kafka wait --limit 0/s x", `--limit "0/s", want such as 8/s or 100/5m`},
		{"a limit without a time", "kafka wait --limit 8 x", `--limit "8", want such as`},
		{"a limit for ever", "kafka wait --limit 8/100h x", `--limit "8/100h", want such as`},
		{"a limit of too many", "kafka list --limit 1001/s", `--limit "1001/s", want such as`},
		{"a file without a limit", "kafka wait --limit-file f x", "--limit-file needs --limit"},
		{"no such output", "kafka wait --output xml x", `--output "xml", want text or json`},
		{"region and endpoint", "kafka wait --region eu-west-101 --endpoint https://x x", "not both"},
		{"no such region", "kafka wait --region mars x", `--region "mars"`},
		{"no URL", "kafka wait --endpoint dms.example x",
			`--endpoint "dms.example" does not begin with https://, want a URL`},
		{"a password in the URL", "kafka wait --endpoint https://u:a-secret@x x",
			"--endpoint has a user or a password in it, want a URL"},
		{"list: an argument", "kafka list x", `unknown command "x"`},
		{"list: no interval", "kafka list --watch --interval 0s", "--interval 0s, want at least 100ms"},
		{"list: hardly an interval", "kafka list --watch --interval 1ns", "--interval 1ns, want at least 100ms"},
		{"list: no such output", "kafka list -o xml", "want text or json"},
		{"demo: an argument", "demo x", `unknown command "x"`},
		{"serve-fake: no such port", "serve-fake --port 70000", "--port"},
		{"serve-fake: no address", "serve-fake --listen a/b", `--listen "a/b" is no address`},
		{"serve-fake: no such port to listen on", "serve-fake --listen 127.0.0.1:x", "has no valid port"},
		{"serve-fake: two ports", "serve-fake --listen 127.0.0.1:1 --port 2", "not both"},
		{"serve-fake: no such file", "serve-fake --script /nowhere/at-all", "--script: open"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			code, stdout, stderr := w.run(t.Context(), strings.Fields(tt.args)...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("got code %d, stdout %q, stderr %q, want 2, none, and in it %q", code, stdout, stderr, tt.want)
			}
			if strings.Contains(stderr, "-secret") {
				t.Errorf("got a secret printed: %q", stderr)
			}
			if n := len(w.cloud.Requests()); n > 0 {
				t.Errorf("got %d requests, want none", n)
			}
		})
	}
}

// TestBrokenFile: where the project would be in a file that cannot be read, that is the trouble.
func TestBrokenFile(t *testing.T) {
	w := newTestEnv(t)
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte("\xff\xfe["), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = map[string]string{instanceName: testInstance, endpointName: "https://kafka.fake", fileVariable: path}
	code, _, stderr := w.run(t.Context(), "kafka", "wait", "x")
	if code != 6 || !strings.Contains(stderr, "credentials file "+path) {
		t.Errorf("got code %d, stderr %q, want 6, and the file", code, stderr)
	}
}

func TestMissing(t *testing.T) {
	for _, tt := range []struct {
		name, missing, want string
		code                int
	}{
		{"instance", instanceName, "--instance is missing (or TASKWAIT_INSTANCE)", 2},
		{"project", projectName, "--project is missing (or HUAWEICLOUD_SDK_PROJECT_ID)", 2},
		{"endpoint", endpointName, "--region is missing (or TASKWAIT_REGION), or --endpoint (or TASKWAIT_ENDPOINT)", 2},
		{"secret key", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_AK is set, but HUAWEICLOUD_SDK_SK is not", 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			delete(w.env, tt.missing)
			code, _, stderr := w.run(t.Context(), "kafka", "wait", "x")
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("got code %d, stderr %q, want %d, and in it %q", code, stderr, tt.code, tt.want)
			}
		})
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		signal os.Signal
		args   string
		want   int
		stderr string
	}{
		{"Ctrl-C", os.Interrupt, "kafka wait long good", 130,
			"taskwait: interrupted; the tasks go on\ntaskwait: to wait again: taskwait kafka wait " +
				"--instance kafka-1 --endpoint https://kafka.fake --project " +
				fakecloud.DefaultProject + " good long\n"},
		{"SIGTERM", syscall.SIGTERM, "kafka wait long", 143, "taskwait: terminated; the tasks go on\n"},
		{"SIGHUP", syscall.SIGHUP, "kafka wait long", 129, "taskwait: hung up; the tasks go on\n"},
		{"SIGQUIT", syscall.SIGQUIT, "kafka wait long", 131, "taskwait: quit; the tasks go on\n"},
		{"a name that is not found yet", os.Interrupt,
			"kafka wait --name kafkaUpgrade --since 2000-01-01T09:00:00+09:00", 130,
			" --name kafkaUpgrade --since 2000-01-01T00:00:00Z\n"},
		{"even if a task has failed", os.Interrupt, "kafka wait long ended", 130, "the tasks go on"},
		{"not if all was over", os.Interrupt, "kafka wait ended", 1, ""},
		{"quietly", os.Interrupt, "kafka wait -q long", 130,
			"taskwait: long: stopped waiting: EXECUTING (bindInstancePublicIp, seen "},
		{"a list", os.Interrupt, "kafka list --watch", 130, ""},
		{"the demonstration", os.Interrupt, "demo", 130, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				w.cloud.AddTask(testInstance, script("ended", time.Second, taskwait.StatusFailed))
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(7001*time.Millisecond, func() { cancel(signalError{tt.signal}) })
				code, stdout, stderr := w.run(ctx, strings.Fields(tt.args)...)
				if code != tt.want || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in it\n%s", code, stdout, stderr,
						tt.want, tt.stderr)
				}
			})
		})
	}
}

// TestHelp compares what --help says with testdata. go test ./internal/cli -update writes that anew.
func TestHelp(t *testing.T) {
	for _, command := range []string{
		"", "kafka", "kafka wait", "kafka start", "kafka list", "kafka cancel", "http wait", "exec wait", "ecs",
		"rabbitmq wait", "ecs-servers wait", "mrs-jobs cancel", "organizations wait", "demo", "serve-fake",
		"schema",
	} {
		t.Run(cmp.Or(command, "taskwait"), func(t *testing.T) {
			w := newTestEnv(t)
			code, stdout, stderr := w.run(t.Context(), append(strings.Fields(command), "--help")...)
			if code != 0 || stderr != "" {
				t.Errorf("got code %d, stderr %q, want 0 and none", code, stderr)
			}
			golden(t, "help-"+cmp.Or(strings.ReplaceAll(command, " ", "-"), "taskwait")+".txt", stdout)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(string(want), "\r\n", "\n"); got != text {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, text)
	}
}

// TestPatience compares how long a wait takes, and what it sends, with what the flags say.
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args string
		want       time.Duration
	}{
		{"a timeout", "--timeout 90s long", 90 * time.Second},
		{"a timeout for all together", "--timeout 90s --all", 90 * time.Second},
		{"a timeout for a name", "--timeout 45s --name nothing --since 1m", 45 * time.Second},
		{"a timeout of a throttled list", "--timeout 45s long longer", 45 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud.AddTask(testInstance, script("long", 24*time.Hour, taskwait.StatusSuccess))
				w.cloud.AddTask(testInstance, script("longer", 24*time.Hour, taskwait.StatusSuccess))
				began := time.Now()
				_, stdout, _ := w.run(t.Context(), append([]string{"kafka", "wait"}, strings.Fields(tt.args)...)...)
				if got := time.Since(began); got != tt.want {
					t.Errorf("took %v, want %v\n%s", got, tt.want, stdout)
				}
			})
		})
	}
}

// TestIntervals checks when it polled.
func TestIntervals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args       string
		shortest, longst time.Duration
	}{
		{"default", "long", 4 * time.Second, 30 * time.Second},
		{"both", "--interval 2s --max-interval 3s long", 2 * time.Second, 3 * time.Second},
		{"the first above the default of the second", "--interval 1m long", time.Minute, time.Minute},
		{"the second below the default of the first", "--max-interval 1s long", time.Second, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud.AddTask(testInstance, script("long", 24*time.Hour, taskwait.StatusSuccess))
				w.run(t.Context(), append([]string{"kafka", "wait", "--timeout", "5m"}, strings.Fields(tt.args)...)...)
				var at []time.Time
				for _, r := range w.cloud.Requests() {
					if r.Route == fakekafka.RouteShowTask {
						at = append(at, r.Time)
					}
				}
				for i := 1; i < len(at)-1; i++ { // the last one is the final poll
					if d := at[i].Sub(at[i-1]); d < tt.shortest || d > tt.longst {
						t.Errorf("pause %d was %v, want from %v to %v", i, d, tt.shortest, tt.longst)
					}
				}
				if len(at) < 3 {
					t.Errorf("got %d polls, want more", len(at))
				}
			})
		})
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := newTestEnv(t).run(t.Context(), "--version")
	if code != 0 || !strings.HasPrefix(stdout, "taskwait version ") {
		t.Errorf("got code %d, %q, want 0 and the version", code, stdout)
	}
}
