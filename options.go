package taskwait

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/taskwait/taskwait/internal/limiter"
	"github.com/taskwait/taskwait/internal/pacing"
	"github.com/taskwait/taskwait/schedule"
	"go.uber.org/zap"
)

// The defaults.
const (
	// defaultMinInterval and defaultMaxInterval bound the pauses, jitter included; package internal/pacing has the
	// reasons.
	defaultMinInterval = pacing.DefaultMinPause
	defaultMaxInterval = pacing.DefaultMaxPause

	// defaultQueryTimeout is a quarter of the SDK's own 120 s, and ten times what a slow answer takes.
	defaultQueryTimeout = 30 * time.Second

	// defaultErrorTolerance outlasts the restart of a gateway and a bad minute of DNS.
	defaultErrorTolerance = 5 * time.Minute

	// defaultNotFoundGrace: how soon DMS lists a task whose id it has just handed out is not documented. Seconds are
	// likely, and a wrong id is still found out within a minute.
	defaultNotFoundGrace = time.Minute
)

// Option changes one setting: for every wait of a Waiter if given to [New], for one call if given to that call. The
// package documentation has a table of all options. No option depends on another one, or on the order; of two with the
// same name the later wins. nil is [ErrInvalidOption].
type Option func(*settings)

type settings struct {
	deadlines
	lo, hi       time.Duration
	newBackOff   func() backoff.BackOff
	initial      time.Duration
	queryTimeout time.Duration
	progress     func(Progress)
	log          *zap.Logger
	history      *schedule.History
	kind         string
	limiter      *limiter.Limiter
	alone        bool // it shares nothing
	observer     func(ctx context.Context, id string) (context.Context, func(Progress))

	stalePhaseGiven bool // by an option, which an Operation does not change

	exponential *pacing.Exponential // of lo and hi
}

func defaults() *settings {
	return &settings{
		lo: defaultMinInterval, hi: defaultMaxInterval,
		exponential:  pacing.NewExponential(defaultMinInterval, defaultMaxInterval),
		deadlines:    deadlines{tolerance: defaultErrorTolerance, grace: defaultNotFoundGrace},
		queryTimeout: defaultQueryTimeout, log: zap.NewNop(),
	}
}

// with is s with opts applied, or what is wrong with them. s itself stays as it is.
func (s *settings) with(opts []Option) (*settings, error) {
	if len(opts) == 0 {
		return s, nil
	}
	t := *s
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("taskwait: %w: option %d of %d is nil", ErrInvalidOption, i+1, len(opts))
		}
		opt(&t)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.lo != s.lo || t.hi != s.hi {
		t.exponential = pacing.NewExponential(t.lo, t.hi)
	}
	return &t, nil
}

// forCall are the settings of one call: s with opts applied, or what is wrong with them or with ctx.
func (s *settings) forCall(ctx context.Context, opts []Option) (*settings, error) {
	if ctx == nil {
		return nil, fmt.Errorf("taskwait: %w: the context is nil", ErrInvalidOption)
	}
	return s.with(opts)
}

func (s *settings) check() error {
	for _, o := range []struct {
		name         string
		value, least time.Duration
	}{
		{"WithTimeout", s.timeout, 0},
		{"WithRunTimeout", s.run, 0},
		{"WithInterval: min", s.lo, pacing.Floor},
		{"WithInterval: max", s.hi, s.lo},
		{"WithInitialDelay", s.initial, 0},
		{"WithQueryTimeout", s.queryTimeout, pacing.Floor},
		{"WithErrorTolerance", s.tolerance, 0},
		{"WithNotFoundGrace", s.grace, 0},
		{"WithStallTimeout", s.stall, 0},
	} {
		if o.value < o.least {
			return fmt.Errorf("taskwait: %w: %s %v, want at least %v", ErrInvalidOption, o.name, o.value, o.least)
		}
	}
	if s.confirmations < 0 {
		return fmt.Errorf("taskwait: %w: WithConfirmations %d, want at least 0", ErrInvalidOption, s.confirmations)
	}
	if s.log.Core() == nil {
		return fmt.Errorf("taskwait: %w: WithLogger: a zero zap.Logger, want one made by zap.New", ErrInvalidOption)
	}
	return nil
}

