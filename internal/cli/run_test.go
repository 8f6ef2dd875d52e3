package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// TestResume: the line gives back the command as it was given, and the ids that are left.
func TestResume(t *testing.T) {
	t.Parallel()
	const target = "taskwait kafka wait --instance kafka-1 --endpoint https://kafka.fake --project " +
		fakecloud.DefaultProject
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"ids", []string{"long", "good"}, target + " good long"},
		{"all of it", strings.Fields("--timeout 5m -o text --fail-fast --interval 2s --max-interval 9s --no-history " +
			"--heartbeat 1m long"),
			target + " --fail-fast --heartbeat 1m0s --interval 2s --max-interval 9s --no-history --output text " +
				"--timeout 5m0s long"},
		{"false", strings.Fields("--fail-fast=false --all=false long"), target + " long"},
		{"an id that looks like a flag", []string{"--", "-x"}, target + " -- -x"},
		{"all", []string{"--all", "--timeout", "1m"}, target +
			" --timeout 1m0s -- -x bad erased good long off upgrade"},
		{"a name", []string{"--name", "it's", "--since", "1999-12-31T23:00:00Z"},
			target + ` --name 'it'\''s' --since 1999-12-31T23:00:00Z`},
		{"a name that was found", []string{"--name", "kafkaUpgrade", "--since", "1h"}, target + " upgrade"},
		{"nothing is left", []string{"ended"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				w.cloud.AddTask(testInstance, script("-x", time.Hour, taskwait.StatusSuccess))
				w.cloud.AddTask(testInstance, script("ended", time.Second, taskwait.StatusSuccess))
				w.cloud.AddTask(testInstance, fakekafka.Script{ID: "upgrade", Name: "kafkaUpgrade",
					Duration: time.Hour})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(7001*time.Millisecond, func() { cancel(signalError{os.Interrupt}) })
				_, _, stderr := w.run(ctx, append([]string{"kafka", "wait"}, tt.args...)...)
				_, got, _ := strings.Cut(stderr, "to wait again: ")
				if got = strings.TrimSpace(got); got != tt.want {
					t.Errorf("got\n%s\nwant\n%s", got, tt.want)
				}
			})
		})
	}
}

// TestHeartbeat: a wait without news says that it goes on, where nobody sees it on a terminal.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args string
		terminal   bool
		want       int    // lines
		text       string // of one
	}{
		{"by default", "--timeout 5m long", false, 9,
			"s: still waiting for long: EXECUTING (bindInstancePublicIp, seen "},
		{"several", "--timeout 5m long longer", false, 9, "s: still waiting for 2 tasks\n"},
		{"one is left", "--timeout 5m long good", false, 9, "s: still waiting for 1 task\n"},
		{"more often", "--timeout 5m --heartbeat 10s long", false, 29, "still waiting for long"},
		{"never", "--timeout 5m --heartbeat 0s long", false, 0, ""},
		{"on a terminal", "--timeout 5m long", true, 0, ""},
		{"on a terminal, wanted", "--timeout 5m --heartbeat 30s long", true, 9, "still waiting"},
		{"quietly", "--quiet --timeout 5m long", false, 0, ""},
		{"a name", "--timeout 90s --name none --since 1m --heartbeat 10s", false, 6,
			"still waiting for none: never answered; "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.errColumns = map[bool]func() int{true: func() int { return 200 }}[tt.terminal]
				addTasks(w.cloud)
				w.cloud.AddTask(testInstance, script("longer", 24*time.Hour, taskwait.StatusSuccess))
				_, _, stderr := w.run(t.Context(), append([]string{"kafka", "wait"}, strings.Fields(tt.args)...)...)
				n := strings.Count(stderr, "still waiting")
				if n < tt.want-1 || n > tt.want+1 || !strings.Contains(stderr, tt.text) {
					t.Errorf("got %d lines, in\n%s\nwant about %d with %q", n, stderr, tt.want, tt.text)
				}
			})
		})
	}
}

// TestSilence: with a heartbeat nobody waits longer for a line than that.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		_, stdout, _ := w.run(t.Context(), "kafka", "wait", "-o", "json", "--timeout", "10m", "long")
		var last time.Time
		for _, e := range parseJSON(t, stdout) {
			at, err := time.Parse(time.RFC3339, fmt.Sprint(e["time"]))
			if err != nil {
				t.Fatal(err)
			}
			if !last.IsZero() && at.Sub(last) > defaultHeartbeat {
				t.Errorf("got silence for %v before %v, want at most %v", at.Sub(last), e, defaultHeartbeat)
			}
			last = at
		}
	})
}

