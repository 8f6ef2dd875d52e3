package taskwait

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/poll"
)

var manyTasks = flag.Int("many", 500, "how many tasks the largest call of TestWaitForTasks has")

func TestWaitForTasks(t *testing.T) {
	t.Run("one that is missing costs the others nothing", inBubble(manyOutcomes))
	t.Run("more than a page", inBubble(manyPages))
	t.Run("no herd", inBubble(manyNoHerd))
	t.Run("a throttle is everybody's", inBubble(manyThrottled))
	t.Run("without a list", inBubble(manyAlone))
	t.Run("ids twice", inBubble(manyTwice))
	t.Run("no ids", inBubble(manyNone))
	t.Run("a bad option is every id's error", inBubble(manyBadOption))
	t.Run("breaking out leaves nothing running", inBubble(manyBreak))
	t.Run("a context that ends", inBubble(manyCancelled))
	t.Run("cancelled in the loop", inBubble(manyCancelInLoop))
	t.Run("a list that fails ends no wait", inBubble(manyListFails))
	t.Run("a list that is refused is not asked again", inBubble(manyListRefused))
	t.Run("a list that hangs holds nobody", inBubble(manyListHangs))
	t.Run("a list without an end", inBubble(manyListEndless))
	t.Run("what the list does not show is asked for alone", inBubble(manyUnlisted))
	t.Run("timeout: the last look is a sweep", inBubble(manyTimeout))
	t.Run("timeout: more last looks than fit", inBubble(manyTimeoutLate))
	t.Run("a panic is raised here", inBubble(manyPanics))
	t.Run("a Source that hangs and heeds no context", inBubble(manyDeaf))
	t.Run("a slow loop", inBubble(manySlowLoop))
	t.Run("progress tells the whole", inBubble(manyProgress))
	t.Run("a BackOff of one's own", inBubble(manyBackOff))
	t.Run("no goroutine for each", inBubble(manyGoroutines))
}

func fixed(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func manyOutcomes(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		ids := f.add(5, fixed(20*time.Second))
		f.tasks[ids[1]].unknown = true
		f.tasks[ids[2]].outcome = StatusFailed
		ids = append(ids, "a/b", "")
		got, _ := f.gather(t, newWaiter(t, f.source()), ids)
		for i, want := range []error{nil, ErrTaskNotFound, ErrTaskFailed, nil, nil, ErrInvalidID, ErrInvalidID} {
			if err := got[ids[i]]; !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("pages of %d: %q: %v, want %v", size, ids[i], err, want)
			}
		}
	}
}

func manyPages(t *testing.T) {
	f := newFleet(100)
	got, delay := f.gather(t, newWaiter(t, f.source()), f.add(260, logNormal(1, 20*time.Second, 1.2)))
	succeeded(t, got)
	if delay > 1500*time.Millisecond || len(f.asked) > 260*3/2 {
		t.Errorf("%d requests, mean delay %v; want 1.5 for each task and 1.5s at most", len(f.asked), delay)
	}
}

func manyAlone(t *testing.T) {
	f := newFleet(0)
	got, delay := f.gather(t, newWaiter(t, f.source()), f.add(260, logNormal(1, 20*time.Second, 1.2)))
	succeeded(t, got)
	if delay > 8*time.Second {
		t.Errorf("mean delay %v, want that of the schedule", delay)
	}
	f.size = 1 << 20
	if most := mostWithin(f.asked, f.latency); most > 16 {
		t.Errorf("%d queries at once, want %d at most", most, 16)
	}
}

func manyTwice(t *testing.T) {
	f := newFleet(0)
	ids := f.add(2, fixed(time.Second))
	f.tasks[ids[1]].outcome = StatusFailed
	got := map[string]int{}
	var last Progress
	for task, err := range newWaiter(t, f.source()).
		WaitForTasks(t.Context(), []string{ids[0], ids[1], ids[0], ids[1], ids[0]},
			WithProgress(func(p Progress) { last = p })) {
		if got[task.ID]++; (err == nil) != (task.ID == ids[0]) {
			t.Errorf("%s: %v", task.ID, err)
		}
	}
	if want := map[string]int{ids[0]: 3, ids[1]: 2}; !maps.Equal(got, want) || len(f.asked) != 4 {
		t.Errorf("%v with %d queries, want %v with 4", got, len(f.asked), want)
	}
	if last.Total != 5 || last.Ended != 5 || last.Succeeded != 3 {
		t.Errorf("%d ended and %d succeeded of %d, want 5, 3 and 5", last.Ended, last.Succeeded, last.Total)
	}
}

