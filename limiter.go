package taskwait

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

const (
	// holdOffUntold is how long everybody holds off after a throttled answer that does not say how long: quotas without a
	// word on their window are mostly counted by the second.
	holdOffUntold = time.Second

	// returnGap is the most that lies between two turns after a hold-off. Many waits come closer together: as many as
	// stand there spread over as long again as the hold-off has lasted.
	returnGap = 250 * time.Millisecond

	// extraEvery is how often a last look that the quota has no turn for is made all the same: a request a second beyond the
	// quota is what the last look's promise is worth, a herd of them is not.
	extraEvery = time.Second

	// starvedAfter is how long a look waits for its turn before the progress callback hears of it, and how often from then on.
	starvedAfter = 10 * time.Second
)

// Limiter keeps any number of Waiters to one quota: each query behind it waits for its turn, the one that has waited for
// longest comes first, and a throttled answer to any of them makes all hold off. Give it to each of them with
// [WithLimiter]. Make it with [NewLimiter]. It is safe for concurrent use.
type Limiter struct {
	inner interface {
		Wait(ctx context.Context) error
	} // nil: no quota

	mu      sync.Mutex
	queue   []*turn            // the oldest first
	serving bool               // the goroutine that hands out turns runs
	retry   context.CancelFunc // makes it look at the queue again; nil: it is about to
	opens   time.Time          // no turn is given before
	calm    time.Time          // until then turns come gap apart
	held    time.Duration      // how long the last hold-off was; 0: it is forgotten
	gap     time.Duration      // 0: not known yet
	extra   time.Time          // when the last look beyond the quota was
}

// NewLimiter returns a Limiter over inner, such as a *rate.Limiter of golang.org/x/time: its Wait is called for each query,
// one call at a time, on a goroutine that ends when nobody waits any more. With inner nil there is no quota, but the
// hold-off after a throttled answer is everybody's all the same.
//
// Wait gets a context of its own, without the values of the wait's, and with a deadline only for a last look ([WithTimeout]).
// An error that it returns otherwise counts as a failed query, and it ends the wait at once with [ErrQuery] if inner has a method
// Burst() int that says 0 or less: there will never be a turn.
func NewLimiter(inner interface {
	Wait(ctx context.Context) error
}) *Limiter {
	return &Limiter{inner: inner}
}

// turn is a place in the queue.
type turn struct {
	done  chan error // holds one: nil, the turn has come; or why it never will
	until time.Time  // when it would be of no use any more; zero: never
}

// enter takes a place at the end of the queue. Its owner must leave it.
func (l *Limiter) enter() *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &turn{done: make(chan error, 1)}
	l.queue = append(l.queue, t)
	if !l.serving {
		l.serving = true
		go l.serve() // so that a wait that is over need not stay for an inner that does not heed its context; ends with the queue
	}
	return t
}

// leave gives up the place, if the turn has not come.
func (l *Limiter) leave(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, t); i >= 0 {
		l.lookAgain(t)
		l.queue = slices.Delete(l.queue, i, i+1)
	}
}

// before makes the turn one that is of no use after until: it is refused as soon as that is known.
func (l *Limiter) before(t *turn, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.until = until
	l.lookAgain(t)
}

// lookAgain disturbs the attempt under way, if it is on behalf of t.
func (l *Limiter) lookAgain(t *turn) {
	if l.retry != nil && len(l.queue) > 0 && l.queue[0] == t {
		l.retry()
		l.retry = nil
	}
}

// serve hands out turns for as long as anybody waits.
func (l *Limiter) serve() {
	for {
		ctx, pause, more := l.next()
		switch {
		case !more:
			return
		case pause > 0:
			sleepFor(ctx, pause)
		default:
			l.give(ctx, l.ask(ctx))
		}
	}
}

// next is what to do now on behalf of the oldest turn, until ctx ends: pause, or else ask inner. more is false if nobody waits.
func (l *Limiter) next() (ctx context.Context, pause time.Duration, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	now := time.Now()
	pause = l.opens.Sub(now)
	for len(l.queue) > 0 {
		by := l.queue[0].until
		if by.IsZero() {
			ctx, l.retry = context.WithCancel(context.Background())
			return ctx, pause, true
		}
		if now.Add(max(pause, 0)).Before(by) {
			ctx, l.retry = context.WithDeadline(context.Background(), by)
			return ctx, pause, true
		}
		l.answer(errNoTurn)
	}
	l.serving = false
	return nil, 0, false
}

// drop releases what is left of the attempt before.
func (l *Limiter) drop() {
	if l.retry != nil {
		l.retry()
		l.retry = nil
	}
}

// ask waits for inner. A panic of inner's is its caller's.
func (l *Limiter) ask(ctx context.Context) (err error) {
	if l.inner == nil {
		return nil
	}
	err = errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return l.inner.Wait(ctx)
}

// give hands inner's answer to the oldest turn.
func (l *Limiter) give(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case len(l.queue) == 0, err != nil && ctx.Err() != nil: // nobody is there; or the oldest turn is another one now
	case err == nil && now.Before(l.opens): // all have come to hold off meanwhile, and inner has a turn then, too
	case err != nil:
		l.answer(l.refusal(err))
	default:
		l.answer(nil)
		l.spreadOut(now)
	}
}

// answer answers the oldest turn, and takes it out of the queue.
func (l *Limiter) answer(err error) {
	l.queue[0].done <- err
	l.queue = slices.Delete(l.queue, 0, 1)
}

// spreadOut keeps the next turn apart from this one, for a while after a hold-off.
func (l *Limiter) spreadOut(now time.Time) {
	switch {
	case l.held == 0:
	case !now.Before(l.calm):
		l.held = 0
	default:
		if l.gap == 0 {
			l.gap = min(l.held/time.Duration(len(l.queue)+1), returnGap)
		}
		l.opens = now.Add(l.gap)
	}
}

// throttled makes everybody hold off for d, and a little longer: other processes have been told the same.
func (l *Limiter) throttled(d time.Duration) {
	if l == nil {
		return
	}
	if d = min(d, MaxRetryAfter); d <= 0 {
		d = holdOffUntold
	}
	opens := time.Now().Add(spread(d, rand.Float64()))
	l.mu.Lock()
	defer l.mu.Unlock()
	if opens.After(l.opens) {
		l.opens, l.calm, l.held, l.gap = opens, opens.Add(d), d, 0
	}
}

// beyond reports whether a last look may be made that there is no turn for.
func (l *Limiter) beyond(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.extra) < extraEvery {
		return false
	}
	l.extra = now
	return true
}

var errNoTurn = &QueryError{Class: ClassThrottled, Err: errors.New("the limiter had no turn for it in time")}

// refusal is what an error of inner's means for a wait.
func (l *Limiter) refusal(err error) error {
	if p, ok := err.(*panicError); ok { //nolint:errorlint // ours, never wrapped
		return p
	}
	q := &QueryError{Err: fmt.Errorf("the limiter gives no turn: %w", err)}
	if b, ok := l.inner.(interface{ Burst() int }); ok && b.Burst() <= 0 {
		q.Class = ClassPermanent
	}
	return q
}

func sleepFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
