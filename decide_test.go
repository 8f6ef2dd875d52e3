package taskwait

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/pacing"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

// newState is what a wait for "id" that began at t0 remembers.
func newState() state { return state{task: Task{ID: "id"}, taskStartedAt: t0} }

func seen(status Status) answer { return answer{Value: Task{ID: "id", Status: status}} }

// later is an answer that says when to come again.
func later(status Status, after time.Duration) answer {
	a := seen(status)
	a.Value.RetryAfter = after
	return a
}

// denied is a refusal for good with this status.
func denied(status int) answer {
	return answer{Err: &QueryError{Class: ClassPermanent, StatusCode: status, Err: errors.New("denied")}}
}

func failed(class Class, retryAfter time.Duration) answer {
	return answer{Err: &QueryError{Class: class, RetryAfter: retryAfter, Err: errors.New("boom")}}
}

// step is one answer of a script: it was sent, and arrived, at these seconds after the start.
type step struct {
	sent, now float64
	answer    answer
}

func same(sec float64, a answer) step { return step{sec, sec, a} }

// TestDecide has a row for each row of the table of answers, and for each bound of it.
func TestDecide(t *testing.T) {
	plain := answer{Err: errors.New("connection reset")}
	missing, throttled := failed(ClassNotFound, 0), failed(ClassThrottled, 0)
	good := seen(StatusExecuting)
	untrusted := answer{Err: Permanent(&url.Error{Op: "Get", URL: "https://x", Err: errors.New("unknown authority")})}
	unparsed := answer{Err: Permanent(&url.Error{Op: "parse", URL: "::", Err: errors.New("missing scheme")})}
	asks := func(wait time.Duration) decision { return decision{pause: wait} }
	ends := func(kind error) decision { return decision{done: true, reason: kind} }
	const plan = 4 * time.Second
	tests := []struct {
		name    string
		timeout time.Duration
		run     time.Duration
		ctxEnd  float64
		planned time.Duration
		steps   []step
		want    decision // after the last step; all before it must ask again
	}{
		{name: "success", steps: []step{same(0, seen(StatusSuccess))}, want: ends(nil)},
		{
			name:  "success without an id in the answer",
			steps: []step{same(0, answer{Value: Task{Status: StatusSuccess}})}, want: ends(nil),
		},
		{
			name:  "success of another task",
			steps: []step{same(0, answer{Value: Task{ID: "other", Status: StatusSuccess}})}, want: asks(plan),
		},
		{name: "failed", steps: []step{same(0, seen(StatusFailed))}, want: ends(ErrTaskFailed)},
		{name: "deleted", steps: []step{same(0, seen(StatusDeleted))}, want: ends(ErrTaskDeleted)},
		{name: "cancelled", steps: []step{same(0, seen(StatusCancelled))}, want: ends(ErrTaskCancelled)},
		{name: "created", steps: []step{same(0, seen(StatusCreated))}, want: asks(plan)},
		{name: "executing", steps: []step{same(0, seen(StatusExecuting))}, want: asks(plan)},
		{
			name:  "created to the very end",
			steps: []step{same(0, seen(StatusCreated)), same(3600, seen(StatusSuccess))}, want: ends(nil),
		},

		{name: "unknown status", steps: []step{same(0, seen("PAUSED"))}, want: asks(plan)},
		{name: "empty status", steps: []step{same(0, seen(""))}, want: asks(plan)},
		{name: "Success is not SUCCESS", steps: []step{same(0, seen("Success"))}, want: asks(plan)},
		{name: "success and a space", steps: []step{same(0, seen("SUCCESS "))}, want: asks(plan)},
		{name: "unknown for two days", steps: []step{same(0, seen("X")), same(172800, seen("X"))}, want: asks(plan)},
		{
			name:  "an unknown status ends a run of errors",
			steps: []step{same(0, plain), same(1, plain), same(400, seen("X")), same(401, plain)}, want: asks(plan),
		},

		{name: "not found", steps: []step{same(0, missing)}, want: asks(plan)},
		{
			name: "a look falls at the grace's end", steps: []step{same(0, missing), same(58, missing)},
			want: asks(2 * time.Second),
		},
		{
			name: "not found through the grace", steps: []step{same(0, missing), same(60, missing)},
			want: ends(ErrTaskNotFound),
		},
		{
			name:  "a look before the grace's end that is answered after it",
			steps: []step{same(0, missing), {59, 61, missing}}, want: asks(plan),
		},
		{
			name: "not found is soon asked again", planned: 30 * time.Second,
			steps: []step{same(0, missing)}, want: asks(8 * time.Second),
		},
		{name: "one look is no evidence", steps: []step{{0, 90, missing}}, want: asks(plan)},
		{
			name:  "grace counts from the first not found",
			steps: []step{same(0, seen(StatusCreated)), same(50, missing), same(100, missing)}, want: asks(plan),
		},
		{
			name:  "any answer for the id ends the run",
			steps: []step{same(0, missing), same(50, seen("X")), same(70, missing)}, want: asks(plan),
		},
		{
			name:  "errors do not end it",
			steps: []step{same(0, missing), same(30, plain), same(50, throttled), same(60, missing)},
			want:  ends(ErrTaskNotFound),
		},
		{name: "errors are not looks", steps: []step{same(0, missing), same(70, plain)}, want: asks(plan)},
		{
			name:  "an error after the grace says nothing of the id",
			steps: []step{same(0, missing), same(30, missing), same(70, plain)}, want: asks(plan),
		},
		{
			name:  "not found ends a run of errors",
			steps: []step{same(0, plain), same(1, plain), same(299, missing), same(301, plain)}, want: asks(plan),
		},
		{
			name:  "found, then gone",
			steps: []step{same(0, seen(StatusExecuting)), same(10, missing), same(70, missing)},
			want:  ends(ErrTaskNotFound),
		},

		{name: "throttled", steps: []step{same(0, throttled)}, want: asks(plan)},
		{
			name: "Retry-After, jittered upwards", steps: []step{same(0, failed(ClassThrottled, 20*time.Second))},
			want: asks(21 * time.Second),
		},
		{
			name:  "Retry-After shorter than the schedule",
			steps: []step{same(0, failed(ClassThrottled, time.Second))}, want: asks(plan),
		},
		{
			name: "Retry-After of a day", steps: []step{same(0, failed(ClassThrottled, 24*time.Hour))},
			want: asks(5*time.Minute + 15*time.Second),
		},
		{name: "Retry-After in the past", steps: []step{same(0, failed(ClassThrottled, -time.Hour))}, want: asks(plan)},
		{
			name: "Retry-After on any class", steps: []step{same(0, failed(ClassTransient, 20*time.Second))},
			want: asks(21 * time.Second),
		},
		{
			name:  "Retry-After beyond the grace's end",
			steps: []step{same(0, failed(ClassNotFound, 100*time.Second))}, want: asks(105 * time.Second),
		},
		{
			name: "a good answer's RetryAfter", steps: []step{same(0, later(StatusExecuting, 20*time.Second))},
			want: asks(21 * time.Second),
		},
		{
			name: "that of an unknown status", steps: []step{same(0, later("PAUSED", 20*time.Second))},
			want: asks(21 * time.Second),
		},
		{
			name:  "a good answer's, shorter than the schedule",
			steps: []step{same(0, later(StatusCreated, time.Second))}, want: asks(plan),
		},
		{
			name: "a good answer's, of a day", steps: []step{same(0, later(StatusExecuting, 24*time.Hour))},
			want: asks(5*time.Minute + 15*time.Second),
		},
		{name: "a good answer's, in the past", steps: []step{same(0, later(StatusExecuting, -time.Hour))}, want: asks(plan)},
		{
			name:  "of an answer before",
			steps: []step{same(0, later(StatusExecuting, time.Minute)), same(60, seen(StatusExecuting))},
			want:  asks(plan),
		},
		{name: "of the task's end", steps: []step{same(0, later(StatusSuccess, time.Minute))}, want: ends(nil)},
		{
			name: "a good answer's does not postpone the final poll", timeout: 10 * time.Second,
			steps: []step{same(8, later(StatusExecuting, time.Minute))}, want: asks(2 * time.Second),
		},
		{
			name:  "throttled for a day",
			steps: []step{same(0, throttled), same(1, throttled), same(2, throttled), same(86400, throttled)},
			want:  asks(plan),
		},
		{
			name:  "throttled ends a run of errors",
			steps: []step{same(0, plain), same(1, plain), same(299, throttled), same(301, plain)}, want: asks(plan),
		},

		{name: "a plain error", steps: []step{same(0, plain)}, want: asks(plan)},
		{
			name:  "a class there is not",
			steps: []step{same(0, failed(Class(7), 0)), same(1, failed(Class(-1), 0)), same(300, failed(Class(7), 0))},
			want:  ends(ErrQuery),
		},
		{
			name: "errors through the tolerance", steps: []step{same(0, plain), same(100, plain), same(300, plain)},
			want: ends(ErrQuery),
		},
		{name: "two errors are no evidence", steps: []step{same(0, plain), same(3000, plain)}, want: asks(plan)},
		{
			name:  "three errors within the tolerance",
			steps: []step{same(0, plain), same(1, plain), same(299, plain)}, want: asks(plan),
		},
		{
			name: "one good answer ends the run",
			steps: []step{
				same(0, plain),
				same(1, plain),
				same(299, seen(StatusCreated)),
				same(301, plain),
				same(302, plain),
				same(600, plain),
			},
			want: asks(plan),
		},
		{name: "permanent", steps: []step{same(0, failed(ClassPermanent, 0))}, want: ends(ErrQuery)},
		{
			name:  "permanent later",
			steps: []step{same(0, seen(StatusExecuting)), same(9, failed(ClassPermanent, 0))}, want: ends(ErrQuery),
		},
		{
			name:  "an id that the Source refuses",
			steps: []step{same(0, answer{Err: &QueryError{Class: ClassPermanent, Err: checkID("")}})},
			want:  ends(ErrInvalidID),
		},
		{name: "the same, told plainly", steps: []step{same(0, answer{Err: checkID("")})}, want: ends(ErrInvalidID)},
		{
			name:  "wrapped errors count as what they wrap",
			steps: []step{same(0, answer{Err: fmt.Errorf("wrapped: %w", failed(ClassPermanent, 0).Err)})},
			want:  ends(ErrQuery),
		},
		{name: "403 at first", steps: []step{same(0, denied(403))}, want: ends(ErrQuery)},
		{name: "401 at first", steps: []step{same(0, denied(401))}, want: ends(ErrQuery)},
		{
			name: "403 after trouble alone", steps: []step{same(0, plain), same(1, missing), same(2, denied(403))},
			want: ends(ErrQuery),
		},
		{name: "403 after a good answer", steps: []step{same(0, good), same(9, denied(403))}, want: asks(plan)},
		{name: "401 after a good answer", steps: []step{same(0, good), same(9, denied(401))}, want: asks(plan)},
		{name: "407 of a proxy at first", steps: []step{same(0, denied(407))}, want: ends(ErrQuery)},
		{
			name:  "407 of a proxy after a good answer",
			steps: []step{same(0, good), same(9, denied(407)), same(67, denied(407))}, want: asks(2 * time.Second),
		},
		{
			name: "403 after an answer in a status that is not known", steps: []step{same(0, seen("X")), same(9, denied(403))},
			want: asks(plan),
		},
		{
			name: "a poll falls at the minute's end", steps: []step{same(0, good), same(9, denied(403)), same(67, denied(401))},
			want: asks(2 * time.Second),
		},
		{
			name: "403 for a minute", steps: []step{same(0, good), same(9, denied(403)), same(69, denied(403))},
			want: ends(ErrQuery),
		},
		{name: "one 403 is no evidence", steps: []step{same(0, good), {9, 99, denied(403)}}, want: asks(plan)},
		{
			name:  "other errors do not end a run of 403",
			steps: []step{same(0, good), same(9, denied(403)), same(20, plain), same(30, throttled), same(69, denied(403))},
			want:  ends(ErrQuery),
		},
		{
			name:  "a good answer ends a run of 403",
			steps: []step{same(0, good), same(9, denied(403)), same(60, good), same(69, denied(403))}, want: asks(plan),
		},
		{
			name:  "so does not found",
			steps: []step{same(0, good), same(9, denied(403)), same(60, missing), same(69, denied(403))}, want: asks(plan),
		},
		{
			name: "403 at the final poll: repeated", timeout: 10 * time.Second,
			steps: []step{same(0, good), {10, 12, denied(403)}}, want: asks(750 * time.Millisecond),
		},
		{name: "400 after a good answer", steps: []step{same(0, good), same(9, denied(400))}, want: ends(ErrQuery)},
		{name: "410 after a good answer", steps: []step{same(0, good), same(9, denied(410))}, want: ends(ErrQuery)},
		{name: "what cannot be trusted, at first", steps: []step{same(0, untrusted)}, want: ends(ErrQuery)},
		{
			name: "what cannot be trusted, after a good answer", steps: []step{same(0, good), same(9, untrusted)},
			want: asks(plan),
		},
		{
			name: "what cannot be trusted for a minute", steps: []step{same(0, good), same(9, untrusted), same(69, untrusted)},
			want: ends(ErrQuery),
		},
		{
			name: "a path that cannot be parsed, after a good answer", steps: []step{same(0, good), same(9, unparsed)},
			want: ends(ErrQuery),
		},

		{
			name: "no sleep passes the timeout", timeout: 10 * time.Second,
			steps: []step{same(8, seen(StatusCreated))}, want: asks(2 * time.Second),
		},
		{
			name: "Retry-After does not postpone the last look", timeout: 10 * time.Second,
			steps: []step{same(8, failed(ClassThrottled, time.Minute))}, want: asks(2 * time.Second),
		},
		{
			name: "in flight at the timeout, done", timeout: 10 * time.Second,
			steps: []step{{9, 12, seen(StatusSuccess)}}, want: ends(nil),
		},
		{
			name: "in flight at the timeout, not done", timeout: 10 * time.Second,
			steps: []step{{9, 12, seen(StatusExecuting)}}, want: asks(0),
		},
		{
			name: "in flight at the timeout, refused", timeout: 10 * time.Second,
			steps: []step{{9, 12, failed(ClassPermanent, 0)}}, want: ends(ErrQuery),
		},
		{
			name: "in flight at the timeout, schedule at its end", timeout: 10 * time.Second, planned: backoff.Stop,
			steps: []step{{9, 12, plain}}, want: asks(0),
		},
		{name: "last look, done", timeout: 10 * time.Second, steps: []step{{10, 12, seen(StatusSuccess)}}, want: ends(nil)},
		{
			name: "last look, failed", timeout: 10 * time.Second, steps: []step{{10, 12, seen(StatusFailed)}},
			want: ends(ErrTaskFailed),
		},
		{
			name: "last look, not done", timeout: 10 * time.Second, steps: []step{{10, 12, seen(StatusExecuting)}},
			want: ends(ErrTimeout),
		},
		{
			name: "final poll, error: repeated", timeout: 10 * time.Second, steps: []step{{10, 12, plain}},
			want: asks(750 * time.Millisecond),
		},
		{
			name: "final poll, throttled: repeated, whatever RetryAfter says", timeout: 10 * time.Second,
			steps: []step{{10, 12, failed(ClassThrottled, time.Hour)}}, want: asks(750 * time.Millisecond),
		},
		{
			name: "final poll, conflict", timeout: 10 * time.Second,
			steps: []step{{10, 12, failed(ClassConflict, 0)}}, want: ends(ErrTimeout),
		},
		{
			name: "final poll, error, with half a second left", timeout: 10 * time.Second,
			steps: []step{{10, 13.5, plain}}, want: asks(500 * time.Millisecond),
		},
		{
			name: "final poll, error, and no time left", timeout: 10 * time.Second,
			steps: []step{{10, 12, plain}, {12.5, 14, plain}}, want: ends(ErrTimeout),
		},
		{
			name: "final poll, error, then done", timeout: 10 * time.Second,
			steps: []step{{10, 12, plain}, {12.5, 14, seen(StatusSuccess)}}, want: ends(nil),
		},
		{
			name:    "final poll, not found",
			timeout: 10 * time.Second,
			steps:   []step{{10, 12, missing}},
			want:    ends(ErrTimeout),
		},
		{
			name: "last look, refused", timeout: 10 * time.Second, steps: []step{{10, 12, failed(ClassPermanent, 0)}},
			want: ends(ErrTimeout),
		},
		{
			name: "the clock jumps two hours: one look more", timeout: time.Hour,
			steps: []step{{0, 7200, seen(StatusExecuting)}, same(7200, seen(StatusExecuting))},
			want:  ends(ErrTimeout),
		},

		{
			name: "the run's timeout does not begin with CREATED", run: 10 * time.Second,
			steps: []step{same(0, seen(StatusCreated)), same(3600, seen(StatusCreated))},
			want:  asks(plan),
		},
		{
			name: "nor with trouble", run: 10 * time.Second,
			steps: []step{same(0, plain), same(60, missing), same(70, throttled)},
			want:  asks(plan),
		},
		{
			name: "the run's timeout begins with EXECUTING", run: 10 * time.Second,
			steps: []step{same(0, seen(StatusCreated)), same(3600, good), same(3608, good)},
			want:  asks(2 * time.Second),
		},
		{
			name: "and with a status that is not known", run: 10 * time.Second,
			steps: []step{same(3600, seen("X")), same(3608, seen("X"))},
			want:  asks(2 * time.Second),
		},
		{
			name: "the run's final poll, done", run: 10 * time.Second,
			steps: []step{same(3600, good), same(3610, seen(StatusSuccess))},
			want:  ends(nil),
		},
		{
			name: "the run's final poll, not done", run: 10 * time.Second,
			steps: []step{same(3600, good), same(3610, good)},
			want:  ends(ErrTimeout),
		},
		{
			name: "CREATED again does not end the run", run: 10 * time.Second,
			steps: []step{same(3600, good), same(3605, seen(StatusCreated)), same(3610, seen(StatusCreated))},
			want:  ends(ErrTimeout),
		},
		{
			name: "the whole timeout comes first", timeout: time.Hour, run: time.Hour,
			steps: []step{same(3599, good)},
			want:  asks(time.Second),
		},

		{
			name: "a look shortly before the context's deadline", ctxEnd: 100, planned: time.Hour,
			steps: []step{same(0, seen(StatusCreated))}, want: asks(99 * time.Second),
		},
		{
			name: "a tenth of the time left", ctxEnd: 5, planned: time.Hour,
			steps: []step{same(0, seen(StatusCreated))}, want: asks(4500 * time.Millisecond),
		},
		{
			name: "one such look, not a series of them", ctxEnd: 100, planned: time.Hour,
			steps: []step{same(0, seen(StatusCreated)), same(99, seen(StatusCreated))}, want: asks(time.Hour),
		},
		{
			name: "the timeout comes before the context's deadline", timeout: 50 * time.Second, ctxEnd: 100,
			planned: time.Hour, steps: []step{same(0, seen(StatusCreated))}, want: asks(50 * time.Second),
		},

		{
			name: "the schedule says stop", planned: backoff.Stop, steps: []step{same(0, seen(StatusCreated))},
			want: ends(ErrBackOffStopped),
		},
		{
			name: "success when the schedule says stop", planned: backoff.Stop,
			steps: []step{same(0, seen(StatusSuccess))}, want: ends(nil),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &deadlines{
				began: t0, timeout: tt.timeout, run: tt.run, tolerance: defaultErrorTolerance, grace: defaultNotFoundGrace,
			}
			if tt.ctxEnd > 0 {
				l.ctxEnd = at(tt.ctxEnd)
			}
			if tt.planned == 0 {
				tt.planned = plan
			}
			s := newState()
			var v decision
			for i, st := range tt.steps {
				st.answer.Sent = at(st.sent)
				if v.done {
					t.Fatalf("step %d comes after the decision %v", i, v.reason)
				}
				v = decide(l, &s, &st.answer, at(st.now), tt.planned, 0.5)
			}
			if v.done != tt.want.done || v.reason != tt.want.reason || v.pause != tt.want.pause {
				t.Errorf("decide() = done %v, %v, wait %v; want done %v, %v, wait %v",
					v.done, v.reason, v.pause, tt.want.done, tt.want.reason, tt.want.pause)
			}
		})
	}
}

