package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	theirs "github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/taskwait/taskwait/integrations/terraform/retry"
)

// then makes the replies of a script: states, of which "" is a nil result.
func then(states ...string) (replies []reply) {
	for n, state := range states {
		r := reply{result: n, state: state}
		if state == "" {
			r.result = nil
		}
		replies = append(replies, r)
	}
	return replies
}

// TestDifferences has an example for each row of the table in README.md.
func TestDifferences(t *testing.T) {
	conf := func(change func(*retry.StateChangeConf)) retry.StateChangeConf {
		c := retry.StateChangeConf{Pending: []string{"p"}, Target: []string{"t"}, Timeout: 65 * time.Second}
		c.PollInterval = 10 * time.Second
		if change != nil {
			change(&c)
		}
		return c
	}
	twice := func(c *retry.StateChangeConf) { c.ContinuousTargetOccurence = 2 }
	failed := reply{result: 7, err: status(502)}
	for _, tt := range []struct {
		name               string
		script             script
		ours, theirs       string
		oursFor, theirsFor time.Duration
	}{
		{
			"an error that may pass", script{conf: conf(nil), replies: []reply{{result: 1, state: "p"}, failed, then("t")[0]}},
			"0, <nil>", "7, status 502", 20 * time.Second, 10 * time.Second,
		},
		{
			"Target between the last call and Timeout", script{conf: conf(nil), replies: then("p", "p", "p", "p", "p", "p", "p", "t")},
			"7, <nil>", "<nil>, timeout while waiting for state to become 't' (last state: 'p', timeout: 1m5s)",
			65 * time.Second, 65 * time.Second,
		},
		{
			"a Refresh that hangs", script{conf: conf(nil), replies: []reply{{took: time.Hour}}},
			"<nil>, timeout while waiting for state to become 't' (timeout: 1m5s)",
			"<nil>, timeout while waiting for state to become 't' (timeout: 1m5s)", 70 * time.Second, 95 * time.Second,
		},
		{
			"Target, by a call that takes 20 s more than Timeout",
			script{conf: conf(nil), replies: []reply{{took: 85 * time.Second, result: 1, state: "t"}}},
			"<nil>, timeout while waiting for state to become 't' (timeout: 1m5s)", "1, <nil>", 70 * time.Second, 85 * time.Second,
		},
		{
			"a failure, by a call that is under way at Timeout",
			script{conf: conf(nil), replies: []reply{{took: 67 * time.Second, result: 1, state: "x"}}},
			"1, unexpected state 'x', wanted target 't'. last error: %!s(<nil>)",
			"<nil>, timeout while waiting for state to become 't' (last state: 'x', timeout: 1m5s): " +
				"unexpected state 'x', wanted target 't'. last error: %!s(<nil>)", 67 * time.Second, 67 * time.Second,
		},
		{
			"the context's deadline", script{conf: conf(nil), deadline: 33 * time.Second, replies: then("p", "p")},
			"<nil>, timeout while waiting for state to become 't' (last state: 'p', timeout: 1m5s): context deadline exceeded",
			"<nil>, context deadline exceeded", 33 * time.Second, 33 * time.Second,
		},
		{
			"Target, nothing, Target", script{conf: conf(twice), replies: then("t", "", "t", "t")},
			"3, <nil>", "2, <nil>", 30 * time.Second, 20 * time.Second,
		},
		{
			"Target, any state, Target", script{
				conf:    conf(func(c *retry.StateChangeConf) { twice(c); c.Pending = nil }),
				replies: then("t", "x", "t", "t"),
			}, "3, <nil>", "2, <nil>", 30 * time.Second, 20 * time.Second,
		},
		{
			"a state that is of Target and of Pending", script{
				conf:    conf(func(c *retry.StateChangeConf) { twice(c); c.Pending = []string{"t"} }),
				replies: then("t"),
			}, "0, <nil>", "<nil>, timeout while waiting for state to become 't' (last state: 't', timeout: 1m5s)",
			10 * time.Second, 65 * time.Second,
		},
		{
			"a state that is twice of Target", script{
				conf:    conf(func(c *retry.StateChangeConf) { twice(c); c.Target = []string{"t", "t"} }),
				replies: then("t", "t"),
			}, "1, <nil>", "0, <nil>", 10 * time.Second, 0,
		},
		{
			"PollInterval while the thing is gone", script{
				conf:    conf(func(c *retry.StateChangeConf) { twice(c); c.Target = nil }),
				replies: then("", ""),
			}, "<nil>, <nil>", "<nil>, <nil>", 10 * time.Second, 100 * time.Millisecond,
		},
		{
			"MinTimeout above 10 s", script{
				conf:    conf(func(c *retry.StateChangeConf) { c.PollInterval, c.MinTimeout = 0, 15*time.Second }),
				replies: then("p", "p", "t"),
			}, "2, <nil>", "2, <nil>", 30 * time.Second, 25 * time.Second,
		},
		{
			"a negative ContinuousTargetOccurence", script{
				conf:    conf(func(c *retry.StateChangeConf) { c.ContinuousTargetOccurence = -1 }),
				replies: then("t"),
			}, "0, <nil>", "<nil>, timeout while waiting for state to become 't' (last state: 't', timeout: 1m5s)",
			0, 65 * time.Second,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, of := range []struct {
				whose string
				got   outcome
				want  string
				after time.Duration
			}{
				{"this package", tt.script.ours(t), tt.ours, tt.oursFor},
				{"HashiCorp's", tt.script.hashicorp(t), tt.theirs, tt.theirsFor},
			} {
				if got := fmt.Sprintf("%v, %v", of.got.result, of.got.err); got != of.want || of.got.elapsed != of.after {
					t.Errorf("%s: got %s after %v, want %s after %v", of.whose, got, of.got.elapsed, of.want, of.after)
				}
			}
		})
	}
}

