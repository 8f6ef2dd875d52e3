package retry_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/taskwait/taskwait/integrations/terraform/retry"
)

var scripts = flag.Int("scripts", 3000, "how many random scripts to play on both packages")

// The rows of the table in README.md: why the two may differ. same and onceMore are no differences to a caller.
const (
	same        = "the same calls, result, error and end"
	onceMore    = "the same result, error and end, after one more call at the end"
	borne       = "an error that may pass"
	target      = "Target more than once"
	leastPause  = "MinTimeout above 10 s"
	ctxDeadline = "the context's deadline"
	finalPoll   = "at Timeout"
	grace       = "a call that is under way at Timeout"
)

// TestDifferential plays random scripts on HashiCorp's package and on this one. Where they differ, the script has one
// of the reasons that the table in README.md gives; and whatever the script, this package keeps its word.
func TestDifferential(t *testing.T) {
	count := map[string]int{}
	for n := range *scripts {
		s := randomScript(rand.New(rand.NewPCG(18, uint64(n))))
		ours, theirs := s.ours(t), s.hashicorp(t)
		if err := s.check(&ours); err != nil {
			t.Errorf("script %d: %v\n%v\nours %v", n, err, s, &ours)
		}
		why := s.why(&ours, &theirs)
		if count[why]++; why == "" {
			t.Errorf("script %d: they differ, and it is not known why\n%v\nours   %v\ntheirs %v", n, s, &ours, &theirs)
		}
		if t.Failed() {
			return
		}
	}
	for _, why := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[why], why)
	}
	for _, why := range []string{same, onceMore, borne, target, leastPause, ctxDeadline, finalPoll, grace} {
		if count[why] == 0 {
			t.Errorf("of %d scripts none shows: %s", *scripts, why)
		}
	}
}

// randomScript is a wait with a random configuration.
func randomScript(r *rand.Rand) *script {
	any1 := func(d ...time.Duration) time.Duration { return d[r.IntN(len(d))] }
	states := [][]string{{"p", "q"}, {"p", "q"}, {"p"}, nil, {"p", "t"}}
	targets := [][]string{{"t"}, {"t"}, {"t", "u"}, nil, {"t", "t"}}
	s := &script{conf: retry.StateChangeConf{
		Pending: states[r.IntN(len(states))], Target: targets[r.IntN(len(targets))],
		Delay:                     any1(0, 0, 0, time.Second, 20*time.Second, 5*time.Minute),
		Timeout:                   any1(0, time.Second, 30*time.Second, 10*time.Minute, time.Hour) + 7*time.Microsecond,
		MinTimeout:                any1(0, 0, 0, time.Second, 3*time.Second, 15*time.Second),
		PollInterval:              any1(0, 0, time.Second, 10*time.Second, 15*time.Second, 4*time.Minute),
		NotFoundChecks:            []int{0, 0, 1, 3}[r.IntN(4)],
		ContinuousTargetOccurence: []int{0, 0, 1, 2, 3}[r.IntN(5)],
	}}
	switch r.IntN(8) {
	case 0:
		s.cancel = time.Duration(r.Int64N(int64(s.conf.Timeout)+int64(time.Minute))) | 1
	case 1:
		s.deadline = time.Duration(r.Int64N(int64(s.conf.Timeout)+int64(time.Minute))) | 1
	}
	for range 1 + r.IntN(6) {
		next := randomReply(r)
		for range 1 + r.IntN(1+r.IntN(40)) {
			s.replies = append(s.replies, next)
		}
	}
	return s
}

// randomReply is mostly one of a running thing.
func randomReply(r *rand.Rand) (next reply) {
	states := []string{"p", "p", "p", "p", "q", "t", "t", "t", "u", "x"}
	next = reply{result: r.IntN(100), state: states[r.IntN(len(states))]}
	switch n := r.IntN(30); {
	case n < 4:
		next.result = nil
	case n < 8:
		failures := []error{errPlain, status(502), status(429), status(404), status(400), status(403), errTimeout{}}
		next = reply{err: failures[r.IntN(len(failures))]}
	}
	if r.IntN(4) == 0 {
		next.took = time.Duration(r.Int64N(int64([]time.Duration{time.Second, 10 * time.Second, time.Minute}[r.IntN(3)])))
	}
	return next
}

