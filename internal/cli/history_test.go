package cli

import (
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

// TestHistory waits six times: the last ones know how long it takes.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.cache = t.TempDir()
		for i := range 6 {
			id := string(rune('a' + i))
			w.cloud.AddTask(testInstance, script(id, 40*time.Second, taskwait.StatusSuccess))
			code, stdout, stderr := w.run(t.Context(), "kafka", "wait", id)
			if told := strings.Contains(stdout, "usually takes 40s"); code != 0 || i == 0 && told || i == 5 && !told {
				t.Errorf("run %d: got code %d, %s%s, want 0, and in the last one what it usually takes", i, code, stdout, stderr)
			}
		}
		text, err := os.ReadFile(filepath.Join(w.cache, "taskwait", "history.json"))
		want := `{"version":1,"kinds":{"bindInstancePublicIp":[` + strings.Repeat(`{"took":40000000000},`, 5) + `{"took":40000000000}]}}`
		if string(text) != want {
			t.Errorf("got %s, error %v, want %s", text, err, want)
		}
	})
}

func TestHistoryIsLeftAlone(t *testing.T) {
	for _, tt := range []struct{ name, args, want string }{
		{"not wanted", "--no-history", ""},
		{"seen only when it had ended", "", ""},
		{"never ended", "--timeout 10s", ""},
		{"intervals of one's own: it is kept, and not used", "--max-interval 2s", `"took":15000000000`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.cache = t.TempDir()
				w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
				if tt.args == "" {
					time.Sleep(time.Minute)
				}
				_, stdout, _ := w.run(t.Context(), append([]string{"kafka", "wait", "good"}, strings.Fields(tt.args)...)...)
				text, _ := os.ReadFile(filepath.Join(w.cache, "taskwait", "history.json"))
				if tt.want == "" && text != nil || !strings.Contains(string(text), tt.want) || strings.Contains(stdout, "usually") {
					t.Errorf("got the history %s and\n%swant %q", text, stdout, tt.want)
				}
			})
		})
	}
}

// TestHistoryThatCannotBeRead begins anew, and says so.
func TestHistoryThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.cache = t.TempDir()
		if err := replaceFile(filepath.Join(w.cache, "taskwait", "history.json"), []byte("{")); err != nil {
			t.Fatal(err)
		}
		w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
		code, _, stderr := w.run(t.Context(), "kafka", "wait", "good")
		if code != 0 || !strings.Contains(stderr, "beginning anew") {
			t.Errorf("got code %d, stderr %q, want 0 and that it begins anew", code, stderr)
		}
		if _, err := readHistory(filepath.Join(w.cache, "taskwait", "history.json")); err != nil {
			t.Errorf("got %v, want the history to be well again", err)
		}
	})
}

// TestHistoryCannotBeWritten makes sure that the code does not depend on it.
func TestHistoryCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.cache = filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(w.cache, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
		if code, _, stderr := w.run(t.Context(), "kafka", "wait", "good"); code != 0 {
			t.Errorf("got code %d, %s, want 0", code, stderr)
		}
	})
}

// TestDemo is the demonstration in virtual time, with its fates.
func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.env["HUAWEICLOUD_SDK_SK"] = "half-a-pair" // what the user has set is nothing to it
		began := time.Now()
		code, stdout, stderr := w.run(t.Context(), "demo")
		for _, want := range []string{
			"throttled, next try in 1.0s", "no answer, next try in", "failed: FAILED (bindInstancePublicIp), took 3.5s",
			"6 tasks: 1 failed, 1 cancelled, 1 not found, 1 timed out, 2 succeeded\n", `would exit with 1 now: a task failed.`,
		} {
			if !strings.Contains(stdout, want) {
				t.Errorf("got\n%s\nwant in it %q", stdout, want)
			}
		}
		if took := time.Since(began); code != 0 || stderr != "" || took != demoTimeout {
			t.Errorf("got code %d after %v, stderr %q, want 0 after %v, none", code, took, stderr, demoTimeout)
		}
		if n := len(w.cloud.Requests()); n != 0 {
			t.Errorf("got %d requests to another cloud, want none", n)
		}
	})
}

// TestSecrets makes sure that a task's params, which may hold passwords, are never printed.
func TestSecrets(t *testing.T) {
	for _, args := range []string{"wait x", "wait -o json x", "wait -q x", "list", "list -o json"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Params: `{"password":"` + aSecret + `"}`, Outcome: taskwait.StatusFailed})
			_, stdout, stderr := w.run(t.Context(), append([]string{"kafka"}, strings.Fields(args)...)...)
			if out := stdout + stderr; strings.Contains(out, aSecret) || strings.Contains(out, fakecloud.DefaultAccessKey) {
				t.Errorf("kafka %s: got a secret printed:\n%s", args, out)
			}
		})
	}
}