// TestAlike has what one might want to differ, and does not.
func TestAlike(t *testing.T) {
	c := retry.StateChangeConf{Pending: []string{"p"}, Target: []string{"t"}, Timeout: time.Hour}
	long := c
	long.PollInterval = 3 * time.Minute // a constant times a timeout, in 43 places of one provider
	for _, tt := range []struct {
		name   string
		script script
		want   string
		polls  string
	}{
		{"a long PollInterval counts for nothing", script{conf: long, replies: then("p", "p", "t")}, "2, <nil>", "[0s 200ms 600ms]"},
		{"the result comes with an unexpected state", script{conf: c, replies: then("p", "x")},
			"1, unexpected state 'x', wanted target 't'. last error: %!s(<nil>)", "[0s 200ms]"},
		{"and with an error", script{conf: c, replies: []reply{{result: 7, state: "p", err: errPlain}}}, "7, plain", "[0s]"},
		{"20 nil results are borne", script{conf: long, replies: then("")},
			"<nil>, couldn't find resource (21 retries)", "[0s 200ms 600ms 1.4s 3s 6.2s 12.6s 22.6s 32.6s 42.6s 52.6s " +
				"1m2.6s 1m12.6s 1m22.6s 1m32.6s 1m42.6s 1m52.6s 2m2.6s 2m12.6s 2m22.6s 2m32.6s]"},
		{"cancelled", script{conf: c, replies: []reply{{took: time.Hour}}, cancel: time.Second}, "<nil>, context canceled", "[0s]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for whose, got := range map[string]outcome{"this package": tt.script.ours(t), "HashiCorp's": tt.script.hashicorp(t)} {
				if end, polls := fmt.Sprintf("%v, %v", got.result, got.err), fmt.Sprint(got.polls); end != tt.want || polls != tt.polls {
					t.Errorf("%s: got %s, called at %s, want %s, %s", whose, end, polls, tt.want, tt.polls)
				}
			}
		})
	}
}

// TestPanic: a panic in Refresh is raised on the goroutine of the caller, who may recover; theirs ends the process.
func TestPanic(t *testing.T) {
	conf := retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Minute}
	conf.Refresh = func() (any, string, error) { panic(errPlain) }
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, errPlain) {
			t.Errorf("got %v, want a panic with %v", err, errPlain)
		}
	}()
	got, err := conf.WaitForState()
	t.Errorf("got %v, %v", got, err)
}

// TestGoexit: a Refresh that ends its goroutine, as t.FailNow does, is an error. Theirs takes what came before for Target.
func TestGoexit(t *testing.T) {
	s := script{conf: retry.StateChangeConf{Pending: []string{"p"}, Target: []string{"t"}, Timeout: time.Hour}}
	s.replies = then("p", "exit")
	ours, theirs := s.ours(t), s.hashicorp(t)
	if ours.err == nil || ours.result != nil || ours.elapsed != 200*time.Millisecond {
		t.Errorf("got %v, want an error at once", &ours)
	}
	if theirs.err != nil || theirs.result != 0 {
		t.Errorf("HashiCorp's: got %v, want the result of a pending state, without an error", &theirs)
	}
}

// TestShared: the defaults are not written into the configuration, as theirs are, so that waits may share it.
func TestShared(t *testing.T) {
	conf := retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Minute}
	conf.Refresh = func() (any, string, error) { return 1, "t", nil }
	if _, err := conf.WaitForStateContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	if conf.NotFoundChecks != 0 || conf.ContinuousTargetOccurence != 0 {
		t.Errorf("the configuration has become %+v", conf)
	}
}

// attempt is what one call of a RetryFunc brings, and how long it takes.
type attempt struct {
	took time.Duration
	err  *retry.RetryError
}

var (
	errAgain = retry.RetryableError(errors.New("again"))
	errFinal = retry.NonRetryableError(status(502)) // what it says of itself counts
)

