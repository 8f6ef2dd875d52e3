package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestGivenAndEmpty: no flag of any command, and no argument, may be given and empty, whatever the environment says.
func TestGivenAndEmpty(t *testing.T) {
	t.Parallel()
	w := newTestEnv(t)
	s := &env{
		args: []string{"sfs-turbo-tasks"}, // one service stands for all
		out:  newStream(&strings.Builder{}), errOut: newStream(&strings.Builder{}), getenv: os.Getenv,
	}
	defer s.out.close()
	defer s.errOut.close()
	var try func(c *cobra.Command)
	try = func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" {
				return
			}
			for _, value := range []string{"", " "} {
				stderr := refused(t, w, append(slices.Clone(path), "--"+f.Name, value)...)
				if !strings.Contains(stderr, "is a variable not set?") && f.Name != "help" {
					t.Errorf("%s --%s %q: got %q, want the question for a variable", path, f.Name, value, stderr)
				}
			}
			if f.Value.Type() == "string" {
				refused(t, w, append(slices.Clone(path), "--"+f.Name, "--quiet", "x")...)
				refused(t, w, append(slices.Clone(path), "--"+f.Name, "-q", "x")...)
			}
		})
		refused(t, w, append(slices.Clone(path), "")...)
		for _, sub := range c.Commands() {
			try(sub)
		}
	}
	try(s.root(t.Context()))
	refused(t, w, "kafka", "wait", "--all", "")
	refused(t, w, "kafka", "wait", "x", " ")
}

// refused wants code 2 of a command line, and that nothing is sent.
func refused(t *testing.T, w *testEnv, args ...string) (stderr string) {
	t.Helper()
	code, stdout, stderr := w.run(t.Context(), args...)
	if code != 2 || stdout != "" || stderr == "" {
		t.Errorf("%q: got code %d, stdout %q, stderr %q, want 2 and why", args, code, stdout, stderr)
	}
	if n := len(w.cloud.Requests()); n > 0 {
		t.Fatalf("%q: got %d requests, want none", args, n)
	}
	return stderr
}

func TestCheckEndpoint(t *testing.T) {
	for _, tt := range []struct{ endpoint, want, fault string }{
		{"https://dms.eu-west-101.myhuaweicloud.eu", "https://dms.eu-west-101.myhuaweicloud.eu", ""},
		{"HTTP://127.0.0.1:8080", "http://127.0.0.1:8080", ""},
		{"Https://gw/", "https://gw", ""},
		{"http://[::1]:80", "http://[::1]:80", ""},
		{"http://gw/dms", "", "has a path"},
		{"http://gw//v2", "", "has a path"},
		{"https://gw?x=1", "", "has a query"},
		{"https://gw?", "", "has a query"},
		{"https://gw#part", "", "has a query or a fragment"},
		{"https://gw#", "", "has a query or a fragment"},
		{"gw", "", "does not begin with https://"},
		{"gw:443", "", "does not begin with https://"},
		{"//gw", "", "does not begin with https://"},
		{"ftp://gw", "", "does not begin with https://"},
		{"https:gw", "", "has no host"},
		{"https://", "", "has no host"},
		{"https://:443", "", "has no host"},
		{"https://{project_id}", "", "is no URL"},
		{"https://gw:0", "", "has no valid port"},
		{"https://gw:", "", "has no valid port"},
		{"https://gw:65536", "", "has no valid port"},
		{"https://gw:http", "", "is no URL"},
		{"https://g w", "", "is no URL"},
		{"https://g\x1b[2Jw", "", "is no URL"},
		{"https://user:a-secret@gw", "", "has a user or a password"},
		{"https://gw/%40a-secret@", "", "has a user or a password"},
	} {
		got, err := checkEndpoint(tt.endpoint)
		if tt.fault == "" && (err != nil || got != tt.want) {
			t.Errorf("checkEndpoint(%q) = %q, %v, want %q", tt.endpoint, got, err, tt.want)
		}
		text := fmt.Sprint(err)
		if tt.fault != "" && (!strings.Contains(text, tt.fault) || strings.ContainsAny(text, "\x1b") ||
			strings.Contains(text, "a-secret")) {
			t.Errorf("checkEndpoint(%q) = %q, %v, want that it %s, and no secret", tt.endpoint, got, err, tt.fault)
		}
	}
}

