package taskwait

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/poll"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/pacing"
)

// TestEdges are the sharp edges that waiters of other libraries cut their users on, by their number in the list that
// this project was begun with. 39 (a jump of the clock) is a row of TestDecide. Each is tried with WaitForTask and with
// WaitForTasks; what is about many tasks at once does both by itself.
func TestEdges(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"01 cancel during sleep is not success":                    edge01,
		"02 cancel while a query hangs that heeds no context":      edge02,
		"03 nothing begins after the return":                       edge03,
		"04 timeout while a query hangs":                           edge04,
		"05 a dead context asks nothing":                           edge05,
		"06 cancel at the instant of the timer":                    edge06,
		"07 no goroutine is left":                                  edge07,
		"08 no race with a late answer":                            edge02, // under -race
		"09 no hot loop from a bad delay":                          edge09,
		"10 no delay beyond the cap, the first neither":            edge10,
		"11 the cap does not end the wait":                         edge11,
		"12 no hidden limit of 15 minutes":                         edge12,
		"13 errors do not make it hasty":                           edge13,
		"14 one passing error is nothing":                          edge14,
		"15 errors do not add up over good answers":                edge15,
		"16 a permanent error ends the wait at once":               edge16,
		"17 an unknown status is not success":                      edge17,
		"18 every terminal status is known":                        edge18,
		"19 not found is not pending":                              edge19,
		"20 the wrong row":                                         edge20,
		"21 the grace is time, not polls":                          edge21,
		"22 the last error does not hide the context's":            edge22,
		"23 the context's error does not hide the last one":        edge23,
		"24 cause and Canceled, both":                              edge24,
		"25 the text says what happened":                           edge25,
		"26 the time is used to the end":                           edge26,
		"27 every accepted option is honoured":                     edge27,
		"28 Retry-After":                                           edge28,
		"29 a throttle is everybody's":                             throttleIsEverybodys,
		"29 a throttle is everybody's, of one call":                manyThrottled,
		"30 the first look is at once":                             edge30,
		"31 no herds":                                              edge31,
		"31 no herds, of one call":                                 manyNoHerd,
		"32 one that is missing costs the others nothing":          manyOutcomes,
		"33 more than a page":                                      manyPages,
		"34 a slow or panicking callback":                          edge34,
		"35 callbacks in order, none after the return":             edge35,
		"36 one Waiter, many goroutines":                           edge36,
		"37 production code does not know that it is being tested": edge37,
		"38 a source without latency, under a virtual clock":       edge38,
		"40 memory does not grow with the errors":                  edge40,
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
		t.Run(name+", among many", func(t *testing.T) {
			waitThrough = amongMany
			defer func() { waitThrough = alone }()
			synctest.Test(t, test)
		})
	}
}

// until answers a until d has passed since the first query, and then b.
func until(d time.Duration, a, b answer) SourceFunc {
	var start time.Time
	return func(_ context.Context, id string) (Task, error) {
		if start.IsZero() {
			start = time.Now()
		}
		if time.Since(start) >= d {
			a = b
		}
		if a.Value.ID == "id" {
			a.Value.ID = id
		}
		return a.Value, a.Err
	}
}

var (
	running  = seen(StatusExecuting)
	success  = seen(StatusSuccess)
	reset    = answer{Err: errors.New("connection reset")}
	notFound = failed(ClassNotFound, 0)
)

// asWaitError fails the test unless err is a *WaitError.
func asWaitError(t *testing.T, err error) *WaitError {
	t.Helper()
	var we *WaitError
	if !errors.As(err, &we) {
		t.Fatalf("error = %v, want a *WaitError", err)
	}
	return we
}

func cancelAfter(t *testing.T, d time.Duration, cause error) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(d, func() { cancel(cause) })
	return ctx
}

func edge01(t *testing.T) {
	_, err, elapsed := waitFor(cancelAfter(t, 7*time.Second, nil), newWaiter(t, script(running)))
	if !errors.Is(err, context.Canceled) || elapsed != 7*time.Second || !asWaitError(t, err).StillRunning() {
		t.Errorf("after %v: %v, want context.Canceled after 7s, still running", elapsed, err)
	}
}