// TestRetryContext plays both packages, which are to do the same.
func TestRetryContext(t *testing.T) {
	for _, tt := range []struct {
		name              string
		timeout, deadline time.Duration
		attempts          []attempt // the last one is repeated
		want              string
		after             time.Duration
		calls             int
	}{
		{"at once", time.Minute, 0, []attempt{{}}, "<nil>", 0, 1},
		{"at the third call", time.Minute, 0, []attempt{{err: errAgain}, {err: errAgain}, {}}, "<nil>", 1500 * time.Millisecond, 3},
		{"a final error", time.Minute, 0, []attempt{{err: errAgain}, {err: errFinal}}, "status 502", 500 * time.Millisecond, 2},
		{"the last error", time.Minute, 0, []attempt{{err: errAgain}}, "again", time.Minute, 10},
		{"the last error at the context's deadline", time.Minute, 30 * time.Second, []attempt{{err: errAgain}}, "again",
			30 * time.Second, 7},
		{"the context's deadline", time.Minute, 30 * time.Second, []attempt{{took: time.Hour}}, "context deadline exceeded",
			30 * time.Second, 1},
		{"slow at the timeout", 10 * time.Second, 0, []attempt{{took: 39 * time.Second}}, "<nil>", 39 * time.Second, 1},
		{"slow and failing", 10 * time.Second, 0, []attempt{{took: 39 * time.Second, err: errAgain}}, "again", 39 * time.Second, 1},
		{"hung", 10 * time.Second, 0, []attempt{{took: time.Hour}},
			"timeout while waiting for state to become 'success' (timeout: 10s)", 40 * time.Second, 1},
		{"hung after an error", 10 * time.Second, 0, []attempt{{err: errAgain}, {took: time.Hour}}, "again", 40 * time.Second, 2},
		{"an error that says nothing", time.Hour, 0, []attempt{{err: &retry.RetryError{}}},
			"couldn't find resource (21 retries)", 165500 * time.Millisecond, 21},
		{"a retryable one that says nothing", time.Minute, 0, []attempt{{err: &retry.RetryError{Retryable: true}}},
			"timeout while waiting for state to become 'success' (last state: 'retryableerror', timeout: 1m0s)", time.Minute, 10},
	} {
		for whose, run := range both {
			t.Run(tt.name+": "+whose, func(t *testing.T) {
				err, after, calls := playRetry(t, run, tt.timeout, tt.deadline, tt.attempts)
				if fmt.Sprint(err) != tt.want || after != tt.after || calls != tt.calls {
					t.Errorf("got %v after %v and %d calls, want %s after %v and %d", err, after, calls, tt.want, tt.after, tt.calls)
				}
			})
		}
	}
}

type retryContext = func(context.Context, time.Duration, retry.RetryFunc) error

var both = map[string]retryContext{"this package": retry.RetryContext, "HashiCorp's": theirs.RetryContext}

// playRetry plays attempts, of which the last one is repeated, in virtual time.
func playRetry(t *testing.T, run retryContext, timeout, deadline time.Duration, attempts []attempt) (
	err error, after time.Duration, calls int,
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, start := t.Context(), time.Now()
		if deadline > 0 {
			var cancel func()
			ctx, cancel = context.WithTimeout(ctx, deadline)
			defer cancel()
		}
		made := 0
		err = run(ctx, timeout, func() *retry.RetryError {
			a := attempts[min(made, len(attempts)-1)]
			made++
			time.Sleep(a.took)
			return a.err
		})
		synctest.Wait()
		after, calls = time.Since(start), made
		time.Sleep(2 * time.Hour) // until what was left behind has come back
		synctest.Wait()
		if made > calls {
			t.Errorf("%d calls, %d of them after the end", made, made-calls)
		}
	})
	return err, after, calls
}

// TestDifferentialRetry plays random attempts on both packages: RetryContext does the same in both.
func TestDifferentialRetry(t *testing.T) {
	errs := []*retry.RetryError{nil, errAgain, errAgain, errAgain, errAgain, errAgain, errAgain, errFinal, {}, {Retryable: true}}
	for n := range *scripts / 4 {
		r := rand.New(rand.NewPCG(19, uint64(n))) //nolint:gosec // a seed
		timeout := time.Duration(r.Int64N(int64(time.Minute))) | 1
		deadline := time.Duration(r.IntN(3)/2) * (time.Duration(r.Int64N(int64(time.Minute))) | 1)
		var attempts []attempt
		for range 1 + r.IntN(10) {
			a := attempt{err: errs[r.IntN(len(errs))]}
			if r.IntN(3) == 0 {
				a.took = time.Duration(r.Int64N(int64(50*time.Second))) &^ 1
			}
			attempts = append(attempts, a)
		}
		err, after, calls := playRetry(t, retry.RetryContext, timeout, deadline, attempts)
		wantErr, wantAfter, wantCalls := playRetry(t, theirs.RetryContext, timeout, deadline, attempts)
		if !sameError(err, wantErr) || after != wantAfter || calls != wantCalls {
			t.Fatalf("script %d: got %v after %v and %d calls, want %v after %v and %d\n%v\ntimeout %v, deadline %v",
				n, err, after, calls, wantErr, wantAfter, wantCalls, attempts, timeout, deadline)
		}
	}
}
