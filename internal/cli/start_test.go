package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

const resizeBody = `{"oper_type": "storage", "new_storage_space": 600}`

// writeBody writes the body of a request, and returns the name of its file.
func writeBody(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// started counts the operations that a cloud has carried out.
func started(c *fakekafka.Cloud, r fakecloud.Route) (n int) {
	for _, o := range c.Operations() {
		if o.Route == r {
			n++
		}
	}
	return n
}

func TestStart(t *testing.T) {
	t.Parallel()
	const config = `{"kafka_configs": [{"name": "log.retention.hours", "value": "48"}]}`
	for _, tt := range []struct {
		name, args, body string
		set              func(*fakekafka.Cloud)
		want, started    int
		text             string
	}{
		{"success", "resize", resizeBody, nil, 0, 1, "succeeded: SUCCESS (kafkaInstanceExtend), took "},
		{"failed", "resize", resizeBody, func(c *fakekafka.Cloud) {
			c.OnResize(fakekafka.Script{Duration: 20 * time.Second, Outcome: taskwait.StatusFailed})
		}, 1, 1, "failed: FAILED (kafkaInstanceExtend), took 20s"},
		{"a timeout", "--timeout 20s resize", resizeBody, func(c *fakekafka.Cloud) {
			c.OnResize(fakekafka.Script{ID: "t-1", Duration: time.Hour})
		}, 5, 1, "--timeout 20s t-1\n"},
		{"another one", "reassign", `{"reassignments": [{"topic": "t"}]}`, nil, 0, 1, "succeeded: "},
		{"an answer without an id", "config", config, nil, 0, 1, "succeeded: SUCCESS (kafkaConfigModify)"},
		{"something else runs", "resize", resizeBody, func(c *fakekafka.Cloud) {
			c.AddTask(testInstance, script("other", time.Minute, taskwait.StatusSuccess))
		}, 0, 1, "conflict, next try in "},
		{"refused", "resize", resizeBody, func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteResize, fakecloud.Error(403, "DMS.00400503", "no"))
		}, 8, 0, "not started after "},
		{"no answer, and carried out", "resize", resizeBody, func(c *fakekafka.Cloud) {
			c.Inject(fakekafka.RouteResize, fakecloud.DropAnswer())
		}, 6, 1, "perhaps started after "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud = fakekafka.New(fakekafka.WithoutConfigJobID())
				w.cloud.AddInstance(testInstance)
				if tt.set != nil {
					tt.set(w.cloud)
				}
				args := append(strings.Fields("kafka start --body "+writeBody(t, tt.body)), strings.Fields(tt.args)...)
				code, stdout, stderr := w.run(t.Context(), args...)
				if code != tt.want || !strings.Contains(stdout+stderr, tt.text) {
					t.Errorf("got code %d,\n%s%s\nwant %d and %q", code, stdout, stderr, tt.want, tt.text)
				}
				if n := len(w.cloud.Operations()); n != tt.started {
					t.Errorf("got %d operations carried out, want %d", n, tt.started)
				}
			})
		})
	}
}

// TestStartRefused is what is found before anything is sent.
func TestStartRefused(t *testing.T) {
	good := writeBody(t, resizeBody)
	for _, tt := range []struct{ args, want string }{
		{"", "which operation? Give one of config, reassign, resize"},
		{"rezise", "did you mean resize?"},
		{"resize config", "which operation?"},
		{"resize", "--body: it is missing"},
		{"--body /nowhere/at-all resize", "--body: open /nowhere/at-all"},
		{"--body " + writeBody(t, "{") + " resize", "--body: unexpected EOF"},
		{"--body " + writeBody(t, resizeBody+"{}") + " resize", "--body: more than one value"},
		{"--body " + writeBody(t, `{"oper_tipe": "storage"}`) + " resize", `--body: json: unknown field "oper_tipe"`},
		{"--body " + writeBody(t, strings.Repeat(" ", maxBody+1)) + " resize", "--body: it has more than 1048576 bytes"},
		{"--timeout -1s --body " + good + " resize", "--timeout -1s"},
		{"--state-new --body " + good + " resize", "--state-new needs --state"},
	} {
		stderr := refused(t, newTestEnv(t), append([]string{"kafka", "start"}, strings.Fields(tt.args)...)...)
		if !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: got %q, want in it %q", tt.args, stderr, tt.want)
		}
	}
}

