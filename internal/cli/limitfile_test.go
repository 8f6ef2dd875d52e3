package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
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

// throttled counts the requests that a cloud has refused with 429.
func throttled(c *fakekafka.Cloud) (n int) {
	for _, r := range c.Requests() {
		if r.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// withQuota is a testEnv whose cloud lets in n requests a second.
func withQuota(t testing.TB, n int) *testEnv {
	w := newTestEnv(t)
	w.cloud = fakekafka.New(fakekafka.WithoutConflicts(), fakecloud.WithQuota(n))
	w.cloud.AddInstance(testInstance)
	return w
}

// late is a network on which requests are under way for up to half a second.
type late struct{ next http.RoundTripper }

func (l late) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(rand.N(500 * time.Millisecond))
	return l.next.RoundTrip(req)
}

// TestLimit: commands that share a file keep to the quota together, to the last request, however late some arrive.
func TestLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := withQuota(t, 8)
		w.transport = late{w.cloud.Transport()}
		file := filepath.Join(t.TempDir(), "quota")
		const commands = 20
		began := time.Now()
		var all sync.WaitGroup
		for i := range commands {
			id := fmt.Sprint("task-", i)
			w.cloud.AddTask(testInstance, script(id, 2*time.Second, taskwait.StatusSuccess))
			all.Go(func() {
				code, stdout, stderr := w.run(t.Context(), "kafka", "wait", "--limit", "8/s", "--limit-file", file, id)
				if code != 0 || strings.Contains(stdout, "throttled") {
					t.Errorf("got code %d, %s%s, want 0 and no throttle", code, stdout, stderr)
				}
			})
		}
		all.Wait()
		sent, took := len(w.cloud.Requests()), time.Since(began)
		if n := throttled(w.cloud); n > 0 || sent < commands {
			t.Errorf("got %d of %d requests throttled, want none", n, sent)
		}
		if most := time.Duration(sent/8+1) * 1500 * time.Millisecond; took > most+8*time.Second {
			t.Errorf("got %d requests in %v, want them in %v and the pauses of the last", sent, took, most)
		}
	})
}

// TestLimitAlone: without a file the limit is the command's own; a list keeps to it as well.
func TestLimitAlone(t *testing.T) {
	for _, args := range []string{
		"kafka wait --limit 2/s --interval 100ms --max-interval 100ms --timeout 20s long",
		"kafka list --limit 2/s --interval 100ms --watch",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := withQuota(t, 2)
			addTasks(w.cloud)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			w.run(ctx, strings.Fields(args)...)
			if sent, n := len(w.cloud.Requests()), throttled(w.cloud); n > 0 || sent < 38 || sent > 44 {
				t.Errorf("%s: got %d requests, %d throttled, want about 40, none", args, sent, n)
			}
		})
	}
}

// TestLimitHold: a throttle that one command meets makes all hold off.
func TestLimitHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		file := filepath.Join(t.TempDir(), "quota")
		w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Throttle(30*time.Second))
		began := time.Now()
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				args := []string{"kafka", "wait", "--limit", "8/s", "--limit-file", file, "good"}
				if code, _, stderr := w.run(t.Context(), args...); code != 0 {
					t.Errorf("got code %d, %s, want 0", code, stderr)
				}
			})
		}
		all.Wait()
		for _, r := range w.cloud.Requests()[1:] {
			if after := r.Time.Sub(began); after < 30*time.Second {
				t.Errorf("got a request %v after the throttle, want none for 30s: %v", after, r)
			}
		}
	})
}