// TestHeartbeatOfMany: events on standard output are no sign of life on standard error.
func TestHeartbeatOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		args := []string{"kafka", "wait"}
		for i := range 60 {
			id := fmt.Sprint("task-", i)
			w.cloud.AddTask(testInstance, script(id, time.Duration(5*(i+1))*time.Second, taskwait.StatusSuccess))
			args = append(args, id)
		}
		code, _, stderr := w.run(t.Context(), args...)
		if n := strings.Count(stderr, "still waiting for "); code != 0 || n < 9 {
			t.Errorf("got code %d, %d heartbeats, want 0, and one for each half of five minutes\n%s", code, n, stderr)
		}
	})
}

// parseJSON reads lines of JSON, and wants nothing else.
func parseJSON(t *testing.T, text string) (events []map[string]any) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e map[string]any
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%.300q: %v", lines.Text(), err)
		}
		if n := len(lines.Bytes()) + 1; n > maxLine {
			t.Errorf("got a line of %d bytes, want at most %d: %.200s", n, maxLine, lines.Text())
		}
		events = append(events, e)
	}
	return events
}

// TestExpect: --expect waits for the tasks to be listed, and does not wait for ever.
func TestExpect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args string
		want       int
		text       string
	}{
		{"without it", "--all", 0, "nothing runs on the instance"},
		{"listed a second later", "--all --expect 1", 1, "failed: FAILED"},
		{"begun and ended meanwhile", "--all --expect 2", 1, "2 tasks: 1 failed, 1 succeeded"},
		{"too many", "--all --expect 3", 4, "not found after 1m: only 2 of 3 expected tasks listed"},
		{"listed at the very end of the timeout", "--all --expect 1 --timeout 1500ms", 5, "timed out"},
		{"too many for the timeout", "--all --expect 3 --timeout 10s", 4, "only 2 of 3 expected tasks listed"},
		{"none", "--all --expect 0", 2, "--expect 0, want at least 1"},
		{"without all", "--expect 1 x", 2, "together with --all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud.AddTask(testInstance, fakekafka.Script{ID: "old", CreatedAt: time.Now().Add(-time.Hour)})
				w.cloud.AddTask(testInstance, fakekafka.Script{
					ID: "late", ListedAfter: time.Second, Duration: time.Minute, Outcome: taskwait.StatusFailed,
				})
				time.AfterFunc(4500*time.Millisecond, func() {
					w.cloud.AddTask(testInstance, fakekafka.Script{ID: "short", Duration: 500 * time.Millisecond})
				})
				code, stdout, stderr := w.run(t.Context(), append([]string{"kafka", "wait"},
					strings.Fields(tt.args)...)...)
				if code != tt.want || !strings.Contains(stdout+stderr, tt.text) {
					t.Errorf("got code %d,\n%s%s\nwant %d and %q", code, stdout, stderr, tt.want, tt.text)
				}
			})
		})
	}
}

// TestExpectSignal stops while the tasks are not listed yet; the resume line is the command as it was given.
func TestExpectSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cloud.AddTask(testInstance, script("x", time.Hour, taskwait.StatusSuccess))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(7001*time.Millisecond, func() { cancel(signalError{os.Interrupt}) })
		code, _, stderr := w.run(ctx, "kafka", "wait", "--all", "--expect", "2", "--heartbeat", "3s")
		if code != 130 || !strings.HasSuffix(stderr, " --heartbeat 3s --all --expect 2\n") ||
			!strings.Contains(stderr, "taskwait: 3.0s: still waiting\n") || strings.Contains(stderr, "canceled") {
			t.Errorf("got code %d, %s, want 130 and the command as it was given", code, stderr)
		}
	})
}

// TestListUnread: a list that is watched ends when its reader has gone, as "taskwait kafka list --watch | head -1".
func TestListUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		w.stdout = broken{}
		if code, _, stderr := w.run(t.Context(), "kafka", "list", "--watch"); code != 0 {
			t.Errorf("got code %d, %s, want 0", code, stderr)
		}
	})
}

