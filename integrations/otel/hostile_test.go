package otelwait_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	promclient "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/taskwait/taskwait"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/prometheus"
)

// TestHostileTexts: what a service says stops neither the scraping of metrics nor the export of spans, and no
// query of a URL is in them.
func TestHostileTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := promclient.NewRegistry()
		reader, err := prometheus.New(prometheus.WithRegisterer(registry))
		if err != nil {
			t.Fatal(err)
		}
		bad := "\xff\x00\n" + strings.Repeat("long ", 1000)
		n := 0
		w := observed(t, taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
			n++
			switch n {
			case 1:
				return taskwait.Task{}, &url.Error{Op: "Get", URL: "https://a-secret@h/t?sign=a-secret", Err: errors.New(bad)}
			case 3:
				return taskwait.Task{}, taskwait.Permanent(errors.New(bad))
			}
			return taskwait.Task{Kind: bad, Status: taskwait.Status(bad), Phase: bad}, nil
		}), meters(reader))
		_, _ = w.WaitForTask(t.Context(), "id")
		answer := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer,
			httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		if answer.Code != 200 || strings.Contains(answer.Body.String(), strings.Repeat("long ", 100)) {
			t.Errorf("got %d, %.1000s\nwant metrics, and no long text", answer.Code, answer.Body)
		}
		for _, s := range w.spans.GetSpans() {
			texts := []string{s.Name, s.Status.Description}
			add := func(all []attribute.KeyValue) {
				for _, a := range all {
					texts = append(texts, a.Value.String())
				}
			}
			add(s.Attributes)
			for _, e := range s.Events {
				add(e.Attributes)
			}
			for _, text := range texts {
				if !utf8.ValidString(text) || len(text) > 2000 || strings.Contains(text, "a-secret") {
					t.Errorf("got %d bytes %.50q, want UTF-8, short, and without the secret", len(text), text)
				}
			}
		}
	})
}