// TestStartState: an operation whose command is stopped, at whatever moment, and begun again is started once, and ends
// as if nothing had happened.
func TestStartState(t *testing.T) {
	t.Parallel()
	for _, stop := range []time.Duration{1, 30 * time.Millisecond, 70 * time.Millisecond, 90 * time.Millisecond,
		110 * time.Millisecond, 130 * time.Millisecond, 5 * time.Second} {
		t.Run(fmt.Sprint(stop), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud = fakekafka.New(fakecloud.WithLatency(40 * time.Millisecond))
				w.cloud.AddInstance(testInstance)
				w.cloud.OnResize(fakekafka.Script{Duration: 30 * time.Second, Outcome: taskwait.StatusFailed})
				args := strings.Fields("kafka start --timeout 5m --state " + filepath.Join(t.TempDir(), "state") +
					" --body " + writeBody(t, resizeBody) + " resize")
				code, stdout, stderr := w.run(stopAfter(t, stop), args...)
				if code != 143 {
					t.Errorf("got code %d,\n%s%s\nwant 143", code, stdout, stderr)
				}
				time.Sleep(15 * time.Second)
				for range 2 { // it ends, and says so again
					code, stdout, stderr = w.run(t.Context(), args...)
					if code != 1 || !strings.Contains(stdout, "failed: FAILED (kafkaInstanceExtend), took 30s") {
						t.Errorf("got code %d,\n%s%s\nwant 1", code, stdout, stderr)
					}
				}
				if n := started(w.cloud, fakekafka.RouteResize); n != 1 {
					t.Errorf("got %d operations carried out, want 1", n)
				}
			})
		})
	}
}

// TestStartStateGoesOn: a refusal is not final; another body is another operation, and none of it is in the file.
func TestStartStateGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cloud.Inject(fakekafka.RouteResize, fakecloud.Error(403, "DMS.00400503", "no"))
		file := filepath.Join(t.TempDir(), "state")
		start := func(body string) (int, string) {
			code, _, stderr := w.run(t.Context(), "kafka", "start", "--state", file, "--body", writeBody(t, body), "resize")
			return code, stderr
		}
		secret := `{"oper_type": "` + aSecret + `", "new_storage_space": 600}`
		if code, stderr := start(secret); code != 8 {
			t.Errorf("refused: got code %d, %s, want 8", code, stderr)
		}
		if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), aSecret) {
			t.Errorf("got %s, %v, want no secret in it", text, err)
		}
		if code, stderr := start(resizeBody); code != 2 || !strings.Contains(stderr, "with --body sha256:") {
			t.Errorf("another body: got code %d, %s, want 2 and what differs", code, stderr)
		}
		if code, stderr := start(secret); code != 0 {
			t.Errorf("again: got code %d, %s, want 0", code, stderr)
		}
		if n := started(w.cloud, fakekafka.RouteResize); n != 1 {
			t.Errorf("got %d operations carried out, want 1", n)
		}
	})
}

// TestStartResume: while the operation is under way, the resume line is the command that goes on; never one that would
// start it once more.
func TestStartResume(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--state FILE", "start --instance kafka-1 --endpoint https://kafka.fake --project " + fakecloud.DefaultProject +
			" --state FILE --body BODY resize"},
		{"", "wait --instance kafka-1 --endpoint https://kafka.fake --project " + fakecloud.DefaultProject + " t-1"},
		{"--state FILE --timeout 5s", "wait --instance kafka-1 --endpoint https://kafka.fake --project " +
			fakecloud.DefaultProject + " --timeout 5s t-1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newTestEnv(t)
			w.cloud.OnResize(fakekafka.Script{ID: "t-1", Duration: time.Hour})
			file, body := filepath.Join(t.TempDir(), "state"), writeBody(t, resizeBody)
			_, _, stderr := w.run(stopAfter(t, 7001*time.Millisecond), append([]string{"kafka", "start", "--body", body},
				strings.Fields(strings.ReplaceAll(tt.args, "FILE", file)+" resize")...)...)
			got := strings.ReplaceAll(strings.ReplaceAll(stderr, file, "FILE"), body, "BODY")
			if _, got, _ = strings.Cut(got, "to wait again: taskwait kafka "); strings.TrimSpace(got) != tt.want {
				t.Errorf("%s: got %s\nwant %s", tt.args, got, tt.want)
			}
		})
	}
}