// TestDecideErrorAfterSuccess: the pause of a first SUCCESS is kept when others see the task, but not when the wait's
// own call, which was in flight then, comes to an error.
func TestDecideErrorAfterSuccess(t *testing.T) {
	const plan = 4 * time.Second
	tests := []struct {
		name   string
		answer answer
		want   time.Duration
	}{
		{"seen by others", seen(StatusSuccess), 0},
		{"a plain error", answer{Err: errors.New("reset")}, plan},
		{"throttled", failed(ClassThrottled, 20*time.Second), 20 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &deadlines{began: t0, tolerance: defaultErrorTolerance, grace: defaultNotFoundGrace, confirmations: 3}
			s := newState()
			first := seen(StatusSuccess)
			first.Sent, tt.answer.Sent = at(1), at(0)
			decide(l, &s, &first, at(1), plan, 0)
			if v := decide(l, &s, &tt.answer, at(9), plan, 0); v.done || v.pause != tt.want {
				t.Errorf("decide() = done %v, pause %v; want a pause of %v", v.done, v.pause, tt.want)
			}
		})
	}
}

// TestDecideInitialDelay: what other waits' polls show before a wait's own first poll does not bring that forward.
func TestDecideInitialDelay(t *testing.T) {
	const plan, first = 4 * time.Second, 60
	tests := []struct {
		name   string
		sent   float64
		answer answer
		want   time.Duration
	}{
		{"running, in the delay", 10, seen(StatusExecuting), 50 * time.Second},
		{"a first SUCCESS, in the delay", 10, seen(StatusSuccess), 50 * time.Second},
		{"running, after it", first, seen(StatusExecuting), plan},
		{"a first SUCCESS, after it", first, seen(StatusSuccess), plan},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &deadlines{began: t0, tolerance: time.Hour, grace: time.Hour, stall: 30 * time.Second, confirmations: 2}
			s := newState()
			s.plannedAt = at(first)
			tt.answer.Sent = at(tt.sent)
			if v := decide(l, &s, &tt.answer, at(tt.sent), plan, 0.5); v.done || v.pause != tt.want {
				t.Errorf("decide() = done %v, pause %v; want a pause of %v", v.done, v.pause, tt.want)
			}
		})
	}
}

