package taskwait_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// sender is the service behind an operation: it counts what is sent.
type sender struct {
	start func(ctx context.Context, n int) (string, error) // the n-th, from 1
	busy  func(ctx context.Context, n int) (string, error) // nil: it cannot be asked

	mu       sync.Mutex
	sent     []time.Time
	accepted int
	asked    int
}

func (s *sender) operation() taskwait.Operation {
	op := taskwait.Operation{Name: "resize", Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
		s.mu.Lock()
		s.sent = append(s.sent, time.Now())
		n := len(s.sent)
		s.mu.Unlock()
		id, err := s.start(ctx, n)
		if err == nil {
			s.mu.Lock()
			s.accepted++
			s.mu.Unlock()
		}
		return id, err
	}}
	if s.busy != nil {
		op.Busy = func(ctx context.Context) (string, error) {
			s.mu.Lock()
			s.asked++
			n := s.asked
			s.mu.Unlock()
			return s.busy(ctx, n)
		}
	}
	return op
}

func (s *sender) count() (sent, accepted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent), s.accepted
}

func conflict() error {
	return &taskwait.QueryError{Class: taskwait.ClassConflict, Err: errors.New("something else runs")}
}

// conflictFirst refuses the first start, and accepts from then on.
func conflictFirst(_ context.Context, n int) (string, error) {
	if n == 1 {
		return "", conflict()
	}
	return "id", nil
}

// slow answers that nothing keeps the operation from being sent, after d and without heeding its context.
func slow(d time.Duration) func(context.Context, int) (string, error) {
	return func(context.Context, int) (string, error) { time.Sleep(d); return "", nil }
}

// TestAbandonedNeverActs: when Do has returned nothing is sent any more, by whatever was abandoned. ErrNotStarted is
// true for ever.
func TestAbandonedNeverActs(t *testing.T) {
	const end, answers = 10 * time.Second, 20 * time.Second
	timeout := []taskwait.Option{taskwait.WithTimeout(end)}
	panics := func(context.Context, int) (string, error) { time.Sleep(answers); panic("late") }
	exits := func(context.Context, int) (string, error) { time.Sleep(answers); runtime.Goexit(); return "", nil }
	tests := []struct {
		name string
		ctx  func(*testing.T, time.Duration) context.Context
		opts []taskwait.Option
		busy func(context.Context, int) (string, error)
	}{
		{name: "the context is cancelled", ctx: cancelled, busy: slow(answers)},
		{name: "the context's deadline passes", ctx: within, busy: slow(answers)},
		{name: "the timeout passes", opts: timeout, busy: slow(answers)},
		{name: "the timeout passes, after a query's own", busy: slow(answers), opts: []taskwait.Option{
			taskwait.WithTimeout(end), taskwait.WithQueryTimeout(2 * time.Second),
		}},
		{name: "cancelled, and it panics late", ctx: cancelled, busy: panics},
		{name: "cancelled, and it exits late", ctx: cancelled, busy: exits},
	}
	for _, tt := range tests {
		virtually(t, tt.name, func(t *testing.T) {
			ctx := t.Context()
			if tt.ctx != nil {
				ctx = tt.ctx(t, end)
			}
			s := &sender{start: conflictFirst, busy: tt.busy}
			_, err := newWaiter(t, newService(t).source(false), tt.opts...).Do(ctx, s.operation())
			e := asWaitError(t, err)
			if !errors.Is(err, taskwait.ErrNotStarted) || e.StillRunning() {
				t.Errorf("got %v, StillRunning %v, want ErrNotStarted and false", err, e.StillRunning())
			}
			time.Sleep(time.Minute)
			if sent, _ := s.count(); sent != 1 {
				t.Errorf("got %d starts, want 1: nothing is sent after the return", sent)
			}
		})
	}
}

// cancelled is a context that is cancelled after d.
func cancelled(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	time.AfterFunc(d, cancel)
	return ctx
}

func asWaitError(t *testing.T, err error) *taskwait.WaitError {
	t.Helper()
	var e *taskwait.WaitError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *WaitError", err)
	}
	return e
}

// TestAbandonedBusyWhileWaiting: a Busy that was abandoned for its own timeout does not send the operation beside the
// wait that goes on.
func TestAbandonedBusyWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.ends["id"] = time.Now().Add(time.Minute)
		s := &sender{start: conflictFirst, busy: func(_ context.Context, n int) (string, error) {
			if n == 1 {
				time.Sleep(20 * time.Second)
				return "", nil
			}
			return "still at it", nil
		}}
		w := newWaiter(t, service, every(4*time.Second),
			taskwait.WithQueryTimeout(5*time.Second), taskwait.WithTimeout(2*time.Minute))
		_, err := w.Do(t.Context(), s.operation())
		if sent, _ := s.count(); sent != 1 || !errors.Is(err, taskwait.ErrNotStarted) {
			t.Errorf("got %d starts and %v, want 1 and ErrNotStarted: the answer of the abandoned call is too old", sent, err)
		}
	})
}

