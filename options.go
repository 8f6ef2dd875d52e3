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

// Option changes one setting: for every wait of a Waiter when given to [New], for one call when given to that. The
// package documentation has a table of all options. No option depends on another one, or on the order; of two of one
// name the later wins. nil is [ErrInvalidOption].
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

// WithTimeout bounds the whole wait, from the call of WaitForTask. Default 0: no limit but the context's. When it has
// passed, one last query is made, so a task that had finished by then is never reported as timed out; the wait is over
// 5 s after the timeout at the latest, with [ErrTimeout]. For this guarantee let the context live longer than that.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithRunTimeout bounds the task's own run: from the first answer that is not CREATED, for services whose tasks queue.
// When it has passed the wait ends as with WithTimeout, by [ErrTimeout] and after a final poll; the earlier one of the
// two bounds holds. Default 0: no limit.
func WithRunTimeout(d time.Duration) Option { return func(s *settings) { s.run = d } }

// WithInterval sets the first pause and the cap of the default exponential schedule, jitter included: every pause lies
// between the two. Default 4 s and 30 s. min must be at least 1 ms, max at least min; equal, they make a fixed interval
// without jitter. A BackOff or a history that decides instead is not bounded by them.
func WithInterval(min, max time.Duration) Option {
	return func(s *settings) { s.lo, s.hi = min, max }
}

// WithBackOff sets a schedule of one's own, in place of the exponential and the learned one. f is called once for
// each wait and must return a fresh [backoff.BackOff] each time: most of them are not safe for concurrent use. Reset
// is called once, at the beginning. NextBackOff is called for each answer, good or bad, before it is decided what
// follows from it: where a bound ends the wait, its last pause is never made. It is not called where the answer is
// the task's end, nor for what other waits' polls bring before the pause is over. Pauses below 1 ms are raised to
// that, and backoff.Stop ends the wait with [ErrBackOffStopped]. Mind that backoff.NewExponentialBackOff stops by
// itself after 15 minutes unless MaxElapsedTime is 0. nil: none, the default.
func WithBackOff(f func() backoff.BackOff) Option { return func(s *settings) { s.newBackOff = f } }

// WithInitialDelay sets the pause before the first query. Default 0: at once, which finds a task that is already done,
// and a wrong id or a missing permission in the first second.
func WithInitialDelay(d time.Duration) Option { return func(s *settings) { s.initial = d } }

// WithQueryTimeout bounds one query. Default 30 s, at least 1 ms. A query that takes longer is cancelled, or abandoned
// if it does not honour its context, and counts as a transient error.
func WithQueryTimeout(d time.Duration) Option { return func(s *settings) { s.queryTimeout = d } }

// WithErrorTolerance sets for how long a wait goes on while queries bring nothing but transient errors, counted from
// the first of them; one good answer, or a throttled one, ends the run. Default 5 min. It takes at least three errors
// to give up with [ErrQuery], also if d is 0.
func WithErrorTolerance(d time.Duration) Option { return func(s *settings) { s.tolerance = d } }

// WithNotFoundGrace sets for how long the service may say that it does not know the task, counted from the first such
// answer. Default 60 s: a task may be listed a moment after its id was handed out. It takes at least two polls to give
// up with [ErrTaskNotFound], also if d is 0.
func WithNotFoundGrace(d time.Duration) Option { return func(s *settings) { s.grace = d } }

// WithConfirmations sets how many SUCCESS in a row end a wait: services flap, and a resource that was good once may
// be bad at the next poll. Default 1; 0 is 1 too. Errors and throttles in between neither count nor reset; any other
// answer resets. If the timeout passes, or the schedule ends, after a SUCCESS that nothing has contradicted, the wait
// succeeds, and the Task says so: Unconfirmed. A failure needs no confirmation.
func WithConfirmations(n int) Option {
	return func(s *settings) {
		if s.confirmations = n; n == 0 {
			s.confirmations = 1
		}
	}
}

// WithStalePhase names the phase, such as RUNNING, in which the task was before the wait began, and which does not
// count until it has been left: right after a restart was asked for, an instance is still seen RUNNING, and has not
// been restarted. Until the wait has seen another phase, a terminal status in this one is taken for EXECUTING. A
// change so quick that no poll falls into it is waited for until the timeout; so give one. phase is compared with
// Task.Phase, or with Status where the Source gives no Phase. Default "": everything counts.
func WithStalePhase(phase string) Option {
	return func(s *settings) { s.stalePhase, s.stalePhaseGiven = phase, true }
}

