package cli

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// operations is an HTTP API, by the paths of its answers. It wants a header and a query that nobody may print.
type operationsAPI struct {
	answers map[string]string
	asked   atomic.Int64
	refuse  bool
}

func (a *operationsAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	a.asked.Add(1)
	w := httptest.NewRecorder()
	answer, found := a.answers[req.URL.Path]
	switch {
	case a.refuse || req.Header.Get("Authorization") != "Bearer a-secret" || req.URL.RawQuery != "key=q-secret":
		http.Error(w, `{"error":{"code":401,"message":"who are you?"}}`, http.StatusUnauthorized)
	case !found:
		http.Error(w, `{"error":{"code":"NotFound","message":"no such operation"}}`, http.StatusNotFound)
	default:
		_, _ = io.WriteString(w, answer)
	}
	return w.Result(), nil
}

func newOperations() *operationsAPI {
	return &operationsAPI{answers: map[string]string{
		"/ops/good": `{"status":"Done","progress":"100%","response":{"url":"https://x/y","n":[1, 2],"tricky":"a\u009b\nb"}}`,
		"/ops/bad":  `{"status":"error","error":{"code":"E7","message":"no room"}}`,
		"/ops/long": `{"status":"busy"}`, "/ops/off": `{"status":"stopped"}`, "/ops/odd": `{"status":"whatever"}`,
		"/ops/lro":  `{"name":"ops/lro","done":true,"response":{"id":"7"}}`,
		"/ops/slow": `{"name":"ops/slow","metadata":{}}`, "/ops/none": `{}`,
	}}
}

const httpWords = "--status status --success done,finished --failure failed,error --cancelled stopped " +
	"--executing busy --code error.code --reason error.message --header-file HEADERS "

func TestHTTPWait(t *testing.T) {
	t.Parallel()
	const at = " https://api.example.com/ops/"
	const query = "?key=q-secret"
	for _, tt := range []struct {
		name, args     string
		want           int
		stdout, stderr string // parts
	}{
		{"success", httpWords + at + "good" + query, 0, "https://api.example.com/ops/good  succeeded: SUCCESS",
			"taskwait: https://api.example.com, credentials from the file "},
		{"failed", httpWords + at + "bad" + query, 1, "failed: FAILED", ""},
		{"cancelled", httpWords + at + "off" + query, 3, "cancelled: CANCELLED", ""},
		{"not found", httpWords + at + "no" + query, 4, "not found after 1m", ""},
		{"timed out", httpWords + "--timeout 1m" + at + "long" + query, 5, "timed out after 1m: EXECUTING (seen 0s ago)",
			"to wait again: taskwait http wait --cancelled stopped "},
		{"an unknown word", httpWords + "--timeout 30s" + at + "odd" + query, 6, "a status that is not known: whatever", ""},
		{"no status", httpWords + "--timeout 30s" + at + "none" + query, 6, "the answer has no status in it", ""},
		{"refused", httpWords + at + "good?key=wrong", 6, "401 Unauthorized",
			"refuses the credentials from the file "},
		{"several", httpWords + at + "good" + query + at + "bad" + query, 1, "2 tasks: 1 failed, 1 succeeded", ""},
		{"a flag and no words", "--done done --id name --header-file HEADERS" + at + "lro" + query, 0, "SUCCESS", ""},
		{"no flag yet", "--done done --id name --header-file HEADERS --timeout 30s" + at + "slow" + query, 5,
			"EXECUTING", ""},
		{"from the environment", "--status status --success done --header Authorization:${BEARER}" + at + "good" + query,
			0, "SUCCESS", "credentials from the environment (BEARER)"},
		{"JSON", httpWords + "-o json --print response.url" + at + "good" + query, 0, `"value":"https://x/y"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				api := newOperations()
				w.transport = api
				w.env["BEARER"] = "Bearer a-secret"
				args := append([]string{"http", "wait"}, headerArgs(t, tt.args)...)
				code, stdout, stderr := w.run(t.Context(), args...)
				if code != tt.want || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("got code %d, stdout\n%s\nstderr\n%s\nwant %d, and in them\n%s\n%s", code, stdout, stderr,
						tt.want, tt.stdout, tt.stderr)
				}
				if strings.Contains(stdout+stderr, "-secret") {
					t.Errorf("got a secret printed:\n%s%s", stdout, stderr)
				}
			})
		})
	}
}

// TestPrintTooLong: a value that no line of JSON can hold is no success.
func TestPrintTooLong(t *testing.T) {
	for output, want := range map[string]int{outputText: codeOK, outputJSON: codeOutput} {
		synctest.Test(t, func(t *testing.T) {
			w, long := newTestEnv(t), strings.Repeat("x", maxLine)
			w.transport = handled(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"status":"done","url":"`+long+`"}`)
			})
			code, stdout, _ := w.run(t.Context(), "http", "wait", "--status", "status", "--success", "done", "--print", "url",
				"--output", output, "https://api.example.com/ops/7")
			text := map[int]string{codeOK: long, codeOutput: `"error":"--print: what is at url is too long for a line of JSON"`}
			if code != want || !strings.Contains(stdout, text[want]) {
				t.Errorf("%s: got code %d, %.2000s, want %d, and %.100s", output, code, stdout, want, text[want])
			}
		})
	}
}

