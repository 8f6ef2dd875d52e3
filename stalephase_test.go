package taskwait

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
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

// detailed is a Source that also tells how far the task is.
type detailed struct {
	*cloud
	details []answer
	latency time.Duration

	mu   sync.Mutex
	told []time.Time
}

func (d *detailed) Details(_ context.Context, _ Task) (Task, error) {
	d.mu.Lock()
	a := d.details[min(len(d.told), len(d.details)-1)]
	d.told = append(d.told, time.Now())
	d.mu.Unlock()
	time.Sleep(d.latency)
	return a.Value, a.Err
}

// TestDetails: how far a task is, is asked in the pauses, and changes nothing but the next pause.
func TestDetails(t *testing.T) {
	busy, good := seen(StatusExecuting), seen(StatusSuccess)
	tell := func(percent int, left time.Duration) answer {
		return answer{Value: Task{Percent: &percent, Remaining: left, Status: StatusFailed, ID: "not ours to say"}}
	}
	running := repeat(4, busy, good)
	tests := []struct {
		name    string
		looks   []answer
		details []answer
		latency time.Duration
		told    int
		asked   []float64 // of the looks; the interval is 5 s to 60 s, but for the jitter
	}{
		{name: "none to be had: never again", looks: running, details: []answer{failed(ClassNotFound, 0)}, told: 1},
		{name: "refused: never again", looks: running, details: []answer{failed(ClassPermanent, 0)}, told: 1},
		{name: "nothing in it: never again", looks: running, details: []answer{{}}, told: 1},
		{name: "an error: with the next look", looks: running, details: []answer{failed(ClassTransient, 0)}, told: 4},
		{
			name: "throttled: with the next look", looks: running,
			details: []answer{failed(ClassThrottled, time.Hour)}, told: 4,
		},
		{name: "a percentage alone", looks: running, details: []answer{tell(10, 0)}, told: 4},
		{
			name:    "not while the look fails",
			looks:   []answer{busy, failed(ClassTransient, 0), failed(ClassNotFound, 0), good},
			details: []answer{tell(10, 0)}, told: 1,
		},
		{name: "not of what has ended", looks: []answer{good}, details: []answer{tell(10, 0)}, asked: []float64{0}},
		{
			name: "the time that remains", looks: []answer{busy, good}, details: []answer{tell(10, 40*time.Second)},
			told: 1, asked: []float64{0, 40},
		},
		{
			name: "more than the longest pause", looks: []answer{busy, good}, details: []answer{tell(10, time.Hour)},
			told: 1, asked: []float64{0, 60},
		},
		{
			name: "less than the shortest", looks: []answer{busy, good},
			details: []answer{tell(10, time.Millisecond)}, told: 1, asked: []float64{0, 5},
		},
		{
			name: "one that hangs is cut off by the next look", looks: running,
			details: []answer{tell(10, time.Hour)}, latency: time.Hour, told: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &detailed{cloud: script(tt.looks...), details: tt.details, latency: tt.latency}
				task, err, elapsed := waitFor(t.Context(), newWaiter(t, d, WithInterval(5*time.Second, time.Minute)))
				time.Sleep(2 * time.Hour) // a call that hangs ends, as a bubble wants it
				d.mu.Lock()
				defer d.mu.Unlock()
				if err != nil || task.Status != StatusSuccess || task.ID != "id" || task.Percent != nil {
					t.Errorf("%v, %v", task, err)
				}
				if len(d.told) != tt.told || len(d.asked) != len(tt.looks) || elapsed > 2*time.Minute {
					t.Errorf(
						"asked %d times for details and %d times for the task in %v, want %d and %d",
						len(d.told),
						len(d.asked),
						elapsed,
						tt.told,
						len(tt.looks),
					)
				}
				for i, want := range tt.asked {
					if got := d.seconds()[i]; got < want*0.95 || got > want*1.05 {
						t.Errorf("look %d at %v s, want about %v", i, got, want)
					}
				}
			})
		})
	}
}

// TestDetailsShow checks what Progress makes of details, and what stays of them.
func TestDetailsShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forty, sixty := 40, 60
		d := &detailed{
			cloud: script(seen(StatusExecuting), seen(StatusExecuting), seen(StatusFailed)),
			details: []answer{
				{
					Value: Task{
						Percent:   &forty,
						Remaining: 12 * time.Second,
						Steps:     []Step{{Name: "check", Status: "COMPLETED"}, {Name: "disks", Status: "IN_PROGRESS"}},
					},
				},
				{Value: Task{Percent: &sixty, Remaining: 9 * time.Second}},
			},
		}
		var got []string
		w := newWaiter(t, d, every(5*time.Second))
		task, err, _ := waitFor(t.Context(), w, WithProgress(func(p Progress) {
			got = append(
				got,
				fmt.Sprintf(
					"%v: %d steps, next %v, unchanged %v, done %v",
					p.Task,
					len(p.Task.Steps),
					p.Next,
					p.Unchanged,
					p.Done,
				),
			)
		}))
		want := []string{
			`task "id": EXECUTING: 0 steps, next 5s, unchanged 0s, done false`,
			`task "id": EXECUTING, 40%, 12s left: 2 steps, next 5s, unchanged 0s, done false`,
			`task "id": EXECUTING, 40%, 7s left: 2 steps, next 5s, unchanged 5s, done false`,
			`task "id": EXECUTING, 60%, 9s left: 0 steps, next 5s, unchanged 0s, done false`,
			`task "id": FAILED, 60%: 0 steps, next 0s, unchanged 0s, done false`,
			`task "id": FAILED, 60%: 0 steps, next 0s, unchanged 0s, done true`,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if !errors.Is(err, ErrTaskFailed) || *task.Percent != 60 {
			t.Errorf("%v, %v", task, err)
		}
	})
}
