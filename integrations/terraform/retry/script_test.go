package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	theirs "github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/taskwait/taskwait/integrations/terraform/retry"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// script is a wait, and what Refresh brings in it. The last reply is repeated.
type script struct {
	conf     retry.StateChangeConf // without Refresh
	replies  []reply
	cancel   time.Duration // after which ctx is cancelled; 0: never
	deadline time.Duration // of ctx; 0: none
}

// reply is what one call of Refresh brings, and how long it takes.
type reply struct {
	took   time.Duration
	result any
	state  string
	err    error
}

// status is an error that shows an HTTP status.
type status int

func (s status) Error() string   { return fmt.Sprintf("status %d", int(s)) }
func (s status) StatusCode() int { return int(s) }

var errPlain = errors.New("plain")

// outcome is what a wait has come to, and when Refresh was called.
type outcome struct {
	result  any
	err     error
	elapsed time.Duration
	polls   []time.Duration
}

// play plays a script in virtual time.
func (s *script) play(t *testing.T, wait func(context.Context, retry.StateChangeConf) (any, error)) (o outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var polls []time.Duration
		conf := s.conf
		conf.Refresh = func() (any, string, error) {
			r := &s.replies[min(len(polls), len(s.replies)-1)]
			polls = append(polls, time.Since(start))
			time.Sleep(r.took)
			if r.state == "exit" {
				runtime.Goexit()
			}
			return r.result, r.state, r.err
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if s.cancel > 0 {
			time.AfterFunc(s.cancel, cancel)
		}
		if s.deadline > 0 {
			ctx, cancel = context.WithTimeout(ctx, s.deadline)
			defer cancel()
		}
		o.result, o.err = wait(ctx, conf)
		synctest.Wait() // which orders what a call that was left behind has done
		o.elapsed, o.polls = time.Since(start), slices.Clone(polls)
		for _, r := range s.replies {
			time.Sleep(r.took) // until it has come back
		}
		synctest.Wait()
		if len(polls) > len(o.polls) {
			t.Errorf("called at %v, after the end of %v", polls[len(o.polls):], &o)
		}
	})
	return o
}

// ours and hashicorp play the script on the two packages.
func (s *script) ours(t *testing.T) outcome {
	t.Helper()
	return s.play(t, func(ctx context.Context, conf retry.StateChangeConf) (any, error) {
		return conf.WaitForStateContext(ctx)
	})
}

func (s *script) hashicorp(t *testing.T) outcome {
	t.Helper()
	return s.play(t, func(ctx context.Context, conf retry.StateChangeConf) (any, error) {
		their := theirs.StateChangeConf(conf)
		return their.WaitForStateContext(ctx)
	})
}

func (o *outcome) String() string {
	return fmt.Sprintf("%v, %#v (%v) after %v, called at %v", o.result, o.err, o.err, o.elapsed, o.polls)
}

func (s *script) String() string {
	return fmt.Sprintf("%+v\n  replies %v\n  cancel %v, deadline %v", s.conf, s.replies, s.cancel, s.deadline)
}