// schedule is that of one wait: a BackOff decides, if there is one, then a history; nil stands for the exponential,
// which needs nothing of its own.
func (s *settings) schedule(learned *pacing.Learned) (pacing.Schedule, error) {
	switch {
	case s.newBackOff == nil && learned != nil:
		return learned.Pause, nil
	case s.newBackOff == nil:
		return nil, nil
	}
	b := s.newBackOff()
	if b == nil {
		return nil, fmt.Errorf("taskwait: %w: WithBackOff: the function returned nil", ErrInvalidOption)
	}
	return pacing.FromBackOff(b), nil
}

// learned is the schedule that the history gives; nil: there is no history.
func (s *settings) learned() *pacing.Learned {
	if s.history == nil {
		return nil
	}
	return &pacing.Learned{
		History: s.history, Kind: s.kind, Fallback: s.exponential, Policy: schedule.Policy{QueryCost: s.history.QueryCost},
	}
}

// WithTimeout bounds the whole wait, from the call of WaitForTask. Default 0: only the context bounds it. When the
// timeout has passed, a final poll is made, so a task that had finished by then is never reported as timed out. The
// wait ends at most 5 s after the timeout, with [ErrTimeout]. Let the context live longer than that.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithRunTimeout bounds the run of the task, from the first answer that is not CREATED, for services whose tasks queue.
// It ends the wait as WithTimeout does: with a final poll and [ErrTimeout]. The earlier of the two bounds holds.
// Default 0: no limit.
func WithRunTimeout(d time.Duration) Option { return func(s *settings) { s.run = d } }

// WithInterval sets the first pause and the cap of the default exponential schedule. Every pause lies between the two,
// jitter included. Default 4 s and 30 s. min must be at least 1 ms, and max at least min. If they are equal the pause
// is fixed, without jitter. They do not bound the pauses of a BackOff or a history.
func WithInterval(min, max time.Duration) Option {
	return func(s *settings) { s.lo, s.hi = min, max }
}

// WithBackOff sets your own schedule, in place of the exponential and the learned one. f is called once for each wait,
// and must return a new [backoff.BackOff] each time, because most of them are not safe for concurrent use. Pauses below
// 1 ms are raised to 1 ms. backoff.Stop ends the wait with [ErrBackOffStopped]. Mind that backoff.NewExponentialBackOff
// stops after 15 minutes unless MaxElapsedTime is 0. Default nil: none.
//
// Reset is called once, at the beginning. NextBackOff is called for each answer, good or bad, before the wait decides
// what follows from it. If a bound then ends the wait, that last pause is never made. NextBackOff is not called for the
// answer that ends the task, nor for answers of other waits' polls that come before the pause is over.
func WithBackOff(f func() backoff.BackOff) Option { return func(s *settings) { s.newBackOff = f } }

// WithInitialDelay sets the pause before the first query. Default 0: none, which finds a task that is already done, a
// wrong id and a missing permission in the first second.
func WithInitialDelay(d time.Duration) Option { return func(s *settings) { s.initial = d } }

// WithQueryTimeout bounds one query. Default 30 s, at least 1 ms. A query that takes longer counts as a transient
// error. It is cancelled, or abandoned if it does not honour its context.
func WithQueryTimeout(d time.Duration) Option { return func(s *settings) { s.queryTimeout = d } }

// WithErrorTolerance sets how long a wait goes on while queries bring only transient errors, from the first of them.
// Any other answer ends the streak, a throttle too. Default 5 min. The wait gives up with [ErrQuery] after at least
// three errors, also if d is 0.
func WithErrorTolerance(d time.Duration) Option { return func(s *settings) { s.tolerance = d } }

// WithNotFoundGrace sets how long the service may not know the task, from the first such answer. Default 60 s, because
// a service may list a task a moment after it has returned its id. The wait gives up with [ErrTaskNotFound] after at
// least two polls, also if d is 0.
func WithNotFoundGrace(d time.Duration) Option { return func(s *settings) { s.grace = d } }

// WithConfirmations sets how many SUCCESS in a row end a wait, for services whose status flaps. Default 1; 0 means 1.
// Errors and throttles in between neither count nor reset the count; any other answer resets it. If the timeout passes,
// or the BackOff stops, after a SUCCESS that nothing has contradicted, the wait succeeds and sets Task.Unconfirmed. A
// failure needs no confirmation.
func WithConfirmations(n int) Option {
	return func(s *settings) {
		if s.confirmations = n; n == 0 {
			s.confirmations = 1
		}
	}
}

