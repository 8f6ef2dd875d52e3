// Package limiter hands out permits: each request to a service takes one. A quota says how fast they come; the one
// whose poll has been due for longest comes first; and a throttled answer makes all hold off.
package limiter

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
)

// FinalHeadStart is how much earlier than it was due a final poll counts as due, so that it does not stand last in the
// queue. It is the time that a wait has for its final poll.
const FinalHeadStart = 5 * time.Second

// Quota is what a permit waits for, such as a *rate.Limiter of golang.org/x/time.
type Quota interface {
	Wait(ctx context.Context) error
}

// Limiter is a queue of permits before one quota. It is safe for concurrent use.
type Limiter struct {
	quota Quota // nil: none

	mu       sync.Mutex
	queue    queue              // the permits that are waited for
	finals   queue              // those of final polls
	serving  bool               // the goroutine that grants permits runs
	stop     context.CancelFunc // ends what that goroutine waits for
	coolDown coolDown
}

// New returns a Limiter over quota; nil: no quota, but a throttled answer makes all hold off all the same.
func New(quota Quota) *Limiter { return &Limiter{quota: quota} }

// Permit is one place in the queue.
type Permit struct {
	Due   time.Time   // when the poll was due
	Final bool        // it is a final poll: it comes first, and no hold-off delays it; the quota does
	Grant func(error) // called once, on a goroutine of the limiter's: nil, go ahead; or why there is no permit

	pos int // in its queue, counted from 1; 0: not there
}

// Refusal is an error of the quota: it gives no permit.
type Refusal struct {
	Err     error
	ForGood bool // it never will
}

// Error says that there is no permit, and why.
func (r *Refusal) Error() string { return fmt.Sprintf("the limiter gives no permit: %v", r.Err) }

// Unwrap gives the quota's error.
func (r *Refusal) Unwrap() error { return r.Err }

// Acquire takes a place in the queue. It reports true if there is a permit at once, and Grant is not called then.
// Whoever waits for a permit must call Cancel if there is no need for one any more.
func (l *Limiter) Acquire(p *Permit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.quota == nil && len(l.queue)+len(l.finals) == 0 && (p.Final || !l.coolDown.holds(now)) {
		if !p.Final {
			l.coolDown.granted(now, 0)
		}
		return true
	}
	q := &l.queue
	if p.Final {
		q = &l.finals
	}
	heap.Push(q, p)
	switch {
	case !l.serving:
		l.serving = true
		go l.serve() // so that nobody's own goroutine waits for a quota that ignores its context; ends with the queue
	case p.Final:
		l.interrupt()
	}
	return false
}

// Cancel gives up the place.
func (l *Limiter) Cancel(p *Permit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.pos == 0 {
		return
	}
	q := &l.queue
	if p.Final {
		q = &l.finals
	}
	heap.Remove(q, p.pos-1)
	if len(l.queue)+len(l.finals) == 0 && l.stop != nil {
		l.stop()
	}
}

// Throttled makes all hold off for d, or a moment if d is 0, and a little longer: other processes were told the same.
func (l *Limiter) Throttled(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.coolDown.begin(time.Now(), d)
}

// Holds reports whether all hold off now, but for final polls.
func (l *Limiter) Holds() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.coolDown.holds(time.Now())
}

// HeldFor is for how long all hold off from now, but for final polls; 0: they do not.
func (l *Limiter) HeldFor(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.coolDown.blockedUntil.Sub(now), 0)
}

// Wait waits for a permit, and returns an error if ctx ends before, or the quota refuses one.
func (l *Limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	granted := make(chan error, 1)
	p := &Permit{Due: time.Now(), Grant: func(err error) { granted <- err }}
	if l.Acquire(p) {
		return nil
	}
	defer l.Cancel(p)
	select {
	case err := <-granted:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// interrupt ends a hold-off that the serving goroutine sleeps through: there is a final poll.
func (l *Limiter) interrupt() {
	if l.coolDown.sleeps {
		l.stop()
	}
}

// serve grants permits for as long as anybody waits for one.
func (l *Limiter) serve() {
	for {
		ctx, pause, more := l.next()
		switch {
		case !more:
			return
		case pause > 0:
			sleep(ctx, pause)
		default:
			l.ask(ctx)
		}
	}
}

// next is what the serving goroutine does now, until ctx ends: pause, if that is positive, or else ask the quota. more
// is false if nobody waits.
func (l *Limiter) next() (ctx context.Context, pause time.Duration, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
		l.stop = nil
	}
	l.coolDown.sleeps = false
	if len(l.queue)+len(l.finals) == 0 {
		l.serving = false
		return nil, 0, false
	}
	ctx, l.stop = context.WithCancel(context.Background())
	if len(l.finals) == 0 {
		pause = time.Until(l.coolDown.blockedUntil)
		l.coolDown.sleeps = pause > 0
	}
	return ctx, pause, true
}

// ask waits for the quota. A quota that ends its goroutine ends this one: another goes on.
func (l *Limiter) ask(ctx context.Context) {
	if l.quota == nil {
		l.grant(ctx, nil)
		return
	}
	var refusal error
	guard.Run(func() {
		if err := l.quota.Wait(ctx); err != nil {
			refusal = l.refusal(err)
		}
	}, func(err error) {
		if err == nil {
			err = refusal
		}
		l.grant(ctx, err)
		if err == guard.ErrGoexit { //nolint:errorlint // never wrapped
			go l.serve() // the goroutine that dies here was the one that serves
		}
	})
}

// refusal is an error of the quota's as an error of the limiter's.
func (l *Limiter) refusal(err error) error {
	b, ok := l.quota.(interface{ Burst() int })
	return &Refusal{Err: err, ForGood: ok && b.Burst() <= 0}
}

// grant gives the quota's answer to whoever has waited for longest.
func (l *Limiter) grant(ctx context.Context, err error) {
	if p := l.take(ctx, err); p != nil {
		p.Grant(err)
	}
}

// take takes the permit that comes next off the queue; nil: none, the answer is nobody's.
func (l *Limiter) take(ctx context.Context, err error) *Permit {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	held := err == nil && l.coolDown.holds(now) // all have come to hold off meanwhile
	switch {
	case len(l.queue)+len(l.finals) == 0, err != nil && ctx.Err() != nil:
		return nil
	case len(l.finals) > 0 && (held || len(l.queue) == 0 || l.finals[0].rank().Before(l.queue[0].rank())):
		return pop(&l.finals)
	case held:
		return nil
	}
	p := pop(&l.queue)
	if err == nil {
		l.coolDown.granted(now, len(l.queue))
	}
	return p
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// queue is a heap of permits: whose poll has been due for longest is at the top.
type queue []*Permit

func pop(q *queue) *Permit { return heap.Pop(q).(*Permit) } //nolint:errcheck,forcetypeassert // it holds nothing else

func (p *Permit) rank() time.Time {
	if p.Final {
		return p.Due.Add(-FinalHeadStart)
	}
	return p.Due
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(*q) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool { return (*q)[i].rank().Before((*q)[j].rank()) }

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) {
	s := *q
	s[i], s[j] = s[j], s[i]
	s[i].pos, s[j].pos = i+1, j+1
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	p := x.(*Permit) //nolint:errcheck,forcetypeassert // it holds nothing else
	p.pos = len(*q) + 1
	*q = append(*q, p)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	s := *q
	p := s[len(s)-1]
	s[len(s)-1] = nil
	*q = s[:len(s)-1]
	p.pos = 0
	return p
}