func edge02(t *testing.T) {
	c := &cloud{answers: []answer{running}, latency: time.Minute, deaf: true}
	_, err, elapsed := waitFor(cancelAfter(t, 5*time.Second, nil), newWaiter(t, c, WithQueryTimeout(time.Hour)))
	if !errors.Is(err, context.Canceled) || elapsed != 5*time.Second {
		t.Errorf("after %v: %v, want context.Canceled after 5s", elapsed, err)
	}
	time.Sleep(time.Minute) // the call writes its answer late
}

func edge03(t *testing.T) {
	c := &cloud{answers: []answer{running}, latency: time.Minute, deaf: true}
	w := newWaiter(t, c)
	for range 3 {
		_, _, _ = waitFor(cancelAfter(t, 5*time.Second, nil), w)
	}
	if w.AbandonedCalls() != 3 || len(c.asked) != 3 {
		t.Errorf("%d left behind of %d calls by 3 waits, want 3 of 3", w.AbandonedCalls(), len(c.asked))
	}
	time.Sleep(time.Hour)
	if w.AbandonedCalls() != 0 || len(c.asked) != 3 {
		t.Errorf("an hour later %d left behind and %d calls, want 0 and still 3", w.AbandonedCalls(), len(c.asked))
	}
}

func edge04(t *testing.T) {
	c := &cloud{answers: []answer{running}, latency: time.Hour, deaf: true}
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, c, WithTimeout(10*time.Second)))
	if !errors.Is(err, ErrTimeout) || elapsed != 10*time.Second+poll.FinalAllowance {
		t.Errorf("after %v: %v, want ErrTimeout after 15s", elapsed, err)
	}
	time.Sleep(time.Hour)
}

func edge05(t *testing.T) {
	c := script(success)
	w := newWaiter(t, c)
	for range 3000 {
		_, err, elapsed := waitFor(cancelled(t), w)
		if !errors.Is(err, context.Canceled) || elapsed != 0 {
			t.Fatalf("after %v: %v, want context.Canceled at once", elapsed, err)
		}
	}
	if len(c.asked) != 0 {
		t.Errorf("%d queries, want none", len(c.asked))
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func edge06(t *testing.T) {
	for range 1000 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		c := script(running)
		w := newWaiter(t, SourceFunc(func(qctx context.Context, id string) (Task, error) {
			if ctx.Err() != nil {
				t.Error("a query began after the cancellation")
			}
			return c.Task(qctx, id)
		}), every(4500*time.Millisecond)) // the look before the deadline is at 4.5 s; the next timer at 9 s
		_, err, elapsed := waitFor(ctx, w)
		if !errors.Is(err, context.DeadlineExceeded) || elapsed != 5*time.Second {
			t.Fatalf("after %v: %v, want the deadline after 5s", elapsed, err)
		}
		cancel()
	}
}

// edge07 leaves the counting to the bubble, which fails if a goroutine is left when the test ends.
func edge07(t *testing.T) {
	for _, src := range []Source{script(success), script(running), &cloud{answers: []answer{running}, latency: time.Hour}} {
		_, _, _ = waitFor(cancelAfter(t, time.Minute, nil), newWaiter(t, src))
	}
}

func edge09(t *testing.T) {
	for name, b := range map[string]backoff.BackOff{
		"zero":           &backoff.ZeroBackOff{},
		"negative":       backoff.NewConstantBackOff(-time.Hour),
		"literal":        &backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 0, MaxInterval: time.Minute, Clock: backoff.SystemClock},
		"not-a-number":   backoff.NewExponentialBackOff(backoff.WithMultiplier(math.NaN()), backoff.WithRandomizationFactor(2), backoff.WithMaxElapsedTime(0)),
		"past its limit": &backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, MaxInterval: time.Minute, MaxElapsedTime: 1, Clock: backoff.SystemClock},
	} {
		w := newWaiter(t, script(running), WithBackOff(func() backoff.BackOff { return b }))
		asks := 0
		_, _, elapsed := waitFor(cancelAfter(t, time.Second, nil), w, WithProgress(func(p Progress) {
			if asks++; !p.Done && p.Next < pacing.Floor {
				t.Errorf("%s: the next query comes after %v, want 1ms or more", name, p.Next)
			}
		}))
		if asks > 1002 || elapsed != time.Second {
			t.Errorf("%s: %d polls in %v", name, asks, elapsed)
		}
	}
}

