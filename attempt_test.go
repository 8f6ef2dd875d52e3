package taskwait

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// attempts is an Operation that records the Attempts it is given.
type attempts struct {
	before []error // of each call of Before, the last one again and again
	starts []error
	slow   time.Duration // what a call of Before takes

	read, sent []time.Duration // since the call of Do
	given      []Attempt       // to Start
	begun      time.Time
}

func (a *attempts) operation() Operation {
	a.begun = time.Now()
	return Operation{
		Name: "resize",
		Before: func(context.Context) (Attempt, error) {
			time.Sleep(a.slow)
			a.read = append(a.read, time.Since(a.begun))
			return Attempt{Key: "ours", Seen: []string{"old"}}, take(a.before, len(a.read)-1)
		},
		Start: func(_ context.Context, given Attempt) (string, error) {
			a.sent, a.given = append(a.sent, time.Since(a.begun)), append(a.given, given)
			return "id", take(a.starts, len(a.sent)-1)
		},
	}
}

// TestBefore is about when what was there before an operation is read.
func TestBefore(t *testing.T) {
	const s = time.Second
	conflict, throttled, notSent := refusal(ClassConflict), refusal(ClassThrottled), refusal(ClassNotSent)
	long := &QueryError{Class: ClassThrottled, RetryAfter: attemptKept, Err: errors.New("much later")}
	tests := []struct {
		name           string
		before, starts []error
		slow           time.Duration
		opts           []Option
		want           []error
		read, sent     []time.Duration
	}{
		{name: "once", read: []time.Duration{0}, sent: []time.Duration{0}},
		{
			name: "again after a conflict", starts: []error{conflict, nil}, read: []time.Duration{0, 5 * s},
			sent: []time.Duration{0, 5 * s},
		},
		{
			name: "kept after a throttle", starts: []error{throttled, nil}, read: []time.Duration{0},
			sent: []time.Duration{0, 5 * s},
		},
		{
			name: "kept where nothing was sent", starts: []error{notSent, nil}, read: []time.Duration{0},
			sent: []time.Duration{0, 5 * s},
		},
		{
			name: "not kept for ever", starts: []error{long, nil}, read: []time.Duration{0, attemptKept},
			sent: []time.Duration{0, attemptKept},
		},
		{
			name: "an error that passes", before: []error{errors.New("reset"), nil}, read: []time.Duration{0, 5 * s},
			sent: []time.Duration{5 * s},
		},
		{
			name: "an error that does not", before: []error{refusal(ClassPermanent)}, want: []error{ErrNotStarted},
			read: []time.Duration{0},
		},
		{
			name: "what it is about is not there", before: []error{refusal(ClassNotFound)},
			want: []error{ErrNotStarted}, read: []time.Duration{0},
		},
		{name: "nothing is sent where it took too long", slow: 17 * s, opts: []Option{WithTimeout(15 * s)},
			want: []error{ErrTimeout, ErrNotStarted}, read: []time.Duration{17 * s, 34 * s}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &attempts{
					before: append(tt.before, nil)[:max(1, len(tt.before))],
					starts: append(tt.starts, nil)[:max(1, len(tt.starts))],
				}
				a.slow = tt.slow
				opts := append([]Option{WithInterval(5*s, 5*s)}, tt.opts...)
				_, err := newWaiter(t, always(StatusSuccess), opts...).Do(t.Context(), a.operation())
				time.Sleep(time.Minute) // what was abandoned comes back
				synctest.Wait()
				for _, want := range tt.want {
					if !errors.Is(err, want) {
						t.Errorf("%v, want %v", err, want)
					}
				}
				if (err == nil) != (tt.want == nil) || len(tt.read) != len(a.read) || len(tt.sent) != len(a.sent) {
					t.Fatalf("%v, read at %v, sent at %v; want %v and %v", err, a.read, a.sent, tt.read, tt.sent)
				}
				for i, at := range slices.Concat(tt.read, tt.sent) {
					if got := slices.Concat(a.read, a.sent)[i]; got < at || got > at+at/5 {
						t.Errorf("read at %v, sent at %v; want %v and %v", a.read, a.sent, tt.read, tt.sent)
					}
				}
			})
		})
	}
}