// TestAbandonedStartWasThrottled: what the service asks for in the answer to a Start that was abandoned is honoured
// before it is sent again.
func TestAbandonedStartWasThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		s := &sender{start: func(_ context.Context, n int) (string, error) {
			if n == 1 {
				time.Sleep(20 * time.Second)
				return "", throttled(2 * time.Minute)
			}
			service.ends["id"] = time.Now()
			return "id", nil
		}}
		w := newWaiter(t, service, every(4*time.Second), taskwait.WithQueryTimeout(5*time.Second))
		_, err := w.Do(t.Context(), s.operation())
		if err != nil || len(s.sent) != 2 {
			t.Fatalf("got %v, sent at %v, want no error, and sent twice", err, s.sent)
		}
		if d := s.sent[1].Sub(s.sent[0]); d < 140*time.Second || d > 180*time.Second {
			t.Errorf("got it sent again after %v, want 20s and 2m, and up to a tenth and two pauses more", d)
		}
	})
}

// TestEndAtAnyInstant: whenever Do ends, nothing is sent after its return, no operation is accepted twice, and
// ErrNotStarted and ErrOutcomeUnknown are true.
func TestEndAtAnyInstant(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) { endAtAnyInstant(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func endAtAnyInstant(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	ms := func(n int) time.Duration { return time.Duration(rnd.IntN(n)) * time.Millisecond }
	service := newService(t)
	service.ends["id"] = time.Now()
	conflicts, takes, asks := 1+rnd.IntN(3), ms(3000), ms(30000)
	s := &sender{
		start: func(_ context.Context, n int) (string, error) {
			time.Sleep(takes)
			if n <= conflicts {
				return "", conflict()
			}
			return "id", nil
		},
		busy: func(context.Context, int) (string, error) { time.Sleep(asks); return "", nil },
	}
	opts := []taskwait.Option{taskwait.WithQueryTimeout(time.Second + ms(20000))}
	ctx := t.Context()
	if end := time.Second + ms(40000); rnd.IntN(2) == 0 {
		ctx = cancelled(t, end)
	} else {
		opts = append(opts, taskwait.WithTimeout(end))
	}
	_, err := newWaiter(t, service, opts...).Do(ctx, s.operation())
	before, _ := s.count()
	time.Sleep(time.Hour)
	sent, accepted := s.count()
	switch {
	case sent != before:
		t.Errorf("got %d starts after the return with %v, want none", sent-before, err)
	case accepted > 1:
		t.Errorf("got %d accepted, want 1 at most", accepted)
	case accepted > 0 && errors.Is(err, taskwait.ErrNotStarted):
		t.Errorf("got %v, but the operation was accepted", err)
	case accepted == 0 && err == nil:
		t.Error("got success, but nothing was accepted")
	}
}

// TestStartThatExits: what was sent and brought no answer may have been carried out, however the call ended. It is
// not sent again.
func TestStartThatExits(t *testing.T) {
	exits := func(int) (string, error) { runtime.Goexit(); return "", nil }
	tests := []struct {
		name  string
		start func(n int) (string, error)
		sent  int
	}{
		{"at once", exits, 1},
		{"late", func(n int) (string, error) { time.Sleep(3 * time.Second); return exits(n) }, 1},
		{"after its query timeout", func(n int) (string, error) { time.Sleep(time.Minute); return exits(n) }, 1},
		{"after a conflict", func(n int) (string, error) {
			if n == 1 {
				return "", conflict()
			}
			return exits(n)
		}, 2},
		{"the first one only", func(n int) (string, error) {
			if n == 1 {
				return exits(n)
			}
			return "id", nil
		}, 1},
	}
	for _, tt := range tests {
		virtually(t, tt.name, func(t *testing.T) {
			service := newService(t)
			service.ends["id"] = time.Now()
			s := &sender{start: func(_ context.Context, n int) (string, error) { return tt.start(n) }}
			_, err := newWaiter(t, service).Do(within(t, time.Hour), s.operation())
			time.Sleep(time.Hour)
			if sent, _ := s.count(); sent != tt.sent || !errors.Is(err, taskwait.ErrOutcomeUnknown) {
				t.Errorf("got %d starts and %v, want %d and ErrOutcomeUnknown", sent, err, tt.sent)
			}
		})
	}
}