func edge10(t *testing.T) {
	for _, b := range [][2]time.Duration{{time.Millisecond, time.Millisecond}, {4 * time.Second, 30 * time.Second}, {3 * time.Second, 4 * time.Second}, {7, 11}, {time.Second, math.MaxInt64}, {1, math.MaxInt64}} {
		lo, hi := max(b[0], pacing.Floor), max(b[1], pacing.Floor)
		e := pacing.NewExponential(lo, hi)
		for step := range 10000 {
			for _, r := range []float64{0, 0.5, math.Nextafter(1, 0)} {
				if d := e.Pause(step, r); d < lo || d > hi {
					t.Fatalf("[%v, %v]: pause(%d, %v) = %v", lo, hi, step, r, d)
				}
			}
		}
	}
}

func edge11(t *testing.T) {
	c := script(repeat(49, running, success)...)
	_, err, _ := waitFor(t.Context(), newWaiter(t, c, WithInterval(time.Second, 2*time.Second)))
	if err != nil || len(c.asked) != 50 {
		t.Errorf("%v after %d queries, want success after 50", err, len(c.asked))
	}
}

func edge12(t *testing.T) {
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, until(48*time.Hour, running, success)))
	if err != nil || elapsed < 48*time.Hour || elapsed > 48*time.Hour+defaultMaxInterval {
		t.Errorf("after %v: %v, want success within a pause of 48 h", elapsed, err)
	}
}

func edge13(t *testing.T) {
	c := script(repeat(5, reset, success)...)
	if _, err, _ := waitFor(t.Context(), newWaiter(t, c)); err != nil {
		t.Error(err)
	}
	for i := 1; i < len(c.asked); i++ {
		if gap := c.asked[i].Sub(c.asked[i-1]); gap < defaultMinInterval {
			t.Errorf("gap %d = %v, want %v at least", i, gap, defaultMinInterval)
		}
	}
}

func edge14(t *testing.T) {
	answers := repeat(19, running, success)
	answers[6] = answer{Err: &QueryError{Code: "DMS.00500000", Err: errors.New("503 Service Unavailable")}}
	if _, err, _ := waitFor(t.Context(), newWaiter(t, script(answers...))); err != nil {
		t.Error(err)
	}
}

func edge15(t *testing.T) {
	var answers []answer
	for range 500 {
		answers = append(answers, reset, running)
	}
	c := script(append(answers, success)...)
	_, err, _ := waitFor(t.Context(), newWaiter(t, c, WithErrorTolerance(0)))
	if err != nil || len(c.asked) != 1001 {
		t.Errorf("%v after %d queries, want success after 1001", err, len(c.asked))
	}
}

func edge16(t *testing.T) {
	refused := &QueryError{Class: ClassPermanent, Code: "DMS.00403002", RequestID: "7d1f", Err: errors.New("403 Forbidden")}
	c := script(answer{Err: refused})
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, c))
	var q *QueryError
	if !errors.Is(err, ErrQuery) || !errors.As(err, &q) || q != refused || elapsed != 0 || len(c.asked) != 1 {
		t.Errorf("after %v and %d queries: %v, want ErrQuery with the service's own at once", elapsed, len(c.asked), err)
	}
	for _, part := range []string{"DMS.00403002", "7d1f"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
}

