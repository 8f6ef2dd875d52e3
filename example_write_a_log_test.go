package taskwait_test

import (
	"context"
	"errors"

	"github.com/taskwait/taskwait"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A log has a line for each change of the status, for the first trouble of each kind, and for the end.
func ExampleWithLogger() {
	log := zap.NewExample(zap.IncreaseLevel(zapcore.InfoLevel))
	source := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: errors.New("401 Unauthorized")}
	})
	waiter, _ := taskwait.New(source, taskwait.WithLogger(log.WithOptions(zap.WrapCore(withoutTimes))))
	_, _ = waiter.WaitForTask(context.Background(), "8abfa7b272adc5b4")
	// Output:
	// {"level":"warn","msg":"trouble","task":"8abfa7b272adc5b4","kind":"","status":"","polls":1,"errors":1,"error":"401 Unauthorized"}
	// {"level":"info","msg":"wait ended","task":"8abfa7b272adc5b4","kind":"","status":"","polls":1,"errors":1,"error":"taskwait: task \"8abfa7b272adc5b4\": could not query after 0s: never seen, 1 poll, 1 error, last: 401 Unauthorized"}
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