// TestDecideAskedPause: what others' polls show does not shorten a pause that the service has asked for, nor does one
// that was begun before. The wait's own next answer ends that.
func TestDecideAskedPause(t *testing.T) {
	const plan = 4 * time.Second
	for _, tt := range []struct {
		name  string
		asks  answer
		sent  float64 // of the answer after it; 20 s were asked for at second 10, and a tenth of that may be added
		shows answer
		want  time.Duration
	}{
		{"throttled, and a page from before", failed(ClassThrottled, 20*time.Second), 9, seen(StatusExecuting), 20},
		{"throttled, and a neighbour's poll", failed(ClassThrottled, 20*time.Second), 12, seen(StatusExecuting), 18},
		{"busy", later(StatusExecuting, 20*time.Second), 12, seen(StatusExecuting), 18},
		{"asked for more meanwhile", failed(ClassThrottled, 20*time.Second), 12, later("X", 30*time.Second), 30},
		{"asked for less meanwhile", failed(ClassThrottled, 20*time.Second), 12, later("X", time.Second), 18},
		{"nothing was asked for", failed(ClassThrottled, 0), 12, seen(StatusExecuting), 4},
		{"its own poll", failed(ClassThrottled, 20*time.Second), 30, seen(StatusExecuting), 4},
		{"its own poll, throttled again", failed(ClassThrottled, 20*time.Second), 30, failed(ClassThrottled, 0), 4},
	} {
		l := &deadlines{began: t0, tolerance: time.Hour, grace: time.Hour}
		s := newState()
		s.step, s.plannedAt = 1, at(10)
		tt.asks.Sent, tt.shows.Sent = at(10), at(tt.sent)
		decide(l, &s, &tt.asks, at(10), plan, 0)
		now := max(tt.sent, 10)
		if v := decide(l, &s, &tt.shows, at(now), plan, 0); v.pause != tt.want*time.Second {
			t.Errorf("%s: a pause of %v, want %v", tt.name, v.pause, tt.want*time.Second)
		}
		after := seen(StatusExecuting)
		after.Sent = s.plannedAt
		decide(l, &s, &after, after.Sent, plan, 0)
		after.Sent = after.Sent.Add(time.Second) // a neighbour's again
		if v := decide(l, &s, &after, after.Sent, time.Second, 0); v.pause != time.Second {
			t.Errorf("%s: a pause of %v after its own next answer, and then a neighbour's, want 1s", tt.name, v.pause)
		}
	}
}