// WithStallTimeout ends a wait with [ErrStalled] when the task is seen, but nothing of it has changed for so long:
// status, phase, percentage or steps, as far as the Source reports them. Most tasks show nothing but EXECUTING from
// begin to end, so it must be longer than the longest of those. Progress.Unchanged shows the time running. Default 0:
// off.
func WithStallTimeout(d time.Duration) Option { return func(s *settings) { s.stall = d } }

// WithProgress sets the callback that is given every answer and of the outcome; [Progress] says when and how it is
// called. nil: none, the default.
func WithProgress(f func(Progress)) Option { return func(s *settings) { s.progress = f } }

// WithObserver sets what observes waits: tracing and metrics. f is called as each wait begins, on its goroutine, with
// the context of the call and the task's id; of WaitForTasks for each id, and of Do once, with an empty id as there is
// none yet. A bad option or id begins no wait, and a call of Poll that comes early observes nothing. The values of the
// context that f returns reach the calls of the Source for that wait, lists too, and those of an Operation; its end is
// not heeded; nil: no values. The function that f returns is told what the callback of [WithProgress] is, before it,
// and is told of Interrupted besides: so there is always a last call, with Done or with Interrupted. nil: it is told
// nothing. Default nil: no observer.
func WithObserver(f func(ctx context.Context, id string) (context.Context, func(Progress))) Option {
	return func(s *settings) { s.observer = f }
}

// WithLogger sets where to log: Info on a change of status and at the end, Warn on trouble (once for each kind), Debug
// for each query. nil: nowhere, the default.
func WithLogger(log *zap.Logger) Option {
	return func(s *settings) {
		if s.log = log; log == nil {
			s.log = zap.NewNop()
		}
	}
}

// WithHistory lets a wait learn from h when to poll, and adds to h how long its own task took. For a kind of which h
// knows nothing the exponential schedule stands; with each task seen the schedule moves on to the learned one, which
// polls when an answer is likely. Its pauses lie between 0.1 s and 5 min, and WithInterval does not bound them.
// h.QueryCost weighs queries against delay. [Progress] carries an [schedule.Estimate] then. With WithBackOff, h
// changes no pause and learns all the same. The zero History knows nothing and is ready for use. nil: none, the
// default.
//
// A history that has become wrong costs queries or delay, never the outcome. By a factor of ten too long: the first
// wait is minutes late (113 s where tasks of 5 min now take 30 s), the third 38 s, the twentieth 7 s. By a factor of
// ten too short: the first one polls three times as often as it would need to, the twentieth not twice.
func WithHistory(h *schedule.History) Option { return func(s *settings) { s.history = h } }

// WithKind names the kind of task beforehand, as the service will report it. With a history that knows the kind the
// first poll is planned too, instead of being made at once, which saves a query or two. The price: a wrong id and a
// missing permission show only then. That poll comes no later than 30 s. WithInitialDelay, if it is not 0, stands
// instead, and a BackOff plans no first poll. Default "": unknown, until the first answer.
func WithKind(kind string) Option { return func(s *settings) { s.kind = kind } }

// WithLimiter makes each request wait for its permit from l, together with all other Waiters that have l, and makes
// all hold off when one is throttled. A poll that has had no permit for ten seconds says so in its [Progress]. The
// timeout holds all the same: a final poll comes before others, at the quota's pace, and no hold-off delays it; where
// there is no permit in time, [ErrTimeout] says that it is not known whether the task has finished. nil: no limit,
// the default.
func WithLimiter(l *Limiter) Option { return func(s *settings) { s.limiter = l.permits() } }

// WithoutSharing keeps waits on one Waiter apart. By default waits that run at the same time on one Waiter, with one
// limiter and one query timeout, share answers by id: so an answer must not depend on the context of the query. Give
// this option where it does, for example because the tenant is a value of the context. Each wait then polls for
// itself; the tasks of one WaitForTasks have one context, and share a list.
func WithoutSharing() Option { return func(s *settings) { s.alone = true } }
