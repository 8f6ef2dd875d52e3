package taskwait

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/pacing"
	"github.com/taskwait/taskwait/schedule"
)

// seenTasks is a history in which tasks of a kind have taken these times.
func seenTasks(kind string, took ...time.Duration) *schedule.History {
	h := &schedule.History{}
	for _, d := range took {
		h.Add(kind, d)
	}
	return h
}

func times(n int, d time.Duration) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = d
	}
	return all
}

// timed is a task of the kind "resize" that takes so long from the first query on, or from created if that is not zero.
func timed(took time.Duration, change func(*Task)) (SourceFunc, *[]time.Time) {
	var start time.Time
	var asked []time.Time
	return func(_ context.Context, id string) (Task, error) {
		now := time.Now()
		asked = append(asked, now)
		if start.IsZero() {
			start = now
		}
		t := Task{ID: id, Kind: "resize", Status: StatusExecuting}
		if now.Sub(start) >= took {
			t.Status = StatusSuccess
		}
		if change != nil {
			change(&t)
		}
		return t, nil
	}, &asked
}

// TestLearnedFixed is the API page's own example, a task of 3 s, after five of them.
func TestLearnedFixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			created := time.Now()
			queries := 0
			src := SourceFunc(func(_ context.Context, id string) (Task, error) {
				queries++
				status := StatusExecuting
				if time.Since(created) >= 3*time.Second {
					status = StatusSuccess
				}
				return Task{ID: id, Kind: "resize", Status: status}, nil
			})
			h := seenTasks("resize", times(5, 3*time.Second)...)
			_, err, elapsed := waitFor(t.Context(), newWaiter(t, src, WithHistory(h), WithKind("resize")))
			if err != nil || queries > 2 || elapsed > 3300*time.Millisecond {
				t.Fatalf("%v after %v and %d queries, want success within 3.3s and two queries", err, elapsed, queries)
			}
		}
	})
}

// stamped gives a task of timed the service's own times, which say that it took so long.
func stamped(took time.Duration) func(*Task) {
	return func(t *Task) {
		if t.Status.Terminal() {
			t.CreatedAt, t.UpdatedAt = t0, t0.Add(took)
		}
	}
}

func TestLearnedFirstLook(t *testing.T) {
	quarter := seenTasks("resize", times(20, 15*time.Minute)...)
	tests := []struct {
		name        string
		opts        []Option
		least, most time.Duration
	}{
		{"the kind is not told", []Option{WithHistory(quarter)}, 0, 0},
		{"nothing is known of the kind", []Option{WithHistory(quarter), WithKind("other")}, 0, 0},
		{"no history", []Option{WithKind("resize")}, 0, 0},
		{"a kind that takes long", []Option{WithHistory(quarter), WithKind("resize")}, pacing.MaxFirst, pacing.MaxFirst},
		{
			"an initial delay of one's own",
			[]Option{WithHistory(quarter), WithKind("resize"), WithInitialDelay(time.Second)}, time.Second,
			time.Second,
		},
		{
			"a kind that takes 3 s",
			[]Option{WithHistory(seenTasks("resize", times(20, 3*time.Second)...)), WithKind("resize")},
			2900 * time.Millisecond, 3300 * time.Millisecond,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				src, asked := timed(0, nil)
				if _, err, _ := waitFor(t.Context(), newWaiter(t, src, tt.opts...)); err != nil {
					t.Fatal(err)
				}
				if first := (*asked)[0].Sub(start); first < tt.least || first > tt.most {
					t.Errorf("first look after %v, want %v to %v", first, tt.least, tt.most)
				}
			})
		})
	}
}