// headerArgs are arguments, with a file of headers for HEADERS.
func headerArgs(t *testing.T, args string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(path, []byte("# who we are\n\nAuthorization: Bearer a-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(strings.ReplaceAll(args, "HEADERS", path))
}

// TestPrint: the value is alone on standard output, so that a script can take it.
func TestPrint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, place, of string
		code            int
		stdout, stderr  string
	}{
		{"a text", "response.url", "good", 0, "https://x/y\n", "succeeded: SUCCESS"},
		{"not a text", "response.n", "good", 0, "[1,2]\n", "succeeded: SUCCESS"},
		{"what does not print", "response.tricky", "good", 0, `a\u009b\nb` + "\n", ""},
		{"nothing there", "response.nothing", "good", 7, "", "--print: there is nothing at response.nothing"},
		{"failed", "error.code", "bad", 1, "", "failed: FAILED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.transport = newOperations()
				state := filepath.Join(t.TempDir(), "state")
				for range 2 { // the second time by the state
					code, stdout, stderr := w.run(t.Context(), headerArgs(t, "http wait "+httpWords+"--print "+tt.place+
						" --state "+state+" https://api.example.com/ops/"+tt.of+"?key=q-secret")...)
					if code != tt.code || stdout != tt.stdout || !strings.Contains(stderr, tt.stderr) {
						t.Errorf("got code %d, stdout %q, stderr\n%s\nwant %d, %q, and in it %s", code, stdout, stderr,
							tt.code, tt.stdout, tt.stderr)
					}
				}
				kept, err := os.ReadFile(state)
				if err != nil || strings.Contains(string(kept), "-secret") {
					t.Errorf("the state has a secret in it, or is not there (%v):\n%s", err, kept)
				}
			})
		})
	}
}

// TestHTTPResume: the line gives back what was given, but for the query.
func TestHTTPResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.transport = newOperations()
		w.env["TOKEN"] = "a-secret"
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(7001*time.Millisecond, func() { cancel(signalError{os.Interrupt}) })
		code, _, stderr := w.run(ctx, "http", "wait", "--header", "Authorization: Bearer ${TOKEN}", "--status", "status",
			"--success", "done", "https://api.example.com/ops/long?key=q-secret")
		const want = "to wait again: taskwait http wait --header 'Authorization: Bearer ${TOKEN}' --status status " +
			"--success done 'https://api.example.com/ops/long?…'\n"
		if code != 130 || !strings.Contains(stderr, want) || strings.Contains(stderr, "-secret") {
			t.Errorf("got code %d, stderr\n%s\nwant 130, and in it\n%s", code, stderr, want)
		}
	})
}

