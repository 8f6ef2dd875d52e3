package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// stopAfter is a context that a signal ends after a time.
func stopAfter(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(d, func() { cancel(signalError{syscall.SIGTERM}) })
	return ctx
}

// TestState: a wait that is stopped, and goes on after a while, ends as if nothing had happened, and when it would
// have.
func TestState(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args string
		want       int
		text       string
		end        time.Duration // at most, after the first begin
		stops      []time.Duration
	}{
		{"success", "good", 0, "succeeded: SUCCESS (bindInstancePublicIp), took 20s\n", time.Minute,
			[]time.Duration{time.Millisecond, 5 * time.Second}},
		{"failed", "bad", 1, "failed: FAILED", time.Minute, []time.Duration{5 * time.Second}},
		{"a timeout", "--timeout 5m long", 5, "timed out after 5m: EXECUTING", 5 * time.Minute,
			[]time.Duration{time.Millisecond, 4 * time.Minute}},
		{"several", "good bad off long --timeout 5m", 1,
			"4 tasks: 1 failed, 1 cancelled, 1 timed out, 1 succeeded\n", 5 * time.Minute, []time.Duration{15 * time.Second}},
		{"several, failing fast", "--fail-fast bad long", 1, "2 tasks: 1 failed, 1 stopped\n", time.Minute,
			[]time.Duration{5 * time.Second}},
		{"all", "--all --timeout 5m", 1, "6 tasks: 2 failed, 1 cancelled, 1 deleted, 1 timed out, 1 succeeded\n",
			5 * time.Minute, []time.Duration{time.Millisecond, 45 * time.Second}},
		{"a name", "--name kafkaUpgrade --since 1h", 1, "failed: FAILED (kafkaUpgrade), took 40s", 90 * time.Second,
			[]time.Duration{time.Millisecond, 5 * time.Second, 30 * time.Second}},
		{"a name that is none", "--name none --since 1h --timeout 5m", 4, "no task none has begun since then",
			2 * time.Minute, []time.Duration{30 * time.Second}},
		{"not found", "nobody", 4, "not found after 1m", 2 * time.Minute, []time.Duration{30 * time.Second}},
	} {
		for _, stop := range tt.stops {
			t.Run(fmt.Sprintf("%s, stopped after %v", tt.name, stop), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newTestEnv(t)
					addTasks(w.cloud)
					w.cloud.AddTask(testInstance, fakekafka.Script{
						ID: "upgrade", Name: "kafkaUpgrade", Duration: 40 * time.Second, Outcome: taskwait.StatusFailed,
					})
					began := time.Now()
					args := append(strings.Fields("kafka wait --state "+filepath.Join(t.TempDir(), "state")),
						strings.Fields(tt.args)...)
					code, stdout, stderr := w.run(stopAfter(t, stop), args...)
					if code == 143 {
						time.Sleep(20 * time.Second)
						code, stdout, stderr = w.run(t.Context(), args...)
					}
					if end := time.Since(began); code != tt.want || !strings.Contains(stdout, tt.text) || end > tt.end {
						t.Errorf("got code %d after %v,\n%s%s\nwant %d within %v and %q", code, end, stdout, stderr,
							tt.want, tt.end, tt.text)
					}
				})
			})
		}
	}
}