// TestAttempt: each Start of one Do has the same key, and another Do has another one.
func TestAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempts{before: []error{nil}, starts: []error{refusal(ClassConflict), refusal(ClassThrottled), nil}}
		w := newWaiter(t, always(StatusSuccess))
		for range 2 {
			if _, err := w.Do(t.Context(), a.operation()); err != nil {
				t.Fatal(err)
			}
		}
		if len(a.given) != 4 {
			t.Fatalf("sent %d times, want 3 times and once", len(a.given))
		}
		for i, g := range a.given {
			if g.Key == "" || g.Key == "ours" || (g.Key == a.given[0].Key) != (i < 3) || g.At.IsZero() ||
				!slices.Equal(g.Seen, []string{"old"}) {
				t.Errorf("attempt %d: %+v, want one key for each Do, the time, and what Before has seen", i, g)
			}
		}
	})
}

// TestOperationSettings: what an operation needs holds where no option was given.
func TestOperationSettings(t *testing.T) {
	stale := []answer{
		phase("RUNNING", StatusSuccess),
		phase("RESTARTING", StatusExecuting),
		phase("RUNNING", StatusSuccess),
	}
	tests := []struct {
		name         string
		op           Operation
		ofWaiter, of []Option
		polls        int
		kind         string
	}{
		{name: "nothing", polls: 1},
		{name: "a stale phase", op: Operation{StalePhase: "RUNNING"}, polls: 3},
		{name: "confirmations", op: Operation{StalePhase: "RUNNING", Confirmations: 2}, polls: 4},
		{name: "an option of the call wins", op: Operation{StalePhase: "RUNNING", Confirmations: 2},
			of: []Option{WithStalePhase(""), WithConfirmations(1)}, polls: 1},
		{name: "an option of the Waiter wins", op: Operation{StalePhase: "OTHER", Confirmations: 2},
			ofWaiter: []Option{WithStalePhase("RUNNING"), WithConfirmations(3)}, polls: 5},
		{name: "0 is 1, and wins", op: Operation{Confirmations: 2}, of: []Option{WithConfirmations(0)}, polls: 1},
		{name: "a kind", op: Operation{Kind: "restart"}, polls: 1, kind: "restart"},
		{
			name: "an option's kind wins", op: Operation{Kind: "restart"}, of: []Option{WithKind("other")}, polls: 1,
			kind: "other",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, kind := script(stale...), ""
				tt.op.Start = func(context.Context, Attempt) (string, error) { return "id", nil }
				opts := append(tt.of, WithProgress(func(p Progress) { kind = p.Task.Kind }))
				_, err := newWaiter(t, src, tt.ofWaiter...).Do(t.Context(), tt.op, opts...)
				if err != nil || len(src.asked) != tt.polls || kind != tt.kind {
					t.Errorf("%v, %d polls, kind %q; want success, %d, %q", err, len(src.asked), kind, tt.polls, tt.kind)
				}
			})
		})
	}
	_, err := newWaiter(t, script(stale...)).Do(t.Context(), Operation{
		Confirmations: -1, Start: func(context.Context, Attempt) (string, error) { return "id", nil },
	})
	if !errors.Is(err, ErrInvalidOption) || !errors.Is(err, ErrNotStarted) {
		t.Errorf("Confirmations -1: %v, want ErrInvalidOption and ErrNotStarted", err)
	}
}

// TestKindBeforeTheFirstAnswer: a kind that was given is reported until the service reports one, and stands where it
// reports none.
func TestKindBeforeTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiter(
			t,
			script(
				answer{Err: errors.New("reset")},
				seen(StatusExecuting),
				answer{Value: Task{Kind: "theirs", Status: StatusSuccess}},
			),
		)
		var kinds []string
		_, err := w.WaitForTask(
			t.Context(),
			"id",
			WithKind("ours"),
			WithProgress(func(p Progress) { kinds = append(kinds, p.Task.Kind) }),
		)
		if want := []string{"ours", "ours", "theirs", "theirs"}; err != nil || !slices.Equal(kinds, want) {
			t.Errorf("%v, kinds %q; want success, %q", err, kinds, want)
		}
	})
}