// TestLearnedAge is about a wait that begins on a task that is old already, by clocks that disagree.
func TestLearnedAge(t *testing.T) {
	tests := []struct {
		name          string
		created, asOf time.Duration // from our now
		want          time.Duration // the age
	}{
		{"new", 0, 0, 0},
		{"five minutes old", -5 * time.Minute, 0, 5 * time.Minute},
		{"their clock is an hour ahead", time.Hour - 5*time.Minute, time.Hour, 5 * time.Minute},
		{"their clock is an hour behind", -time.Hour - 5*time.Minute, -time.Hour, 5 * time.Minute},
		{"created in the future", time.Hour, 0, 0},
		{"created in their future", time.Hour, time.Minute, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newState()
			a := seen(StatusExecuting)
			a.Value.CreatedAt, a.Value.AsOf, a.Sent = t0.Add(tt.created), t0.Add(tt.asOf), t0
			decide(&deadlines{}, &s, &a, t0, time.Second, 0)
			if got := t0.Sub(s.taskStartedAt); got != tt.want {
				t.Errorf("age = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestChangedWorld waits with a history that is wrong by a factor of ten, until it has healed.
func TestChangedWorld(t *testing.T) {
	for _, was := range []time.Duration{3 * time.Second, 5 * time.Minute} {
		t.Run(was.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := seenTasks("resize", times(100, was)...)
				const is = 30 * time.Second
				var late time.Duration
				for range 20 {
					src, asked := timed(is, stamped(is))
					_, err, elapsed := waitFor(t.Context(), newWaiter(t, src, WithHistory(h)))
					if err != nil || elapsed > is+schedule.LongestGap {
						t.Fatalf("%v after %v", err, elapsed)
					}
					if late = elapsed - is; len(*asked) > 60 {
						t.Errorf("%d queries for a task of %v", len(*asked), is)
					}
				}
				if late > 10*time.Second {
					t.Errorf("after twenty tasks of %v the delay is still %v", is, late)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // and one that outlives all that was seen
		src, asked := timed(24*time.Hour, nil)
		_, err, _ := waitFor(t.Context(), newWaiter(t, src, WithHistory(seenTasks("resize", times(100, 3*time.Second)...))))
		if err != nil || len(*asked) < 24*12 {
			t.Errorf("%v after %d queries in a day, want one in five minutes at least", err, len(*asked))
		}
		for i := 1; i < len(*asked); i++ {
			if gap := (*asked)[i].Sub((*asked)[i-1]); gap > schedule.LongestGap+schedule.LongestGap/20 {
				t.Fatalf("a gap of %v", gap)
			}
		}
	})
}

// TestLearnedAfterError: an error says nothing of the task, and what is known of it still stands.
func TestLearnedAfterError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		named := seen(StatusExecuting)
		named.Value.Kind = "resize"
		c := script(named, reset, named)
		h := seenTasks("resize", times(20, time.Hour)...)
		var pauses []time.Duration
		_, _, _ = waitFor(
			cancelAfter(t, 20*time.Minute, nil),
			newWaiter(t, c, WithHistory(h)),
			WithProgress(func(p Progress) {
				pauses = append(pauses, p.Next)
			}),
		)
		if pauses[1] < 4*time.Minute {
			t.Errorf("after an error the pause is %v, want the learned one, some 5m", pauses[1])
		}
	})
}

func TestEstimate(t *testing.T) {
	minute := seenTasks("resize", times(20, time.Minute)...)
	remaining := func(d time.Duration) func(*Task) { return func(t *Task) { t.Remaining = d } }
	tests := []struct {
		name   string
		opts   []Option
		change func(*Task)
		want   func(*schedule.Estimate) bool
	}{
		{"none without a history", nil, nil, func(e *schedule.Estimate) bool { return e == nil }},
		{
			"none after two", []Option{WithHistory(seenTasks("resize", time.Minute, time.Minute))}, nil,
			func(e *schedule.Estimate) bool { return e == nil },
		},
		{"after twenty", []Option{WithHistory(minute)}, nil, func(e *schedule.Estimate) bool {
			return e != nil && near(e.Median, time.Minute) && near(e.RemainingP50, time.Minute) &&
				near(e.RemainingP90, time.Minute) &&
				e.RemainingP50 <= e.RemainingP90
		}},
		{
			"the service knows better",
			[]Option{WithHistory(minute)},
			remaining(7 * time.Second),
			func(e *schedule.Estimate) bool {
				return e != nil && near(e.Median, time.Minute) && e.RemainingP50 == 7*time.Second &&
					e.RemainingP90 == 7*time.Second
			},
		},
		{"the service's percentage", []Option{WithHistory(minute)}, func(t *Task) {
			percent := 25
			t.Percent, t.CreatedAt = &percent, time.Now().Add(-10*time.Second)
		}, func(e *schedule.Estimate) bool {
			return e != nil && e.RemainingP50 == 30*time.Second && e.RemainingP90 == 30*time.Second
		}},
		{
			"only the service knows",
			[]Option{WithHistory(&schedule.History{})},
			remaining(7 * time.Second),
			func(e *schedule.Estimate) bool {
				return e != nil && e.Median == 0 && e.RemainingP50 == 7*time.Second
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, _ := timed(30*time.Second, tt.change)
				var first, last *Progress
				_, _, _ = waitFor(t.Context(), newWaiter(t, src, tt.opts...), WithProgress(func(p Progress) {
					if last = &p; first == nil {
						first = &p
					}
				}))
				if !tt.want(first.Estimate) {
					t.Errorf("estimate = %+v", first.Estimate)
				}
				if last.Estimate != nil {
					t.Errorf("with the outcome comes %+v, want none", last.Estimate)
				}
			})
		})
	}
}

func near(got, want time.Duration) bool { return (got - want).Abs() < want/10 }

// TestObserve checks what a wait adds to its history when it ends.
func TestObserve(t *testing.T) {
	at := func(sec int) time.Time { return t0.Add(time.Duration(sec) * time.Second) }
	ended := Task{Kind: "resize", ID: "id", Status: StatusFailed}
	stamped := ended
	stamped.CreatedAt, stamped.UpdatedAt = at(100), at(142)
	running := Task{Kind: "resize", ID: "id", Status: StatusExecuting, CreatedAt: at(100), UpdatedAt: at(101)}
	tests := []struct {
		name  string
		state state
		want  string // the history, in JSON
	}{
		{
			"by the service's account", state{task: stamped, taskStartedAt: at(0), lastRunningAt: at(30)},
			`{"resize":[{"took":42000000000}]}`,
		},
		{
			"without it: the middle between two looks",
			state{task: ended, taskStartedAt: at(0), lastRunningAt: at(30)}, `{"resize":[{"took":35000000000}]}`,
		},
		{"ended when first seen, nobody knows when", state{task: ended, taskStartedAt: at(0)}, `{}`},
		{
			"still running", state{task: running, taskStartedAt: at(0), lastRunningAt: at(30)},
			`{"resize":[{"took":40000000000,"running":true}]}`,
		},
		{"never seen", state{}, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &schedule.History{}
			observe(h, &tt.state, at(40))
			want := `{"version":1,"kinds":` + tt.want + `}`
			if got, err := json.Marshal(h); err != nil || string(got) != want {
				t.Errorf("history = %s, %v; want %s", got, err, want)
			}
		})
	}
}

