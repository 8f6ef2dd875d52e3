package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestHistory waits six times: the last ones know how long it takes.
func TestHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cache = t.TempDir()
		for i := range 6 {
			id := string(rune('a' + i))
			w.cloud.AddTask(testInstance, script(id, 40*time.Second, taskwait.StatusSuccess))
			code, stdout, stderr := w.run(t.Context(), "kafka", "wait", id)
			if told := strings.Contains(stdout, "usually takes 40s"); code != 0 || i == 0 && told || i == 5 && !told {
				t.Errorf("run %d: got code %d, %s%s, want 0, and in the last one what it usually takes", i, code,
					stdout, stderr)
			}
		}
		text, err := os.ReadFile(filepath.Join(w.cache, "taskwait", "history.json"))
		want := `{"version":1,"kinds":{"bindInstancePublicIp":[` + strings.Repeat(`{"took":40000000000},`, 5) +
			`{"took":40000000000}]}}`
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
				w := newTestEnv(t)
				w.cache = t.TempDir()
				w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
				if tt.args == "" {
					time.Sleep(time.Minute)
				}
				_, stdout, _ := w.run(t.Context(), append([]string{"kafka", "wait", "good"},
					strings.Fields(tt.args)...)...)
				text, _ := os.ReadFile(filepath.Join(w.cache, "taskwait", "history.json"))
				if tt.want == "" && text != nil || !strings.Contains(string(text), tt.want) || strings.Contains(stdout,
					"usually") {
					t.Errorf("got the history %s and\n%swant %q", text, stdout, tt.want)
				}
			})
		})
	}
}

// TestHistoryOfSuccess: tasks that fail say nothing of how long others take.
func TestHistoryOfSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cache = t.TempDir()
		addTasks(w.cloud)
		if code, _, _ := w.run(t.Context(), "kafka", "wait", "good", "bad", "off", "erased"); code != 1 {
			t.Errorf("got code %d, want 1", code)
		}
		text, err := os.ReadFile(historyPath(w.cache, ""))
		if got := strings.Count(string(text), "took"); got != 1 || err != nil {
			t.Errorf("got %s, %v, want one task in it", text, err)
		}
	})
}

// writeHistory leaves a history as an earlier run would.
func writeHistory(cache string, text []byte) error {
	path := historyPath(cache, "")
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600))
}

// TestHistoryFile: what is in the file already decides what becomes of it.
func TestHistoryFile(t *testing.T) {
	t.Parallel()
	const good = `{"version":1,"kinds":{"bindInstancePublicIp":[{"took":15000000000}]}}`
	for _, tt := range []struct {
		name, before, after, kept string
		warning                   string
	}{
		{"none", "", good, "", ""},
		{"cut", `{"version":1,"kin`, good, `{"version":1,"kin`, "cannot be read; it is kept as history.json.damaged"},
		{"empty", "\n", good, "\n", "cannot be read; it is kept as history.json.damaged"},
		{"something else", "[]", good, "[]", "cannot be read"},
		{"no version", "{}", good, "{}", "cannot be read"},
		{"a negative duration", `{"version":1,"kinds":{"k":[{"took":-1}]}}`, good,
			`{"version":1,"kinds":{"k":[{"took":-1}]}}`, "cannot be read"},
		{"a newer version", `{"version":99,"kinds":[]}`, `{"version":99,"kinds":[]}`, "",
			"version 99 is newer than this program; it is left alone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cache = t.TempDir()
				if tt.before != "" {
					if err := writeHistory(w.cache, []byte(tt.before)); err != nil {
						t.Fatal(err)
					}
				}
				w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
				code, _, stderr := w.run(t.Context(), "kafka", "wait", "good")
				if code != 0 || !strings.Contains(stderr, tt.warning) || (tt.warning == "") != (strings.Count(stderr,
					"\n") == 1) {
					t.Errorf("got code %d, stderr %q, want 0 and %q", code, stderr, tt.warning)
				}
				text, _ := os.ReadFile(historyPath(w.cache, ""))
				kept, _ := os.ReadFile(damagedPath(historyPath(w.cache, "")))
				if string(text) != tt.after || string(kept) != tt.kept {
					t.Errorf("got the file %s, kept %s, want %s, %s", text, kept, tt.after, tt.kept)
				}
			})
		})
	}
}

