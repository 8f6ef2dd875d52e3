package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

func addListed(w *testEnv) {
	for _, s := range []fakekafka.Script{
		{ID: "ancient", Name: "kafkaUpgrade", CreatedAt: time.Now().Add(-200 * time.Hour)},
		{ID: "old", Name: "bindInstancePublicIp", CreatedAt: time.Now().Add(-3 * time.Hour), Duration: 72 * time.Second,
			Outcome: taskwait.StatusFailed},
		{ID: "new", Name: "kafkaConfigModify", CreatedAt: time.Now().Add(-10 * time.Second), Duration: time.Minute},
	} {
		w.cloud.AddTask(testInstance, s)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	const (
		heading = "TASK                              STATUS      AGE       DURATION  NAME\n"
		ancient = "ancient                           SUCCESS     200h0m    3.0s      kafkaUpgrade\n"
		old     = "old                               FAILED      3h0m      1m12s     bindInstancePublicIp\n"
		latest  = heading + "new                               EXECUTING   10s       -         kafkaConfigModify\n"
	)
	for _, tt := range []struct {
		name   string
		set    func(*testEnv)
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"a week", nil, "", 0, latest + old, "credentials from"},
		{"an hour", nil, "--since 1h", 0, latest, ""},
		{"all", nil, "--since 0", 0, latest + old + ancient, ""},
		// A bubble begins at midnight UTC 2000-01-01.
		{"since a time", nil, "--since 1999-12-31T23:00:00Z", 0, latest, ""},
		{"past faults", func(w *testEnv) { w.cloud.Inject(fakekafka.RouteListTasks, fakecloud.Unavailable()) },
			"--since 1h", 0, "no answer, next try in", ""},
		{"quiet", nil, "--quiet", 0, "", ""},
		{"no permission", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteListTasks, fakecloud.Error(403, "DMS.00400503", "no"))
		}, "", 6, "", "taskwait: 403 Forbidden"},
		{"wrong keys", func(w *testEnv) { w.env["HUAWEICLOUD_SDK_SK"] = "wrong-secret" }, "", 6, "",
			"refuses the credentials from the environment (HUAWEICLOUD_SDK_AK): check that"},
		{"no network", func(w *testEnv) { w.transport = broken{} }, "", 6, "no answer", "taskwait: "},
		{"no such instance", func(w *testEnv) { w.env[instanceName] = "kafka-9" }, "", 4, "", "taskwait: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addListed(w)
				if tt.set != nil {
					tt.set(w)
				}
				code, stdout, stderr := w.run(t.Context(), append([]string{"kafka", "list"},
					strings.Fields(tt.args)...)...)
				whole := tt.code == 0 && !strings.Contains(tt.stdout, "next try")
				if code != tt.code || whole && stdout != tt.stdout || !strings.Contains(stdout, tt.stdout) ||
					!strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d\n%s\n%s", code, stdout, stderr, tt.code,
						tt.stdout, tt.stderr)
				}
			})
		})
	}
}

// TestListWatch tells each change once: of a status, of a new task, and of a record that is deleted.
func TestListWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cloud.AddTask(testInstance, script("first", 12*time.Second, taskwait.StatusSuccess))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(13*time.Second, func() {
			w.cloud.AddTask(testInstance, script("second", time.Hour,
				taskwait.StatusSuccess))
		})
		time.AfterFunc(31*time.Second, func() { cancel(signalError{os.Interrupt}) })
		code, stdout, _ := w.run(ctx, "kafka", "list", "--watch")
		var got []string
		for line := range strings.Lines(stdout) {
			got = append(got, strings.Join(strings.Fields(line)[:2], " "))
		}
		want := []string{"TASK STATUS", "first CREATED", "first EXECUTING", "second EXECUTING", "first SUCCESS"}
		if code != 130 || !reflect.DeepEqual(got, want) {
			t.Errorf("got code %d, %q, want 130, %q", code, got, want)
		}
	})
}