// TestDecideRemembers checks what the state keeps, over a wait with all kinds of answers.
func TestDecideRemembers(t *testing.T) {
	l := &deadlines{began: t0, tolerance: time.Hour, grace: time.Hour}
	s := newState()
	executing := seen(StatusExecuting)
	executing.Value.ID, executing.Value.Kind = "", "resize"
	executing.Sent = at(1)
	for i, a := range []answer{
		failed(ClassNotFound, 0), executing, failed(ClassTransient, 0), failed(ClassThrottled, 0),
		{Err: errors.New("two\nlines")},
	} {
		a.Sent = at(float64(i))
		decide(l, &s, &a, at(float64(i)), time.Second, 0)
	}
	want := state{
		looks: appearance(&Task{Status: StatusExecuting}, 0), step: 5, errors: 4, failing: 3,
		task:          Task{ID: "id", Kind: "resize", Status: StatusExecuting},
		taskStartedAt: t0, runAt: at(1), lastRunningAt: at(1), lastChangedAt: at(1), plannedAt: at(5), leftStalePhase: true,
		errorStreak: streak{since: at(4), count: 1},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("state = %+v\nwant    %+v", s, want)
	}
}

// FuzzDecide feeds random sequences of answers and checks what must hold whatever comes.
func FuzzDecide(f *testing.F) {
	f.Add(uint64(1), []byte{0, 10, 20, 30}, uint16(0), uint16(0))
	f.Add(uint64(2), []byte{8, 8, 8, 8, 8, 8, 8, 8}, uint16(100), uint16(0))
	f.Add(uint64(3), []byte{2, 5, 2, 5, 3, 9}, uint16(0), uint16(50))
	f.Fuzz(func(t *testing.T, seed uint64, script []byte, timeout, ctxEnd uint16) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		l := &deadlines{
			began:     t0,
			timeout:   time.Duration(timeout) * time.Second,
			tolerance: defaultErrorTolerance,
			grace:     defaultNotFoundGrace,
		}
		if ctxEnd > 0 {
			l.ctxEnd = at(float64(ctxEnd))
		}
		e := pacing.NewExponential(defaultMinInterval, defaultMaxInterval)
		c := fuzzed{l: l, s: newState(), twin: newState(), now: t0, e: e}
		for _, b := range script {
			if c.step(t, rnd, b); c.v.done {
				return
			}
		}
	})
}