// TestHistoryOfMany: commands that end at once lose nothing of what the others have seen.
func TestHistoryOfMany(t *testing.T) {
	t.Parallel()
	const commands = 40
	cache := t.TempDir()
	var all sync.WaitGroup
	for i := range commands {
		all.Go(func() {
			d := openHistory(cache, "")
			task := taskwait.Task{
				ID: "x", Kind: "kind", Status: taskwait.StatusExecuting, CreatedAt: noon,
				UpdatedAt: noon.Add(time.Duration(i+1) * time.Second),
			}
			d.watch(&task)
			task.Status = taskwait.StatusSuccess
			d.watch(&task)
			d.save(func(m string) { t.Error(m) })
		})
	}
	all.Wait()
	text, err := os.ReadFile(historyPath(cache, ""))
	for i := range commands {
		if want := fmt.Sprintf(`{"took":%d}`, time.Duration(i+1)*time.Second); !strings.Contains(string(text), want) {
			t.Errorf("got %s, %v, want %s in it", text, err, want)
		}
	}
}

// TestHistoryLocked: a lock that somebody holds for ever costs some seconds, not the exit code.
func TestHistoryLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cache = t.TempDir()
		if err := os.MkdirAll(filepath.Dir(historyPath(w.cache, "")), 0o700); err != nil {
			t.Fatal(err)
		}
		unlock, err := lockFile(historyPath(w.cache, "")+".lock", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
		code, _, stderr := w.run(t.Context(), "kafka", "wait", "good")
		if code != 0 || !strings.Contains(stderr, "how long the tasks took cannot be remembered: ") ||
			!strings.Contains(stderr, errLocked.Error()) {
			t.Errorf("got code %d, stderr %q, want 0 and why it is not remembered", code, stderr)
		}
	})
}

// TestHistoryCannotBeWritten makes sure that the code does not depend on it.
func TestHistoryCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cache = filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(w.cache, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		w.cloud.AddTask(testInstance, script("good", 15*time.Second, taskwait.StatusSuccess))
		code, _, stderr := w.run(t.Context(), "kafka", "wait", "good")
		if code != 0 || !strings.Contains(stderr, "not a directory") {
			t.Errorf("got code %d, %s, want 0 and why", code, stderr)
		}
	})
}

// TestDemo is the demonstration in virtual time, with its outcomes.
func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.env["HUAWEICLOUD_SDK_SK"] = "half-a-pair" // what the user has set is nothing to it
		began := time.Now()
		code, stdout, stderr := w.run(t.Context(), "demo")
		for _, want := range []string{
			"throttled, next try in 1.0s", "no answer, next try in", "failed: FAILED (bindInstancePublicIp), took 3.5s",
			"9 tasks: 2 failed, 1 cancelled, 1 not found, 1 timed out, 4 succeeded\n",
			"succeeded: SUCCESS (ECS createServer), took",
			"failed: FAILED (CCE CreateCluster), took",
			`would exit with 1 now: a task failed.`,
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

// TestDemoJSON: the demonstration offers no command that cannot do what it says.
func TestDemoJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		code, stdout, _ := newTestEnv(t).run(t.Context(), "demo", "-o", "json")
		if code != 0 || !strings.HasSuffix(stdout, `"exit_code":1}`+"\n") {
			t.Errorf("got code %d, %s, want 0, and the end with the code 1 of a wait, and nothing after that", code, stdout)
		}
	})
}

// TestSecrets makes sure that a task's params, which may hold passwords, are never printed.
func TestSecrets(t *testing.T) {
	for _, args := range []string{"wait x", "wait -o json x", "wait -q x", "list", "list -o json"} {
		synctest.Test(t, func(t *testing.T) {
			w := newTestEnv(t)
			w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Params: `{"password":"` + aSecret + `"}`,
				Outcome: taskwait.StatusFailed})
			_, stdout, stderr := w.run(t.Context(), append([]string{"kafka"}, strings.Fields(args)...)...)
			if out := stdout + stderr; strings.Contains(out, aSecret) || strings.Contains(out,
				fakecloud.DefaultAccessKey) {
				t.Errorf("kafka %s: got a secret printed:\n%s", args, out)
			}
		})
	}
}
