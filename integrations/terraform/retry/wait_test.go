package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
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

// slow is one reply that takes so long.
func slow(took time.Duration, state string) []reply {
	return []reply{{took: took, result: 0, state: state}}
}

// end is how a wait ends, and after how long.
type end struct {
	text  string
	after time.Duration
}

const (
	timeoutText    = "<nil>, timeout while waiting for state to become 't' (timeout: 1m5s)"
	timeoutP       = "<nil>, timeout while waiting for state to become 't' (last state: 'p', timeout: 1m5s)"
	timeoutT       = "<nil>, timeout while waiting for state to become 't' (last state: 't', timeout: 1m5s)"
	timeoutX       = "<nil>, timeout while waiting for state to become 't' (last state: 'x', timeout: 1m5s)"
	unexpectedText = "unexpected state 'x', wanted target 't'. last error: %!s(<nil>)"
	deadlineText   = "context deadline exceeded"
)

// differences are the rows of the table in README.md. Where change does not say otherwise, p is pending, t is wanted,
// the timeout is 65 s, and PollInterval 10 s.
var differences = []struct {
	name         string
	change       func(*script)
	replies      []reply
	ours, theirs end
}{
	{
		"an error that may pass", nil, append(append(then("p"), reply{result: 7, err: status(502)}), then("t")...),
		end{"0, <nil>", 20 * time.Second}, end{"7, status 502", 10 * time.Second},
	},
	{
		"Target between the last call and Timeout", nil, then("p", "p", "p", "p", "p", "p", "p", "t"),
		end{"7, <nil>", 65 * time.Second}, end{timeoutP, 65 * time.Second},
	},
	{
		"a Refresh that hangs", nil, slow(time.Hour, "t"),
		end{timeoutText, 70 * time.Second}, end{timeoutText, 95 * time.Second},
	},
	{
		"Target, 20 s after Timeout", nil, slow(85*time.Second, "t"),
		end{timeoutText, 70 * time.Second}, end{"0, <nil>", 85 * time.Second},
	},
	{
		"a failure, by a call that is under way at Timeout", nil, slow(67*time.Second, "x"),
		end{"0, " + unexpectedText, 67 * time.Second}, end{timeoutX + ": " + unexpectedText, 67 * time.Second},
	},
	{
		"the context's deadline", func(s *script) { s.deadline = 33 * time.Second }, then("p"),
		end{timeoutP + ": " + deadlineText, 33 * time.Second}, end{"<nil>, " + deadlineText, 33 * time.Second},
	},
	{
		"Target, nothing, Target", twice, then("t", "", "t", "t"),
		end{"3, <nil>", 30 * time.Second}, end{"2, <nil>", 20 * time.Second},
	},
	{
		"Target, any state, Target", func(s *script) { twice(s); s.conf.Pending = nil }, then("t", "x", "t", "t"),
		end{"3, <nil>", 30 * time.Second}, end{"2, <nil>", 20 * time.Second},
	},
	{
		"a state that is of Target and of Pending", func(s *script) { twice(s); s.conf.Pending = []string{"t"} }, then("t"),
		end{"0, <nil>", 10 * time.Second}, end{timeoutT, 65 * time.Second},
	},
	{
		"a state that is twice of Target", func(s *script) { twice(s); s.conf.Target = []string{"t", "t"} }, then("t", "t"),
		end{"1, <nil>", 10 * time.Second}, end{"0, <nil>", 0},
	},
	{
		"PollInterval while the thing is gone", func(s *script) { twice(s); s.conf.Target = nil }, then(""),
		end{"<nil>, <nil>", 10 * time.Second}, end{"<nil>, <nil>", 100 * time.Millisecond},
	},
	{
		"MinTimeout above 10 s", func(s *script) { s.conf.PollInterval, s.conf.MinTimeout = 0, 15*time.Second },
		then("p", "p", "t"), end{"2, <nil>", 30 * time.Second}, end{"2, <nil>", 25 * time.Second},
	},
	{
		"a negative ContinuousTargetOccurence", func(s *script) { s.conf.ContinuousTargetOccurence = -1 }, then("t"),
		end{"0, <nil>", 0}, end{timeoutT, 65 * time.Second},
	},
}

func twice(s *script) { s.conf.ContinuousTargetOccurence = 2 }