func manyNone(t *testing.T) {
	for task, err := range newWaiter(t, newFleet(0)).WaitForTasks(t.Context(), nil) {
		t.Error(task, err)
	}
}

func manyBadOption(t *testing.T) {
	for _, ids := range [][]string{{"a", "b"}, {""}} {
		var got []string
		for task, err := range newWaiter(t, newFleet(0)).WaitForTasks(t.Context(), ids, WithTimeout(-1)) {
			if got = append(got, task.ID); !errors.Is(err, ErrInvalidOption) {
				t.Errorf("%v, want ErrInvalidOption", err)
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("results for %q, want %q", got, ids)
		}
	}
	n := 0
	for _, err := range newWaiter(t, newFleet(0)).WaitForTasks(t.Context(), nil, nil) {
		if n++; !errors.Is(err, ErrInvalidOption) {
			t.Errorf("%v, want ErrInvalidOption", err)
		}
	}
	if n != 1 {
		t.Errorf("%d results without ids, want the error once", n)
	}
}

func manyBreak(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		w := newWaiter(t, f.source(), WithLimiter(perSecond(10)))
		for _, err := range w.WaitForTasks(t.Context(), f.add(250, logNormal(1, 20*time.Second, 1.2))) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		asked := len(f.asked)
		synctest.Wait()
		if n := w.AbandonedCalls(); n != 0 {
			t.Errorf("%d calls left behind that heed their context, want 0", n)
		}
		time.Sleep(time.Hour)
		if len(f.asked) != asked {
			t.Errorf("%d queries after the loop was left", len(f.asked)-asked)
		}
	}
}

func manyCancelled(t *testing.T) {
	f := newFleet(100)
	boom := errors.New("boom")
	start := time.Now()
	ids := f.add(250, func(i int) time.Duration { return time.Duration(i) * time.Second })
	n := 0
	for task, err := range newWaiter(t, f.source()).
		WaitForTasks(cancelAfter(t, 100*time.Second+time.Millisecond, boom), ids) {
		if err == nil {
			continue
		}
		if n++; !errors.Is(err, context.Canceled) || !errors.Is(err, boom) || task.ID == "" ||
			time.Since(start) != 100*time.Second+time.Millisecond {
			t.Errorf("%v after %v with %v, want context.Canceled and its cause", err, time.Since(start), task)
		}
	}
	if n < 149 || n > 160 {
		t.Errorf("%d of 250 came back without an end, want those that run for longer than 100 s", n)
	}
}

// manyCancelInLoop ends all as soon as one task has not succeeded.
func manyCancelInLoop(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	f := newFleet(100)
	ids := f.add(50, func(i int) time.Duration { return time.Duration(i) * time.Second })
	f.tasks[ids[10]].outcome = StatusFailed
	f.tasks[ids[10]].unlisted = true
	n, stopped := 0, 0
	for task, err := range newWaiter(t, f.source()).WaitForTasks(ctx, ids) {
		n++
		if err != nil {
			cancel(err)
		}
		switch {
		case err == nil, task.ID == ids[10] && errors.Is(err, ErrTaskFailed):
		case !errors.Is(err, context.Canceled) || errors.Is(err, ErrTaskFailed) || !asWaitError(t, err).StillRunning():
			t.Errorf("%s: %v, want context.Canceled", task.ID, err)
		default:
			stopped++
		}
	}
	if n != 50 || stopped < 30 {
		t.Errorf("%d results, %d of them stopped", n, stopped)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	defer cancel(nil)
	start := time.Now()
	for task, err := range newWaiter(t, f.source()).WaitForTasks(ctx, []string{"a/b", ids[40]}) {
		if cancel(err); task.ID == ids[40] &&
			(!errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "invalid id")) {
			t.Errorf("%v, want context.Canceled, with the cause in its text", err)
		}
	}
	if time.Since(start) != 0 {
		t.Errorf("ended after %v, want an invalid id to end all at once", time.Since(start))
	}
}

func manyListFails(t *testing.T) {
	f := newFleet(100)
	f.page = func(n int) error {
		if n%3 != 0 {
			return &QueryError{Code: "DMS.00500000", Err: errors.New("503")}
		}
		return nil
	}
	got, _ := f.gather(t, newWaiter(t, f.source(), WithErrorTolerance(0)), f.add(250, logNormal(1, 20*time.Second, 1.2)))
	succeeded(t, got)
}

// endless is a Lister whose list shows nothing, and has always one page more.
type endless struct {
	Source
	pages int
	next  func(page int) string
}

