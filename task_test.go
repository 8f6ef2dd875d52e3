package taskwait

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// TestTaskRetryAfter: a good answer that says when to come again is honoured, jittered upwards, whatever the schedule,
// and is no trouble.
func TestTaskRetryAfter(t *testing.T) {
	const after = 20 * time.Second
	tests := []struct {
		name string
		opts []Option
	}{
		{name: "the exponential", opts: []Option{every(5 * time.Second)}},
		{
			name: "a BackOff",
			opts: []Option{WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) })},
		},
		{name: "a service that says what remains", opts: []Option{every(5 * time.Second)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := later(StatusExecuting, after)
				if tt.name == "a service that says what remains" {
					first.Value.Remaining = time.Second
				}
				src := script(first, seen(StatusSuccess))
				progress := WithProgress(func(p Progress) {
					if p.Err != nil || p.Errors != 0 {
						t.Errorf("Progress tells of trouble: %v, %d errors", p.Err, p.Errors)
					}
				})
				if _, err, _ := waitFor(t.Context(), newWaiter(t, src, progress), tt.opts...); err != nil {
					t.Fatal(err)
				}
				if gap := src.asked[1].Sub(src.asked[0]); gap < after || gap > after*11/10 {
					t.Errorf("the second query came after %v, want %v to %v", gap, after, after*11/10)
				}
			})
		})
	}
}

// TestSighting is the table of sentences on what was last seen, word for word.
func TestSighting(t *testing.T) {
	running := Task{Status: StatusExecuting, Kind: "resize"}
	tests := []struct {
		sighting sighting
		task     Task
		want     string
	}{
		{sighting{known: true, ago: 2 * time.Second, polls: 3}, Task{Status: StatusExecuting}, "EXECUTING (seen 2s ago)"},
		{sighting{known: true, ago: 1499 * time.Millisecond, polls: 3}, running, "EXECUTING (resize, seen 1s ago)"},
		{
			sighting{known: true, polls: 1}, Task{Status: StatusExecuting, Phase: "RESTARTING"},
			"EXECUTING, phase RESTARTING (seen 0s ago)",
		},
		{
			sighting{known: true, ago: 40 * time.Second, failing: 9, polls: 12}, Task{Status: StatusCreated},
			"last seen CREATED 40s ago; since then 9 polls failed",
		},
		{
			sighting{known: true, ago: 90 * time.Second, failing: 1, polls: 12}, running,
			"last seen EXECUTING (resize) 1m30s ago; since then 1 poll failed",
		},
		{
			sighting{known: true, ago: time.Second, polls: 1}, Task{Status: "PAUSED\n"},
			`answered, in a status that is not known: "PAUSED\n" (seen 1s ago)`,
		},
		{
			sighting{known: true, ago: time.Second, failing: 2, polls: 3}, Task{Status: "PAUSED", Kind: "resize"},
			`last seen in a status that is not known, "PAUSED" (resize) 1s ago; since then 2 polls failed`,
		},
		{sighting{failing: 3, polls: 3}, Task{}, "never answered"},
		{sighting{refused: true, failing: 3, polls: 3}, Task{}, "never seen"},
		{sighting{}, Task{}, "not polled yet"},
		{sighting{polls: 3}, running, "last seen EXECUTING (resize)"},
	}
	for _, tt := range tests {
		if got := tt.sighting.text(&tt.task); got != tt.want {
			t.Errorf("%+v: %s\nwant %s", tt.sighting, got, tt.want)
		}
	}
}

// TestTimeoutSaysWhatWasSeen plays the four ways in which nothing is known at the end but what was seen before, with
// ages by the clock of the wait.
func TestTimeoutSaysWhatWasSeen(t *testing.T) {
	unavailable := answer{Err: errors.New("503")}
	const begin = `taskwait: task "id": timed out after 1m0s: `
	const unclear = `taskwait: task "id": timed out after 1m4s: ` + "it is not known whether the task has finished, "
	tests := []struct {
		name  string
		cloud *cloud
		want  string
	}{
		{"seen at the end", script(seen(StatusExecuting)), begin + "EXECUTING (seen 0s ago), 4 polls"},
		{
			"failed since", script(seen(StatusCreated), seen(StatusCreated), unavailable),
			unclear + "last seen CREATED 44s ago; since then ",
		},
		{
			"an unknown status", script(seen("PAUSED")),
			begin + `answered, in a status that is not known: "PAUSED" (seen 0s ago), 4 polls`,
		},
		{"never", script(unavailable), unclear + "never answered, "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWaiter(t, tt.cloud, WithTimeout(time.Minute), every(20*time.Second), WithErrorTolerance(time.Hour))
				_, err, _ := waitFor(t.Context(), w)
				if e := asWaitError(t, err); !errors.Is(err, ErrTimeout) || !e.StillRunning() ||
					!strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("%v\nwant %s", err, tt.want)
				}
			})
		})
	}
}

// TestStoppedDuringStart: a context that ends while Start is in flight tells the same as a timeout then, and without
// time to look for candidates it says how to find them.
func TestStoppedDuringStart(t *testing.T) {
	for _, byContext := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			ctx, opts := t.Context(), []Option{WithTimeout(10 * time.Second), WithInterval(time.Second, time.Second)}
			text := "it may have been started, do not send it again unseen, perhaps as \"new\" EXECUTING"
			if byContext {
				ctx, opts = cancelAfter(t, 10*time.Second, nil), nil
				text = "it may have been started, do not send it again unseen, a task of it would have begun at " +
					begin.Add(7*time.Second).UTC().Format(time.RFC3339) + " or later"
			}
			op := Operation{
				Name: "resize",
				Before: func(context.Context) (Attempt, error) {
					time.Sleep(7 * time.Second)
					return Attempt{}, nil
				},
				Start: func(ctx context.Context, _ Attempt) (string, error) {
					<-ctx.Done()
					return "", ctx.Err()
				},
				Find: func(context.Context, Attempt) ([]Task, error) {
					return []Task{{ID: "new", Status: StatusExecuting}}, nil
				},
			}
			_, err := newWaiter(t, script(seen(StatusSuccess))).Do(ctx, op, opts...)
			e := asWaitError(t, err)
			if !errors.Is(err, ErrOutcomeUnknown) || !e.StillRunning() || !e.SentAt.Equal(begin.Add(7*time.Second)) {
				t.Errorf("%v, sent at %v; want ErrOutcomeUnknown, sent after 7s", err, e.SentAt)
			}
			if found := len(e.Candidates); found != map[bool]int{true: 0, false: 1}[byContext] {
				t.Errorf("%d candidates", found)
			}
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%v\nwant %s", err, text)
			}
		})
	}
}
