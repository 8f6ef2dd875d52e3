package otelwait_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	promclient "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/taskwait/taskwait"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
)

var update = flag.Bool("update", false, "write testdata anew")

// slow gives each permit after some time.
type slow time.Duration

func (s slow) Wait(ctx context.Context) error {
	time.Sleep(time.Duration(s))
	return ctx.Err()
}

// play makes waits of all kinds, and calls then while one goes on.
func play(t *testing.T, meters *metric.MeterProvider, then func()) {
	t.Helper()
	var contexts []trace.SpanContext
	every := taskwait.WithInterval(4*time.Second, 4*time.Second)
	run := func(opts []taskwait.Option, all ...said) {
		w := observed(t, script(&contexts, all...), meters, append(opts, every)...)
		_, _ = w.WaitForTask(t.Context(), "8abfa7b272adc5b4")
	}
	failed := said{task: taskwait.Task{Status: taskwait.StatusFailed, Kind: "resizeInstance"}}
	limiter := taskwait.WithLimiter(taskwait.NewLimiter(slow(3 * time.Second)))
	run(nil, running(""), running(""), succeeded)
	run([]taskwait.Option{limiter}, running(""), said{err: taskwait.Throttled(0, errors.New("429"))}, failed)
	run([]taskwait.Option{taskwait.WithTimeout(20 * time.Minute)}, said{err: errors.New("reset")}, running(""))
	lists := observed(t, &pages{began: time.Now()}, meters, every)
	_, _ = lists.WaitForAll(t.Context(), []string{"a", "b", "c"})
	w := observed(t, script(&contexts, running("")), meters, every)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = w.WaitForTask(ctx, "8abfa7b272adc5b4")
	}()
	time.Sleep(time.Second)
	then()
	cancel()
	<-done
}

// golden is the text that Prometheus reads.
const golden = "testdata/metrics.txt"

// TestPrometheus: what Prometheus' exporter makes of the metrics is as it was.
func TestPrometheus(t *testing.T) {
	var got string
	synctest.Test(t, func(t *testing.T) {
		registry := promclient.NewRegistry()
		reader, err := prometheus.New(prometheus.WithRegisterer(registry), prometheus.WithoutScopeInfo(),
			prometheus.WithoutTargetInfo())
		if err != nil {
			t.Fatal(err)
		}
		play(t, meters(reader), func() {
			answer := httptest.NewRecorder()
			promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer,
				httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
			got = answer.Body.String()
		})
	})
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
	}
	if strings.Contains(got, "8abfa7b272adc5b4") {
		t.Error("got an id among the metrics, want none")
	}
}

// TestNothingStaysActive: whatever way a wait ends, it is not counted any more.
func TestNothingStaysActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := metric.NewManualReader()
		var contexts []trace.SpanContext
		w := observed(t, script(&contexts, running("")), meters(reader))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _ = w.WaitForTask(ctx, "id")
		_, _ = w.Poll(t.Context(), &taskwait.Wait{ID: "id"})
		for task, err := range w.WaitForTasks(t.Context(), []string{"a/b", "c", "d"}) {
			if task.ID == "a/b" && err != nil {
				break
			}
		}
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range all.ScopeMetrics[0].Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "taskwait.active_waits" {
				found = true
				if sum.DataPoints[0].Value != 0 {
					t.Errorf("got %d active waits, want 0", sum.DataPoints[0].Value)
				}
			}
		}
		if spans := w.spans.GetSpans(); !found || len(spans) != 5 {
			t.Errorf("got the metric: %v, and %d spans that have ended; want it, and 5", found, len(spans))
		}
	})
}

