package debugpage_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/debugpage"
)

// get asks the page.
func get(t *testing.T, h http.Handler, method, query string) (status int, header http.Header, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/debug/waits"+query, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(b)
}

// answer is what the Source says of a task.
type answer struct {
	task taskwait.Task
	err  error
}

func percent(n int) *int { return &n }

// waiting makes waits for tasks with these answers, a second one after the other, and returns their page when the last
// one has been polled. The first one begins a minute before.
func waiting(t *testing.T, all map[string]answer) http.Handler {
	t.Helper()
	w, err := taskwait.New(taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		time.Sleep(100 * time.Millisecond)
		return all[id].task, all[id].err
	}), taskwait.WithInterval(9*time.Second, 9*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
	var ids []string
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		go func() { _, _ = w.WaitForTask(ctx, id) }()
		if time.Sleep(time.Second); i == 0 {
			time.Sleep(time.Minute)
		}
	}
	return debugpage.Handler(w)
}

var three = map[string]answer{
	"a1": {task: taskwait.Task{Status: taskwait.StatusExecuting, Kind: "resizeInstance", Percent: percent(42),
		Remaining: 5 * time.Minute, Raw: "secret"}},
	"b2": {task: taskwait.Task{Status: "EXECUTING", Phase: "EXTENDING", Kind: "extend", Percent: percent(7)}},
	"c3": {err: errors.New("503 <b>bad & gateway</b>\n\x1b[31m")},
}

func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting(t, three)
		const head = "TASK  KIND            STATUS                 SEEN    %    POLLS        NEXT POLL  MAY STILL TAKE  " +
			"AGE   TROUBLE\n"
		const a1 = "a1    resizeInstance  EXECUTING              8s ago  42%  7            in 1s      5m0s            " +
			"1m3s  -\n"
		const b2 = "b2    extend          EXECUTING (EXTENDING)  2s ago  7%   1            in 7s      -               " +
			"2s    -\n"
		const c3 = "c3    -               -                      never   -    1 (1 error)  in 8s      -               " +
			"1s    " + `503 <b>bad & gateway</b>\n\x1b[31m` + "\n"
		const three = "2000-01-01T00:01:03Z: 3 waits, 1 in trouble"
		tests := []struct{ name, query, want string }{
			{"by age", "", three + "\n\n" + head + a1 + b2 + c3},
			{"the youngest first", "&sort=age", three + "\n\n" + head + c3 + b2 + a1},
			{"by task", "&sort=-task", three + "\n\n" + head + c3 + b2 + a1},
			{"by percent, unknown ones are below", "&sort=percent", three + "\n\n" + head + c3 + b2 + a1},
			{"by what remains", "&sort=-remaining", three + "\n\n" + head + a1 + b2 + c3},
			{"by kind", "&sort=-kind", three + "\n\n" + head + a1 + b2 + c3},
			{"by status", "&sort=status", three + "\n\n" + head + c3 + a1 + b2},
			{"by seen", "&sort=seen", three + "\n\n" + head + c3 + b2 + a1},
			{"by polls", "&sort=-polls", three + "\n\n" + head + a1 + b2 + c3},
			{"by next poll", "&sort=next", three + "\n\n" + head + a1 + b2 + c3},
			{"by trouble", "&sort=-trouble", three + "\n\n" + head + c3 + a1 + b2},
			{"some", "&limit=1&offset=3", three + ", none from 4 on\n\n"},
			{"none found", "&q=nothing", three + ", 0 with \"nothing\"\n\n"},
		}
		for _, tt := range tests {
			status, header, got := get(t, h, http.MethodGet, "?format=text"+tt.query)
			if got != tt.want || status != http.StatusOK || header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: got %d, %s\n%s\nwant\n%s", tt.name, status, header, got, tt.want)
			}
		}
	})
}

func TestJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting(t, three)
		_, header, got := get(t, h, http.MethodGet, "?format=json")
		want := `{"time":"2000-01-01T00:01:03Z","waits":3,"trouble":1,"found":3,"offset":0,"rows":[` +
			`{"task":"a1","kind":"resizeInstance","status":"EXECUTING","seen":8.4,"percent":42,"polls":7,"errors":0,` +
			`"next":0.7,"remaining":300,"elapsed":63},` +
			`{"task":"b2","kind":"extend","status":"EXECUTING","phase":"EXTENDING","seen":1.9,"percent":7,"polls":1,` +
			`"errors":0,"next":7.1,"elapsed":2},` +
			`{"task":"c3","polls":1,"errors":1,"trouble":"503 \u003cb\u003ebad \u0026 gateway\u003c/b\u003e\\n\\x1b[31m",` +
			`"next":8.1,"elapsed":1}]}` + "\n"
		if got != want || header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s\n%s\nwant\n%s", header, got, want)
		}
	})
	_, _, got := get(t, debugpage.Handler(), http.MethodGet, "?format=json&q=x")
	if !json.Valid([]byte(got)) || !strings.Contains(got, `"rows":[]`) {
		t.Errorf("got %s, want JSON with no rows", got)
	}
}

// TestSecrets: what an error of net/http shows of a URL has neither its query nor its user, even where it was cut.
func TestSecrets(t *testing.T) {
	broken := func(where string) answer {
		return answer{err: &url.Error{Op: "Get", URL: where, Err: errors.New("reset, see https://help.example/x")}}
	}
	synctest.Test(t, func(t *testing.T) {
		h := waiting(t, map[string]answer{
			"a": broken("https://secret@cloud.example:8443/v2/tasks?sign=secret&x=%22secret#secret"),
			"b": broken("HTTP://cloud.example?" + strings.Repeat("secret", 100)),
			"c": broken("http://secret:***@[::1]/v2/tasks"),
		})
		for _, query := range []string{"", "?format=text", "?format=json"} {
			if _, _, got := get(t, h, http.MethodGet, query); strings.Contains(got, "secret") {
				t.Errorf("%s: got a secret in\n%s", query, got)
			}
		}
		if _, _, got := get(t, h, http.MethodGet, "?format=text&q=secret"); !strings.Contains(got, ", 0 with") {
			t.Errorf("got\n%s\nwant a search that finds no secret", got)
		}
		_, _, got := get(t, h, http.MethodGet, "?format=text&sort=task")
		for _, want := range []string{
			`Get "https://cloud.example:8443/v2/tasks": reset, see https://help.example/x`,
			`Get "HTTP://cloud.example`, `Get "http://[::1]/v2/tasks": reset`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("got\n%s\nwant in it\n%s", got, want)
			}
		}
	})
}

// TestHTML: everything is escaped, nothing is loaded from elsewhere, and each link keeps what was asked for.
func TestHTML(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting(t, three)
		_, header, got := get(t, h, http.MethodGet, "?sort=percent&q=e&limit=1&offset=1&refresh=60")
		for _, want := range []string{
			`<span id="count">3 waits, 1 in trouble, 3 with &#34;e&#34;</span>`,
			`<a href="?limit=1&amp;offset=0&amp;q=e&amp;refresh=60&amp;sort=percent" rel="prev">before</a> 2 to 2 ` +
				`<a href="?limit=1&amp;offset=2&amp;q=e&amp;refresh=60&amp;sort=percent" rel="next">after</a>`,
			`aria-sort="ascending" class="number"><a ` +
				`href="?limit=1&amp;q=e&amp;refresh=60&amp;sort=-percent">%</a>`, // from the first one on
			`<input type="hidden" name="limit" value="1">`,
			`<meta http-equiv="refresh" content="60">`,
			`<td class="task">b2</td>`, `<td class="percent number">7%</td>`,
			`value="e"`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("got\n%s\nwant in it\n%s", got, want)
			}
		}
		if p := header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'; script-src 'sha256-") {
			t.Errorf("got the policy %s, want one that allows the page's own script", p)
		}
		_, _, got = get(t, h, http.MethodGet, `?q=`+url.QueryEscape(`"><script>alert(1)</script>`))
		_, _, all := get(t, h, http.MethodGet, ``)
		for _, bad := range []string{"<script>alert", "<b>bad", "secret", "\x1b"} {
			if strings.Contains(got+all, bad) {
				t.Errorf("got %q in\n%s\n%s", bad, got, all)
			}
		}
		if !strings.Contains(all, "503 &lt;b&gt;bad &amp; gateway&lt;/b&gt;") || !strings.Contains(got, "Nothing of that.") {
			t.Errorf("got\n%s\n%s\nwant the trouble, escaped, and nothing found", all, got)
		}
	})
	if _, _, got := get(t, debugpage.Handler(), http.MethodGet, ""); !strings.Contains(got, "<p>Nothing.</p>") {
		t.Errorf("got\n%s\nwant Nothing", got)
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, method, query string
		status              int
		want                string
	}{
		{"POST", http.MethodPost, "", http.StatusMethodNotAllowed, "GET or HEAD\n"},
		{"HEAD", http.MethodHead, "?format=text", http.StatusOK, "2"},
		{"format", http.MethodGet, "?format=xml", http.StatusBadRequest, "format \"xml\", want html, text or json\n"},
		{"sort", http.MethodGet, "?sort=-x%0a", http.StatusBadRequest,
			`sort "x\n", want one of task, kind, status, seen, percent, polls, next, remaining, age, trouble` + "\n"},
		{"limit", http.MethodGet, "?limit=0", http.StatusBadRequest, "limit \"0\", want a number from 1 to 10000\n"},
		{"limit", http.MethodGet, "?limit=10001", http.StatusBadRequest, "limit \"10001\", want a number from 1 to 10000\n"},
		{"offset", http.MethodGet, "?offset=-1", http.StatusBadRequest,
			"offset \"-1\", want a number from 0 to 1000000000\n"},
		{"refresh", http.MethodGet, "?refresh=5s", http.StatusBadRequest, "refresh \"5s\", want a number from 0 to 3600\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, header, got := get(t, debugpage.Handler(), tt.method, tt.query)
			if status != tt.status || !strings.HasPrefix(got, tt.want) || header.Get("Cache-Control") != "no-store" {
				t.Errorf("got %d, %s, %q; want %d, not to be stored, %q", status, header, got, tt.status, tt.want)
			}
		})
	}
}

