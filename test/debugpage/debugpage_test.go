// Package debugpage_test looks at the debug page in a real browser.
package debugpage_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/debugpage"
)

var screenshots = flag.String("screenshots", "", "the folder to write what the browser has shown to; empty: nowhere")

// browser is a tab of a headless Chromium, and what it has complained of.
type browser struct {
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(cmp.Or(os.Getenv("CHROMIUM"), "chromium")), chromedp.NoSandbox, chromedp.WindowSize(1280, 720))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a browser that hangs
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, func(e any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			b.bad = append(b.bad, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			b.bad = append(b.bad, fmt.Sprint(e.Type))
		}
	})
	return b
}

// do does something in the tab.
func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval is the value of a script.
func eval[T any](t *testing.T, b *browser, script string) (value T) {
	t.Helper()
	b.do(t, chromedp.Evaluate(script, &value))
	return value
}

// until waits until a script gives true.
func (b *browser) until(t *testing.T, script string) {
	t.Helper()
	for !eval[bool](t, b, `Boolean(`+script+`)`) { // the page's policy forbids what chromedp.Poll does
		b.do(t, chromedp.Sleep(20*time.Millisecond))
	}
}

// column is what the rows show in a column.
func (b *browser) column(t *testing.T, name string) []string {
	t.Helper()
	return eval[[]string](t, b, `Array.from(document.querySelectorAll("td.`+name+`"), td => td.innerText)`)
}

func percent(n int) *int { return &n }

const injection = `<script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">`

// tasks are what the Source says of ids that are no numbers.
func answer(id string) (taskwait.Task, error) {
	t := taskwait.Task{Status: taskwait.StatusExecuting, Raw: "secret"}
	switch id {
	case "resize-1":
		t.Kind, t.Percent, t.Remaining = "resizeInstance", percent(42), 5*time.Minute
	case "create-2":
		t.Kind, t.Status, t.Percent = "createInstance", taskwait.StatusCreated, percent(7)
	case "broken-3":
		return t, errors.New("503 " + injection)
	case "odd-4":
		t.Kind, t.Status, t.Phase = injection, `NEW"&<b>`, "EXTENDING"
	default:
		n, err := strconv.Atoi(id)
		t.Kind, t.Percent = "many", percent(n%100)
		return t, err
	}
	return t, nil
}

// process is a process that waits, with its page.
type process struct {
	*httptest.Server
	waiter *taskwait.Waiter
	polled sync.WaitGroup
	wait   func(ids ...string)
}

