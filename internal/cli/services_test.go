package cli

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// TestServiceCommands: each service has a command, a list of regions, and help.
func TestServiceCommands(t *testing.T) {
	t.Parallel()
	for _, row := range jobs.Services() {
		of := newTarget(serviceOf(&row))
		if of.regions == nil || len(of.regionNames()) == 0 {
			t.Errorf("%s: got no regions of %q", row.Name, row.Type)
			continue
		}
		usual := false
		for _, name := range of.regionNames() {
			r, err := of.regions(name)
			if err != nil || !strings.HasPrefix(r.Endpoints[0], "https://") {
				t.Fatalf("%s, %s: got %v, %v, want a URL", row.Name, name, r, err)
			}
			usual = usual || strings.HasPrefix(r.Endpoints[0], "https://"+row.Host+".")
		}
		if !usual {
			t.Errorf("%s: got no region whose host begins with %q", row.Name, row.Host)
		}
		commands := []string{"wait"}
		if row.API.Cancel != nil {
			commands = append(commands, "cancel")
		}
		for _, command := range commands {
			code, stdout, _ := newTestEnv(t).run(t.Context(), row.Name, command, "--help")
			if code != 0 || !strings.Contains(stdout, "taskwait "+row.Name+" "+command+" [flags] ") {
				t.Errorf("%s: got code %d and the help\n%s", row.Name, code, stdout)
			}
			_, above, _ := newTestEnv(t).run(t.Context(), row.Name, "--help")
			for line := range strings.Lines(above + stdout) {
				if width(strings.TrimSuffix(line, "\n")) > 80 && !strings.HasPrefix(line, "Use ") {
					t.Errorf("%s: got a line of %d columns: %s", row.Name, width(line), line)
				}
			}
		}
	}
}

// serviceEnv is an embedded cloud with a job of each outcome in three shapes.
func serviceEnv(t testing.TB) *testEnv {
	w := newTestEnv(t)
	cloud := fakejobs.New()
	w.transport = cloud.Transport()
	w.env = cloudVariables("", "https://huawei.fake")
	for _, shape := range []fakejobs.Shape{fakejobs.V1, fakejobs.Database, fakejobs.DMS} {
		for id, outcome := range map[string]taskwait.Status{
			"good": taskwait.StatusSuccess, "bad": taskwait.StatusFailed, "long": taskwait.StatusExecuting,
		} {
			cloud.AddJob(shape, fakejobs.Script{ID: id, Duration: 20 * time.Second, Outcome: outcome})
		}
	}
	cloud.AddJob(fakejobs.ELB, fakejobs.Script{ID: "e1", Name: "kind-x"})
	return w
}

func TestServiceWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args     string
		want           int
		stdout, stderr string // parts
	}{
		{"ecs", "ecs wait good", 0, "good  succeeded: SUCCESS", "taskwait: ecs, credentials from the environment"},
		{"failed", "ecs wait bad", 1, "bad  failed: FAILED", ""},
		{"not found", "ecs wait nobody", 4, "not found", ""},
		{"several", "rds wait good bad", 1, "2 tasks: 1 failed, 1 succeeded", ""},
		{"timed out", "rds wait --timeout 1m long", 5, "timed out after 1m: EXECUTING",
			"to wait again: taskwait rds wait --endpoint https://huawei.fake --project " + fakecloud.DefaultProject +
				" --timeout 1m0s long\n"},
		{"with an instance", "rabbitmq wait --instance instance-1 good", 0, "SUCCESS", "taskwait: instance instance-1, "},
		{"all that run", "rds wait --all --timeout 1m", 1, "3 tasks: 1 failed, 1 timed out, 1 succeeded", ""},
		{"by its kind", "elb wait --name kind-x --since 1m", 0, "SUCCESS", ""},
		{"the value", "ecs wait --print job_id good", 0, "good\n", "SUCCESS"},
		{"JSON", "ecs wait -o json good", 0, `"outcome":"succeeded"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				code, stdout, stderr := serviceEnv(t).run(t.Context(), strings.Fields(tt.args)...)
				if code != tt.want || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in them\n%s\n%s", code, stdout, stderr,
						tt.want, tt.stdout, tt.stderr)
				}
			})
		})
	}
}

func TestServiceUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args, want string
	}{
		{"no task", "ecs wait", "which task? Give one id or more"},
		{"no instance", "rabbitmq wait x", "--instance is missing (or TASKWAIT_INSTANCE)"},
		{"no cluster", "mrs-jobs wait x", "--cluster is missing (or TASKWAIT_CLUSTER)"},
		{"a bad cluster", "mrs-jobs wait --cluster a/b x", `--cluster "a/b"`},
		{"a bad id", "ecs wait a/b", `task id "a/b"`},
		{"no such region", "ecs wait --region mars x",
			`--region "mars" is not one that the SDK knows for ecs; give --endpoint`},
		{"no such service", "esc wait x", `unknown command "esc" for "taskwait"; did you mean ecs?`},
		{"no cancel", "ecs cancel x", "taskwait ecs can wait, but knows no way to cancel what it waits for"},
		{"no task, a state", "ecs wait --state x", "Give one id or more, the same as when the wait in --state began"},
		{"no account", "organizations wait x", "--domain is missing (or HUAWEICLOUD_SDK_DOMAIN_ID)"},
		{"a job is no thing", "ecs wait --until-deleted x", "unknown flag: --until-deleted"},
		{"no value of several", "ecs wait --print status x y", "--print needs a single task, not 2"},
		{"no authorities", "ecs wait --ca-file /dev/null x", `--ca-file "/dev/null" holds no certificate`},
		{"cancel: no task", "mrs-jobs cancel", "which task?"},
		{"cancel: no such output", "mrs-jobs cancel -o xml x", "want text or json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := serviceEnv(t).run(t.Context(), strings.Fields(tt.args)...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("got code %d, stdout %q, stderr %q, want 2, none, and in it %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

// handled is a network that a handler answers.
type handled http.HandlerFunc

func (h handled) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, req)
	return w.Result(), nil
}

// TestCancel: what can be cancelled is, with what the service says, and Ctrl-C says how.
func TestCancel(t *testing.T) {
	t.Parallel()
	const job = "/v2/" + fakecloud.DefaultProject + "/clusters/c1/job-executions/"
	const target = "--cluster c1 --endpoint https://mrs.fake --project " + fakecloud.DefaultProject
	throttled := 0
	network := handled(func(w http.ResponseWriter, req *http.Request) {
		switch req.Method + req.URL.Path {
		case "POST" + job + "j1/kill":
			w.WriteHeader(http.StatusOK)
		case "POST" + job + "busy/kill":
			if throttled++; throttled == 1 {
				w.WriteHeader(http.StatusTooManyRequests)
			}
		case "POST" + job + "over/kill":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error_code":"MRS.12","error_msg":"it has ended"}`)
		case "GET" + job + "j1":
			_, _ = io.WriteString(w, `{"job_detail":{"job_id":"j1","job_state":"RUNNING"}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error_code":"MRS.404","error_msg":"no such job"}`)
		}
	})
	for _, tt := range []struct {
		name, args     string
		want           int
		stdout, stderr string
	}{
		{"accepted", "cancel --cluster c1 j1", 0, "j1  the service has accepted the cancellation\n",
			"to wait until they have ended: taskwait mrs-jobs wait " + target + " j1\n"},
		{"throttled", "cancel --cluster c1 busy", 0, "accepted", ""},
		{"refused", "cancel --cluster c1 over", 6, "400 Bad Request: it has ended", ""},
		{"not found", "cancel --cluster c1 nobody", 4, "not found", ""},
		{"JSON", "cancel --cluster c1 -o json j1", 0, `"event":"accepted"`, ""},
		{"Ctrl-C", "wait --cluster c1 j1", 130, "", "to cancel: taskwait mrs-jobs cancel " + target + " j1\n"},
		{"Ctrl-C, JSON", "wait --cluster c1 -o json j1", 130, `"cancel":"taskwait mrs-jobs cancel ` + target + ` j1"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.transport, w.env = network, cloudVariables("", "https://mrs.fake")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(7001*time.Millisecond, func() { cancel(signalError{os.Interrupt}) })
				code, stdout, stderr := w.run(ctx, append([]string{"mrs-jobs"}, strings.Fields(tt.args)...)...)
				if code != tt.want || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in them\n%s\n%s", code, stdout, stderr,
						tt.want, tt.stdout, tt.stderr)
				}
			})
		})
	}
}

// TestKafkaCancel: a scheduled task is cancelled, whose id no wait can take.
func TestKafkaCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		var asked string
		w.transport = handled(func(w http.ResponseWriter, req *http.Request) {
			asked = req.Method + " " + req.URL.Path
			_, _ = io.WriteString(w, `{}`)
		})
		code, stdout, stderr := w.run(t.Context(), "kafka", "cancel", "s1")
		want := "PUT /v2/" + fakecloud.DefaultProject + "/instances/kafka-1/scheduled-tasks/s1"
		if code != 0 || asked != want || !strings.Contains(stdout, "s1  the service has accepted the cancellation") ||
			strings.Contains(stderr, "kafka wait") {
			t.Errorf("got code %d after %q, %s%s\nwant 0 after %q", code, asked, stdout, stderr, want)
		}
	})
}

// TestUntilDeleted: a thing that is gone is a success, and its failure on the way is none.
func TestUntilDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		asked := 0
		w.transport = handled(func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked < 3 {
				_, _ = io.WriteString(w, `{"server":{"id":"s1","status":"ERROR"}}`)
				return
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"itemNotFound":{"message":"gone","code":404},"error_code":"Ecs.0114"}`)
		})
		w.env = cloudVariables("", "https://ecs.fake")
		code, stdout, _ := w.run(t.Context(), "ecs-servers", "wait", "--until-deleted", "s1")
		if code != 0 || !strings.Contains(stdout, "succeeded") || asked != 3 {
			t.Errorf("got code %d after %d polls, %s\nwant 0 after 3", code, asked, stdout)
		}
	})
}

// TestGlobalService: the account is that of the flag, and the request is signed for it.
func TestGlobalService(t *testing.T) {
	t.Parallel()
	w := newTestEnv(t)
	var domain, authorization string
	w.transport = handled(func(w http.ResponseWriter, req *http.Request) {
		domain, authorization = req.Header.Get("X-Domain-Id"), req.Header.Get("Authorization")
		_, _ = io.WriteString(w, `{"create_account_status":{"id":"a1","state":"succeeded"}}`)
	})
	w.env = cloudVariables("", "")
	code, stdout, stderr := w.run(t.Context(), "organizations", "wait", "--domain", "d1", "--region", "cn-north-4", "a1")
	if code != 0 || domain != "d1" || authorization == "" {
		t.Errorf("got code %d, the account %q, signed %q\n%s%s", code, domain, authorization, stdout, stderr)
	}
}