// TestDifferences has an example for each row of the table in README.md.
func TestDifferences(t *testing.T) {
	for _, tt := range differences {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{replies: tt.replies, conf: retry.StateChangeConf{
				Pending: []string{"p"}, Target: []string{"t"}, Timeout: 65 * time.Second, PollInterval: 10 * time.Second,
			}}
			if tt.change != nil {
				tt.change(s)
			}
			for whose, both := range map[string]struct {
				got  outcome
				want end
			}{"this package": {s.ours(t), tt.ours}, "HashiCorp's": {s.hashicorp(t), tt.theirs}} {
				got := end{fmt.Sprintf("%v, %v", both.got.result, both.got.err), both.got.elapsed}
				if got != both.want {
					t.Errorf("%s: got %+v, want %+v", whose, got, both.want)
				}
			}
		})
	}
}

// TestAlike has what one might expect to differ, and does not.
func TestAlike(t *testing.T) {
	c := retry.StateChangeConf{Pending: []string{"p"}, Target: []string{"t"}, Timeout: time.Hour}
	long, endless := c, c
	endless.Timeout = math.MaxInt64
	long.PollInterval = 3 * time.Minute
	const minutes = " 1m2.6s 1m12.6s 1m22.6s 1m32.6s 1m42.6s 1m52.6s 2m2.6s 2m12.6s 2m22.6s 2m32.6s]"
	for _, tt := range []struct {
		name        string
		script      script
		want, polls string
	}{
		{"a long PollInterval", script{conf: long, replies: then("p", "p", "t")}, "2, <nil>", "[0s 200ms 600ms]"},
		{"an unexpected state", script{conf: c, replies: then("p", "x")}, "1, " + unexpectedText, "[0s 200ms]"},
		{"a final error", script{conf: c, replies: []reply{{result: 7, err: errPlain}}}, "7, plain", "[0s]"},
		{
			"nil results", script{conf: c, replies: then("")}, "<nil>, couldn't find resource (21 retries)",
			"[0s 200ms 600ms 1.4s 3s 6.2s 12.6s 22.6s 32.6s 42.6s 52.6s" + minutes,
		},
		{"a timeout that is not to pass", script{conf: endless, replies: then("p", "t")}, "1, <nil>", "[0s 200ms]"},
		{"cancelled", script{conf: c, replies: slow(time.Hour, "t"), cancel: 1}, "<nil>, context canceled", "[0s]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for whose, o := range map[string]outcome{"this package": tt.script.ours(t), "HashiCorp's": tt.script.hashicorp(t)} {
				got, polls := fmt.Sprintf("%v, %v", o.result, o.err), fmt.Sprint(o.polls)
				if got != tt.want || polls != tt.polls {
					t.Errorf("%s: got %s, called at %s, want %s, %s", whose, got, polls, tt.want, tt.polls)
				}
			}
		})
	}
}

// TestPauses: while Target is awaited again the pause stays as it is, and doubles with each error.
func TestPauses(t *testing.T) {
	s := script{replies: append(then("t"), slices.Repeat([]reply{{err: status(502)}}, 4)...)}
	s.replies = append(s.replies, then("t", "t")...)
	s.conf = retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Hour, ContinuousTargetOccurence: 3}
	const want = "[0s 100ms 300ms 700ms 1.5s 3.1s 4.7s]"
	if o := s.ours(t); o.err != nil || fmt.Sprint(o.polls) != want {
		t.Errorf("got %v, want success, called at %s", &o, want)
	}
}

// TestDelay: Refresh is not called before Delay has passed, neither for the end of Timeout nor for that of the context,
// as what it shows then may be the state of before.
func TestDelay(t *testing.T) {
	conf := retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Minute, Delay: time.Hour}
	late := script{conf: conf, replies: then("t")}
	conf.Timeout = 2 * time.Hour
	early := script{conf: conf, replies: then("t"), deadline: conf.Delay + time.Second/2}
	if o := late.ours(t); o.err == nil || o.elapsed != time.Minute || len(o.polls) > 0 {
		t.Errorf("Delay after Timeout: got %v, want an error after a minute, and no call", &o)
	}
	if o := early.ours(t); o.err != nil || o.elapsed != time.Hour {
		t.Errorf("Delay before the deadline: got %v, want success after an hour", &o)
	}
}