// fuzzed is a wait under fuzzing, and its twin, which must decide alike: nothing but its arguments goes into a
// decision.
type fuzzed struct {
	l       *deadlines
	s, twin state
	v       decision
	now     time.Time
	e       *pacing.Exponential
	trouble []time.Time // the present run of transient errors, counted independently
	refused []time.Time // and of 401 and 403
	good    bool        // there was an answer for the task
}

var alphabet = []answer{
	seen(StatusCreated), seen(StatusExecuting), seen("PAUSED"), seen(""),
	{Value: Task{ID: "other", Status: StatusSuccess}},
	{Err: errors.New("reset")}, failed(ClassTransient, 0), failed(ClassThrottled, 7*time.Second),
	failed(ClassThrottled, 100*time.Hour), failed(ClassNotFound, 0),
	failed(ClassPermanent, 0), seen(StatusSuccess), seen(StatusFailed), seen(StatusDeleted), seen(StatusCancelled),
	{Value: Task{Status: StatusSuccess}},
	later(StatusExecuting, 40*time.Second), denied(401), denied(403),
}

func (c *fuzzed) step(t *testing.T, rnd *rand.Rand, b byte) {
	a := alphabet[int(b)%len(alphabet)]
	a.Sent = c.now.Add(c.v.pause)
	now := a.Sent.Add(time.Duration(b/16) * time.Second)
	r := rnd.Float64()
	planned := c.e.Pause(int(c.s.step), rnd.Float64())
	c.v = decide(c.l, &c.s, &a, now, planned, r)
	c.now = now
	c.checkDecision(t, a)
	if !c.v.done {
		c.checkPause(t, a, planned)
	}
	c.checkTwin(t, a, planned, r)
}

