package temporalwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait"
	temporalwait "github.com/taskwait/taskwait/integrations/temporal"
	"github.com/taskwait/taskwait/sourcetest"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

const id = "8d1b"

// engine makes attempts as the server does, each as if in a process of its own: nothing is left of the one before but
// what its heartbeat had in its details.
type engine struct {
	t       *testing.T
	waiter  *taskwait.Waiter
	ctx     context.Context // of the worker
	details any
	errs    []error // of the attempts
}

func newEngine(t *testing.T, src taskwait.Source, opts ...taskwait.Option) *engine {
	t.Helper()
	opts = append([]taskwait.Option{taskwait.WithInterval(4*time.Second, 4*time.Second)}, opts...)
	waiter, err := taskwait.New(src, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return &engine{t: t, waiter: waiter, ctx: t.Context()}
}

// attempt makes one.
func (e *engine) attempt(a temporalwait.Args) (taskwait.Task, error) {
	e.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{BackgroundActivityContext: e.ctx})
	temporalwait.Register(env, temporalwait.ByName(map[string]*taskwait.Waiter{"kafka": e.waiter}))
	if e.details != nil {
		env.SetHeartbeatDetails(e.details)
	}
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var raw json.RawMessage
		if err := details.Get(&raw); err != nil {
			e.t.Error(err)
		}
		e.details = raw
	})
	v, err := env.ExecuteActivity(temporalwait.ActivityName, a)
	var task taskwait.Task
	if err == nil {
		err = v.Get(&task)
	}
	e.errs = append(e.errs, err)
	return task, err
}

// run makes attempts until one is not to be followed by another.
func (e *engine) run(a temporalwait.Args) (taskwait.Task, error) {
	e.t.Helper()
	for {
		task, err := e.attempt(a)
		var x *temporal.ApplicationError
		if !errors.As(err, &x) || x.NonRetryable() {
			return task, err
		}
		time.Sleep(x.NextRetryDelay())
	}
}

func running(times int) sourcetest.Answer {
	return sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting, Kind: "restart"}, Times: times}
}

func ended(s taskwait.Status) sourcetest.Answer {
	return sourcetest.Answer{Task: taskwait.Task{Status: s, Kind: "restart"}}
}

// timed is src, and notes when it is polled.
func timed(src taskwait.Source, at *[]time.Time) taskwait.Source {
	return taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		*at = append(*at, time.Now())
		return src.Task(ctx, id)
	})
}

// TestPollsLikeWaitForTask compares the instants of the polls, and what comes of them.
func TestPollsLikeWaitForTask(t *testing.T) {
	for _, test := range []struct {
		name   string
		script []sourcetest.Answer
		opts   []taskwait.Option
	}{
		{"success", []sourcetest.Answer{running(5), ended(taskwait.StatusSuccess)}, nil},
		{"failure", []sourcetest.Answer{running(3), ended(taskwait.StatusFailed)}, nil},
		{"timeout", []sourcetest.Answer{running(1)}, []taskwait.Option{taskwait.WithTimeout(30 * time.Second)}},
		{"not found", []sourcetest.Answer{{Err: taskwait.NotFound(nil)}}, nil},
		{"errors in between", []sourcetest.Answer{{Err: errors.New("503"), Times: 4}, ended(taskwait.StatusSuccess)}, nil},
		{"initial delay", []sourcetest.Answer{running(1), ended(taskwait.StatusSuccess)},
			[]taskwait.Option{taskwait.WithInitialDelay(7 * time.Second)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at, wantAt []time.Time
				e := newEngine(t, timed(sourcetest.Script(test.script...), &at), test.opts...)
				began := time.Now()
				task, err := e.run(temporalwait.Args{Source: "kafka", TaskID: id})
				took := time.Since(began)

				other := newEngine(t, timed(sourcetest.Script(test.script...), &wantAt), test.opts...)
				shift := time.Since(began)
				want, wantErr := other.waiter.WaitForTask(t.Context(), id)
				if err == nil && !reflect.DeepEqual(task, want) || (err == nil) != (wantErr == nil) {
					t.Errorf("got %v, %v, want %v, %v", task, err, want, wantErr)
				}
				if want := time.Since(began) - shift; took != want {
					t.Errorf("took %v, want %v", took, want)
				}
				for i := range at {
					at[i] = at[i].Add(shift)
				}
				if !slices.EqualFunc(at, wantAt, time.Time.Equal) {
					t.Errorf("polls at %v, want %v", at, wantAt)
				}
			})
		})
	}
}

