package controller_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/integrations/controller"
	"github.com/taskwait/taskwait/sourcetest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// logrOf makes the option for one Reconcile: the log of a wait goes where that of the controller does, with the names
// of its object.
func logrOf(ctx context.Context) taskwait.Option {
	return taskwait.WithLogger(zap.New(logrCore{logr.ToSlogHandler(log.FromContext(ctx))}))
}

// logrCore makes a zap logger of the slog handler that a logr.Logger gives.
type logrCore struct{ slog.Handler }

func (c logrCore) Enabled(l zapcore.Level) bool {
	return c.Handler.Enabled(context.Background(), 4*slog.Level(l)) // both count from debug by way of info, 0, to error
}

func (c logrCore) With(fields []zapcore.Field) zapcore.Core {
	return logrCore{c.WithAttrs(attrs(fields))}
}

func (c logrCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

func (c logrCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, 4*slog.Level(e.Level), e.Message, 0)
	r.AddAttrs(attrs(fields)...)
	return c.Handle(context.Background(), r)
}

func (c logrCore) Sync() error { return nil }

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

// TestLogr: each Reconcile logs with the logger of its context.
func TestLogr(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		logger := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
		waiter, err := taskwait.New(sourcetest.Script(
			sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting, Kind: "resizeInstance"}}),
			taskwait.WithInterval(4*time.Second, 4*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var status controller.TaskStatus
		reconciles := reconcile.Func(func(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
			return controller.Poll(ctx, waiter, "8abfa7b272adc5b4", 1, &status, logrOf(ctx))
		})
		ctx := log.IntoContext(t.Context(), logger.WithValues("KafkaTask", "default/resize"))
		if _, err := reconciles.Reconcile(ctx, reconcile.Request{}); err != nil {
			t.Fatal(err)
		}
		want := []string{`"level"=0 "msg"="status changed" "KafkaTask"="default/resize" "task"="8abfa7b272adc5b4" ` +
			`"kind"="resizeInstance" "status"="EXECUTING" "polls"=1 "errors"=0 "elapsed"="0s" "next"="4s"`}
		if !slices.Equal(lines, want) {
			t.Errorf("got %q, want %q", lines, want)
		}
	})
}