func (c *fuzzed) checkDecision(t *testing.T, a answer) {
	t.Helper()
	ours := a.Err == nil && (a.Value.ID == "id" || a.Value.ID == "")
	if success := c.v.done && c.v.reason == nil; success != (ours && a.Value.Status == StatusSuccess) {
		t.Fatalf("success = %v for answer %v", success, a)
	}
	if ours && a.Value.Status.Terminal() && (!c.v.done || c.s.task.Status != a.Value.Status) {
		t.Fatalf("the terminal answer %v was lost: %+v", a, c.v)
	}
	class := ClassTransient
	if q, ok := asQueryError(a.Err); ok {
		class = q.Class
	}
	blank := ours && a.Value.Status == "" // malformed
	if blank || a.Err != nil && class == ClassTransient {
		c.trouble = append(c.trouble, c.now)
	} else {
		c.trouble = nil
	}
	if c.v.done && c.v.reason == ErrQuery && class == ClassTransient {
		if n := len(c.trouble); n < minErrors || c.now.Sub(c.trouble[0]) < c.l.tolerance {
			t.Fatalf("gave up after %d errors in %v", n, c.now.Sub(c.trouble[0]))
		}
	}
	c.checkRefusal(t, a, ours && a.Value.Status != "", class)
	end, limited := c.l.end(&c.s)
	if c.v.done && c.v.reason == ErrTimeout && (!limited || a.Sent.Before(end)) {
		t.Fatalf("timed out on a look sent at %v, before %v", a.Sent, end)
	}
}