func (e *endless) List(context.Context, ListRequest) ([]Task, string, error) {
	e.pages++
	return nil, e.next(e.pages), nil
}

func manyListEndless(t *testing.T) {
	for _, next := range []func(int) string{func(int) string { return "the same" }, strconv.Itoa} {
		for _, n := range []int{2, 300} {
			f := newFleet(0)
			e := &endless{Source: f.source(), next: next}
			w := newWaiter(t, e)
			got, _ := f.gather(t, w, f.add(n, fixed(5*time.Minute)))
			succeeded(t, got)
			errs, _ := f.each(t, w, f.add(n, fixed(5*time.Minute)))
			if err := errors.Join(errs...); err != nil || e.pages > 4*n+100 {
				t.Errorf("%d tasks: %d pages asked for, %v", n, e.pages, err)
			}
		}
	}
}

func manyListRefused(t *testing.T) {
	for _, refusal := range []error{&QueryError{Class: ClassPermanent, Err: errors.New("403")}, errors.ErrUnsupported} {
		f := newFleet(100)
		f.page = func(int) error { return refusal }
		got, _ := f.gather(t, newWaiter(t, f.source()), f.add(50, logNormal(1, 20*time.Second, 1.2)))
		succeeded(t, got)
		if f.pages != 1 {
			t.Errorf("%v: %d pages asked for, want 1", refusal, f.pages)
		}
	}
}

func manyListHangs(t *testing.T) {
	f := newFleet(100)
	f.page = func(int) error {
		time.Sleep(20 * time.Minute)
		return nil
	}
	start := time.Now()
	got, delay := f.gather(t, newWaiter(t, f.source()), f.add(50, fixed(20*time.Second)))
	succeeded(t, got)
	if delay > 10*time.Second || time.Since(start) > time.Minute || f.pages != 1 {
		t.Errorf("mean delay %v over %v, %d pages asked for", delay, time.Since(start), f.pages)
	}
	time.Sleep(time.Hour)
}

func manyUnlisted(t *testing.T) {
	f := newFleet(100)
	ids := f.add(250, fixed(30*time.Second))
	for i := range 10 {
		f.tasks[ids[20*i]].unlisted = true
	}
	got, _ := f.gather(t, newWaiter(t, f.source()), ids)
	succeeded(t, got)
	if len(f.singles) != 10 {
		t.Errorf("%d tasks asked for alone, want the 10 that are not listed: %v", len(f.singles), f.singles)
	}
}

func manyThrottled(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		start, until := time.Now(), time.Now()
		throttle := func() error {
			switch now := time.Now(); {
			case until.Equal(start) && now.Sub(start) > 10*time.Second:
				until = now.Add(20 * time.Second)
			case now.Before(until):
				t.Errorf("asked %v before the hold-off is over", until.Sub(now))
			default:
				return nil
			}
			return &QueryError{Class: ClassThrottled, RetryAfter: 20 * time.Second}
		}
		if size > 0 {
			f.page = func(int) error { return throttle() }
		} else {
			f.single = func(string) error { return throttle() }
		}
		got, _ := f.gather(t, newWaiter(t, f.source(), WithLimiter(perSecond(10))), f.add(250, fixed(time.Minute)))
		succeeded(t, got)
	}
}

func manyTimeout(t *testing.T) {
	f := newFleet(100)
	const limit = 100 * time.Second
	ids := f.add(500, func(i int) time.Duration { return limit + time.Duration(i-250)*100*time.Millisecond })
	start := time.Now()
	for task, err := range newWaiter(t, f.source(), WithLimiter(perSecond(10)), WithTimeout(limit)).
		WaitForTasks(t.Context(), ids) {
		if ended := !f.tasks[task.ID].ends.After(start.Add(limit)); ended && err != nil ||
			err != nil && !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: %v; ended by the timeout: %v", task.ID, err, ended)
		}
		if took := time.Since(start); took > limit+poll.FinalAllowance {
			t.Errorf("%s comes after %v", task.ID, took)
		}
	}
}

func manyTimeoutLate(t *testing.T) {
	f := newFleet(0)
	start, unknown := time.Now(), 0
	for task, err := range newWaiter(t, f.source(), WithLimiter(perSecond(10)), WithTimeout(20*time.Second)).
		WaitForTasks(t.Context(), f.add(500, fixed(time.Hour))) {
		if took := time.Since(start); !errors.Is(err, ErrTimeout) || took > 20*time.Second+poll.FinalAllowance {
			t.Errorf("%s: %v after %v", task.ID, err, took)
		}
		if asWaitError(t, err).FinalPollFailed {
			unknown++
		}
	}
	if most := mostWithin(f.asked, time.Second); unknown < 400 || unknown > 470 || most > 12 {
		t.Errorf("%d last looks were not made, and %d queries within a second", unknown, most)
	}
}