// TestTypes tries each end of a wait.
func TestTypes(t *testing.T) {
	stop := taskwait.WithBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} })
	none := taskwait.WithBackOff(func() backoff.BackOff { return nil })
	for _, test := range []struct {
		name, id, want string
		last           sourcetest.Answer
		opt            taskwait.Option
		over           bool // for the task
	}{
		{"failed", id, temporalwait.TypeTaskFailed, ended(taskwait.StatusFailed), nil, true},
		{"deleted", id, temporalwait.TypeTaskDeleted, ended(taskwait.StatusDeleted), nil, true},
		{"cancelled", id, temporalwait.TypeTaskCancelled, ended(taskwait.StatusCancelled), nil, true},
		{"timeout", id, temporalwait.TypeTimeout, running(1), taskwait.WithTimeout(time.Minute), false},
		{"stalled", id, temporalwait.TypeStalled, running(1), taskwait.WithStallTimeout(time.Minute), false},
		{"not found", id, temporalwait.TypeNotFound, sourcetest.Answer{Err: taskwait.NotFound(nil)}, nil, false},
		{"stopped", id, temporalwait.TypeBackOffStopped, running(1), stop, false},
		{"no id", "", temporalwait.TypeInvalidID, running(1), nil, false},
		{"no BackOff", id, temporalwait.TypeInvalidOption, running(1), none, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := []taskwait.Option{taskwait.WithLogger(nil)}
				if test.opt != nil {
					opts = append(opts, test.opt)
				}
				e := newEngine(t, sourcetest.Script(running(1), test.last), opts...)
				_, err := e.run(temporalwait.Args{Source: "kafka", TaskID: test.id})
				f := temporalwait.FailureOf(err)
				if f.Type != test.want || f.StillRunning == test.over || f.Task.ID != test.id {
					t.Errorf("got %+v for %v, want type %s, still running: %v", f, err, test.want, !test.over)
				}
				if f.Polls > 0 && !strings.Contains(err.Error(), `task "8d1b"`) {
					t.Errorf("got %q, want the task in it", err)
				}
			})
		})
	}
}

// TestFailureOfOthers makes sure that no other error says that a task has ended, as a workflow is given it.
func TestFailureOfOthers(t *testing.T) {
	for _, err := range []error{
		nil, errors.New("x"), temporal.NewCanceledError(),
		temporal.NewApplicationError("x", "Other", temporalwait.Failure{StillRunning: false}),
		temporal.NewApplicationError("x", temporalwait.TypeTaskFailed, "no Failure"),
		temporal.NewApplicationError("x", temporalwait.TypeNotDone),
	} {
		c := temporal.GetDefaultFailureConverter()
		if f := temporalwait.FailureOf(c.FailureToError(c.ErrorToFailure(err))); f.Type != "" || !f.StillRunning {
			t.Errorf("%v: got %+v, want no type, still running", err, f)
		}
	}
}

// TestNotDone looks at what people see of an attempt that has found the task running.
func TestNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, sourcetest.Script(running(1), sourcetest.Answer{Err: errors.New("503 Service Unavailable")}))
		a := temporalwait.Args{Source: "kafka", TaskID: id}
		for _, want := range []string{
			`task "8d1b": EXECUTING (restart)`, `task "8d1b": EXECUTING (restart): 503 Service Unavailable`,
		} {
			_, err := e.attempt(a)
			var x *temporal.ApplicationError
			if !errors.As(err, &x) || x.Message() != want || x.Type() != temporalwait.TypeNotDone || x.NonRetryable() {
				t.Fatalf("got %v, want %q", err, want)
			}
			if x.Category() != temporal.ApplicationErrorCategoryBenign || x.NextRetryDelay() != 4*time.Second {
				t.Errorf("got category %v, delay %v, want benign, 4s", x.Category(), x.NextRetryDelay())
			}
			time.Sleep(x.NextRetryDelay())
		}
	})
}

// TestEarly makes sure that an attempt which comes early asks nothing, and is followed by one in time.
func TestEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		e := newEngine(t, timed(sourcetest.Script(running(1)), &at))
		a := temporalwait.Args{Source: "kafka", TaskID: id}
		_, _ = e.attempt(a)
		time.Sleep(3 * time.Second)
		_, err := e.attempt(a)
		var x *temporal.ApplicationError
		if !errors.As(err, &x) || x.NextRetryDelay() != time.Second || len(at) != 1 {
			t.Errorf("got %v, %d polls, want another attempt after 1s, 1 poll", err, len(at))
		}
	})
}

// TestTimeout makes sure that the budget is that of all attempts together.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, sourcetest.Script(running(1)), taskwait.WithTimeout(time.Hour))
		began := time.Now()
		_, err := e.run(temporalwait.Args{Source: "kafka", TaskID: id, Timeout: 10 * time.Minute})
		f := temporalwait.FailureOf(err)
		if f.Type != temporalwait.TypeTimeout || f.Elapsed != 10*time.Minute || f.Polls != 151 {
			t.Errorf("got %+v, want a timeout after 10m0s and 151 polls", f)
		}
		if got := time.Since(began); got != 10*time.Minute || len(e.errs) != 151 {
			t.Errorf("took %v, %d attempts, want 10m0s, 151", got, len(e.errs))
		}
	})
}

