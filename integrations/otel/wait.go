package otelwait

import (
	"context"
	"errors"
	"strings"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const (
	// maxEvents and maxLinks leave room for the end in the 128 that a span keeps.
	maxEvents = 100
	maxLinks  = 100
)

// wait is one wait that is observed. It is in the context of its queries.
type wait struct {
	observer *Observer
	ctx      context.Context // has the span, to which exemplars of the metrics lead
	span     trace.Span
	kind     string
	trouble  string // the type of the trouble at hand; empty: there is none
	events   int
	links    map[trace.SpanID]bool
}

type waitKey struct{}

// receive is what the observer of the wait is told by.
func (w *wait) receive(p taskwait.Progress) {
	w.identify(&p)
	if by, ok := p.Context().Value(waitKey{}).(*wait); ok {
		w.answered(&p, by)
	}
	if p.Changed {
		attributes := []attribute.KeyValue{taskStatusKey.String(text.Clip(string(p.Task.Status)))}
		if p.Task.Phase != "" {
			attributes = append(attributes, taskPhaseKey.String(text.Clip(p.Task.Phase)))
		}
		if p.Task.Percent != nil {
			attributes = append(attributes, percentKey.Int(*p.Task.Percent))
		}
		w.event("status", attributes...)
	}
	if p.QueuedFor == 0 && !p.Done && !p.Interrupted {
		w.note(&p)
	}
	if p.Done || p.Interrupted {
		w.end(&p)
	}
}

// identify gives the span what is not known from the start.
func (w *wait) identify(p *taskwait.Progress) {
	if p.Task.ID != "" {
		w.span.SetAttributes(taskIDKey.String(text.Clip(p.Task.ID)))
	}
	if p.Operation != "" {
		w.span.SetAttributes(operationKey.String(text.Clip(p.Operation)))
	}
	if k := text.Clip(p.Task.Kind); k != w.kind {
		w.kind = k
		w.span.SetName("wait " + k)
		w.span.SetAttributes(taskKindKey.String(k))
	}
}

// answered takes in that a query brought an answer, which was made for the wait by.
func (w *wait) answered(p *taskwait.Progress, by *wait) {
	shared := by != w
	attributes := []attribute.KeyValue{w.observer.kind(w.kind), sharedKey.Bool(shared)}
	if p.Err != nil {
		attributes = append(attributes, errorTypeKey.String(troubleType(p)))
	}
	w.observer.polls.Add(w.ctx, 1, metric.WithAttributes(attributes...))
	if !shared && p.PermitAfter > 0 {
		w.observer.permits.Record(w.ctx, p.PermitAfter.Seconds())
	}
	other := by.span.SpanContext()
	if !shared || !other.IsValid() || w.links[other.SpanID()] || len(w.links) >= maxLinks {
		return
	}
	if w.links == nil {
		w.links = map[trace.SpanID]bool{}
	}
	w.links[other.SpanID()] = true
	w.span.AddLink(trace.Link{SpanContext: other, Attributes: []attribute.KeyValue{linkKey.String("query")}})
}

// note makes an event of trouble that is not the same as before.
func (w *wait) note(p *taskwait.Progress) {
	kind := ""
	if p.Err != nil {
		kind = troubleType(p)
	}
	if kind != "" && kind != w.trouble {
		w.event("trouble", errorTypeKey.String(kind), messageKey.String(text.ClipError(p.Err)))
	}
	w.trouble = kind
}

// event adds an event, as long as there is room for the end.
func (w *wait) event(name string, attributes ...attribute.KeyValue) {
	if w.events++; w.events <= maxEvents {
		w.span.AddEvent(name, trace.WithAttributes(attributes...))
	}
}

// end ends the span. A wait that was interrupted is not over: its duration is not known yet.
func (w *wait) end(p *taskwait.Progress) {
	o := w.observer
	o.active.Add(w.ctx, -1)
	w.span.SetAttributes(pollsKey.Int(p.Polls), errorsKey.Int(p.Errors), doneKey.Bool(p.Done),
		taskStatusKey.String(text.Clip(string(p.Task.Status))))
	attributes := []attribute.KeyValue{taskStatusKey.String(text.Clip(string(p.Task.Status))), pollsKey.Int(p.Polls)}
	if w.events > maxEvents {
		attributes = append(attributes, attribute.Int("taskwait.events.dropped", w.events-maxEvents))
	}
	if p.Done {
		measured := []attribute.KeyValue{o.kind(w.kind)}
		if p.Outcome != nil {
			outcome := errorTypeKey.String(outcomeType(p.Outcome))
			measured, attributes = append(measured, outcome), append(attributes, outcome)
			w.span.SetAttributes(outcome)
			w.span.SetStatus(codes.Error, p.Outcome.Error()) // which is clipped
		}
		o.duration.Record(w.ctx, p.Elapsed.Seconds(), metric.WithAttributes(measured...))
		w.span.AddEvent("end", trace.WithAttributes(attributes...))
	} else {
		w.span.AddEvent("interrupted", trace.WithAttributes(attributes...))
	}
	w.span.End()
}

// troubleType is the type of the trouble at hand.
func troubleType(p *taskwait.Progress) string {
	var q *taskwait.QueryError
	if !errors.As(p.Err, &q) {
		return "transient"
	}
	return strings.ReplaceAll(q.Class.String(), " ", "_")
}

// outcomes are the types of the errors that end waits. More than one may fit: the first one counts.
var outcomes = []struct {
	err  error
	name string
}{
	{taskwait.ErrNotStarted, "not_started"},
	{taskwait.ErrOutcomeUnknown, "outcome_unknown"},
	{taskwait.ErrAmbiguous, "ambiguous"},
	{taskwait.ErrTaskFailed, "task_failed"},
	{taskwait.ErrTaskDeleted, "task_deleted"},
	{taskwait.ErrTaskCancelled, "task_cancelled"},
	{taskwait.ErrTimeout, "timeout"},
	{taskwait.ErrStalled, "stalled"},
	{taskwait.ErrBackOffStopped, "backoff_stopped"},
	{taskwait.ErrTaskNotFound, "task_not_found"},
	{taskwait.ErrQuery, "query"},
	{taskwait.ErrInvalidID, "invalid_id"},
	{taskwait.ErrInvalidOption, "invalid_option"},
	{context.DeadlineExceeded, "context_deadline"},
	{context.Canceled, "context_canceled"},
}

func outcomeType(err error) string {
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return other
}
