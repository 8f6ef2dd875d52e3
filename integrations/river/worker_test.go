package riverwait_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertest"
	"github.com/riverqueue/river/rivertype"
	"github.com/taskwait/taskwait"
	riverwait "github.com/taskwait/taskwait/integrations/river"
	_ "modernc.org/sqlite"
)

// service answers one query after the other, and then with the last answer for ever. It notes when it was asked.
type service struct {
	answers []answer

	mu    sync.Mutex
	asked []time.Duration // since the beginning of the bubble
	began time.Time
}

// answer is one of a service: a status, an error, or nothing until the query is cancelled.
type answer struct {
	status taskwait.Status
	err    error
	hangs  bool
}

func (s *service) Task(ctx context.Context, id string) (taskwait.Task, error) {
	s.mu.Lock()
	a := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, time.Since(s.began))
	s.mu.Unlock()
	if a.hangs {
		<-ctx.Done()
		return taskwait.Task{}, ctx.Err()
	}
	return taskwait.Task{ID: id, Status: a.status}, a.err
}

func (s *service) polls() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func executing(n int, then ...answer) []answer {
	return append(slices.Repeat([]answer{{status: taskwait.StatusExecuting}}, n), then...)
}

// bench works one job of River, in memory and in virtual time.
type bench struct {
	*service
	t      *testing.T
	tx     *sql.Tx
	worker *riverwait.Worker[riverwait.Args]
	rig    *rivertest.Worker[riverwait.Args, *sql.Tx]
	job    *rivertype.JobRow
	kind   river.EventKind // of the last run
}

// inBubble runs f with a bench whose waits have opts.
func inBubble(t *testing.T, answers []answer, f func(b *bench), opts ...taskwait.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{service: &service{answers: answers, began: time.Now()}, t: t}
		waiter, err := taskwait.New(b.service, opts...)
		if err != nil {
			t.Fatal(err)
		}
		b.worker = &riverwait.Worker[riverwait.Args]{
			Waiter: func(string) (*taskwait.Waiter, error) { return waiter, nil },
		}
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		db.SetMaxOpenConns(1)
		driver := riversqlite.New(db)
		migrate(t, driver)
		if b.tx, err = db.BeginTx(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = b.tx.Rollback() }()
		b.rig = rivertest.NewWorker(t, driver, riverwait.SetTimeouts(&river.Config{}), b.worker)
		f(b)
	})
}

// run works the job once, and returns the error that River saw.
func (b *bench) run() error { return b.runWithin(b.t.Context()) }

func (b *bench) runWithin(ctx context.Context) error {
	b.t.Helper()
	var result *rivertest.WorkResult
	var err error
	if b.job == nil {
		result, err = b.rig.Work(ctx, b.t, b.tx, riverwait.Args{TaskID: "8d1b"}, nil)
	} else {
		result, err = b.rig.WorkJob(ctx, b.t, b.tx, b.job)
	}
	if result == nil {
		b.t.Fatal(err)
	}
	b.job, b.kind = result.Job, result.EventKind
	return err
}

// runAll works the job until its wait is over, and sleeps while it snoozes.
func (b *bench) runAll() error {
	b.t.Helper()
	for {
		if err := b.run(); err != nil || b.kind != river.EventKindJobSnoozed {
			return err
		}
		time.Sleep(time.Until(b.job.ScheduledAt))
	}
}

// fixed makes pauses of four seconds.
var fixed = taskwait.WithInterval(4*time.Second, 4*time.Second)

// A run makes one poll. River keeps times to the millisecond, and so each run is one late.
func TestWork(t *testing.T) {
	inBubble(t, executing(3, answer{status: taskwait.StatusSuccess}), func(b *bench) {
		var task taskwait.Task
		b.worker.Done = func(_ context.Context, job *river.Job[riverwait.Args], got taskwait.Task, err error) error {
			if err != nil || job.ID != b.job.ID {
				t.Errorf("Done: job %d, %v; want job %d, nil", job.ID, err, b.job.ID)
			}
			task = got
			return nil
		}
		if err := b.runAll(); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 4001 * time.Millisecond, 8002 * time.Millisecond, 12003 * time.Millisecond}
		if got := b.polls(); !slices.Equal(got, want) {
			t.Errorf("polls at %v, want %v", got, want)
		}
		if b.job.State != rivertype.JobStateCompleted || b.job.Attempt != 1 || len(b.job.Errors) != 0 {
			t.Errorf("%s after attempt %d, %d errors; want completed, 1, 0", b.job.State, b.job.Attempt, len(b.job.Errors))
		}
		if task.Status != taskwait.StatusSuccess {
			t.Errorf("Done was called with %v, want SUCCESS", task)
		}
		if got, want := string(b.job.Output()), `{"task":{"id":"8d1b","status":"SUCCESS"}}`; got != want {
			t.Errorf("output %s, want %s", got, want)
		}
	}, fixed)
}