// TestCouldNotQuery makes sure that a wait which cannot query goes on, slowly, and that a repair is noticed.
func TestCouldNotQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := sourcetest.Answer{Err: taskwait.Permanent(errors.New("no permission")), Times: 3}
		e := newEngine(t, sourcetest.Script(refused, ended(taskwait.StatusSuccess)))
		a := temporalwait.Args{Source: "kafka", TaskID: id}
		_, err := e.attempt(a)
		var x *temporal.ApplicationError
		if !errors.As(err, &x) || x.NonRetryable() || x.Category() == temporal.ApplicationErrorCategoryBenign {
			t.Fatalf("got %v, want an error that is retried, and not benign", err)
		}
		if f := temporalwait.FailureOf(err); f.Type != temporalwait.TypeCouldNotQuery || !f.StillRunning {
			t.Errorf("got %+v, want could not query, still running", f)
		}
		time.Sleep(x.NextRetryDelay())
		began := time.Now()
		if task, err := e.run(a); task.Status != taskwait.StatusSuccess || err != nil {
			t.Errorf("got %v, %v, want SUCCESS", task, err)
		}
		if got := time.Since(began); got != time.Minute {
			t.Errorf("two more refusals took %v, want 1m0s", got)
		}
	})
}

// TestCancelDuringAPoll makes sure that an attempt ends at once, as cancelled.
func TestCancelDuringAPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, hanging)
		ctx, cancel := context.WithCancelCause(t.Context())
		e.ctx = ctx
		time.AfterFunc(3*time.Second, func() { cancel(temporal.NewCanceledError()) })
		began := time.Now()
		_, err := e.attempt(temporalwait.Args{Source: "kafka", TaskID: id})
		if got := time.Since(began); got != 3*time.Second || !temporal.IsCanceledError(err) {
			t.Errorf("got %v after %v, want a cancelled activity after 3s", err, got)
		}
	})
}

// TestInterrupted makes sure that an attempt which was cut off changes nothing, and is made again.
func TestInterrupted(t *testing.T) {
	for _, test := range []struct {
		name string
		stop time.Duration // of the worker
		want time.Duration
		text string
	}{
		{"the worker stops", 3 * time.Second, 3 * time.Second, `task "8d1b": no status: not polled: context canceled`},
		{"the attempt has no time left", time.Hour, 9 * time.Minute,
			`task "8d1b": no status: not polled: no answer, or no permit, in time`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, hanging, taskwait.WithQueryTimeout(time.Hour))
				ctx, cancel := context.WithTimeout(t.Context(), test.stop)
				defer cancel()
				stopping, stop := context.WithCancel(context.WithoutCancel(ctx))
				context.AfterFunc(ctx, stop)
				e.ctx = stopping
				began := time.Now()
				_, err := e.attempt(temporalwait.Args{Source: "kafka", TaskID: id})
				var x *temporal.ApplicationError
				if !errors.As(err, &x) || x.Type() != temporalwait.TypeNotDone || x.Message() != test.text {
					t.Errorf("got %v, want %q", err, test.text)
				}
				if got := time.Since(began); got != test.want || e.details != nil {
					t.Errorf("took %v, details %s, want %v, none", got, e.details, test.want)
				}
			})
		})
	}
}

// hanging answers nothing before its context ends.
var hanging = taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
	<-ctx.Done()
	return taskwait.Task{}, ctx.Err()
})

// TestTrouble tries what keeps an attempt from polling at all.
func TestTrouble(t *testing.T) {
	for _, test := range []struct {
		name, source, want string
		details            any
	}{
		{"no such source", "redis", temporalwait.TypeNoWaiter, nil},
		{"a later version", "kafka", temporalwait.TypeUnreadableWait, json.RawMessage(`{"v":99,"id":"8d1b"}`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, sourcetest.Script(ended(taskwait.StatusSuccess)))
				e.details = test.details
				_, err := e.attempt(temporalwait.Args{Source: test.source, TaskID: id})
				var x *temporal.ApplicationError
				if !errors.As(err, &x) || x.Type() != test.want || x.NonRetryable() || x.NextRetryDelay() != 30*time.Second {
					t.Errorf("got %v, want type %s, to be retried after 30s", err, test.want)
				}
			})
		})
	}
}

// TestNoSecret makes sure that nothing of Raw is stored by the server.
func TestNoSecret(t *testing.T) {
	for _, status := range []taskwait.Status{taskwait.StatusSuccess, taskwait.StatusFailed} {
		synctest.Test(t, func(t *testing.T) {
			secret := struct{ Password string }{sourcetest.Secret}
			with := func(s taskwait.Status) sourcetest.Answer {
				return sourcetest.Answer{Task: taskwait.Task{Status: s, Raw: &secret}}
			}
			e := newEngine(t, sourcetest.Script(with(taskwait.StatusExecuting), with(status)))
			task, err := e.run(temporalwait.Args{Source: "kafka", TaskID: id})
			f := temporalwait.FailureOf(err)
			stored, failed := json.Marshal([]any{task, f, e.details})
			if failed != nil {
				t.Fatal(failed)
			}
			for _, err := range e.errs {
				if err != nil {
					stored = append(stored, err.Error()...)
				}
			}
			if strings.Contains(string(stored), sourcetest.Secret) || task.Raw != nil || f.Task.Raw != nil {
				t.Errorf("got %s, want no secret", stored)
			}
		})
	}
}