// TestOperation: what is being started is shown by its name.
func TestOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := taskwait.New(taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
			return taskwait.Task{Status: taskwait.StatusSuccess}, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := w.Do(t.Context(), taskwait.Operation{Name: "resize", Kind: "resizeInstance",
				Start: func(context.Context, taskwait.Attempt) (string, error) {
					time.Sleep(time.Second)
					return "id", nil
				}})
			done <- err
		}()
		synctest.Wait()
		_, _, got := get(t, debugpage.Handler(w), http.MethodGet, "?format=text")
		if err := <-done; err != nil || !strings.Contains(got, "to start: resize ") {
			t.Errorf("got %v,\n%s\nwant the operation", err, got)
		}
	})
}

// tenThousand are so many waits, until stop is called.
func tenThousand(tb testing.TB) (w *taskwait.Waiter, stop func()) {
	tb.Helper()
	w, err := taskwait.New(taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		n, err := strconv.Atoi(id)
		return taskwait.Task{Status: taskwait.StatusExecuting, Kind: "resizeInstance", Percent: percent(n % 100)}, err
	}), taskwait.WithInterval(time.Hour, time.Hour))
	if err != nil {
		tb.Fatal(err)
	}
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running, asleep sync.WaitGroup
	asleep.Add(len(ids))
	running.Go(func() {
		_, _ = w.WaitForAll(ctx, ids, taskwait.WithProgress(func(p taskwait.Progress) {
			if !p.Done {
				asleep.Done()
			}
		}))
	})
	asleep.Wait()
	return w, func() { cancel(); running.Wait() }
}

// TestManyWaits: of many the first ones are shown, whatever they are sorted by, and all as text.
func TestManyWaits(t *testing.T) {
	w, stop := tenThousand(t)
	defer stop()
	h := debugpage.Handler(w)
	_, _, got := get(t, h, http.MethodGet, "?sort=-percent")
	if n := strings.Count(got, `<td class="percent number">99%</td>`); n != 100 || len(got) > 100_000 {
		t.Errorf("got %d rows with 99%% in %d bytes, want 100 in at most 100,000", n, len(got))
	}
	_, _, got = get(t, h, http.MethodGet, "?sort=-percent&offset=9900")
	if n := strings.Count(got, `<td class="percent number">0%</td>`); n != 100 {
		t.Errorf("got %d rows with 0%%, want 100", n)
	}
	_, _, got = get(t, h, http.MethodGet, "?format=text")
	if n := strings.Count(got, "\n"); n != 10_003 || len(got) > 2_000_000 {
		t.Errorf("got %d lines and %d bytes, want 10,003 and at most 2,000,000", n, len(got))
	}
}

// BenchmarkHandler is one look at 10,000 waits.
func BenchmarkHandler(b *testing.B) {
	w, stop := tenThousand(b)
	defer stop()
	h := debugpage.Handler(w)
	for _, format := range []string{"html", "text", "json"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/?format="+format, nil)
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
