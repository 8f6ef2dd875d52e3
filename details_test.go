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
)

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
		opts    []Option
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
		{
			name: "not while a success waits for its confirmation", looks: []answer{busy, good, good, good},
			details: []answer{tell(10, 30*time.Second)}, told: 1, opts: []Option{WithConfirmations(3)},
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
				w := newWaiter(t, d, append(tt.opts, WithInterval(5*time.Second, time.Minute))...)
				task, err, elapsed := waitFor(t.Context(), w)
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