// TestListOutage: a list that is watched goes on through an outage, says so once, and says when it is over.
func TestListOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		w.cloud.Inject(fakekafka.RouteListTasks, fakecloud.Serve(), fakecloud.Unavailable().For(40*time.Second))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(2*time.Minute, func() { cancel(signalError{os.Interrupt}) })
		code, stdout, stderr := w.run(ctx, "kafka", "list", "--watch")
		if code != 130 || strings.Count(stdout, "no answer") != 1 || strings.Count(stdout, "readable again") != 1 ||
			!strings.Contains(stdout[strings.Index(stdout, "readable again"):], "SUCCESS") {
			t.Errorf("got code %d,\n%s%s\nwant 130, one outage, its end, and the changes of after it", code, stdout,
				stderr)
		}
	})
}

// TestListOutageAtFirst: trouble that may pass does not end a list that is watched, a refusal does.
func TestListOutageAtFirst(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault fakecloud.Fault
		want  int
	}{
		{"an outage", fakecloud.Unavailable().For(40 * time.Second), 130},
		{"a refusal", fakecloud.Error(403, "DMS.00400503", "no"), 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				w.cloud.Inject(fakekafka.RouteListTasks, tt.fault)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(2*time.Minute, func() { cancel(signalError{syscall.SIGTERM}) })
				code, stdout, stderr := w.run(ctx, "kafka", "list", "--watch")
				if want := tt.want + map[bool]int{true: 13}[tt.want == 130]; code != want {
					t.Errorf("got code %d,\n%s%s\nwant %d", code, stdout, stderr, want)
				}
			})
		})
	}
}

// TestJSONAlone: with --output json there is nothing but JSON, whatever goes wrong, in lines that are not too long.
func TestJSONAlone(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprintf("%032d", i))
	}
	history := func(text string) func(*testing.T, *testEnv) {
		return func(t *testing.T, w *testEnv) {
			w.cache = t.TempDir()
			if err := writeHistory(w.cache, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		set  func(*testing.T, *testEnv)
		args []string
		want string // an event
	}{
		{"250 ids that are not found", nil, many, `"event":"tasks"`},
		{"250 ids, and no time", nil, append([]string{"--timeout", "20s"}, many...), `"event":"end"`},
		{"a damaged history", history("{"), []string{"good"}, `"event":"warning"`},
		{"an empty history", history(""), []string{"good"}, `"event":"warning"`},
		{"a newer history", history(`{"version":99}`), []string{"good"}, `"event":"warning"`},
		{"a cache that is a file", func(t *testing.T, w *testEnv) {
			w.cache = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(w.cache, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"good"}, `"event":"warning"`},
		{"wrong keys", func(_ *testing.T, w *testEnv) { w.env["HUAWEICLOUD_SDK_SK"] = "wrong" }, []string{"good"},
			"401"},
		{"no network", func(_ *testing.T, w *testEnv) { w.transport = broken{} }, []string{"--all"}, "could not query"},
		{"nothing runs", func(_ *testing.T, w *testEnv) {
			w.env[instanceName] = "kafka-2"
			w.cloud.AddInstance("kafka-2")
		}, []string{"--all"}, "nothing runs"},
		{"several names", nil, []string{"--name", "bindInstancePublicIp", "--since", "1m"}, "several match"},
		{"heartbeats", nil, []string{"--timeout", "5m", "long"}, `"event":"heartbeat"`},
		{"too few", nil, []string{"--all", "--expect", "99"}, "of 99 expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				if tt.set != nil {
					tt.set(t, w)
				}
				code, stdout, stderr := w.run(t.Context(), append([]string{"kafka", "wait", "-o", "json"},
					tt.args...)...)
				events := parseJSON(t, stdout)
				end := events[len(events)-1]
				if stderr != "" || end["exit_code"] != float64(code) || !strings.Contains(stdout, tt.want) {
					t.Errorf("got code %d, the end %.300v, stderr %q, want the code there, nothing here, and %q", code,
						end, stderr, tt.want)
				}
				if events[0]["event"] != "start" || end["event"] != "end" {
					t.Errorf("got %v first and %v last, want the start and the end", events[0], end)
				}
			})
		})
	}
}

