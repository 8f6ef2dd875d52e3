package taskwait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// driver is a way to wait for the task with the id "id".
type driver func(ctx context.Context, w *Waiter, opts ...Option) (Task, error)

// waitFor waits, and returns how long it took, too.
//
//nolint:revive // a test reads best so
func (d driver) waitFor(ctx context.Context, w *Waiter, opts ...Option) (Task, error, time.Duration) {
	start := time.Now()
	task, err := d(ctx, w, opts...)
	return task, err, time.Since(start)
}

// waitFor waits for one task.
//
//nolint:revive // a test reads best so
func waitFor(ctx context.Context, w *Waiter, opts ...Option) (Task, error, time.Duration) {
	return driver(alone).waitFor(ctx, w, opts...)
}

func alone(ctx context.Context, w *Waiter, opts ...Option) (Task, error) {
	return w.WaitForTask(ctx, "id", opts...)
}

func amongMany(ctx context.Context, w *Waiter, opts ...Option) (Task, error) {
	for task, err := range w.WaitForTasks(ctx, []string{"id"}, opts...) {
		return task, err
	}
	return Task{}, errors.New("no result")
}

// eachDriver runs a test with WaitForTask and with WaitForTasks: they agree.
func eachDriver(t *testing.T, test func(*testing.T, driver)) {
	t.Run("WaitForTask", func(t *testing.T) { test(t, alone) })
	t.Run("WaitForTasks", func(t *testing.T) { test(t, amongMany) })
}

// throughEach is eachDriver in bubbles.
func throughEach(t *testing.T, test func(*testing.T, driver)) {
	eachDriver(t, func(t *testing.T, d driver) {
		synctest.Test(t, func(t *testing.T) { test(t, d) })
	})
}

// until answers a until d has passed since the first query, and then b.
func until(d time.Duration, a, b answer) SourceFunc {
	var start time.Time
	return func(_ context.Context, id string) (Task, error) {
		if start.IsZero() {
			start = time.Now()
		}
		if time.Since(start) >= d {
			a = b
		}
		if a.Value.ID == "id" {
			a.Value.ID = id
		}
		return a.Value, a.Err
	}
}

var (
	running  = seen(StatusExecuting)
	success  = seen(StatusSuccess)
	reset    = answer{Err: errors.New("connection reset")}
	notFound = failed(ClassNotFound, 0)
)

// asWaitError fails the test unless err is a *WaitError.
func asWaitError(t *testing.T, err error) *WaitError {
	t.Helper()
	var we *WaitError
	if !errors.As(err, &we) {
		t.Fatalf("error = %v, want a *WaitError", err)
	}
	return we
}

func cancelAfter(t *testing.T, d time.Duration, cause error) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(d, func() { cancel(cause) })
	return ctx
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