// TestEndpointFromEnvironment: the line break of a file does not matter.
func TestEndpointFromEnvironment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		for name, value := range w.env {
			w.env[name] = value + "\n"
		}
		w.env[endpointName] = " HTTPS://kafka.fake/\r\n"
		if code, _, stderr := w.run(t.Context(), "kafka", "wait", "good"); code != 0 {
			t.Errorf("got code %d, %s, want 0", code, stderr)
		}
	})
}

// TestBadProxy does not show the URL of a proxy, which may hold a password.
func TestBadProxy(t *testing.T) {
	for proxy, good := range map[string]bool{
		"http://proxy": true, "http://proxy:3128/": true, "socks5://127.0.0.1:1080": true, "https://[::1]:8080": true,
		"http://": false, "ftp://proxy": false, "http://proxy/path": false, "http://proxy:99999": false,
		"http://:3128": false, "http://http://proxy": false, "http://a b": false,
	} {
		u, err := url.Parse(proxy)
		if got := err == nil && isProxy(u); got != good {
			t.Errorf("%s: got %v, want %v", proxy, got, good)
		}
	}
	s := &env{proxy: func(*http.Request) (*url.URL, error) {
		return nil, errors.New("invalid proxy http://u:a-secret@x")
	}}
	_, err := s.roundTripper("https://kafka.fake", nil)
	if err == nil || strings.Contains(err.Error(), "a-secret") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("got %v, want the name of the variable, and no secret", err)
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"kafak", "did you mean kafka?"},
		{"kafka wiat", "did you mean wait?"},
		{"kafka wait --taimeout 1m x", "did you mean --timeout?"},
		{"kafka wait --inst x", "did you mean --instance?"},
		{"kafka wait --timeout 30 x", `--timeout "30", want a duration such as 90s or 5m; did you mean 30s or 30m?`},
		{"kafka wait --timeout soon x", `--timeout "soon", want a duration such as 90s or 5m` + "\n"},
		{"kafka list --since 30", "did you mean 30s or 30m?"},
		{"kafka wait --region eu-west-11 --endpoint= x", "--endpoint is given, but empty"},
		{"kafka wait --region eu-west-11 x", "did you mean eu-west-101"},
		{"completion nonsense", `unknown command "nonsense" for "taskwait completion"`},
		{"completion", "Available Commands"},
		{"help nonsense", `unknown command "nonsense" for "taskwait"`},
		{"help kafka wiat", `unknown command "kafka wiat" for "taskwait"`},
	} {
		t.Run(tt.args, func(t *testing.T) {
			w := newTestEnv(t)
			code, stdout, stderr := w.run(t.Context(), strings.Fields(tt.args)...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("got code %d, stdout %q, stderr %q, want 2, none, and in it %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"timeout", "taimout", 2}, {"wiat", "wait", 1}, {"wait", "wait", 0},
		{"a", "b", 1}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestHint: what was given on the command line cannot write on the terminal, and no line wraps.
func TestHint(t *testing.T) {
	t.Parallel()
	w := newTestEnv(t)
	w.errColumns = func() int { return 40 }
	for _, args := range [][]string{
		{"kafka", "wait", "--\x1b[2J"}, {"\x1b[2J"}, {"kafka", "wait", "--output", "\x1b[2J", "x"}, {"kafka", "wait",
			"\x1b[2J\nx"},
		{"kafka", "wait", "--timeout", "\a", "x"}, {"kafka", "wait", "--region", "\x1b[2J", "--since", "\r", "x"},
		{"serve-fake", "--script", "\x1b[2J"}, {"kafka", "wait", "x", "--endpoint", strings.Repeat("x", 9999)},
	} {
		code, _, stderr := w.run(t.Context(), args...)
		if code != 2 || strings.ContainsAny(stderr, "\x1b\a\r") {
			t.Errorf("%q: got code %d, stderr %q, want 2 and no control character", args, code, stderr)
		}
		for line := range strings.Lines(stderr) {
			if n := width(strings.TrimSuffix(line, "\n")); n >= 40 && !strings.HasPrefix(line, "See ") {
				t.Errorf("%q: got a line of %d columns, want less than 40: %q", args, n, line)
			}
		}
	}
}

// TestHelpFits: no line of any help is wider than 80 columns.
func TestHelpFits(t *testing.T) {
	files, err := filepath.Glob("testdata/help-*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if w := width(strings.TrimRight(line, "\r\n")); w > 80 {
				t.Errorf("%s: got a line of %d columns, want at most 80: %s", file, w, line)
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, _ := newTestEnv(t).run(t.Context(), "completion", shell)
		if code != 0 || !strings.Contains(stdout, "taskwait") {
			t.Errorf("completion %s: got code %d and %d bytes, want 0 and a script", shell, code, len(stdout))
		}
	}
	w := newTestEnv(t)
	w.cache = t.TempDir()
	if err := writeHistory(w.cache, []byte(`{"version":1,"kinds":{"ownKind":[]}}`)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"kafka wait --output", []string{"text", "json"}},
		{"kafka list --region", []string{"eu-west-101", "cn-north-4"}},
		{"kafka wait --name", []string{"bindInstancePublicIp", "ownKind"}},
		{"kafka wait --instance", nil},
		{"kafka wait --since", nil},
		{"kafka wait", nil},
		{"kafka list", nil},
		{"demo", nil},
		{"serve-fake", nil},
	} {
		_, stdout, _ := w.run(t.Context(), append(append([]string{"__complete"}, strings.Fields(tt.args)...), "")...)
		words := strings.Split(strings.TrimSpace(stdout), "\n")
		if words[len(words)-1] != ":4" { // no files: cobra.ShellCompDirectiveNoFileComp
			t.Errorf("%s: got %q, want no files", tt.args, words)
		}
		for _, want := range tt.want {
			if !slices.Contains(words, want) {
				t.Errorf("%s: got %q, want %s in it", tt.args, words, want)
			}
		}
	}
}

// TestStdin reads ids from standard input.
func TestStdin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, stdin string
		args        []string
		want        int
		text        string
	}{
		{"two of them", "good\n\tbad\n", []string{"-"}, 1, "2 tasks: 1 failed, 1 succeeded"},
		{"beside an argument", "good", []string{"long", "-", "bad", "--timeout", "1m"}, 1, "3 tasks: 1 failed"},
		{"after a byte order mark", "\ufeffgood\r\n", []string{"-"}, 0, "succeeded"},
		{"none", " \n", []string{"-"}, 2, "ids on standard input: there is none"},
		{"none, beside an argument", "", []string{"good", "-"}, 2, "ids on standard input: there is none"},
		{"twice", "good", []string{"-", "-"}, 2, `"-" can be given only once`},
		{"a bad one", "good ../x", []string{"-"}, 2, `"../x"`},
		{"control characters", "go\x1bod", []string{"-"}, 2, `\x1b`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				w.stdin = strings.NewReader(tt.stdin)
				code, stdout, stderr := w.run(t.Context(), append([]string{"kafka", "wait"}, tt.args...)...)
				all := stdout + stderr
				if code != tt.want || !strings.Contains(all, tt.text) || strings.Contains(all, "\x1b") {
					t.Errorf("got code %d,\n%s%s\nwant %d and %q", code, stdout, stderr, tt.want, tt.text)
				}
			})
		})
	}
}