func edge17(t *testing.T) {
	for _, status := range []Status{"PAUSED", "SUCCESS ", "Success", "success", "SUCCESSFUL"} {
		var told []string
		_, err, elapsed := waitFor(t.Context(), newWaiter(t, script(seen(status)), WithTimeout(time.Hour)),
			WithProgress(func(p Progress) { told = append(told, fmt.Sprint(p.Err)) }))
		if !errors.Is(err, ErrTimeout) || elapsed != time.Hour || !asWaitError(t, err).StillRunning() {
			t.Errorf("%q: after %v: %v, want ErrTimeout after 1h, still running", status, elapsed, err)
		}
		if want := fmt.Sprintf("unknown status %q", string(status)); told[0] != want {
			t.Errorf("%q: progress told of %q, want %q", status, told[0], want)
		}
	}
}

func edge18(t *testing.T) {
	for status, want := range map[Status]error{
		StatusSuccess: nil, StatusFailed: ErrTaskFailed, StatusDeleted: ErrTaskDeleted, StatusCancelled: ErrTaskCancelled,
	} {
		task, err, elapsed := waitFor(t.Context(), newWaiter(t, script(seen(status))))
		if !errors.Is(err, want) || elapsed != 0 || task.Status != status {
			t.Errorf("%s: %v after %v, with %v; want %v at once", status, err, elapsed, task, want)
		}
		if want != nil && asWaitError(t, err).StillRunning() {
			t.Errorf("%s: still running", status)
		}
	}
	for _, status := range []Status{StatusCreated, StatusExecuting} {
		if _, err, _ := waitFor(cancelAfter(t, time.Hour, nil), newWaiter(t, script(seen(status)))); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want it to wait on", status, err)
		}
	}
}

func edge19(t *testing.T) {
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, script(notFound)))
	if !errors.Is(err, ErrTaskNotFound) || elapsed != defaultNotFoundGrace || !asWaitError(t, err).StillRunning() {
		t.Errorf("after %v: %v, want ErrTaskNotFound after the grace", elapsed, err)
	}
	if _, err, _ = waitFor(t.Context(), newWaiter(t, until(50*time.Second, notFound, success))); err != nil {
		t.Errorf("listed after 50 s: %v", err)
	}
}

func edge20(t *testing.T) {
	task, err, _ := waitFor(t.Context(), newWaiter(t, script(answer{Value: Task{ID: "other", Status: StatusSuccess}})))
	if !errors.Is(err, ErrTaskNotFound) || task.Status != "" {
		t.Errorf("%v with %v, want ErrTaskNotFound and no task", err, task)
	}
}

func edge21(t *testing.T) {
	for _, d := range []time.Duration{time.Second, 7 * time.Second, 30 * time.Second, time.Hour} {
		_, err, elapsed := waitFor(t.Context(), newWaiter(t, script(notFound), every(d)))
		if !errors.Is(err, ErrTaskNotFound) || elapsed != time.Minute {
			t.Errorf("polling every %v: %v after %v, want ErrTaskNotFound after 1m", d, err, elapsed)
		}
	}
}

type customError struct{ text string }

func (c *customError) Error() string { return c.text }

func edge22(t *testing.T) {
	custom := &customError{"EOF"}
	_, err, _ := waitFor(cancelAfter(t, time.Minute, nil), newWaiter(t, script(answer{Err: custom})))
	var got *customError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &got) || got != custom || !errors.Is(err, custom) {
		t.Errorf("%v: want Canceled and the last error in one", err)
	}
}

func edge23(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	unavailable := answer{Err: &QueryError{Code: "DMS.00500000", Err: errors.New("503 Service Unavailable")}}
	task, err, _ := waitFor(ctx, newWaiter(t, script(append([]answer{running}, repeat(9, unavailable)...)...), every(4*time.Second)))
	we := asWaitError(t, err)
	if we.LastErr != unavailable.Err || we.Polls != 6 || we.Errors != 5 || we.Task.Status != StatusExecuting || task.Status != StatusExecuting {
		t.Errorf("%#v with %v", we, task)
	}
	want := `taskwait: task "id": context deadline exceeded after 20s: last seen EXECUTING 20s ago; since then 5 polls failed, 6 polls, 5 errors, last: 503 Service Unavailable (DMS.00500000)`
	if err.Error() != want {
		t.Errorf("text = %s\nwant   %s", err, want)
	}
}