// TestLearnsByItself begins with nothing, and a service that tells no times.
func TestLearnsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &schedule.History{}
		var late time.Duration
		for range 30 {
			src, _ := timed(100*time.Second, nil)
			_, err, elapsed := waitFor(t.Context(), newWaiter(t, src, WithHistory(h)))
			if err != nil {
				t.Fatal(err)
			}
			late = elapsed - 100*time.Second
		}
		if late > 5*time.Second {
			t.Errorf("after thirty tasks of 100 s the delay is still %v", late)
		}
	})
}

// TestHistoryZero: the zero History learns like a new one.
func TestHistoryZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h schedule.History
		src, _ := timed(3*time.Second, nil)
		if _, err := newWaiter(t, src, WithHistory(&h), WithKind("resize")).WaitForTask(t.Context(), "id"); err != nil ||
			h.Model("resize") == nil {
			t.Errorf("%v, model %v; want one", err, h.Model("resize"))
		}
	})
}

func TestHistoryConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &schedule.History{}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				src, _ := timed(time.Duration(i)*time.Second, nil)
				if _, err, _ := waitFor(t.Context(), newWaiter(t, src, WithHistory(h), WithKind("resize"))); err != nil {
					t.Error(err)
				}
				if _, err := json.Marshal(h); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

// TestHistoryWithBackOff: with a BackOff a history changes no pause. It learns all the same, and gives estimates.
func TestHistoryWithBackOff(t *testing.T) {
	second := WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) })
	fixed := WithInterval(5*time.Second, 5*time.Second)
	for _, tt := range []struct {
		name string
		opts []Option
	}{
		{"the BackOff first", []Option{second, fixed}},
		{"the BackOff last", []Option{fixed, second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, estimated := seenTasks("resize", times(5, time.Minute)...), false
				src, asked := timed(10*time.Second, nil)
				opts := append(tt.opts, WithHistory(h), WithKind("resize"), WithProgress(func(p Progress) {
					estimated = estimated || p.Estimate != nil
				}))
				_, err, elapsed := waitFor(t.Context(), newWaiter(t, src, opts...))
				if err != nil || elapsed != 10*time.Second || len(*asked) != 11 || !estimated {
					t.Errorf(
						"%v after %v, %d polls, estimated %v; want 11 polls in 10s, and an estimate",
						err,
						elapsed,
						len(*asked),
						estimated,
					)
				}
				if got, _ := json.Marshal(h); !strings.Contains(string(got), `{"took":9500000000}`) {
					t.Errorf("the history has learned nothing of this task: %s", got)
				}
			})
		})
	}
}

// TestQueryCost: where a query costs more, fewer are made. 0 and less stand for the default.
func TestQueryCost(t *testing.T) {
	polls := func(t *testing.T, cost time.Duration) (n int) {
		synctest.Test(t, func(t *testing.T) {
			for i := range 40 {
				h := seenTasks("resize", 20*time.Second, 30*time.Second, 45*time.Second, 70*time.Second)
				h.QueryCost = cost
				src, asked := timed(time.Duration(20+i)*time.Second, nil)
				if _, err, _ := waitFor(t.Context(), newWaiter(t, src, WithHistory(h), WithKind("resize"))); err != nil {
					t.Fatal(err)
				}
				n += len(*asked)
			}
		})
		return n
	}
	cheap, usual, zero, dear := polls(
		t,
		100*time.Millisecond,
	), polls(
		t,
		time.Second,
	), polls(
		t,
		0,
	), polls(
		t,
		10*time.Second,
	)
	if cheap < usual*3/2 || usual < dear*3/2 || zero < usual*9/10 || zero > usual*11/10 {
		t.Errorf(
			"polls: %d at 0.1 s, %d at 1 s, %d at 0, %d at 10 s; want fewer the dearer they are, and 0 like 1 s",
			cheap,
			usual,
			zero,
			dear,
		)
	}
}
