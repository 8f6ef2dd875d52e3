package cli

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// page asks a URL, for a host.
func page(t *testing.T, url, host string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// TestDebugListen: the page is there as long as the command waits.
func TestDebugListen(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // at once, more of them than -parallel allows: they mostly wait
	for _, args := range []string{"long", "long long2", "--all", "--name bindInstancePublicIp --since 1h"} {
		all.Go(func() {
			t.Run(args, func(t *testing.T) {
				w := newTestEnv(t)
				id := w.cloud.AddTask(testInstance, script("long", time.Hour, taskwait.StatusSuccess))
				if strings.Contains(args, "long2") {
					w.cloud.AddTask(testInstance, script("long2", time.Hour, taskwait.StatusSuccess))
				}
				ctx, cancel := context.WithCancel(t.Context())
				stderr, errOut := io.Pipe()
				s := &env{
					args:   append(strings.Fields("kafka wait --debug-listen :0"), strings.Fields(args)...),
					stdout: io.Discard, stderr: errOut, getenv: func(name string) string { return w.env[name] },
					transport: w.cloud.Transport(),
				}
				code := make(chan int)
				go func() {
					n := s.run(ctx)
					_ = errOut.Close()
					code <- n
				}()
				lines, url := bufio.NewScanner(stderr), ""
				for found := false; !found && lines.Scan(); {
					_, url, found = strings.Cut(lines.Text(), "the waits are shown on ")
				}
				go func() { _, _ = io.Copy(io.Discard, stderr) }() // so that the command can write
				if !strings.HasPrefix(url, "http://127.0.0.1:") || !strings.HasSuffix(url, "/debug/waits") {
					t.Fatalf("got the page %q, want one of loopback", url)
				}
				for shown := false; !shown; time.Sleep(10 * time.Millisecond) {
					_, body := page(t, url+"?format=text", "")
					shown = strings.Contains(body, id+" ") && strings.Contains(body, "EXECUTING")
				}
				if status, body := page(t, strings.TrimSuffix(url, debugPath), "localhost"); status != http.StatusOK ||
					!strings.Contains(body, "What this process is waiting for") {
					t.Errorf("got %d, %s; want the page", status, body)
				}
				if status, body := page(t, url, "example.com"); status != http.StatusMisdirectedRequest {
					t.Errorf("got %d, %s for a host name; want 421", status, body)
				}
				cancel()
				if n := <-code; n == 0 {
					t.Errorf("got code 0 of a command that was stopped, want another one")
				}
				if _, err := net.DialTimeout("tcp", strings.Split(url, "/")[2], time.Second); err == nil {
					t.Error("got a connection after the command has ended, want none")
				}
			})
		})
	}
	all.Wait()
}

// TestDebugListenAddress: what is no address is refused before anything is asked, and one that is open is warned of.
func TestDebugListenAddress(t *testing.T) {
	t.Parallel()
	const want = `, want an address and a port, such as 127.0.0.1:6060; port 0: any that is free`
	tests := []struct{ name, address, want string }{
		{"no port", "127.0.0.1", `--debug-listen "127.0.0.1"` + want},
		{"a port alone", "6060", `--debug-listen "6060"` + want},
		{"no number", "127.0.0.1:http", `--debug-listen "127.0.0.1:http"` + want},
		{"too large", "127.0.0.1:65536", `--debug-listen "127.0.0.1:65536"` + want},
		{"a name", "example.com:6060", `--debug-listen "example.com:6060"` + want},
		{"not of this machine", "192.0.2.1:6060", "--debug-listen: listen tcp 192.0.2.1:6060: bind:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTestEnv(t)
			if stderr := refused(t, w, "kafka", "wait", "--debug-listen", tt.address, "id"); !strings.Contains(stderr, tt.want) {
				t.Errorf("got %q, want %q in it", stderr, tt.want)
			}
		})
	}
	for _, open := range []string{"0.0.0.0:0", "[::]:0", "[::1]:0", "localhost:0"} {
		d, err := listenDebug(open)
		if err != nil {
			if strings.HasPrefix(open, "[") { // a machine without IPv6
				continue
			}
			t.Fatal(err)
		}
		var hints []string
		d.announce(func(s string) { hints = append(hints, s) })
		d.close()
		if loop := open == "[::1]:0" || open == "localhost:0"; loop != (len(hints) == 1) {
			t.Errorf("%s: got the hints %q; want a warning unless it is loopback: %v", open, hints, loop)
		}
	}
}
