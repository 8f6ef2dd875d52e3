package taskwait

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

func phase(p string, s Status) answer { return answer{Value: Task{ID: "id", Status: s, Phase: p}} }

// TestConfirmationsAndPhases is about answers that must come more than once, that do not count yet, and that do not
// change.
func TestConfirmationsAndPhases(t *testing.T) {
	good, busy := seen(StatusSuccess), seen(StatusExecuting)
	boom, throttled, missing := answer{Err: errors.New("reset")}, failed(ClassThrottled, 0), failed(ClassNotFound, 0)
	running, restarting := phase("RUNNING", StatusSuccess), phase("RESTARTING", StatusExecuting)
	percent := func(n int) answer { return answer{Value: Task{ID: "id", Status: StatusExecuting, Percent: &n}} }
	tests := []struct {
		name        string
		answers     []answer
		opts        []Option
		want        error
		polls       int
		unconfirmed bool
	}{
		{name: "0 is 1", answers: []answer{busy, good}, opts: []Option{WithConfirmations(0)}, polls: 2},
		{name: "three in a row", answers: []answer{busy, good}, opts: []Option{WithConfirmations(3)}, polls: 4},
		{
			name: "errors neither count nor reset", answers: []answer{good, boom, throttled, good},
			opts: []Option{WithConfirmations(2)}, polls: 4,
		},
		{
			name:    "another status resets",
			answers: []answer{good, busy, good},
			opts:    []Option{WithConfirmations(2)},
			polls:   4,
		},
		{
			name: "an unknown status resets", answers: []answer{good, seen("X"), good},
			opts: []Option{WithConfirmations(2)}, polls: 4,
		},
		{name: "not found resets", answers: []answer{good, missing, good}, opts: []Option{WithConfirmations(2)}, polls: 4},
		{
			name: "a failure needs no confirmation", answers: []answer{good, seen(StatusFailed)},
			opts: []Option{WithConfirmations(3)}, want: ErrTaskFailed, polls: 2,
		},
		{
			name: "good at the deadline, unconfirmed", answers: []answer{busy, busy, good},
			opts: []Option{WithConfirmations(2), WithTimeout(10 * time.Second)}, polls: 3, unconfirmed: true,
		},
		{
			name:    "good before the deadline, and a refusal there",
			answers: []answer{busy, good, failed(ClassPermanent, 0)},
			opts:    []Option{WithConfirmations(2), WithTimeout(10 * time.Second)}, polls: 3, unconfirmed: true,
		},
		{
			name: "good, and bad at the deadline", answers: []answer{busy, good, busy},
			opts: []Option{WithConfirmations(2), WithTimeout(10 * time.Second)}, want: ErrTimeout, polls: 3,
		},
		{
			name: "good, and the schedule at its end", answers: []answer{good},
			opts:  []Option{WithConfirmations(2), WithBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} })},
			polls: 1, unconfirmed: true,
		},
		{
			name: "good, then nothing but errors", answers: []answer{good, boom},
			opts: []Option{WithConfirmations(2), WithErrorTolerance(0)}, want: ErrQuery, polls: 4, unconfirmed: true,
		},

		{
			name:    "running before the restart does not count",
			answers: []answer{running, running, restarting, running}, opts: []Option{WithStalePhase("RUNNING")},
			polls: 4,
		},
		{
			name:    "an error is no sign of leaving",
			answers: []answer{running, boom, running, missing, running, restarting, running},
			opts:    []Option{WithStalePhase("RUNNING")}, polls: 7,
		},
		{
			name: "never left", answers: []answer{running},
			opts: []Option{WithStalePhase("RUNNING"), WithTimeout(10 * time.Second)}, want: ErrTimeout, polls: 3,
		},
		{
			name: "a failure to be left", answers: []answer{phase("ERROR", StatusFailed), restarting, running},
			opts: []Option{WithStalePhase("ERROR")}, polls: 3,
		},
		{
			name: "another failure counts at once", answers: []answer{running, phase("ERROR", StatusFailed)},
			opts: []Option{WithStalePhase("RUNNING")}, want: ErrTaskFailed, polls: 2,
		},
		{
			name: "a Source without phases", answers: []answer{good, busy, good},
			opts: []Option{WithStalePhase("SUCCESS")}, polls: 3,
		},
		{
			name: "left, and confirmed", answers: []answer{running, restarting, running},
			opts: []Option{WithStalePhase("RUNNING"), WithConfirmations(2)}, polls: 4,
		},

		{
			name: "stalled", answers: []answer{busy}, opts: []Option{WithStallTimeout(12 * time.Second)},
			want: ErrStalled, polls: 4,
		},
		{
			name: "a percentage that moves is no stall", answers: []answer{percent(1), percent(2), percent(3), good},
			opts: []Option{WithStallTimeout(6 * time.Second)}, polls: 4,
		},
		{
			name: "a percentage that stands", answers: []answer{percent(1), percent(2), percent(2)},
			opts: []Option{WithStallTimeout(6 * time.Second)}, want: ErrStalled, polls: 4,
		},
		{
			name: "errors do not show a stall", answers: []answer{busy, boom, boom, good},
			opts: []Option{WithStallTimeout(6 * time.Second)}, polls: 4,
		},
		{
			name:    "a phase that moves is no stall",
			answers: []answer{phase("A", StatusExecuting), phase("B", StatusExecuting), good},
			opts:    []Option{WithStallTimeout(6 * time.Second)}, polls: 3,
		},
		{
			name: "waiting for the confirmation is no stall", answers: []answer{good},
			opts: []Option{WithStallTimeout(6 * time.Second), WithConfirmations(5)}, polls: 5,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := script(tt.answers...)
				task, err, _ := waitFor(t.Context(), newWaiter(t, c, every(5*time.Second)), tt.opts...)
				if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				if len(c.asked) != tt.polls || task.Unconfirmed != tt.unconfirmed {
					t.Errorf("%d polls, unconfirmed %v; want %d, %v", len(c.asked), task.Unconfirmed, tt.polls, tt.unconfirmed)
				}
				if err == nil && !task.Status.Succeeded() {
					t.Errorf("success without SUCCESS: %v", task)
				}
			})
		})
	}
}

// TestSettleShows checks what people see of it.
func TestSettleShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiter(t, script(phase("RUNNING", StatusSuccess)), every(5*time.Second), WithTimeout(10*time.Second))
		var all []Progress
		tell := WithProgress(func(p Progress) { all = append(all, p) })
		task, err, _ := waitFor(t.Context(), w, WithStalePhase("RUNNING"), tell)
		want := `taskwait: task "id": timed out after 10s: still RUNNING, which it was never seen to leave, 3 polls`
		if err == nil || err.Error() != want || task.Status != StatusExecuting {
			t.Errorf("%v, %v\nwant EXECUTING, %s", task, err, want)
		}
		if e := asWaitError(t, err); !e.StillRunning() {
			t.Error("what was never left counts as ended")
		}
		if last := all[len(all)-1]; last.Unchanged != 10*time.Second {
			t.Errorf("unchanged for %v, want 10s", last.Unchanged)
		}
		all = nil
		task, err, _ = waitFor(t.Context(), w, WithConfirmations(4), tell)
		var counts []int
		for _, p := range all {
			counts = append(counts, p.Confirmed)
		}
		if err != nil || task.String() != `task "id": SUCCESS, phase RUNNING, unconfirmed` ||
			!reflect.DeepEqual(counts, []int{1, 2, 3, 3}) {
			t.Errorf("%v, %v, good %v", task, err, counts)
		}
	})
}
