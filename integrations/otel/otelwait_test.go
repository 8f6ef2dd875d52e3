package otelwait_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	otelwait "github.com/taskwait/taskwait/integrations/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// recorded is a Waiter of a Source that is observed, and the spans that have ended.
type recorded struct {
	*taskwait.Waiter
	spans  *tracetest.InMemoryExporter
	tracer trace.Tracer
}

// meters are those of a reader.
func meters(r sdkmetric.Reader) *sdkmetric.MeterProvider {
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(r))
}

// observed makes the Waiter; nil: nobody reads its metrics.
func observed(t *testing.T, src taskwait.Source, meters *sdkmetric.MeterProvider, opts ...taskwait.Option) *recorded {
	t.Helper()
	r := &recorded{spans: tracetest.NewInMemoryExporter()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	if meters == nil {
		meters = sdkmetric.NewMeterProvider()
	}
	o, err := otelwait.New(otelwait.Config{TracerProvider: tracers, MeterProvider: meters})
	if err != nil {
		t.Fatal(err)
	}
	r.tracer = tracers.Tracer("test")
	if r.Waiter, err = taskwait.New(src, append(opts, taskwait.WithObserver(o.Observe))...); err != nil {
		t.Fatal(err)
	}
	return r
}

// said is an answer of the Source.
type said struct {
	task taskwait.Task
	err  error
}

// script answers in turn, the last one again and again, and keeps the contexts of the queries.
func script(contexts *[]trace.SpanContext, all ...said) taskwait.SourceFunc {
	n := 0
	return func(ctx context.Context, _ string) (taskwait.Task, error) {
		*contexts = append(*contexts, trace.SpanContextFromContext(ctx))
		a := all[min(n, len(all)-1)]
		n++
		return a.task, a.err
	}
}

func running(phase string) said {
	return said{task: taskwait.Task{Status: taskwait.StatusExecuting, Kind: "resizeInstance", Phase: phase}}
}

var succeeded = said{task: taskwait.Task{Status: taskwait.StatusSuccess, Kind: "resizeInstance"}}

// eventsOf are the events of a span, as texts.
func eventsOf(s *tracetest.SpanStub) (all []string) {
	for _, e := range s.Events {
		all = append(all, e.Name+" "+attributesOf(e.Attributes))
	}
	return all
}

func attributesOf(all []attribute.KeyValue) string {
	var texts []string
	for _, a := range all {
		texts = append(texts, fmt.Sprintf("%s=%v", a.Key, a.Value.AsInterface()))
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// TestSpan: a wait has a span, with events for what matters alone, and each query is its child.
func TestSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var contexts []trace.SpanContext
		throttled := said{err: taskwait.Throttled(time.Second, errors.New("429"))}
		src := script(&contexts, running("A"), running("A"), throttled, throttled, running("A"), running("B"),
			said{err: errors.New("reset")}, succeeded)
		w := observed(t, src, nil, taskwait.WithInterval(4*time.Second, 4*time.Second))
		ctx, parent := w.tracer.Start(t.Context(), "caller")
		if _, err := w.WaitForTask(ctx, "id"); err != nil {
			t.Fatal(err)
		}
		parent.End()
		spans := w.spans.GetSpans()
		if len(spans) != 2 || len(contexts) != 8 {
			t.Fatalf("got %d spans and %d queries, want 2 and 8", len(spans), len(contexts))
		}
		s := &spans[0]
		if s.Name != "wait resizeInstance" || s.Parent.SpanID() != parent.SpanContext().SpanID() ||
			s.SpanKind != trace.SpanKindInternal || s.Status.Code != codes.Unset || len(s.Links) != 0 {
			t.Errorf("got the span %+v; want wait resizeInstance, a child of the caller's, without links", s)
		}
		if got := s.EndTime.Sub(s.StartTime); got != 28*time.Second {
			t.Errorf("got a span of %v, want 28s", got)
		}
		want := "taskwait.done=true taskwait.errors=3 taskwait.polls=8 taskwait.task.id=id " +
			"taskwait.task.kind=resizeInstance taskwait.task.status=SUCCESS"
		if got := attributesOf(s.Attributes); got != want {
			t.Errorf("got the attributes %s, want %s", got, want)
		}
		wantEvents := []string{
			"status taskwait.task.phase=A taskwait.task.status=EXECUTING",
			"trouble error.message=429 error.type=throttled",
			"status taskwait.task.phase=B taskwait.task.status=EXECUTING",
			"trouble error.message=reset error.type=transient",
			"status taskwait.task.status=SUCCESS",
			"end taskwait.polls=8 taskwait.task.status=SUCCESS",
		}
		if got := eventsOf(s); !slices.Equal(got, wantEvents) {
			t.Errorf("got the events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wantEvents, "\n"))
		}
		for i, c := range contexts {
			if c.SpanID() != s.SpanContext.SpanID() || c.TraceID() != parent.SpanContext().TraceID() {
				t.Errorf("query %d: got the span %s, want that of the wait, %s", i, c.SpanID(), s.SpanContext.SpanID())
			}
		}
	})
}

// TestManyEvents: however much happens, the end is kept.
func TestManyEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []said
		for i := range 300 {
			all = append(all, running(fmt.Sprint(i)))
		}
		var contexts []trace.SpanContext
		w := observed(t, script(&contexts, append(all, succeeded)...), nil)
		if _, err := w.WaitForTask(t.Context(), "id"); err != nil {
			t.Fatal(err)
		}
		s := w.spans.GetSpans()[0]
		got := eventsOf(&s)
		want := "end taskwait.events.dropped=201 taskwait.polls=301 taskwait.task.status=SUCCESS"
		if len(got) != 101 || got[100] != want || s.DroppedEvents != 0 {
			t.Errorf("got %d events, the last %q, %d dropped by the SDK; want 101, %q, none", len(got), got[len(got)-1],
				s.DroppedEvents, want)
		}
	})
}

