// Example waits for a task, traced and measured: the program that README.md shows.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/taskwait/taskwait"
	otelwait "github.com/taskwait/taskwait/integrations/otel"
	"github.com/taskwait/taskwait/sourcetest"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	spans, err := stdouttrace.New(stdouttrace.WithWriter(out)) // or otlptracegrpc.New(ctx)
	if err != nil {
		return err
	}
	tracers := trace.NewTracerProvider(trace.WithBatcher(spans))
	defer func() { _ = tracers.Shutdown(ctx) }() // exports what has ended
	reader, err := prometheus.New(prometheus.WithoutScopeInfo())
	if err != nil {
		return err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	http.Handle("/metrics", promhttp.Handler())

	observer, err := otelwait.New(otelwait.Config{TracerProvider: tracers, MeterProvider: meters})
	if err != nil {
		return err
	}
	// Here stands the Source of your service, such as kafkatasks.New(client, instanceID).
	source := sourcetest.Script(
		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting, Kind: "resizeInstance"}},
		sourcetest.Answer{After: time.Second, Task: taskwait.Task{Status: taskwait.StatusSuccess, Kind: "resizeInstance"}})
	waiter, err := taskwait.New(source, taskwait.WithObserver(observer.Observe))
	if err != nil {
		return err
	}
	ctx, span := tracers.Tracer("example").Start(ctx, "resize the instance")
	defer span.End()
	task, err := waiter.WaitForTask(ctx, "8abfa7b272adc5b4")
	fmt.Fprintln(out, task)
	return err
}
