package taskwait_test

import (
	"context"
	"errors"
	"time"

	"github.com/taskwait/taskwait"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A log has a line for each change of the status, for the first trouble of each kind, and for the end.
func ExampleWithLogger() {
	log := zap.NewExample(zap.IncreaseLevel(zapcore.InfoLevel))
	polls := 0
	source := taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		if polls++; polls == 1 {
			return taskwait.Task{}, errors.New("503")
		}
		return taskwait.Task{ID: id, Kind: "resize", Status: taskwait.StatusSuccess}, nil
	})
	waiter, _ := taskwait.New(source, taskwait.WithInterval(time.Millisecond, time.Millisecond),
		taskwait.WithLogger(log.WithOptions(zap.WrapCore(withoutTimes))))
	_, _ = waiter.WaitForTask(context.Background(), "resize-7")
	// Output:
	// {"level":"warn","msg":"trouble","task":"resize-7","kind":"","status":"","polls":1,"errors":1,"error":"503"}
	// {"level":"info","msg":"status changed","task":"resize-7","kind":"resize","status":"SUCCESS","polls":2,"errors":1}
	// {"level":"info","msg":"wait ended","task":"resize-7","kind":"resize","status":"SUCCESS","polls":2,"errors":1}
}

// withoutTimes leaves out of a log what differs from run to run.
func withoutTimes(core zapcore.Core) zapcore.Core { return timeless{core} }

type timeless struct{ zapcore.Core }

func (c timeless) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c timeless) Write(e zapcore.Entry, fields []zapcore.Field) error {
	var kept []zapcore.Field
	for _, f := range fields {
		if f.Type != zapcore.DurationType {
			kept = append(kept, f)
		}
	}
	return c.Core.Write(e, kept)
}