// errTimeout is one of the network.
type errTimeout struct{}

func (errTimeout) Error() string   { return "i/o timeout" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }

// mayPass reports whether the error of a reply is one that this package bears.
func (r *reply) mayPass() bool {
	return r.err != nil && r.err != errPlain && r.err != status(400)
}

// why is the reason for which the two may differ here; "": none is known.
func (s *script) why(ours, theirs *outcome) string {
	c := &s.conf
	alike := ours.result == theirs.result && sameError(ours.err, theirs.err) && ours.elapsed == theirs.elapsed
	switch n := len(theirs.polls); {
	case alike && slices.Equal(ours.polls, theirs.polls):
		return same
	case alike && len(ours.polls) == n+1 && slices.Equal(ours.polls[:n], theirs.polls) && ours.polls[n] >= s.lastCall():
		return onceMore
	case s.anyReply(min(len(ours.polls), n), (*reply).mayPass):
		return borne
	case c.ContinuousTargetOccurence > 1 && s.interrupts():
		return target
	case c.MinTimeout > 10*time.Second && (c.PollInterval == 0 || c.PollInterval >= 3*time.Minute):
		return leastPause
	case s.deadline > 0 && theirs.err == context.DeadlineExceeded:
		return ctxDeadline
	case theirs.elapsed > c.Timeout || ours.elapsed > c.Timeout:
		return grace
	case theirs.elapsed == c.Timeout:
		return finalPoll
	}
	return ""
}

// lastCall is when the call before the end is made, at the earliest, as the context or Timeout wants it.
func (s *script) lastCall() time.Duration {
	if s.deadline > 0 && s.deadline < s.conf.Timeout {
		return s.deadline - time.Second
	}
	return s.conf.Timeout
}

func (s *script) anyReply(calls int, is func(*reply) bool) bool {
	for n := range calls {
		if is(s.reply(n)) {
			return true
		}
	}
	return false
}

func (s *script) reply(n int) *reply { return &s.replies[min(n, len(s.replies)-1)] }

// interrupts reports whether what interrupts a row of Target counts differently: a nil result, a state that is neither
// of Target nor of Pending, one that is of both, or twice of Target; or that the thing is to be gone.
func (s *script) interrupts() bool {
	c := &s.conf
	return len(c.Target) == 0 || len(c.Pending) == 0 || slices.Contains(c.Pending, "t") ||
		len(c.Target) == 2 && c.Target[0] == c.Target[1] ||
		slices.ContainsFunc(s.replies, func(r reply) bool { return r.result == nil })
}

// check says what of an outcome of this package is not as its documentation says; nil: nothing.
func (s *script) check(o *outcome) error {
	if err := s.checkPauses(o); err != nil {
		return err
	}
	return s.checkEnd(o)
}

// checkEnd checks how a wait has ended: by the last answer, or by the time.
func (s *script) checkEnd(o *outcome) error {
	c := &s.conf
	last, want := &reply{}, max(c.ContinuousTargetOccurence, 1)
	if len(o.polls) > 0 {
		last = s.reply(len(o.polls) - 1)
	}
	var timeout *retry.TimeoutError
	var unexpected *retry.UnexpectedStateError
	var notFound *retry.NotFoundError
	switch over := c.Timeout + 5*time.Second; {
	case o.err == nil && (s.row(len(o.polls)) < want || o.result != last.result):
		return fmt.Errorf("succeeds after %d of Target in a row", s.row(len(o.polls)))
	case o.elapsed > over || s.deadline > 0 && o.elapsed > s.deadline || s.cancel > 0 && o.elapsed > s.cancel:
		return errors.New("is late")
	case o.err == nil:
		return nil
	case errors.As(o.err, &timeout):
		return s.checkTimeout(o, timeout)
	case errors.As(o.err, &unexpected):
		if s.is(last) != other || unexpected.State != last.state || o.result != last.result {
			return errors.New("is not what was seen last")
		}
	case errors.As(o.err, &notFound):
		if last.result != nil || len(c.Target) == 0 {
			return errors.New("was found")
		}
	case errors.Is(o.err, context.Canceled):
		if o.elapsed != s.cancel || o.result != nil {
			return fmt.Errorf("is cancelled at %v", s.cancel)
		}
	case o.err != last.err:
		return errors.New("is not the error that came last")
	case last.mayPass() && s.failingFor(o) < time.Minute:
		return errors.New("gives up an error that may pass")
	}
	return nil
}