// TestListJSON: the last line says how it ended, and standard error stays empty.
func TestListJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args string
		set        func(*testEnv)
		want       int
		text       string // of the end
	}{
		{"a list", "", nil, 0, `"exit_code":0}`},
		{"quietly", "-q", func(w *testEnv) { w.env[instanceName] = "kafka-9" }, 4, ""},
		{"no such instance", "", func(w *testEnv) { w.env[instanceName] = "kafka-9" }, 4,
			`"error":"instance \"kafka-9\" does not exist`},
		{"no permission", "--watch", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteListTasks, fakecloud.Error(403, "DMS.00400503", "no"))
		}, 6, `"error":"403 Forbidden`},
		{"a signal", "--watch", nil, 143, `"exit_code":143}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addListed(w)
				if tt.set != nil {
					tt.set(w)
				}
				code, stdout, stderr := w.run(stopAfter(t, time.Minute), append([]string{"kafka", "list", "-o", "json"},
					strings.Fields(tt.args)...)...)
				lines := strings.Split(strings.TrimSpace(stdout), "\n")
				end := lines[len(lines)-1]
				if said := stderr != ""; code != tt.want || !strings.Contains(end, tt.text) || said != (tt.text == "") {
					t.Errorf("got code %d, the end %s, stderr %q, want %d and %s, and nothing there but for --quiet", code, end,
						stderr, tt.want, tt.text)
				}
			})
		})
	}
}

// newTestTable is a table that is not drawn.
func newTestTable() (*table, *strings.Builder) {
	var out strings.Builder
	s := &screen{out: io.Discard, glyphs: unicodeGlyphs, size: func() (int, int) { return 80, 24 }}
	tb := &table{screen: s, rows: map[string]*event{}}
	tb.out = func(line []byte, _ bool) { out.Write(line) }
	return tb, &out
}

// TestTableEnd: what stays on the screen is as old as it is at the end.
func TestTableEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb, out := newTestTable()
		tb.drawing = tb.screen.draw(func(int, int) []string { return nil })
		tb.report(&event{
			Event: eventTask, Time: time.Now(), Task: "t", Name: "n", Status: taskwait.StatusExecuting,
			Age: seconds(time.Minute),
		})
		time.Sleep(3 * time.Minute)
		tb.close()
		if want := heading + "\n" + columns("t", "EXECUTING", "4m", "-", "n") + "\n"; out.String() != want {
			t.Errorf("got\n%swant\n%s", out, want)
		}
	})
}

// TestTable keeps the whole list on the screen.
func TestTable(t *testing.T) {
	tb, _ := newTestTable()
	if got := tb.view(noon, 80, 24); len(got) != 1 || got[0] != "no tasks" {
		t.Errorf("got %q, want that there are none", got)
	}
	for i := range 30 {
		tb.take(&event{
			Event: eventTask, Time: noon, Task: fmt.Sprintf("%032d", i), Name: "kafkaUpgrade",
			Status: taskwait.StatusExecuting, Created: noon.Add(time.Duration(i) * time.Minute),
			Age: seconds(time.Minute),
		})
	}
	tb.take(&event{Event: eventGone, Time: noon, Task: fmt.Sprintf("%032d", 28)})
	tb.take(&event{Event: eventTrouble, Time: noon, Trouble: "throttled", Next: after(9 * time.Second)})
	for _, columns := range []int{80, 40, 20} {
		lines := tb.view(noon.Add(5*time.Second), columns, 12)
		for _, line := range lines {
			if w := width(line); w >= columns {
				t.Errorf("got a line of %d columns, want less than %d: %q", w, columns, line)
			}
		}
		golden(t, fmt.Sprintf("table-%d.txt", columns), strings.Join(lines, "\n")+"\n")
	}
}

// TestTableOrder: rows of one time stand in the order of their ids, however often they are reported.
func TestTableOrder(t *testing.T) {
	tb, _ := newTestTable()
	for _, id := range []string{"c", "a", "b", "c", "a"} {
		tb.take(&event{Event: eventTask, Time: noon, Task: id, Created: noon, Status: taskwait.StatusExecuting})
	}
	lines := tb.view(noon, 80, 24)
	for i, id := range []string{"a", "b", "c"} {
		if !strings.HasPrefix(lines[i+1], id+" ") {
			t.Errorf("got row %d %q, want %s", i, lines[i+1], id)
		}
	}
}

// TestJSON reads what --output json writes.
func TestJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cloud.AddTask(testInstance, script("good", 20*time.Second, taskwait.StatusSuccess))
		w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Throttle(5*time.Second))
		code, stdout, stderr := w.run(t.Context(), "kafka", "wait", "--output", "json", "good", "--timeout", "1m")
		var kinds []string
		var last map[string]any
		for line := range strings.Lines(stdout) {
			last = nil
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			kinds = append(kinds, fmt.Sprint(last["event"]))
		}
		if want := []string{"start", "trouble", "status", "done", "end"}; code != 0 || stderr != "" ||
			!reflect.DeepEqual(kinds, want) {
			t.Errorf("got code %d, stderr %q, events %q, want 0, none, %q", code, stderr, kinds, want)
		}
		if last["exit_code"] != 0.0 || !reflect.DeepEqual(last["outcomes"], map[string]any{"succeeded": 1.0}) {
			t.Errorf("got the end %v, want code 0 and one success", last)
		}
	})
}

// TestPercent tells how far a task is, where the service does.
func TestPercent(t *testing.T) {
	for output, want := range map[string]string{"text": ", 50%, ", "json": `"event":"progress"`} {
		synctest.Test(t, func(t *testing.T) {
			w := newTestEnv(t)
			w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Stages: []fakekafka.Stage{{Name: "disk_expansion",
				Duration: 20 * time.Second}}})
			code, stdout, _ := w.run(t.Context(), "kafka", "wait", "--interval", "5s", "--max-interval", "5s",
				"--output", output, "x")
			if code != 0 || !strings.Contains(stdout, want) {
				t.Errorf("%s: got code %d,\n%s\nwant 0, and %q in it", output, code, stdout, want)
			}
		})
	}
}