// checkRefusal: 401 and 403 end a wait at once that has had no good answer, and else after a minute of them.
func (c *fuzzed) checkRefusal(t *testing.T, a answer, good bool, class Class) {
	t.Helper()
	q, _ := asQueryError(a.Err)
	switch {
	case good:
		c.good, c.refused = true, nil
	case class == ClassNotFound || a.Err == nil && a.Value.ID == "other":
		c.refused = nil
	case q != nil && q.StatusCode != 0:
		c.refused = append(c.refused, c.now)
		early := len(c.refused) < 2 || c.now.Sub(c.refused[0]) < refusalTolerance
		if ended := c.v.done && c.v.reason == ErrQuery; ended && c.good && early || !c.v.done && !c.good {
			t.Fatalf("done = %v after %d refusals, good %v", c.v.done, len(c.refused), c.good)
		}
	}
}

func (c *fuzzed) checkPause(t *testing.T, a answer, planned time.Duration) {
	t.Helper()
	w := c.v.pause
	end, limited := c.l.end(&c.s)
	if limited && w > 0 && a.Sent.Before(end) && c.now.Add(w).After(end) {
		t.Fatalf("a pause of %v at %v passes the timeout at %v", w, c.now, end)
	}
	if w > maxRetryAfter*11/10 || w < 0 {
		t.Fatalf("pause = %v", w)
	}
	cut := limited && !c.now.Add(w).Before(end) || !c.s.deadlinePollAt.IsZero() || c.s.notFoundStreak.count > 0 ||
		c.s.refusalStreak.count > 0
	if !cut && (w < defaultMinInterval || w > defaultMaxInterval && c.v.retryAfter == 0) {
		t.Fatalf("pause = %v after %v (planned %v)", w, a, planned)
	}
	if asked := min(c.v.retryAfter, maxRetryAfter); !limited && c.s.deadlinePollAt.IsZero() && w < asked {
		t.Fatalf("pause = %v though asked to stay away for %v", w, asked)
	}
}

func (c *fuzzed) checkTwin(t *testing.T, a answer, planned time.Duration, r float64) {
	t.Helper()
	v := decide(c.l, &c.twin, &a, c.now, planned, r)
	if v.done != c.v.done || v.reason != c.v.reason || v.pause != c.v.pause || !reflect.DeepEqual(c.twin, c.s) {
		t.Fatalf("again: %+v %+v\nfirst: %+v %+v", v, c.twin, c.v, c.s)
	}
}