// Between two runs the job's metadata says what was seen last.
func TestWaitOf(t *testing.T) {
	inBubble(t, executing(1), func(b *bench) {
		if wait, err := riverwait.WaitOf(&rivertype.JobRow{Metadata: []byte(`{}`)}); wait != nil || err != nil {
			t.Errorf("before the first run: %v, %v; want neither", wait, err)
		}
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		wait, err := riverwait.WaitOf(b.job)
		if err != nil {
			t.Fatal(err)
		}
		if got := wait.Task(); got.ID != "8d1b" || got.Status != taskwait.StatusExecuting {
			t.Errorf("got %v, want task 8d1b: EXECUTING", got)
		}
		newer := &rivertype.JobRow{ID: 7, Metadata: []byte(`{"taskwait":{"v":99,"id":"8d1b"}}`)}
		if wait, err := riverwait.WaitOf(newer); err == nil {
			t.Errorf("of a later version: got %v, want an error", wait)
		}
	})
}

func TestFailedTask(t *testing.T) {
	for _, tt := range []struct {
		name   string
		done   func(context.Context, *river.Job[riverwait.Args], taskwait.Task, error) error
		state  rivertype.JobState
		errors int
	}{
		{"without Done", nil, rivertype.JobStateCancelled, 1},
		{"Done returns nil", returns(func(error) error { return nil }), rivertype.JobStateCompleted, 0},
		{"Done cancels", returns(river.JobCancel), rivertype.JobStateCancelled, 1},
		{"Done returns the error", returns(func(err error) error { return err }), rivertype.JobStateAvailable, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, []answer{{status: taskwait.StatusFailed}}, func(b *bench) {
				b.worker.Done = tt.done
				_ = b.run() // the row says it
				if b.job.State != tt.state || len(b.job.Errors) != tt.errors {
					t.Errorf("%s, %d errors; want %s, %d", b.job.State, len(b.job.Errors), tt.state, tt.errors)
				}
				var got riverwait.Outcome
				if err := json.Unmarshal(b.job.Output(), &got); err != nil {
					t.Fatal(err)
				}
				if want := `taskwait: task "8d1b": task failed after 0s: FAILED, 1 poll`; got.Error != want ||
					got.Task.Status != taskwait.StatusFailed {
					t.Errorf("output %q, %v; want %q, FAILED", got.Error, got.Task, want)
				}
			})
		})
	}
}

func returns(f func(error) error) func(context.Context, *river.Job[riverwait.Args], taskwait.Task, error) error {
	return func(_ context.Context, _ *river.Job[riverwait.Args], _ taskwait.Task, err error) error { return f(err) }
}

// Where Done fails it is called again, with the same outcome and without another poll.
func TestDoneAgain(t *testing.T) {
	inBubble(t, []answer{{status: taskwait.StatusSuccess}}, func(b *bench) {
		var got []taskwait.Status
		full := errors.New("disk full")
		b.worker.Done = func(_ context.Context, _ *river.Job[riverwait.Args], task taskwait.Task, err error) error {
			if got = append(got, task.Status); len(got) == 1 {
				return full
			}
			return err
		}
		if err := b.run(); !errors.Is(err, full) {
			t.Fatalf("got %v, want %v", err, full)
		}
		if err := b.run(); err != nil || b.kind != river.EventKindJobCompleted {
			t.Fatalf("got %v, %v; want it completed", err, b.kind)
		}
		if want := []taskwait.Status{taskwait.StatusSuccess, taskwait.StatusSuccess}; !slices.Equal(got, want) {
			t.Errorf("Done was called with %v, want %v", got, want)
		}
		if n := len(b.polls()); n != 1 {
			t.Errorf("%d polls, want 1", n)
		}
	})
}

// The whole wait has one budget, and errors of queries are no errors of the job.
func TestTimeout(t *testing.T) {
	answers := executing(2, slices.Repeat([]answer{{err: errors.New("connection refused")}}, 3)...)
	inBubble(t, append(answers, executing(1)...), func(b *bench) {
		var err error
		b.worker.Done = returns(func(outcome error) error { err = outcome; return nil })
		if err := b.runAll(); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(err, taskwait.ErrTimeout) {
			t.Fatalf("got %v, want a timeout", err)
		}
		polls := b.polls()
		if got, want := polls[len(polls)-1], 60*time.Second; got < want || got >= want+2*time.Millisecond {
			t.Errorf("the final poll was made at %v, want %v or a millisecond later", got, want)
		}
		if b.job.Attempt != 1 || len(b.job.Errors) != 0 {
			t.Errorf("attempt %d, %d errors; want 1, 0", b.job.Attempt, len(b.job.Errors))
		}
	}, fixed, taskwait.WithTimeout(time.Minute))
}