// TestStateRepeats: a command whose wait has ended says so again, in whatever form, and asks nobody.
func TestStateRepeats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args string
		want       int
	}{
		{"success", "good", 0},
		{"several", "good bad off", 1},
		{"not found", "nobody", 4},
		{"a name", "--name bindInstancePublicIp --since 2h", 4},
		{"a timeout", "--timeout 30s long", 5},
		{"nothing runs", "--all --instance kafka-2", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				w.cloud.AddInstance("kafka-2")
				args := append(strings.Fields("kafka wait --state "+filepath.Join(t.TempDir(), "state")),
					strings.Fields(tt.args)...)
				code, first, firstErr := w.run(t.Context(), args...)
				asked := len(w.cloud.Requests())
				time.Sleep(time.Hour)
				again, second, secondErr := w.run(t.Context(), args...)
				if code != tt.want || again != code || lastLines(second) != lastLines(first) ||
					!strings.Contains(secondErr, "this ended at ") {
					t.Errorf("got code %d, then %d,\n%s%s\nwant %d both times,\n%s%s", code, again, second, secondErr, tt.want,
						first, firstErr)
				}
				delete(w.env, "HUAWEICLOUD_SDK_SK")
				again, stdout, stderr := w.run(t.Context(), append(args, "-o", "json")...)
				events := parseJSON(t, stdout)
				last := events[len(events)-1]
				if again != code || stderr != "" || events[0]["event"] != eventStart || last["exit_code"] != float64(code) {
					t.Errorf("as JSON, without credentials: got code %d, %s%s, want %d and the events", again, stdout, stderr, code)
				}
				if n := len(w.cloud.Requests()); n != asked {
					t.Errorf("got %d requests after the end, want none", n-asked)
				}
			})
		})
	}
}

// lastLines are those that say how tasks have ended.
func lastLines(stdout string) string {
	lines := slices.DeleteFunc(strings.SplitAfter(stdout, "\n"), func(line string) bool {
		return strings.Contains(line, "next ") || strings.Contains(line, "refused (")
	})
	return strings.Join(lines, "")
}

// TestStateGoesOn: an end that is not final is no end for the same command with more time, or with its fault corrected.
func TestStateGoesOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, first, second string
		set                 func(*testEnv)
		want                [2]int
		end                 time.Duration
	}{
		{"a longer timeout", "--timeout 10s good", "--timeout 1m good", nil, [2]int{5, 0}, time.Minute},
		{"no timeout any more", "--timeout 10s good", "good", nil, [2]int{5, 0}, time.Minute},
		{"a longer one that is over, too", "--timeout 10s long", "--timeout 12s long", nil, [2]int{5, 5},
			15 * time.Second},
		{"a refusal", "good", "good", func(w *testEnv) {
			w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Error(403, "DMS.00400503", "no"))
		}, [2]int{6, 0}, time.Minute},
		{"begun anew", "--timeout 10s long", "--timeout 10s --state-new long", nil, [2]int{5, 5}, time.Minute},
		{"begun anew with another task", "good", "--state-new bad", nil, [2]int{0, 1}, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				if tt.set != nil {
					tt.set(w)
				}
				began := time.Now()
				state := strings.Fields("kafka wait --state " + filepath.Join(t.TempDir(), "state"))
				var got [2]int
				for i, args := range []string{tt.first, tt.second} {
					var stdout, stderr string
					got[i], stdout, stderr = w.run(t.Context(), append(slices.Clone(state), strings.Fields(args)...)...)
					time.Sleep(time.Second)
					if got[i] != tt.want[i] {
						t.Errorf("got code %d, %s%s, want %d", got[i], stdout, stderr, tt.want[i])
					}
				}
				if end := time.Since(began); end > tt.end {
					t.Errorf("got the end after %v, want it within %v", end, tt.end)
				}
			})
		})
	}
}

// TestStateResume: the resume line is the command that goes on.
func TestStateResume(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"long good", "--state FILE long good"},
		{"--all --expect 2", "--state FILE --all --expect 2"},
		{"--timeout 3s long", "--timeout 3s --state FILE --state-new long"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newTestEnv(t)
			addTasks(w.cloud)
			file := filepath.Join(t.TempDir(), "state")
			_, _, stderr := w.run(stopAfter(t, 7001*time.Millisecond),
				append(strings.Fields("kafka wait --state "+file), strings.Fields(tt.args)...)...)
			_, got, _ := strings.Cut(strings.ReplaceAll(stderr, file, "FILE"), fakecloud.DefaultProject+" ")
			if got = strings.TrimSpace(got); got != tt.want {
				t.Errorf("%s: got %s\nwant %s", tt.args, got, tt.want)
			}
		})
	}
}

