// Package otelwait traces and measures the waits of package taskwait with OpenTelemetry:
//
//	observer, err := otelwait.New(otelwait.Config{})
//	waiter, err := taskwait.New(source, taskwait.WithObserver(observer.Observe))
//
// Each wait has a span, with events for changes of the status, trouble and the end. If the query of another wait
// brought an answer, such as a list, there is a link to the span of that wait. The span's context reaches each query.
// Spans of HTTP requests are made by otelhttp on the client's transport, not here.
package otelwait

import (
	"context"
	"errors"
	"sync"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/taskwait/taskwait/integrations/otel"

// The attributes of spans, events and metrics. Ids are never on metrics: there is no end of them.
const (
	taskIDKey     = attribute.Key("taskwait.task.id")     // spans alone
	taskKindKey   = attribute.Key("taskwait.task.kind")   // such as "resizeInstance"
	taskStatusKey = attribute.Key("taskwait.task.status") // spans and events alone
	taskPhaseKey  = attribute.Key("taskwait.task.phase")  // events alone
	percentKey    = attribute.Key("taskwait.task.percent")
	operationKey  = attribute.Key("taskwait.operation") // spans alone: the name of what Do was to start
	pollsKey      = attribute.Key("taskwait.polls")
	errorsKey     = attribute.Key("taskwait.errors")
	doneKey       = attribute.Key("taskwait.done") // spans alone; false: the wait goes on, with a span of its own
	linkKey       = attribute.Key("taskwait.link") // links alone: why
	sharedKey     = attribute.Key("taskwait.poll.shared")
	messageKey    = attribute.Key("error.message")
	errorTypeKey  = attribute.Key("error.type")
)

// Config says where traces and metrics go.
type Config struct {
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one
}

// Observer observes waits: see [Observer.Observe]. It is safe for concurrent use.
type Observer struct {
	tracer trace.Tracer

	duration metric.Float64Histogram
	polls    metric.Int64Counter
	active   metric.Int64UpDownCounter
	permits  metric.Float64Histogram

	mu    sync.Mutex
	kinds map[string]bool
}

// durations are the bucket limits of waits, in seconds: those of OpenTelemetry suit requests, in milliseconds.
var durations = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200}

// permitWaits are those of the time that a query waits for its permit.
var permitWaits = []float64{0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300}

// New returns an Observer. The error is that of the MeterProvider.
func New(c Config) (*Observer, error) {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	o := &Observer{tracer: c.TracerProvider.Tracer(scope), kinds: map[string]bool{}}
	m := c.MeterProvider.Meter(scope)
	var errs [4]error
	o.duration, errs[0] = m.Float64Histogram("taskwait.wait.duration", metric.WithUnit("s"),
		metric.WithDescription("How long waits took that have ended, by outcome."),
		metric.WithExplicitBucketBoundaries(durations...))
	o.polls, errs[1] = m.Int64Counter("taskwait.polls", metric.WithUnit("{poll}"),
		metric.WithDescription("Answers to polls; shared: another wait's query brought it, such as a list."))
	o.active, errs[2] = m.Int64UpDownCounter("taskwait.active_waits", metric.WithUnit("{wait}"),
		metric.WithDescription("Waits under way."))
	o.permits, errs[3] = m.Float64Histogram("taskwait.limiter.wait", metric.WithUnit("s"),
		metric.WithDescription("How long queries waited for a permit of the Limiter, of those that had to."),
		metric.WithExplicitBucketBoundaries(permitWaits...))
	return o, errors.Join(errs[:]...)
}

// Observe begins the span of a wait. Give it to [taskwait.WithObserver].
func (o *Observer) Observe(ctx context.Context, id string) (context.Context, func(taskwait.Progress)) {
	w := &wait{observer: o}
	opts := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindInternal)}
	if id != "" {
		opts = append(opts, trace.WithAttributes(taskIDKey.String(text.Clip(id))))
	}
	began, stored := beginning(ctx)
	if began.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{
			SpanContext: began, Attributes: []attribute.KeyValue{linkKey.String("began")},
		}))
	}
	ctx, w.span = o.tracer.Start(ctx, "wait", opts...)
	if stored != nil && !began.IsValid() {
		*stored = traceparent(w.span.SpanContext())
	}
	w.ctx = context.WithoutCancel(ctx)
	o.active.Add(w.ctx, 1)
	return context.WithValue(ctx, waitKey{}, w), w.receive
}

// maxKinds bounds the kinds that are told apart in metrics: a Source that makes one of each task fills no database.
const maxKinds = 100

// other is what OpenTelemetry calls a value of which there are too many.
const other = "_OTHER"

// kind is the attribute for a kind.
func (o *Observer) kind(name string) attribute.KeyValue {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.kinds[name] {
		if len(o.kinds) >= maxKinds {
			return taskKindKey.String(other)
		}
		o.kinds[name] = true
	}
	return taskKindKey.String(name)
}