// TestDeadlineInTrouble: the error at the context's deadline has the last one of Refresh in it as well.
func TestDeadlineInTrouble(t *testing.T) {
	s := script{replies: append(then("p"), reply{err: sent(status(502))}), deadline: time.Minute}
	s.conf = retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Hour}
	err := s.ours(t).err
	var timeout *retry.TimeoutError
	var network *url.Error
	if !errors.As(err, &timeout) || timeout.LastState != "p" || !errors.Is(err, context.DeadlineExceeded) ||
		!errors.As(err, &network) || !errors.Is(err, status(502)) {
		t.Errorf("got %v, want a timeout with the deadline and the last error", err)
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

// TestGoexit: a Refresh that ends its goroutine, as t.FailNow does, is an error. Theirs takes what came before for the
// result.
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
	again    = attempt{err: errAgain}
)

// retries are what RetryContext does with attempts, of which the last one is repeated.
var retries = []struct {
	name              string
	timeout, deadline time.Duration
	attempts          []attempt
	want              end
	calls             int
}{
	{"at once", time.Minute, 0, []attempt{{}}, end{"<nil>", 0}, 1},
	{"at the third call", time.Minute, 0, []attempt{again, again, {}}, end{"<nil>", 1500 * time.Millisecond}, 3},
	{"a final error", time.Minute, 0, []attempt{again, {err: errFinal}}, end{"status 502", 500 * time.Millisecond}, 2},
	{"the last error", time.Minute, 0, []attempt{again}, end{"again", time.Minute}, 10},
	{"an error, and the deadline", time.Minute, 30 * time.Second, []attempt{again}, end{"again", 30 * time.Second}, 7},
	{"the deadline", time.Minute, 30 * time.Second, []attempt{{took: time.Hour}}, end{deadlineText, 30 * time.Second}, 1},
	{"slow", 10 * time.Second, 0, []attempt{{took: 39 * time.Second}}, end{"<nil>", 39 * time.Second}, 1},
	{"slow and failing", 10 * time.Second, 0, []attempt{{39 * time.Second, errAgain}}, end{"again", 39 * time.Second}, 1},
	{
		"hung", 10 * time.Second, 0, []attempt{{took: time.Hour}},
		end{"timeout while waiting for state to become 'success' (timeout: 10s)", 40 * time.Second}, 1,
	},
	{"hung after an error", 10 * time.Second, 0, []attempt{again, {took: time.Hour}}, end{"again", 40 * time.Second}, 2},
	{
		"an error that says nothing", time.Hour, 0, []attempt{{err: &retry.RetryError{}}},
		end{"couldn't find resource (21 retries)", 165500 * time.Millisecond}, 21,
	},
	{
		"a retryable one that says nothing", time.Minute, 0, []attempt{{err: &retry.RetryError{Retryable: true}}}, end{
			"timeout while waiting for state to become 'success' (last state: 'retryableerror', timeout: 1m0s)", time.Minute,
		}, 10,
	},
}

// TestRetryContext plays both packages, which do the same.
func TestRetryContext(t *testing.T) {
	for _, tt := range retries {
		for whose, run := range both {
			t.Run(tt.name+": "+whose, func(t *testing.T) {
				after, calls, err := playRetry(t, run, tt.timeout, tt.deadline, tt.attempts)
				if got := (end{fmt.Sprint(err), after}); got != tt.want || calls != tt.calls {
					t.Errorf("got %+v and %d calls, want %+v and %d", got, calls, tt.want, tt.calls)
				}
			})
		}
	}
}

type retryContext = func(context.Context, time.Duration, retry.RetryFunc) error

var both = map[string]retryContext{"this package": retry.RetryContext, "HashiCorp's": theirs.RetryContext}

// playRetry plays attempts, of which the last one is repeated, in virtual time.
func playRetry(t *testing.T, run retryContext, timeout, deadline time.Duration, attempts []attempt) (
	after time.Duration, calls int, err error,
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
	return after, calls, err
}

// TestDifferentialRetry plays random attempts on both packages: RetryContext does the same in both.
func TestDifferentialRetry(t *testing.T) {
	errs := slices.Repeat([]*retry.RetryError{errAgain}, 6)
	errs = append(errs, nil, errFinal, &retry.RetryError{}, &retry.RetryError{Retryable: true})
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
		after, calls, err := playRetry(t, retry.RetryContext, timeout, deadline, attempts)
		wantAfter, wantCalls, wantErr := playRetry(t, theirs.RetryContext, timeout, deadline, attempts)
		if !sameError(err, wantErr) || after != wantAfter || calls != wantCalls {
			t.Fatalf("script %d: got %v after %v and %d calls, want %v after %v and %d\n%v\ntimeout %v, deadline %v",
				n, err, after, calls, wantErr, wantAfter, wantCalls, attempts, timeout, deadline)
		}
	}
}