// TestStdinSignal ends though nobody writes.
func TestStdinSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		r, stdin, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		w.stdin = r
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(signalError{os.Interrupt})
		if code, _, stderr := w.run(ctx, "kafka", "wait", "-"); code != 130 || stderr != "" {
			t.Errorf("got code %d, %q, want 130", code, stderr)
		}
		_ = stdin.Close()
	})
}

// FuzzCheckEndpoint: an endpoint that is accepted is asked as it stands: a scheme in lower case, a host, and no more.
func FuzzCheckEndpoint(f *testing.F) {
	for _, seed := range []string{"https://gw", "HTTP://GW:80/", "http://[::1]:8", "https://a@b", "https://a/%2f",
		"http://a:00080"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		got, err := checkEndpoint(endpoint)
		if err != nil {
			if strings.IndexFunc(err.Error(), func(r rune) bool { return r < ' ' }) >= 0 {
				t.Errorf("%q: got error %q, want no control character", endpoint, err)
			}
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, got+"/v2/x", nil)
		if err != nil || req.URL.Path != "/v2/x" || got != req.URL.Scheme+"://"+req.URL.Host ||
			req.URL.Hostname() == "" {
			t.Errorf("%q: got %q, which asks %v, %v", endpoint, got, req, err)
		}
		if again, err := checkEndpoint(got); err != nil || again != got {
			t.Errorf("%q: got %q, and of that %q, %v, want the same", endpoint, got, again, err)
		}
	})
}