// TestKindsAreBounded: a Source that makes a kind of each task fills no database.
func TestKindsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := metric.NewManualReader()
		w := observed(t, taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
			return taskwait.Task{Kind: "kind of " + id, Status: taskwait.StatusSuccess}, nil
		}), meters(reader))
		for i := range 150 {
			if _, err := w.WaitForTask(t.Context(), fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for _, m := range all.ScopeMetrics[0].Metrics {
			h, ok := m.Data.(metricdata.Histogram[float64])
			if !ok || m.Name != "taskwait.wait.duration" {
				continue
			}
			var rest uint64
			for _, p := range h.DataPoints {
				if kind, _ := p.Attributes.Value("taskwait.task.kind"); kind.AsString() == "_OTHER" {
					rest = p.Count
				}
			}
			if len(h.DataPoints) != 101 || rest != 50 {
				t.Errorf("got %d kinds, and %d waits of _OTHER; want 101 and 50", len(h.DataPoints), rest)
			}
		}
	})
}

// TestExemplars: a measurement leads to the span of its wait.
func TestExemplars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := metric.NewManualReader()
		var contexts []trace.SpanContext
		limiter := taskwait.WithLimiter(taskwait.NewLimiter(slow(3 * time.Second)))
		w := observed(t, script(&contexts, running(""), succeeded), meters(reader), limiter)
		ctx, caller := w.tracer.Start(t.Context(), "caller")
		if _, err := w.WaitForTask(ctx, "id"); err != nil {
			t.Fatal(err)
		}
		caller.End()
		want := contexts[0].SpanID()
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for _, m := range all.ScopeMetrics[0].Metrics {
			h, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				continue
			}
			found := h.DataPoints[0].Exemplars
			if len(found) == 0 || !bytes.Equal(found[0].SpanID, want[:]) {
				t.Errorf("%s: got the exemplars %+v, want one of the span %s", m.Name, found, want)
			}
		}
	})
}

// What an expression of PromQL names: metrics, and labels in braces or after "by".
var (
	metricName = regexp.MustCompile(`taskwait_\w+`)
	matcher    = regexp.MustCompile(`\{([^}]*)\}`)
	matched    = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	grouped    = regexp.MustCompile(`by\s*\(([^)]*)\)`)
	label      = regexp.MustCompile(`\w+`)
)

// TestDashboard: each metric and each label that the dashboard asks for is in the golden text.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
	}
	if err := json.Unmarshal(source, &dashboard); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %s asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			asked = append(asked, target.Expr)
			for _, l := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				asked = append(asked, "by ("+l[1]+")")
			}
		}
	}
	for _, v := range dashboard.Templating.List {
		if args, ok := strings.CutPrefix(v.Query, "label_values("); ok {
			metric, name, _ := strings.Cut(strings.TrimSuffix(args, ")"), ",")
			asked = append(asked, metric+" by ("+name+")")
		}
	}
	var metrics, labels []string
	for _, expr := range asked {
		bare := matcher.ReplaceAllString(grouped.ReplaceAllString(expr, ""), "")
		metrics = append(metrics, metricName.FindAllString(bare, -1)...)
		for _, m := range matcher.FindAllStringSubmatch(expr, -1) {
			for _, l := range matched.FindAllStringSubmatch(m[1], -1) {
				labels = append(labels, l[1])
			}
		}
		for _, g := range grouped.FindAllStringSubmatch(expr, -1) {
			labels = append(labels, label.FindAllString(g[1], -1)...)
		}
	}
	slices.Sort(metrics)
	slices.Sort(labels)
	metrics, labels = slices.Compact(metrics), slices.Compact(labels)
	for _, m := range metrics {
		if !regexp.MustCompile(`(?m)^` + m + `[{ ]`).Match(text) {
			t.Errorf("the dashboard asks for the metric %s, which is not in %s", m, golden)
		}
	}
	for _, l := range labels {
		if !regexp.MustCompile(`[{,]` + l + `="`).Match(text) {
			t.Errorf("the dashboard asks for the label %s, which is not in %s", l, golden)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+)`).FindAllStringSubmatch(string(text), -1) {
		if !slices.ContainsFunc(metrics, func(s string) bool { return strings.HasPrefix(s, m[1]) }) {
			t.Errorf("the dashboard does not show %s", m[1])
		}
	}
	if len(labels) < 3 {
		t.Errorf("got the labels %q of the dashboard, want error_type among some", labels)
	}
}