func newProcess(t *testing.T) *process {
	t.Helper()
	p := &process{}
	w, err := taskwait.New(taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		return answer(id)
	}), taskwait.WithInterval(time.Hour, time.Hour), taskwait.WithProgress(func(q taskwait.Progress) {
		if !q.Done {
			p.polled.Done()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	p.waiter, p.Server = w, httptest.NewServer(debugpage.Handler(w))
	p.wait = func(ids ...string) {
		p.polled.Add(len(ids))
		all.Go(func() { _, _ = w.WaitForAll(ctx, ids) })
		p.polled.Wait()
	}
	t.Cleanup(func() {
		p.Close()
		cancel()
		all.Wait()
	})
	return p
}

// TestPage looks at the page, clicks, types, and waits for what comes.
func TestPage(t *testing.T) {
	p, b := newProcess(t), newBrowser(t)
	for _, id := range []string{"resize-1", "create-2", "broken-3", "odd-4"} {
		p.wait(id)
		time.Sleep(5 * time.Millisecond) // of another age
	}
	b.do(t, chromedp.Navigate(p.URL+"?refresh=1"), chromedp.WaitVisible("table", chromedp.ByQuery))
	if got, want := b.column(t, "task"), []string{"resize-1", "create-2", "broken-3", "odd-4"}; !slices.Equal(got, want) {
		t.Errorf("got the tasks %q, want %q", got, want)
	}
	if got := eval[string](t, b, `document.getElementById("count").innerText`); got != "4 waits, 2 in trouble" {
		t.Errorf("got %q, want 4 waits, 2 in trouble", got)
	}
	for name, want := range map[string][]string{
		"status":    {"EXECUTING", "CREATED", "", `NEW"&<b> (EXTENDING)`},
		"percent":   {"42%", "7%", "", ""},
		"polls":     {"1", "1", "1 (1 error)", "1"},
		"next":      {"in 1h0m0s", "in 1h0m0s", "in 1h0m0s", "in 1h0m0s"},
		"remaining": {"5m0s", "", "", ""},
		"kind":      {"resizeInstance", "createInstance", "", injection},
	} {
		got := b.column(t, name)
		if name == "next" { // the clock runs
			for i := range got {
				if strings.HasPrefix(got[i], "in 59m") {
					got[i] = "in 1h0m0s"
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := b.column(t, "trouble"); got[2] != "503 "+injection {
		t.Errorf("got the trouble %q, want it as it came", got[2])
	}

	t.Run("a click sorts", func(t *testing.T) {
		b.do(t, chromedp.Click(`//th/a[text()="%"]`, chromedp.BySearch))
		b.until(t, `document.querySelector("th[aria-sort=descending]")?.innerText.startsWith("%")`)
		if got, want := b.column(t, "percent"), []string{"42%", "7%", "", ""}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		b.do(t, chromedp.Click(`//th/a[text()="%"]`, chromedp.BySearch))
		b.until(t, `document.querySelector("th[aria-sort=ascending]")`)
		if got, want := b.column(t, "percent"), []string{"", "", "7%", "42%"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})

	t.Run("it refreshes itself, and leaves alone what is typed", func(t *testing.T) {
		b.do(t, chromedp.SendKeys("input[type=search]", "resiz", chromedp.ByQuery))
		p.wait("5")
		b.until(t, `document.querySelectorAll("tbody tr").length == 5`)
		if got := eval[string](t, b, `document.querySelector("input[type=search]").value`); got != "resiz" {
			t.Errorf("got %q in the field, want resiz", got)
		}
		b.do(t, chromedp.SendKeys("input[type=search]", "e\r", chromedp.ByQuery))
		b.until(t, `document.querySelectorAll("tbody tr").length == 1`)
		if got := b.column(t, "task"); !slices.Equal(got, []string{"resize-1"}) {
			t.Errorf("got %q, want resize-1 alone", got)
		}
	})

	t.Run("a process that is gone", func(t *testing.T) {
		p.Close()
		b.until(t, `document.getElementById("lost").innerText.startsWith("no answer since")`)
		if got := b.column(t, "task"); !slices.Equal(got, []string{"resize-1"}) {
			t.Errorf("got %q, want what was shown last", got)
		}
	})

	if pwned := eval[bool](t, b, `"pwned" in window`); pwned || len(b.bad) > 0 {
		t.Errorf("got a script run: %v, and complaints %q; want none", pwned, b.bad)
	}
}

// TestLightAndDark: the page follows the browser, every text can be read, and nothing is wider than the window.
func TestLightAndDark(t *testing.T) {
	p, b := newProcess(t), newBrowser(t)
	for _, id := range []string{"resize-1", "create-2", "broken-3", "odd-4"} {
		p.wait(id)
	}
	var ids []string
	for i := range 40 {
		ids = append(ids, strconv.Itoa(i))
	}
	p.wait(ids...)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			var png []byte
			b.do(t,
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: scheme},
				}),
				chromedp.Navigate(p.URL), chromedp.WaitVisible("table", chromedp.ByQuery), chromedp.CaptureScreenshot(&png))
			if *screenshots != "" {
				if err := os.WriteFile(filepath.Join(*screenshots, scheme+".png"), png, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ground := luminance(t, b, "body", "backgroundColor")
			if dark := ground < 0.5; dark != (scheme == "dark") {
				t.Errorf("got a ground of luminance %.2f, want a %s one", ground, scheme)
			}
			for _, text := range []string{"h1", "td.task", "td.trouble", "#waits .quiet", "header a", "th a"} {
				behind := ground
				if text == "th a" {
					behind = luminance(t, b, "th", "backgroundColor")
				}
				color := luminance(t, b, text, "color")
				if c := (math.Max(color, behind) + 0.05) / (math.Min(color, behind) + 0.05); c < 4.5 {
					t.Errorf("%s: got a contrast of %.1f, want 4.5 at least, as WCAG has it", text, c)
				}
			}
			if wide := eval[bool](t, b, `document.documentElement.scrollWidth > innerWidth`); wide {
				t.Error("got a page wider than the window, want none")
			}
		})
	}
}

// luminance is the relative luminance of a color of an element, from 0 to 1.
func luminance(t *testing.T, b *browser, selector, property string) float64 {
	t.Helper()
	css := eval[string](t, b, fmt.Sprintf(`getComputedStyle(document.querySelector(%q))[%q]`, selector, property))
	var rgb [3]int
	if _, err := fmt.Sscanf(css, "rgb(%d, %d, %d)", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatalf("%s of %s: %q: %v", property, selector, css, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// TestTenThousand: with 10,000 waits the page is as small as with a hundred, and all can be reached by clicks.
func TestTenThousand(t *testing.T) {
	p, b := newProcess(t), newBrowser(t)
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	p.wait(ids...)
	b.do(t, chromedp.Navigate(p.URL+"?sort=-percent"), chromedp.WaitVisible("table", chromedp.ByQuery))
	if got := eval[string](t, b, `document.querySelector("nav").innerText`); !strings.Contains(got, "10000 waits") ||
		!strings.Contains(got, "1 to 100") {
		t.Errorf("got %q, want 10000 waits, 1 to 100", got)
	}
	b.do(t, chromedp.Click(`a[rel=next]`, chromedp.ByQuery))
	b.until(t, `document.querySelector("nav")?.innerText.includes("101 to 200") && document.readyState == "complete"`)
	if got := b.column(t, "percent"); len(got) != 100 || got[0] != "98%" {
		t.Errorf("got %d rows, the first with %s; want 100, the first with 98%%", len(got), got[0])
	}
	b.do(t, chromedp.SendKeys("input[type=search]", "4711\r", chromedp.ByQuery))
	b.until(t, `document.querySelectorAll("tbody tr").length == 1`)
	if got := b.column(t, "task"); got[0] != "4711" {
		t.Errorf("got %q, want 4711", got)
	}
}