// TestStateRefused: what is wrong with the file, or does not fit it, is found before anything is sent, and the file is
// left alone.
func TestStateRefused(t *testing.T) {
	golden, err := os.ReadFile("testdata/state-1.json")
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) string {
		if !strings.Contains(string(golden), old) {
			t.Fatalf("got no %s in the golden file", old)
		}
		return strings.Replace(string(golden), old, with, 1)
	}
	for _, tt := range []struct{ name, text, args, want string }{
		{"another task", string(golden), "b", "it is of another command, with task ids a instead of b; name another file"},
		{"several tasks", string(golden), "a b", "with task ids a instead of a b"},
		{"another instance", string(golden), "--instance kafka-2 a", "with --instance kafka-1 instead of kafka-2"},
		{"all", string(golden), "--all", "without --all, without --expect, with task ids a; name"},
		{"another command", change(`"kafka wait"`, `"kafka start"`), "a", "with command kafka start instead of kafka wait"},
		{"a newer version", change(`"version":1`, `"version":2`), "a",
			"version 2 is newer than this program; it is left alone"},
		{"a newer version, anew", change(`"version":1`, `"version":2`), "--state-new a", "it is left alone"},
		{"a newer wait", change(`"v":1`, `"v":99`), "a", "it is left alone"},
		{"cut", string(golden[:len(golden)/2]), "a", "this is no state, or a damaged one: "},
		{"empty", "", "a", "this is no state, or a damaged one: "},
		{"something else", "ids: [a]", "--state-new a", "this is no state, or a damaged one: "},
		{"no version", "{}", "a", "this is no state, or a damaged one: it has no version"},
		{"a wait of another task", change(`"id":"a"`, `"id":"c"`), "a", "a wait is another task's"},
		{"an absurd time", change(`"begun":"20`, `"begun":"00`), "a", "it does not say what has begun, and when"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			file := filepath.Join(t.TempDir(), "state")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			stderr := refused(t, w, append(strings.Fields("kafka wait --state "+file), strings.Fields(tt.args)...)...)
			if !strings.Contains(stderr, tt.want) {
				t.Errorf("got %q, want in it %q", stderr, tt.want)
			}
			if now, err := os.ReadFile(file); string(now) != tt.text || err != nil {
				t.Errorf("got the file %s, %v, want it left alone", now, err)
			}
		})
	}
	dir := t.TempDir()
	for file, want := range map[string]string{
		filepath.Join(dir, "nowhere", "state"): "no such file or directory", dir: "is no regular file",
		os.DevNull: "is no regular file",
	} {
		if stderr := refused(t, newTestEnv(t), "kafka", "wait", "--state", file, "x"); !strings.Contains(stderr, want) {
			t.Errorf("%s: got %q, want in it %q", file, stderr, want)
		}
	}
	many := strings.Fields(strings.Repeat("x ", maxStateTasks+1))
	for i := range many {
		many[i] += fmt.Sprint(i)
	}
	many = append([]string{"kafka", "wait", "--state", filepath.Join(dir, "many")}, many...)
	stderr := refused(t, newTestEnv(t), many...)
	if want := "--state keeps at most 100 tasks, and there are 101"; !strings.Contains(stderr, want) {
		t.Errorf("got %q, want in it %q", stderr, want)
	}
}

// TestStateHeld: of two commands at once the second says who has the file, and asks nobody.
func TestStateHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		args := []string{"kafka", "wait", "--state", filepath.Join(t.TempDir(), "state"), "good"}
		first := make(chan int, 1)
		go func() {
			code, _, _ := w.run(t.Context(), args...)
			first <- code
		}()
		time.Sleep(5 * time.Second)
		asked := len(w.cloud.Requests())
		code, _, stderr := w.run(t.Context(), args...)
		want := fmt.Sprintf("process %d has it, since 2000-01-01T00:00:00Z", os.Getpid())
		if code != 2 || !strings.Contains(stderr, want) || len(w.cloud.Requests()) != asked {
			t.Errorf("got code %d, %q, want 2 and %q", code, stderr, want)
		}
		if code := <-first; code != 0 {
			t.Errorf("got code %d of the first, want 0", code)
		}
	})
}