// TestDescribedUsage is about what is wrong with a description, before anything is sent or run.
func TestDescribedUsage(t *testing.T) {
	t.Parallel()
	const ok = "--status s --success done "
	const url = " https://api.example.com/ops/1?key=q-secret"
	for _, tt := range []struct {
		name, args, want string
	}{
		{"no URL", "http wait " + ok, "which task? Want the URL of a task, such as https://"},
		{"no status", "http wait --success done" + url, "--status is missing: the place of the status"},
		{"no success", "http wait --status s" + url, "--success is missing: the words"},
		{"an empty word", "http wait --status s --success done,,x" + url, `--success holds "", want a word`},
		{"a word twice", "http wait " + ok + "--failure Done" + url, `--failure holds "Done", which is SUCCESS already`},
		{"a bad place", "http wait --success done --status s[x" + url, `--status "s[x": want names with dots between them`},
		{"a bad place of a time", "http wait --created-at s[x " + ok + url,
			`--created-at "s[x": want names with dots between them`},
		{"a bad place to print", "http wait --print s[x " + ok + url, `--print "s[x": want names with dots between them`},
		{"printed of two", "http wait --print s " + ok + url + " https://api.example.com/ops/2",
			"--print wants a single task"},
		{"no scheme", "http wait " + ok + "api.example.com/1?key=q-secret",
			`"api.example.com/1" does not begin with https://`},
		{"a password", "http wait " + ok + "https://u:p-secret@api.example.com/1", "a URL has a user or a password in it"},
		{"two hosts", "http wait " + ok + url + " https://other.example.com/1",
			"is of another host than https://api.example.com"},
		{"two queries", "http wait " + ok + url + " https://api.example.com/ops/1?key=r-secret", "is given with two queries"},
		{"a walk", "http wait " + ok + "https://api.example.com/a/../b", "has .. in it"},
		{"a placeholder", "http wait " + ok + "https://api.example.com/{id}", "holds a { or a }"},
		{"a header on the command line", "http wait --header Authorization:h-secret " + ok + url,
			"--header Authorization has its value on the command line, want a variable in it, as in 'Authorization: Bearer"},
		{"no header", "http wait --header h-secret${TOKEN} " + ok + url, "--header has no name with a colon"},
		{"a variable that is not set", "http wait --header A:${NOTHING} " + ok + url,
			"--header A: the environment variable NOTHING is not set, or empty"},
		{"no file of headers", "http wait --header-file /nowhere " + ok + url, "--header-file: open /nowhere"},
		{"no authorities", "http wait --ca-file /dev/null " + ok + url, `--ca-file "/dev/null" holds no certificate`},
		{"exec: no command", "exec wait " + ok, "which command? Give it after --"},
		{"exec: no such command", "exec wait " + ok + "-- no-such-command-here x-secret", "no-such-command-here"},
		{"exec: no status", "exec wait --success done -- true", "--status is missing"},
		{"exec: no time", "exec wait --command-timeout 1ns " + ok + "-- true", "--command-timeout 1ns, want at least 10ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			api := newOperations()
			w.transport = api
			w.env["TOKEN"] = "a-secret"
			code, stdout, stderr := w.run(t.Context(), strings.Fields(tt.args)...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("got code %d, stdout %q, stderr %q, want 2, none, and in it %q", code, stdout, stderr, tt.want)
			}
			if strings.Contains(stderr, "-secret") || api.asked.Load() > 0 {
				t.Errorf("got a secret printed, or %d requests: %q", api.asked.Load(), stderr)
			}
		})
	}
}

// TestHeaderFile: a token that expires is renewed in the file while the wait lasts.
func TestHeaderFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "headers")
	write := func(text string, age time.Duration) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	write("A: one\n", time.Hour)
	h, err := (&headerFlags{file: path}).open(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ text, want string }{{"A: two\n", "two"}, {"no header", "two"}, {"A: three", "three"}} {
		write(step.text, time.Duration(len(step.text))*time.Minute)
		to := http.Header{}
		h.addTo(to)
		if got := to.Get("A"); got != step.want {
			t.Errorf("after %q: got %q, want %q", step.text, got, step.want)
		}
	}
}

// TestOwnAuthority: a server with a certificate of one's own is trusted with --ca-file, and not without.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"done"}`)
	}))
	defer func() { server.Close() }()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	path := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want int
		text string
	}{
		{"trusted", []string{"--ca-file", path}, 0, "SUCCESS"},
		{"not trusted", nil, 6, "certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.network = true
			args := append([]string{"http", "wait", "--status", "status", "--success", "done"}, tt.args...)
			code, stdout, _ := w.run(t.Context(), append(args, server.URL+"/1")...)
			if code != tt.want || !strings.Contains(stdout, tt.text) {
				t.Errorf("got code %d, %q, want %d, and in it %q", code, stdout, tt.want, tt.text)
			}
		})
	}
}