// TestLimitFile: what is in the file already delays nobody for long, whatever it is.
func TestLimitFile(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).UnixNano() }
	full := func(from, until time.Duration) string {
		l := fmt.Sprintf("[%d,%d]", at(from), at(until))
		return `{"version":1,"requests":[` + strings.Repeat(l+",", 7) + l + `],"hold":[0,0]}`
	}
	hold := func(from, until time.Duration) string {
		return fmt.Sprintf(`{"version":1,"requests":null,"hold":[%d,%d]}`, at(from), at(until))
	}
	for _, tt := range []struct {
		name, text string
		want       time.Duration // until the request is sent
		damaged    bool
	}{
		{"none", "", 0, false},
		{"room", `{"version":1,"requests":[],"hold":[0,0]}`, 0, false},
		{"no room for a while", full(-time.Second, time.Second), time.Second, false},
		{"all hold off", hold(-time.Second, 10*time.Second), 10 * time.Second, false},
		{"long ago", full(-time.Hour, -time.Minute), 0, false},
		{"the clock was set back", full(time.Hour, time.Hour+time.Second), 0, false},
		{"the clock was set back in a hold-off", hold(time.Hour, time.Hour+time.Minute), 0, false},
		{"for years", full(0, 1e5*time.Hour), 0, true},
		{"a hold-off for years", hold(0, 1e5*time.Hour), 0, true},
		{"the wrong way round", full(time.Second, 0), 0, true},
		{"an overflow", `{"version":1,"requests":[[-9223372036854775807,9223372036854775807]]}`, 0, true},
		{"cut", `{"version":1,"requ`, 0, true},
		{"empty", "\n", 0, true},
		{"no version", "{}", 0, true},
		{"something else", "ids: [a, b]", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				file := filepath.Join(t.TempDir(), "quota")
				if tt.text != "" {
					if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				began := time.Now()
				code, stdout, stderr := w.run(t.Context(), "kafka", "wait", "-o", "json", "--limit", "8/s",
					"--limit-file", file, "good")
				sent := w.cloud.Requests()[0].Time.Sub(began)
				if late := sent - tt.want; code != 0 || late < 0 || late > queueSpread {
					t.Errorf("got code %d, the first request after %v, %s, want 0, after %v", code, sent, stderr, tt.want)
				}
				if n := strings.Count(stdout, `"event":"warning"`); stderr != "" || n != 1 && tt.damaged || n > 0 &&
					!tt.damaged {
					t.Errorf("got %d warnings, %s%s, want it said once if the file is damaged", n, stdout, stderr)
				}
				kept, _ := os.ReadFile(damagedPath(file))
				if want := map[bool]string{true: tt.text}[tt.damaged]; string(kept) != want {
					t.Errorf("got %q kept, want %q", kept, want)
				}
			})
		})
	}
}

// TestLimitFileRefused: what no quota can be kept in is found before anything is sent.
func TestLimitFileRefused(t *testing.T) {
	dir := t.TempDir()
	newer, socket := filepath.Join(dir, "newer"), filepath.Join(dir, "socket")
	if err := os.WriteFile(newer, []byte(`{"version":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for _, tt := range []struct{ file, want string }{
		{filepath.Join(dir, "nowhere", "quota"), "--limit-file: open "},
		{dir, "is no regular file"},
		{socket, "is no regular file"},
		{newer, "version 2 is newer than this program"},
	} {
		stderr := refused(t, newTestEnv(t), "kafka", "wait", "--limit", "8/s", "--limit-file", tt.file, "x")
		if !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: got %q, want %q in it", tt.file, stderr, tt.want)
		}
	}
	if text, err := os.ReadFile(newer); string(text) != `{"version":2}` {
		t.Errorf("got %q, %v, want a file of a newer version left alone", text, err)
	}
}

// TestLimitFileLost: a file that cannot be used any more is no reason to give up, and is said once.
func TestLimitFileLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withQuota(t, 2)
		addTasks(w.cloud)
		dir := filepath.Join(t.TempDir(), "dir")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, func() { _ = os.RemoveAll(dir) })
		code, _, stderr := w.run(t.Context(), "kafka", "wait", "--interval", "10ms", "--max-interval", "10ms",
			"--limit", "2/s", "--limit-file", filepath.Join(dir, "quota"), "good")
		if n := strings.Count(stderr, "the limit is this command's own from now on: "); code != 0 || n != 1 {
			t.Errorf("got code %d, %s, want 0, and what is lost said once", code, stderr)
		}
		if n := throttled(w.cloud); n > 0 {
			t.Errorf("got %d requests throttled, want none", n)
		}
	})
}

// FuzzParseRequests: whatever is in the file, nobody waits longer for it than the longest limit allows.
func FuzzParseRequests(f *testing.F) {
	f.Add([]byte(`{"version":1,"requests":[[1,2],[3,4]],"hold":[5,6]}`))
	f.Add([]byte(`{"version":1,"requests":[[946684800000000000,946684801000000000]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRequests(text)
		if err != nil {
			return
		}
		for _, first := range append(r.Lately, r.Hold) {
			if first[1]-first[0] > int64(2*maxLimitPer) || first[1] < first[0] {
				t.Errorf("%s: got %v accepted, want at most %v", text, first, 2*maxLimitPer)
			}
		}
	})
}