// TestManyOpen: ids that do not fit into the resume line come in events of their own, and the line reads them from
// standard input.
func TestManyOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		var ids []string
		for i := range 600 {
			ids = append(ids, w.cloud.AddTask(testInstance, script(fmt.Sprintf("%032d", i), time.Hour,
				taskwait.StatusSuccess)))
		}
		w.stdin = strings.NewReader(strings.Join(ids, "\n"))
		code, stdout, _ := w.run(t.Context(), "kafka", "wait", "-o", "json", "--timeout", "20s", "-")
		var started, open int
		events := parseJSON(t, stdout)
		for _, e := range events {
			tasks, _ := e["tasks"].([]any)
			switch e["event"] {
			case "start", "tasks":
				started += len(tasks)
			case "open":
				open += len(tasks)
			}
		}
		resume := fmt.Sprint(events[len(events)-1]["resume"])
		if code != 5 || started != 600 || open != 600 || events[0]["count"] != 600.0 || !strings.HasSuffix(resume,
			" --timeout 20s -") {
			t.Errorf("got code %d, %d started, %d open, %q, want 5, 600 of both, and ids from -", code, started, open,
				resume)
		}
	})
}

// rewriter replaces a text in what the service answers.
type rewriter struct {
	http.RoundTripper
	old, text string
}

func (r *rewriter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(r.text)
	body = bytes.ReplaceAll(body, []byte(`"`+r.old+`"`), quoted)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, err
}

// TestForeignText: nothing that the service says can write on a terminal or forge a line, in any output.
func TestForeignText(t *testing.T) {
	t.Parallel()
	const evil = "\x1b]0;title\a\x1b[2J\nFORGED  x  succeeded\r\u202e\u200b"
	for _, args := range []string{
		"wait x", "wait -q x", "wait -o json x", "wait --all --timeout 1m", "wait --all --timeout 1m -o json", "list",
		"list -o json",
		"wait --name evil --since 1h --timeout 1m", "wait y", "wait -o json y", "wait --timeout 20s z",
		"wait --timeout 20s z x",
	} {
		t.Run(args, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Name: evil, Duration: 10 * time.Second,
					Outcome: taskwait.StatusFailed})
				w.cloud.AddTask(testInstance, fakekafka.Script{ID: "z", Name: "evil",
					Steps: []fakekafka.Step{{Status: taskwait.Status(evil + strings.Repeat("x", 9999))}}})
				w.cloud.AddTask(testInstance, fakekafka.Script{ID: "evil-id", Duration: 10 * time.Second})
				w.transport = &rewriter{w.cloud.Transport(), "evil-id", evil}
				w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Error(503, evil, evil+strings.Repeat("x",
					9999)).Times(2))
				w.cloud.Inject(fakekafka.RouteListTasks, fakecloud.Error(503, evil, evil))
				_, stdout, stderr := w.run(t.Context(), append([]string{"kafka"}, strings.Fields(args)...)...)
				for line := range strings.Lines(stdout + stderr) {
					text := strings.TrimSuffix(line, "\n")
					if strings.ContainsAny(text, "\x1b\a\r\u202e\u200b") || strings.HasPrefix(text, "FORGED") {
						t.Errorf("got %q, want nothing of the service unescaped", text)
					}
					if len(text) > 4096 {
						t.Errorf("got a line of %d bytes, want what is foreign cut", len(text))
					}
				}
			})
		})
	}
}

// TestForeignView is the same for the live view and its summary.
func TestForeignView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		var frames bytes.Buffer
		w.screen = &screen{out: &frames, glyphs: unicodeGlyphs, size: func() (int, int) { return 80, 24 }}
		w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Name: "\x1b[5mname\n",
			Steps: []fakekafka.Step{{Status: "\x1b]0;title\a"}}})
		code, stdout, _ := w.run(t.Context(), "kafka", "wait", "--timeout", "20s", "x")
		if all := frames.String() + stdout; code != 6 || strings.Contains(all, "\x1b[5m") || strings.ContainsAny(all,
			"\a") {
			t.Errorf("got code %d, %q, want 6 and nothing of the service unescaped", code, all)
		}
	})
}

// TestInvalid: what the library refuses before it sends anything is a mistake on the command line.
func TestInvalid(t *testing.T) {
	for _, err := range []error{taskwait.ErrInvalidOption, taskwait.ErrInvalidID} {
		s := &env{stdout: io.Discard, stderr: io.Discard}
		s.out, s.errOut = newStream(s.stdout), newStream(s.stderr)
		r := s.newRun(subject{}, &printing{quiet: true}, selection{ids: []string{"x"}})
		r.reporter = quietReporter{func(string) {}}
		if code := r.end(t.Context(), fmt.Errorf("%w: too short", err)); code != 2 {
			t.Errorf("%v: got code %d, want 2", err, code)
		}
		s.out.close()
		s.errOut.close()
	}
}