func manyPanics(t *testing.T) {
	for _, size := range []int{0, 100} {
		f := newFleet(size)
		f.page = func(int) error { panic("boom") }
		f.single = func(string) error { panic("boom") }
		func() {
			defer func() {
				if _, ok := recover().(*guard.PanicError); !ok {
					t.Errorf("pages of %d: no panic", size)
				}
			}()
			f.gather(t, newWaiter(t, f.source()), f.add(5, fixed(time.Minute)))
		}()
	}
}

func manyDeaf(t *testing.T) {
	c := &cloud{answers: []answer{running}, latency: time.Hour, deaf: true}
	w := newWaiter(t, c, WithTimeout(30*time.Minute), WithErrorTolerance(5*time.Minute))
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprint(i))
	}
	start := time.Now()
	for task, err := range w.WaitForTasks(t.Context(), ids) {
		if took := time.Since(start); !errors.Is(err, ErrQuery) || took > 15*time.Minute {
			t.Errorf("%s: %v after %v, want ErrQuery", task.ID, err, took)
		}
	}
	if n := w.AbandonedCalls(); n != len(ids) {
		t.Errorf("%d calls left behind, want %d", n, len(ids))
	}
	time.Sleep(2 * time.Hour)
	if n := w.AbandonedCalls(); n != 0 {
		t.Errorf("%d calls left behind when all have ended", n)
	}
}

func manySlowLoop(t *testing.T) {
	f := newFleet(100)
	ids := f.add(10, func(i int) time.Duration { return time.Duration(i) * time.Second })
	n := 0
	for _, err := range newWaiter(t, f.source(), WithTimeout(5*time.Minute)).WaitForTasks(t.Context(), ids) {
		if n++; err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Minute) // past the timeout: one look there is all the same
	}
	if n != 10 {
		t.Errorf("%d results, want 10", n)
	}
}

func manyProgress(t *testing.T) {
	f := newFleet(100)
	ids := f.add(3, func(i int) time.Duration { return time.Duration(i+1) * 10 * time.Second })
	f.tasks[ids[2]].outcome = StatusFailed
	var told []string
	for task, err := range newWaiter(t, f.source()).
		WaitForTasks(t.Context(), append(ids, "a b"), WithProgress(func(p Progress) {
			if p.Changed || p.Done {
				told = append(told, fmt.Sprintf("%s %s %v %d/%d/%d %v", p.Task.ID, p.Task.Status, p.Done,
					p.Total-p.Ended, p.Ended, p.Ended-p.Succeeded, p.Outcome != nil))
			}
		})) {
		told = append(told, fmt.Sprintf("%s: %v", task.ID, err == nil))
	}
	want := []string{
		"a b  true 3/1/1 true", "a b: false",
		"task-0 EXECUTING false 3/1/1 false", "task-1 EXECUTING false 3/1/1 false", "task-2 EXECUTING false 3/1/1 false",
		"task-0 SUCCESS false 3/1/1 false", "task-0 SUCCESS true 2/2/1 false", "task-0: true",
		"task-1 SUCCESS false 2/2/1 false", "task-1 SUCCESS true 1/3/1 false", "task-1: true",
		"task-2 FAILED false 1/3/1 false", "task-2 FAILED true 0/4/2 true", "task-2: false",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q\nwant %q", told, want)
	}
}

func manyBackOff(t *testing.T) {
	f := newFleet(100)
	drawn := 0
	got, _ := f.gather(
		t,
		newWaiter(t, f.source(), WithBackOff(func() backoff.BackOff { return &counted{&drawn} })),
		f.add(20, fixed(55*time.Second)),
	)
	succeeded(t, got)
	if drawn > 20*6 {
		t.Errorf("%d pauses drawn for 20 waits, want one in 10 s each", drawn)
	}
	f = newFleet(0)
	stop := WithBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} })
	got, _ = f.gather(t, newWaiter(t, f.source(), stop), f.add(3, fixed(time.Minute)))
	for id, err := range got {
		if !errors.Is(err, ErrBackOffStopped) {
			t.Errorf("%s: %v, want ErrBackOffStopped", id, err)
		}
	}
}

type counted struct{ n *int }

func (c *counted) NextBackOff() time.Duration { *c.n++; return 10 * time.Second }
func (c *counted) Reset()                     {}

