package taskwait_test

import (
	"context"
	"log/slog"
	"os"

	"github.com/taskwait/taskwait"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// slogCore makes a zap logger of a slog handler: zap.New(slogCore{handler}).
type slogCore struct{ slog.Handler }

func (c slogCore) Enabled(l zapcore.Level) bool {
	return c.Handler.Enabled(context.Background(), 4*slog.Level(l)) // both count from debug by way of info, 0, to error
}

func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	return slogCore{c.WithAttrs(attrs(fields))}
}

func (c slogCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, 4*slog.Level(e.Level), e.Message, 0)
	r.AddAttrs(attrs(fields)...)
	return c.Handle(context.Background(), r)
}

func (c slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) (all []slog.Attr) {
	for _, f := range fields {
		values := zapcore.NewMapObjectEncoder()
		f.AddTo(values)
		for key, value := range values.Fields {
			all = append(all, slog.Any(key, value))
		}
	}
	return all
}

// A program that logs by log/slog gives its handler.
func ExampleWithLogger_slog() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTimes})
	source := statuses(taskwait.StatusExecuting, taskwait.StatusSuccess)
	waiter, _ := taskwait.New(source, often, taskwait.WithLogger(zap.New(slogCore{handler})))
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	// Output:
	// level=INFO msg="status changed" task=8abfa7b272adc5b4 kind=bindInstancePublicIp status=EXECUTING polls=1 errors=0
	// level=INFO msg="status changed" task=8abfa7b272adc5b4 kind=bindInstancePublicIp status=SUCCESS polls=2 errors=0
	// level=INFO msg="wait ended" task=8abfa7b272adc5b4 kind=bindInstancePublicIp status=SUCCESS polls=2 errors=0
}

// noTimes drops what is another one each time.
func noTimes(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "elapsed" || a.Key == "next" {
		return slog.Attr{}
	}
	return a
}