func edge24(t *testing.T) {
	boom := errors.New("boom")
	_, err, _ := waitFor(cancelAfter(t, time.Second, boom), newWaiter(t, script(running)))
	if !errors.Is(err, boom) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v: want both boom and Canceled", err)
	}
}

func edge25(t *testing.T) {
	_, err, _ := waitFor(cancelAfter(t, time.Second, nil), newWaiter(t, script(running)))
	if s := err.Error(); strings.Contains(s, "timed out") || strings.Contains(s, "%!") || strings.Contains(s, "<nil>") {
		t.Errorf("text = %s", s)
	}
}

func edge26(t *testing.T) {
	const limit = 10 * time.Minute
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, until(limit-time.Millisecond, running, success), WithTimeout(limit)))
	if err != nil || elapsed > limit {
		t.Errorf("done 1 ms before the timeout: %v after %v", err, elapsed)
	}
	_, err, elapsed = waitFor(t.Context(), newWaiter(t, until(limit, running, success), WithTimeout(limit)))
	if err != nil || elapsed != limit {
		t.Errorf("done at the timeout: %v after %v", err, elapsed)
	}
	c := script(running)
	_, err, _ = waitFor(t.Context(), newWaiter(t, c, WithTimeout(time.Second)))
	if want := []float64{0, 1}; !errors.Is(err, ErrTimeout) || !reflect.DeepEqual(c.seconds(), want) {
		t.Errorf("timeout below the interval: %v, asked at %v s, want %v s", err, c.seconds(), want)
	}
}

func edge27(t *testing.T) {
	c := script(repeat(3, running, success)...)
	if _, err, _ := waitFor(t.Context(), newWaiter(t, c, every(5*time.Minute))); err != nil {
		t.Error(err)
	}
	if want := []float64{0, 300, 600, 900}; !reflect.DeepEqual(c.seconds(), want) {
		t.Errorf("asked at %v s, want %v s", c.seconds(), want)
	}
}

func edge28(t *testing.T) {
	for _, tt := range []struct{ after, least, most time.Duration }{
		{24 * time.Hour, 5 * time.Minute, 330 * time.Second},
		{20 * time.Second, 20 * time.Second, 22 * time.Second},
		{-time.Hour, 4 * time.Second, 4 * time.Second},
		{0, 4 * time.Second, 4 * time.Second},
	} {
		c := script(failed(ClassThrottled, tt.after), success)
		_, err, elapsed := waitFor(t.Context(), newWaiter(t, c, every(4*time.Second)))
		if err != nil || elapsed < tt.least || elapsed > tt.most {
			t.Errorf("Retry-After %v: %v after %v, want %v to %v", tt.after, err, elapsed, tt.least, tt.most)
		}
		_, err, elapsed = waitFor(t.Context(), newWaiter(t, script(failed(ClassThrottled, tt.after)), WithTimeout(time.Second)))
		if !errors.Is(err, ErrTimeout) || elapsed < 5*time.Second || elapsed > 6*time.Second {
			t.Errorf("Retry-After %v, timeout 1 s: %v after %v, want ErrTimeout when the final poll was repeated for 4 to 5 s", tt.after, err, elapsed)
		}
	}
}

func edge30(t *testing.T) {
	c := script(success)
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, c))
	if err != nil || elapsed != 0 || len(c.asked) != 1 {
		t.Errorf("%v after %v and %d queries, want success at once with one", err, elapsed, len(c.asked))
	}
}

func edge31(t *testing.T) {
	const waits, rounds = 1000, 8
	var mu sync.Mutex
	var asked []time.Time
	count := map[string]int{}
	w := newWaiter(t, SourceFunc(func(_ context.Context, id string) (Task, error) {
		mu.Lock()
		defer mu.Unlock()
		if count[id]++; count[id] > 3 {
			asked = append(asked, time.Now())
		}
		if count[id] > rounds {
			return Task{Status: StatusSuccess}, nil
		}
		return Task{Status: StatusExecuting}, nil
	}))
	var all sync.WaitGroup
	for i := range waits {
		all.Go(func() { _, _ = w.WaitForTask(t.Context(), fmt.Sprint(i)) })
	}
	all.Wait()
	slices.SortFunc(asked, time.Time.Compare)
	most, from := 0, 0
	for to := range asked {
		for asked[to].Sub(asked[from]) >= 100*time.Millisecond {
			from++
		}
		most = max(most, to-from+1)
	}
	if most > waits/10 {
		t.Errorf("%d of %d waits asked within 100 ms, want a tenth of them at most", most, waits)
	}
}