// A run whose context ends during its poll leaves the wait as it was, and is no attempt.
func TestContextEnds(t *testing.T) {
	inBubble(t, executing(1, answer{hangs: true}, answer{status: taskwait.StatusSuccess}), func(b *bench) {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(b.job.ScheduledAt))
		before := waitOf(t, b.job)
		ctx, cancel := context.WithCancel(b.t.Context())
		time.AfterFunc(time.Second, cancel)
		err := b.runWithin(ctx)
		if err != nil || b.kind != river.EventKindJobSnoozed || b.job.State != rivertype.JobStateAvailable {
			t.Fatalf("got %v, %v, %s; want it snoozed, and available at once", err, b.kind, b.job.State)
		}
		if after := waitOf(t, b.job); after != before {
			t.Errorf("the wait is\n%s, want\n%s", after, before)
		}
		if err := b.run(); err != nil || b.kind != river.EventKindJobCompleted {
			t.Errorf("got %v, %v; want it completed", err, b.kind)
		}
		if len(b.job.Errors) != 0 || b.job.Attempt != 1 {
			t.Errorf("attempt %d, %d errors; want 1, 0", b.job.Attempt, len(b.job.Errors))
		}
	})
}

func waitOf(t *testing.T, job *rivertype.JobRow) string {
	t.Helper()
	var metadata struct{ Taskwait json.RawMessage }
	if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
		t.Fatal(err)
	}
	return string(metadata.Taskwait)
}

// A query that hangs is over before the run is, and counts as a query that failed.
func TestHangingQuery(t *testing.T) {
	inBubble(t, []answer{{hangs: true}, {status: taskwait.StatusSuccess}}, func(b *bench) {
		if err := b.runAll(); err != nil || b.kind != river.EventKindJobCompleted {
			t.Fatalf("got %v, %v; want it completed", err, b.kind)
		}
		want := []time.Duration{0, riverwait.DefaultQueryTimeout + 4001*time.Millisecond}
		if got := b.polls(); !slices.Equal(got, want) {
			t.Errorf("polls at %v, want %v", got, want)
		}
	}, fixed)
}

// What is wrong with the program is an error of the job, and no word on the task.
func TestProgramFaults(t *testing.T) {
	unknown := errors.New("no such account")
	for _, tt := range []struct {
		name   string
		waiter func(string) (*taskwait.Waiter, error)
		want   error
	}{
		{"no Waiter", func(string) (*taskwait.Waiter, error) { return nil, unknown }, unknown},
		{"an option", func(string) (*taskwait.Waiter, error) {
			return taskwait.New(&service{}, taskwait.WithBackOff(func() backoff.BackOff { return nil }))
		}, taskwait.ErrInvalidOption},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, executing(1), func(b *bench) {
				b.worker.Waiter = tt.waiter
				b.worker.Done = returns(func(err error) error { t.Errorf("Done: %v", err); return nil })
				if err := b.run(); !errors.Is(err, tt.want) || b.kind != river.EventKindJobFailed {
					t.Errorf("got %v, %v; want %v, failed", err, b.kind, tt.want)
				}
			})
		})
	}
}

// Errors are retried as the client's policy says. A job whose worker has died goes on at once, however often one has.
func TestNextRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &riverwait.Worker[riverwait.Args]{}
		job := &river.Job[riverwait.Args]{JobRow: &rivertype.JobRow{AttemptedAt: new(time.Now())}}
		if got := w.NextRetry(job); !got.IsZero() {
			t.Errorf("after an error: got %v, want what the policy says", got)
		}
		time.Sleep(12 * time.Second)
		if got := w.NextRetry(job); !got.Equal(time.Now()) {
			t.Errorf("after 12 s: got %v, want %v", got, time.Now())
		}
	})
}

func TestSetTimeouts(t *testing.T) {
	for _, tt := range []struct {
		name        string
		config      river.Config
		job, rescue time.Duration
	}{
		{"nothing is set", river.Config{}, 10 * time.Second, 12 * time.Second},
		{"JobTimeout is", river.Config{JobTimeout: time.Minute}, time.Minute, 62 * time.Second},
		{"there is no JobTimeout", river.Config{JobTimeout: -1}, -1, 12 * time.Second},
		{"both are", river.Config{JobTimeout: time.Second, RescueStuckJobsAfter: time.Hour}, time.Second, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := riverwait.SetTimeouts(&tt.config)
			if c.JobTimeout != tt.job || c.RescueStuckJobsAfter != tt.rescue {
				t.Errorf("got %v, %v; want %v, %v", c.JobTimeout, c.RescueStuckJobsAfter, tt.job, tt.rescue)
			}
		})
	}
}