// TestStateUnsaved: that the file cannot be written any more is said once, and the wait goes on.
func TestStateUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		dir := filepath.Join(t.TempDir(), "dir")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(3*time.Second, func() { _ = os.RemoveAll(dir) })
		code, stdout, stderr := w.run(t.Context(), "kafka", "wait", "--state", filepath.Join(dir, "state"), "good")
		if n := strings.Count(stderr, "the state cannot be saved: "); code != 0 || n != 1 {
			t.Errorf("got code %d, %s%s, want 0, and what is wrong said once", code, stdout, stderr)
		}
	})
}

// TestStateSaves: the state is saved at most once a second, unless the status changes, and no secret is in it.
func TestStateSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Params: `{"password":"` + aSecret + `"}`,
			Duration: 20 * time.Second, Outcome: taskwait.StatusSuccess})
		file := filepath.Join(t.TempDir(), "state")
		written := map[string]bool{}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			defer close(over)
			for ctx.Err() == nil {
				time.Sleep(50 * time.Millisecond)
				text, _ := os.ReadFile(file)
				written[string(text)] = true
			}
		}()
		code, _, _ := w.run(t.Context(), "kafka", "wait", "--interval", "100ms", "--max-interval", "100ms", "--state", file,
			"x")
		cancel()
		<-over
		if n := len(written); code != 0 || n < 18 || n > 26 {
			t.Errorf("got code %d, %d versions of the file in 20s, want 0 and about 22", code, n)
		}
		for text := range written {
			if strings.Contains(text, aSecret) || strings.Contains(text, fakecloud.DefaultSecretKey) ||
				strings.Contains(text, fakecloud.DefaultAccessKey) {
				t.Errorf("got a secret in %s", text)
			}
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v, want a file for its owner alone", info, err)
		}
	})
}

// TestStateGolden: what was stored by an earlier version is read for ever.
func TestStateGolden(t *testing.T) {
	for _, name := range []string{"state-1.json", "state-1-ended.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := parseState(text)
		if err != nil {
			t.Fatal(name, err)
		}
		if again, err := json.Marshal(kept); err != nil || string(again)+"\n" != string(text) {
			t.Errorf("%s: got %s, %v, want it as it was", name, again, err)
		}
	}
}

// FuzzParseState: whatever is in a file, it is an error or a state that can be gone on with, and is stored as it was.
func FuzzParseState(f *testing.F) {
	files, _ := filepath.Glob("testdata/state-*.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kept, err := parseState(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("%q: got error %q, want no control character", text, err)
			}
			return
		}
		for _, task := range kept.Tasks {
			if _, err := task.wait(); err != nil {
				t.Errorf("%q: got %v, want a wait", text, err)
			}
		}
		again, err := json.Marshal(kept)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := parseState(again); err != nil {
			t.Errorf("%q: got %v for what was stored again: %s", text, err, again)
		}
	})
}

// TestStateBudget: the timeout counts from the first begin, also for a wait that was killed before its first answer.
func TestStateBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &state{kept: keptState{Begun: time.Now(), Listing: seconds(time.Second)}}
		time.Sleep(7 * time.Minute)
		begun, fresh := &keptTask{Wait: json.RawMessage("{}")}, &keptTask{}
		for _, tt := range []struct {
			task          *keptTask
			timeout, want time.Duration
		}{
			{begun, 10 * time.Minute, 10*time.Minute - time.Second}, // counted from its own begin, a second later
			{fresh, 10 * time.Minute, 3 * time.Minute},
			{fresh, 5 * time.Minute, time.Millisecond},
			{begun, 0, 0},
			{fresh, 0, 0},
		} {
			if got := s.budget(tt.task, tt.timeout); got != tt.want {
				t.Errorf("budget(%s, %v) = %v, want %v", tt.task.Wait, tt.timeout, got, tt.want)
			}
		}
	})
}
