package otelwait

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace is for a taskwait.Wait that is stored: each call of Resume or Poll has a span of its own, linked to the span
// that began the wait. Store *stored beside the Wait. It is a W3C traceparent. The first call, with "", fills it in,
// and later calls link to it. A text that is no traceparent counts as "". stored must not be nil, and is for one call
// at a time.
//
//	p, err := waiter.Poll(otelwait.Trace(ctx, &row.Trace), &row.Wait)
func Trace(ctx context.Context, stored *string) context.Context {
	return context.WithValue(ctx, traceKey{}, stored)
}

type traceKey struct{}

// beginning is the span that began the wait of ctx, if it is stored.
func beginning(ctx context.Context) (began trace.SpanContext, stored *string) {
	stored, ok := ctx.Value(traceKey{}).(*string)
	if !ok {
		return began, nil
	}
	carrier := propagation.MapCarrier{"traceparent": *stored}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier)), stored
}

// traceparent is that of a span.
func traceparent(s trace.SpanContext) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), s), carrier)
	return carrier["traceparent"]
}