// TestOutcomes: a wait that does not end well says how.
func TestOutcomes(t *testing.T) {
	failed := said{task: taskwait.Task{Status: taskwait.StatusFailed}}
	tests := []struct {
		name   string
		answer said
		opts   []taskwait.Option
		want   string
	}{
		{"failed", failed, nil, "task_failed"},
		{"cancelled", said{task: taskwait.Task{Status: taskwait.StatusCancelled}}, nil, "task_cancelled"},
		{"deleted", said{task: taskwait.Task{Status: taskwait.StatusDeleted}}, nil, "task_deleted"},
		{"not found", said{err: taskwait.NotFound(nil)}, nil, "task_not_found"},
		{"refused", said{err: taskwait.Permanent(errors.New("403"))}, nil, "query"},
		{"timeout", running(""), []taskwait.Option{taskwait.WithTimeout(time.Minute)}, "timeout"},
		{"stalled", running(""), []taskwait.Option{taskwait.WithStallTimeout(time.Minute)}, "stalled"},
		{"the context's deadline", running(""), nil, "context_deadline"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var contexts []trace.SpanContext
				w := observed(t, script(&contexts, tt.answer), nil, tt.opts...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_, err := w.WaitForTask(ctx, "id")
				s := w.spans.GetSpans()[0]
				if err == nil || s.Status.Code != codes.Error || s.Status.Description != err.Error() {
					t.Errorf("got %v and the status %+v; want an error, and its text", err, s.Status)
				}
				if got := attributesOf(s.Attributes); !strings.Contains(got+" ", "error.type="+tt.want+" ") {
					t.Errorf("got %s, want error.type=%s in it", got, tt.want)
				}
			})
		})
	}
}

// pages is a Lister whose tasks run for a minute.
type pages struct {
	began    time.Time
	contexts []trace.SpanContext
}

func (p *pages) task(id string) taskwait.Task {
	t := taskwait.Task{ID: id, Status: taskwait.StatusExecuting}
	if time.Since(p.began) >= time.Minute {
		t.Status = taskwait.StatusSuccess
	}
	return t
}

func (p *pages) Task(_ context.Context, id string) (taskwait.Task, error) { return p.task(id), nil }

func (p *pages) List(ctx context.Context, r taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	p.contexts = append(p.contexts, trace.SpanContextFromContext(ctx))
	for _, id := range r.IDs {
		tasks = append(tasks, p.task(id))
	}
	return tasks, "", nil
}