func edge34(t *testing.T) {
	c := script(repeat(2, running, success)...)
	slow := WithProgress(func(p Progress) {
		if p.Polls == 1 {
			time.Sleep(3 * time.Second)
		} else if p.Polls == 2 {
			time.Sleep(10 * time.Second)
		}
	})
	_, err, _ := waitFor(t.Context(), newWaiter(t, c, every(4*time.Second), slow))
	if want := []float64{0, 4, 14}; err != nil || !reflect.DeepEqual(c.seconds(), want) {
		t.Errorf("%v, asked at %v s, want %v s: a slow callback uses up the pause", err, c.seconds(), want)
	}
	defer func() {
		if v := recover(); v != "boom" {
			t.Errorf("raised %v, want the callback's own panic on this goroutine", v)
		}
	}()
	_, _, _ = waitFor(t.Context(), newWaiter(t, script(running)), WithProgress(func(Progress) { panic("boom") }))
}

func edge35(t *testing.T) {
	returned := false
	var polls []int
	last := Progress{}
	_, err, _ := waitFor(cancelAfter(t, 10500*time.Millisecond, nil), newWaiter(t, &cloud{answers: []answer{running}, latency: time.Second}, every(4*time.Second)),
		WithProgress(func(p Progress) {
			if returned {
				t.Error("called after the return")
			}
			polls, last = append(polls, p.Polls), p
		}))
	returned = true
	if want := []int{1, 2, 3}; !reflect.DeepEqual(polls, want) || !last.Done || last.Outcome != err {
		t.Errorf("polls told = %v, last %v %v; want %v, the last with the outcome %v", polls, last.Done, last.Outcome, want, err)
	}
	time.Sleep(time.Hour)
}

func edge36(t *testing.T) {
	w := newWaiter(t, SourceFunc(func(context.Context, string) (Task, error) { return Task{Status: StatusExecuting}, nil }), WithTimeout(time.Hour))
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			first := true
			_, err := w.WaitForTask(t.Context(), fmt.Sprint(i), WithProgress(func(p Progress) {
				if first && (p.Next < defaultMinInterval || p.Next > defaultMinInterval*2) {
					t.Errorf("wait %d begins with a pause of %v", i, p.Next)
				}
				first = false
			}))
			if !errors.Is(err, ErrTimeout) {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func edge37(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{`"testing"`, "flag.Lookup", "os.Args", "testing.Testing"} {
			if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), bad) {
				t.Errorf("%s has %s", file, bad)
			}
		}
	}
}

func edge38(t *testing.T) {
	c := script(repeat(999, running, success)...)
	_, err, elapsed := waitFor(t.Context(), newWaiter(t, c, every(time.Second)))
	if err != nil || elapsed != 999*time.Second || len(c.asked) != 1000 {
		t.Errorf("%v after %v and %d queries, want success after 999s and 1000", err, elapsed, len(c.asked))
	}
}

func edge40(t *testing.T) {
	const polls = 100_000
	n := 0
	w := newWaiter(t, SourceFunc(func(context.Context, string) (Task, error) {
		n++
		return Task{}, fmt.Errorf("error %d", n)
	}), every(time.Millisecond), WithErrorTolerance(time.Hour), WithTimeout(polls*time.Millisecond))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var err error
	_, err, _ = waitFor(t.Context(), w, WithProgress(func(p Progress) {
		if p.Polls == polls {
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
	}))
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); !errors.Is(err, ErrTimeout) || grown > 1<<20 {
		t.Errorf("%v; the heap has grown by %d bytes over %d errors, want it flat", err, grown, polls)
	}
}