// WithStalePhase names the phase, such as RUNNING, in which the task was before the wait began. It does not count until
// the task has left it: right after the request for a restart, an instance still shows RUNNING. Until the wait has seen
// another phase, a terminal status in this phase is taken for EXECUTING. If a change is so quick that no poll sees
// another phase, the wait lasts until the timeout, so give one. phase is compared with Task.Phase, or with Status if
// the Source gives no Phase. Default "": every phase counts.
func WithStalePhase(phase string) Option {
	return func(s *settings) { s.stalePhase, s.stalePhaseGiven = phase, true }
}

// WithStallTimeout ends a wait with [ErrStalled] when the task is seen, but nothing of it has changed for this long:
// status, phase, percentage or steps, as far as the Source reports them. Most tasks show only EXECUTING from beginning
// to end, so d must be longer than the longest task. Progress.Unchanged shows the time. Default 0: off.
func WithStallTimeout(d time.Duration) Option { return func(s *settings) { s.stall = d } }

// WithProgress sets the callback that gets every answer and the outcome. [Progress] says when and how it is called.
// Default nil: none.
func WithProgress(f func(Progress)) Option { return func(s *settings) { s.progress = f } }

// WithObserver sets a hook for traces and metrics. f is called when a wait begins, on the goroutine of the wait, with
// the context of the call and the id of the task: in WaitForTasks once for each id, a bad one too, in Do once, with an
// empty id as there is none yet. It is not called for a bad option, for a bad id of a single task, nor for a call of
// Poll that comes early. Default nil: no observer.
//
// The values of the context that f returns reach the calls of the Source for that wait, lists too, and those of an
// Operation. The end of that context has no effect. nil: no values.
//
// The function that f returns gets every [Progress] before the callback of [WithProgress]. It also gets Interrupted, so
// there is always a last call with Done or with Interrupted. nil: it is not called.
func WithObserver(f func(ctx context.Context, id string) (context.Context, func(Progress))) Option {
	return func(s *settings) { s.observer = f }
}

// WithLogger sets the log: Info on a change of status and at the end, Warn on trouble (once for each kind), Debug for
// each query. Default nil: nothing is logged.
func WithLogger(log *zap.Logger) Option {
	return func(s *settings) {
		if s.log = log; log == nil {
			s.log = zap.NewNop()
		}
	}
}

// WithHistory lets a wait learn from h when to poll, and adds to h how long its own task took. For a kind that h does
// not know, the exponential schedule holds. With each task seen, the pauses move to the learned ones, which poll when
// an end is likely. Learned pauses lie between 0.1 s and 5 min; WithInterval does not bound them. h.QueryCost weighs
// queries against delay. With a history, [Progress] has an [schedule.Estimate]. With WithBackOff, h changes no pause,
// and learns all the same. The zero History knows nothing and is ready for use. Default nil: none.
//
// A wrong history costs queries or delay, and never changes the outcome. If tasks of 5 min now take 30 s, the first
// wait is 113 s late, the third 38 s, the twentieth 7 s. If tasks have become ten times as long, the first wait polls
// three times as often as it needs to, the twentieth less than twice.
func WithHistory(h *schedule.History) Option { return func(s *settings) { s.history = h } }

// WithKind names the kind of the task before the service reports it. With a history that knows the kind, the first poll
// waits for a likely end, at most 30 s, instead of being made at once. That saves a query or two, but a wrong id and a
// missing permission show later. A WithInitialDelay other than 0 overrides it. A BackOff plans no first poll. Default
// "": unknown until the first answer.
func WithKind(kind string) Option { return func(s *settings) { s.kind = kind } }

// WithLimiter makes each request wait for a permit from l, together with all other Waiters that have l. After a
// throttled query all of them hold off, and after a throttled list that one list. A poll that has had no permit for ten
// seconds is reported in [Progress]. The timeout holds all the same: a final poll comes before others, at the pace of
// the quota, and no hold-off delays it. If it gets no permit in time, [ErrTimeout] says that it is not known whether
// the task has finished. Default nil: no limit.
func WithLimiter(l *Limiter) Option { return func(s *settings) { s.limiter = l.permits() } }

// WithoutSharing keeps waits on one Waiter apart. By default, waits that run at the same time on one Waiter, with the
// same limiter and query timeout, share answers by id. Use this option if an answer depends on the context of the
// query, for example because the tenant is a value of the context. Each wait then polls for itself. The tasks of one
// call of WaitForTasks have one context, and still share a list.
func WithoutSharing() Option { return func(s *settings) { s.alone = true } }