// TestLinks: a list is in the trace of one wait, and the spans of the others are linked to that one's.
func TestLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &pages{began: time.Now()}
		w := observed(t, src, nil)
		if _, err := w.WaitForAll(t.Context(), []string{"a", "b", "c", "d"}); err != nil {
			t.Fatal(err)
		}
		spans := map[trace.SpanID]tracetest.SpanStub{}
		linked := map[trace.SpanID]int{}
		for _, s := range w.spans.GetSpans() {
			spans[s.SpanContext.SpanID()] = s
			for _, l := range s.Links {
				linked[l.SpanContext.SpanID()]++
				if got := attributesOf(l.Attributes); got != "taskwait.link=query" || l.SpanContext.Equal(s.SpanContext) {
					t.Errorf("got a link with %s to %s, want one to another span", got, l.SpanContext.SpanID())
				}
			}
		}
		if len(spans) != 4 || len(src.contexts) < 2 {
			t.Fatalf("got %d spans and %d lists, want 4, and 2 at least", len(spans), len(src.contexts))
		}
		for _, c := range src.contexts {
			if _, ok := spans[c.SpanID()]; !ok || linked[c.SpanID()] != 3 {
				t.Errorf("got a list with the span %s, which %d others link to; want that of a wait, and 3", c.SpanID(),
					linked[c.SpanID()])
			}
		}
	})
}

// TestStoredWait: each stay has a span, linked to the one that began the wait.
func TestStoredWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var contexts []trace.SpanContext
		w := observed(t, script(&contexts, running(""), running(""), succeeded), nil)
		wait, stored := &taskwait.Wait{ID: "id"}, "what is no traceparent"
		for done := false; !done; {
			p, err := w.Poll(otelwait.Trace(t.Context(), &stored), wait)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(p.Next)
			done = p.Done
		}
		spans := w.spans.GetSpans()
		if len(spans) != 3 {
			t.Fatalf("got %d spans, want 3", len(spans))
		}
		first := spans[0].SpanContext
		if want := fmt.Sprintf("00-%s-%s-01", first.TraceID(), first.SpanID()); stored != want || len(spans[0].Links) != 0 {
			t.Errorf("got %q stored and the links %v of the first span, want %q and none", stored, spans[0].Links, want)
		}
		for i, s := range spans[1:] {
			if len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != first.SpanID() ||
				attributesOf(s.Links[0].Attributes) != "taskwait.link=began" {
				t.Errorf("stay %d: got the links %v, want one to the first span", i+2, s.Links)
			}
		}
		for i, want := range []string{"interrupted", "interrupted", "end"} {
			e := spans[i].Events
			if got := e[len(e)-1].Name; got != want || spans[i].Status.Code != codes.Unset {
				t.Errorf("stay %d: got the last event %q and the status %v; want %q and none", i+1, got, spans[i].Status, want)
			}
		}
	})
}

// TestOperation: Do has one span, which bears the operation's name and then the task's id.
func TestOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var contexts []trace.SpanContext
		w := observed(t, script(&contexts, succeeded), nil)
		var start trace.SpanContext
		busy := true
		op := taskwait.Operation{Name: "resize", Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
			start = trace.SpanContextFromContext(ctx)
			if busy {
				busy = false
				return "", &taskwait.QueryError{Class: taskwait.ClassConflict, Err: errors.New("something else runs")}
			}
			return "id", nil
		}}
		if _, err := w.Do(t.Context(), op); err != nil {
			t.Fatal(err)
		}
		spans := w.spans.GetSpans()
		if len(spans) != 1 || start.SpanID() != spans[0].SpanContext.SpanID() {
			t.Fatalf("got %d spans, and %v for Start; want one, and its", len(spans), start.SpanID())
		}
		got := attributesOf(spans[0].Attributes) + "; " + eventsOf(&spans[0])[0]
		for _, want := range []string{"taskwait.operation=resize", "taskwait.task.id=id", "error.type=conflict"} {
			if !strings.Contains(got, want) {
				t.Errorf("got %s, want %s in it", got, want)
			}
		}
	})
}
