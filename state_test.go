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

// TestConfirms is about answers that other waits' polls bring, before a wait's own is due.
func TestConfirms(t *testing.T) {
	early, due := seen(StatusSuccess), seen(StatusSuccess)
	early.Sent, due.Sent = at(9), at(10)
	broken := answer{Value: early.Value, Sent: early.Sent, Err: errors.New("reset")}
	busy := answer{Value: Task{Status: StatusExecuting}, Sent: early.Sent}
	for _, tt := range []struct {
		name          string
		answer        answer
		confirmations int
		good          int32 // the answers that have counted
		confirms      bool
		concludes     bool
		endsPause     bool
	}{
		{"the only one, early", early, 1, 0, true, true, false},
		{"the only one, early, after one for a wait that wanted more", early, 1, 1, false, true, false},
		{"the only one, due", due, 1, 0, true, true, true},
		{"the first of two, early", early, 2, 0, true, false, true},
		{"the second of two, early", early, 2, 1, false, false, false},
		{"the second of two, due", due, 2, 1, true, true, true},
		{"the second of three, due", due, 3, 1, true, false, true},
		{"an error with a success, early", broken, 2, 0, true, false, false},
		{"no success, early", busy, 2, 0, true, false, false},
	} {
		s := newState()
		s.successStreak, s.plannedAt = tt.good, at(10)
		l := deadlines{confirmations: tt.confirmations}
		confirms, concludes := s.confirms(&tt.answer), l.concludes(&s, &tt.answer)
		if ends := s.endsPause(tt.confirmations, &tt.answer); confirms != tt.confirms || concludes != tt.concludes ||
			ends != tt.endsPause {
			t.Errorf("%s: confirms %v, concludes %v, ends the pause %v; want %v, %v, %v",
				tt.name, confirms, concludes, ends, tt.confirms, tt.concludes, tt.endsPause)
		}
	}
}

// TestKeptDetails: what a Detailer has reported stands until the next poll brings details of its own, and what remains
// grows less meanwhile.
func TestKeptDetails(t *testing.T) {
	percent := func(n int) *int { return &n }
	steps := []Step{{Name: "a", Status: "done"}}
	reported := Task{Percent: percent(7), Remaining: 20 * time.Second, Steps: steps}
	for _, tt := range []struct {
		name string
		task Task
		want Task
	}{
		{
			"nothing of its own", Task{Status: StatusExecuting},
			Task{Status: StatusExecuting, Percent: percent(7), Remaining: 15 * time.Second, Steps: steps},
		},
		{"percent", Task{Percent: percent(8)}, Task{Percent: percent(8)}},
		{"time", Task{Remaining: time.Nanosecond}, Task{Remaining: time.Nanosecond}},
		{"steps", Task{Steps: []Step{}}, Task{Steps: []Step{}}},
		{"it failed", Task{Status: StatusFailed}, Task{Status: StatusFailed, Percent: percent(7), Steps: steps}},
		{"it succeeded", Task{Status: StatusSuccess}, Task{Status: StatusSuccess}},
	} {
		s := newState()
		s.recordDetails(&reported, at(0))
		if s.keepDetails(&tt.task, at(5)); !reflect.DeepEqual(tt.task, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, tt.task, tt.want)
		}
	}
}

// TestStateSighting: what was seen last is as old as the start of the poll that has brought it, and never less than 0.
func TestStateSighting(t *testing.T) {
	running, missing := seen(StatusExecuting), failed(ClassNotFound, 0)
	running.Sent = at(10)
	s := newState()
	s.recordTask(&running, false, at(12))
	if got, want := s.sighting(at(15)), (sighting{known: true, ago: 5 * time.Second}); got != want {
		t.Errorf("seen: %+v, want %+v", got, want)
	}
	if got, want := s.sighting(at(9)), (sighting{known: true}); got != want {
		t.Errorf("seen after now: %+v, want %+v", got, want)
	}
	o := classify("id", &missing)
	s.record(&o, &missing, false, at(13))
	want := sighting{known: true, ago: 5 * time.Second, failing: 1, refused: true}
	if got := s.sighting(at(15)); got != want {
		t.Errorf("not found: %+v, want %+v", got, want)
	}
}

// TestAppearance pins the numbers that stored waits hold, FNV-1a of "create\x00DONE\x00boot\x00RUNNING\x00" and so on:
// with others, a task that stands would count as one that moves.
func TestAppearance(t *testing.T) {
	percent := 41
	steps := []Step{{Name: "create", Status: "DONE"}, {Name: "boot", Status: "RUNNING"}}
	task := Task{Status: StatusExecuting, Phase: "RESIZING", Percent: &percent, Steps: steps}
	if got := stepsAppearance(nil); got != 0 {
		t.Errorf("no steps: %d, want 0", got)
	}
	if got, want := stepsAppearance(steps), uint32(946743942); got != want {
		t.Errorf("steps: %d, want %d", got, want)
	}
	if got, want := appearance(&task, stepsAppearance(steps)), uint32(1905342178); got != want {
		t.Errorf("task: %d, want %d", got, want)
	}
}