// failingFor is how long nothing but errors had come when the wait ended. 403 is none that may pass if nothing else
// ever came.
func (s *script) failingFor(o *outcome) time.Duration {
	first := len(o.polls) - 1
	for first > 0 && s.reply(first-1).err != nil {
		first--
	}
	if first == 0 && s.reply(len(o.polls)-1).err == status(403) {
		return time.Hour
	}
	return o.elapsed - o.polls[first] - s.reply(first).took
}

func (s *script) checkTimeout(o *outcome, e *retry.TimeoutError) error {
	c := &s.conf
	n := len(o.polls)
	begun := time.Duration(-1) // the last call
	if n > 0 {
		begun = o.polls[n-1]
	}
	switch hung := n > 0 && begun+s.reply(n-1).took > o.elapsed; {
	case errors.Is(e, context.DeadlineExceeded) && o.elapsed != s.deadline:
		return fmt.Errorf("ends with the deadline of %v", s.deadline)
	case errors.Is(e, context.DeadlineExceeded):
	case o.elapsed < c.Timeout:
		return errors.New("is early")
	case begun < c.Timeout && !hung && c.Delay <= c.Timeout:
		return errors.New("has not called Refresh after the timeout")
	}
	if e.Timeout != c.Timeout || !slices.Equal(e.ExpectedState, c.Target) || o.result != nil {
		return errors.New("does not say what was wanted")
	}
	return nil
}

// What a reply is.
const (
	pending = iota
	wanted
	other
	missing
	failed
)

func (s *script) is(r *reply) int {
	c := &s.conf
	switch {
	case r.err != nil:
		return failed
	case r.result == nil && len(c.Target) == 0, r.result != nil && slices.Contains(c.Target, r.state):
		return wanted
	case r.result == nil:
		return missing
	case len(c.Pending) > 0 && !slices.Contains(c.Pending, r.state):
		return other
	}
	return pending
}

// row is how often Target was seen in a row, errors aside, up to the call n.
func (s *script) row(n int) (row int) {
	for n--; n >= 0; n-- {
		switch s.is(s.reply(n)) {
		case wanted:
			row++
		case failed:
		default:
			return row
		}
	}
	return row
}

// checkPauses checks when Refresh was called.
func (s *script) checkPauses(o *outcome) error {
	c := &s.conf
	pause := 100 * time.Millisecond
	for n, at := range o.polls {
		if n == 0 {
			if late := s.deadline == 0 && at != c.Delay; late || at < c.Delay {
				return fmt.Errorf("the first call is at %v, want %v", at, c.Delay)
			}
			continue
		}
		before := s.reply(n - 1)
		if s.is(before) != wanted {
			pause *= 2
		}
		switch pause = max(min(pause, 10*time.Second), c.MinTimeout); {
		case 0 < c.PollInterval && c.PollInterval < 3*time.Minute:
			pause = c.PollInterval
		}
		got := at - o.polls[n-1] - before.took
		switch atEnd := at >= c.Timeout || s.deadline > 0; {
		case got == pause, got < pause && atEnd, got < pause && before.err != nil:
		case o.polls[n-1] >= c.Timeout && got <= time.Second: // the one at the end failed, and is repeated
		case before.err == status(429) && got < pause+pause/10:
		default:
			return fmt.Errorf("call %d comes after %v, want %v", n, got, pause)
		}
	}
	return nil
}