func manyNoHerd(t *testing.T) {
	f := newFleet(0)
	f.latency = 0
	got, _ := f.gather(t, newWaiter(t, f.source()), f.add(1000, fixed(10*time.Minute)))
	succeeded(t, got)
	start := f.asked[0]
	late := slices.DeleteFunc(f.asked, func(at time.Time) bool { return at.Sub(start) < time.Minute })
	if most := mostWithin(late, 100*time.Millisecond); most > 100 {
		t.Errorf("%d of 1000 looks within 100 ms, want a tenth at most", most)
	}
}

func manyGoroutines(t *testing.T) {
	for size, n := range map[int]int{0: *manyTasks / 5, 100: *manyTasks} {
		f := newFleet(size)
		ids := f.add(n, logNormal(1, 2*time.Minute, 1.2))
		for i, id := range ids {
			if i%100 == 0 {
				f.tasks[id].unlisted = true
			}
		}
		before, most := runtime.NumGoroutine(), 0
		f.page = func(int) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			most = max(most, runtime.NumGoroutine())
			return nil
		}
		f.single = func(string) error { return f.page(0) }
		got, _ := f.gather(t, newWaiter(t, f.source()), ids)
		succeeded(t, got)
		if most > before+4*16 { // some are about to end
			t.Errorf("pages of %d: %d goroutines more, want %d at most", size, most-before, 4*16)
		}
	}
}

// errorsOf are the errors that WaitForAll has joined.
func errorsOf(t *testing.T, err error) (all []*WaitError) {
	t.Helper()
	if err == nil {
		return nil
	}
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %#v, want an error that joins those of the tasks", err)
	}
	for _, e := range j.Unwrap() {
		we, ok := e.(*WaitError)
		if !ok {
			t.Fatalf("got %#v in it, want a *WaitError", e)
		}
		all = append(all, we)
	}
	return all
}

func TestWaitForAll(t *testing.T) {
	const good, late, bad, invalid = "task-0", "task-1", "task-2", "a/b" // as fleet names them
	tests := []struct {
		name string
		ids  []string
		opts []Option
		want []string // the ids in the error, in its order
		text string   // before the text of the first of them
	}{
		{name: "no ids"},
		{name: "all succeed", ids: []string{late, good}},
		{name: "one id that has failed", ids: []string{bad}, want: []string{bad}},
		{name: "one id that is invalid", ids: []string{invalid}, want: []string{invalid}},
		{
			name: "the order of ids, not of their ends",
			ids:  []string{late, invalid, good, bad},
			opts: []Option{WithTimeout(20 * time.Second)},
			want: []string{late, invalid, bad},
			text: "taskwait: 3 of 4 tasks have not succeeded, the first: ",
		},
		{name: "an id that stands there twice", ids: []string{bad, good, bad, good}, want: []string{bad, bad},
			text: "taskwait: 2 of 4 tasks have not succeeded, the first: "},
		{
			name: "a bad option is every id's error",
			ids:  []string{good, bad},
			opts: []Option{WithTimeout(-1)},
			want: []string{good, bad},
			text: "taskwait: 2 of 2 tasks have not succeeded, the first: ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(100)
				f.add(3, func(i int) time.Duration { return []time.Duration{5, 30, 10}[i] * time.Second })
				f.tasks[bad].outcome = StatusFailed
				tasks, err := newWaiter(t, f.source()).WaitForAll(t.Context(), tt.ids, tt.opts...)
				for i, task := range tasks {
					if task.ID != tt.ids[i] {
						t.Errorf("task %d is %v, want that of %q", i, task, tt.ids[i])
					}
				}
				var got []string
				for _, e := range errorsOf(t, err) {
					got = append(got, e.ID)
				}
				if len(tasks) != len(tt.ids) || !slices.Equal(got, tt.want) {
					t.Errorf("%d tasks, errors of %q; want %d, %q", len(tasks), got, len(tt.ids), tt.want)
				}
				if err != nil && err.Error() != tt.text+errorsOf(t, err)[0].Error() {
					t.Errorf("text = %s", err)
				}
			})
		})
	}
}

// TestWaitForAllOfNone: a bad option is an error also where there are no ids.
func TestWaitForAllOfNone(t *testing.T) {
	tasks, err := newWaiter(t, always(StatusSuccess)).WaitForAll(t.Context(), nil, WithTimeout(-1))
	if len(tasks) != 0 || !errors.Is(err, ErrInvalidOption) {
		t.Errorf("%v, %v, want ErrInvalidOption", tasks, err)
	}
}
