package taskwait

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/taskwait/taskwait/internal/text"
	"go.uber.org/zap"
)

// query asks a Source on behalf of one wait, each time on a goroutine of its own: Sources exist that do not heed their
// context (the Huawei SDK takes none), and the wait must return all the same. A goroutine ends with its call.
//
// Whoever fills the slot first decides: the call, and the wait takes the answer; or the wait, which thereby leaves the
// call behind, and the call empties the slot when it ends. So a wait has at most one call left behind, and asks nothing
// while it lives.
type query struct {
	waiter *Waiter // which counts the calls left behind
	src    Source
	id     string
	log    *zap.Logger
	run    func() // q.call, to be started with go without an allocation for each

	slot   chan struct{} // holds one
	result answer        // the call's to write; the wait reads it once the call has filled the slot
	began  time.Time     // when the call set out
	phase  atomic.Int32  // of the call: setOut, begun or calledOff
	late   atomic.Pointer[panicError]
	over   atomic.Bool // the wait has ended
	ctx    context.Context
	cancel context.CancelFunc // nil: ctx is to be renewed
	alarm  alarm
}

// The phases of a call. One that is called off before it has begun never begins: WaitForTask may have returned.
const (
	setOut int32 = iota
	begun
	calledOff
)

var errGoexit = errors.New("the Source ended its goroutine with runtime.Goexit")

// panicError carries a panic of a Source to the goroutine of its caller.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string {
	return fmt.Sprintf("taskwait: panic in a Source: %v\n\n%s", p.value, p.stack)
}

// Unwrap gives the panic's value if it is an error.
func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// ask makes one query within b and returns what it brings; nil: ctx ended before.
func (q *query) ask(ctx context.Context, b bounds) *answer {
	q.began = time.Now()
	q.phase.Store(setOut)
	if q.cancel == nil { // one cancel context serves all queries of a wait, until it has to be used
		q.ctx, q.cancel = context.WithCancel(ctx)
	}
	go q.run()
	runtime.Gosched() // lets an instant Source answer before a timer is set up for it
	a := q.await(ctx, b)
	if a == nil {
		return nil
	}
	a.sent = q.began
	raise(a)
	return a
}

// raise panics if that is what the Source has done.
func raise(a *answer) {
	if p, panicked := a.err.(*panicError); panicked { //nolint:errorlint // ours, never wrapped
		panic(p)
	}
}

// await waits for the call in flight, cancels it and leaves it behind as b says.
func (q *query) await(ctx context.Context, b bounds) *answer {
	select {
	case <-q.slot:
		return &q.result
	default:
	}
	from, until := time.Now(), b.cancel
	for {
		select {
		case <-q.slot:
			if q.cancel == nil && byContext(q.result.err) {
				q.result.err = noAnswer(time.Since(from)) // that was us
			}
			return &q.result
		case <-ctx.Done():
			return q.leave()
		case <-q.alarm.at(until):
		}
		q.giveUp()
		if until.Equal(b.leave) {
			if a := q.leave(); a != nil && !byContext(a.err) {
				return a
			}
			return &answer{err: noAnswer(time.Since(from))}
		}
		until = b.leave
	}
}

func noAnswer(d time.Duration) error { return fmt.Errorf("no answer within %v", text.Round(d)) }

// byContext reports whether err is what became of a query whose context was cancelled.
func byContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// stillRunning is the answer where nothing could be asked.
func (q *query) stillRunning(now time.Time) *answer {
	return &answer{err: fmt.Errorf("the query begun %v ago is still running", text.Round(now.Sub(q.began))), sent: now}
}

// call makes one call of the Source, and fills the slot unless the wait has left it behind.
func (q *query) call() {
	a := answer{err: errGoexit}
	defer func() {
		if v := recover(); v != nil {
			a.err = &panicError{v, debug.Stack()}
		}
		q.result = a
		select {
		case q.slot <- struct{}{}:
		default:
			if p, ok := a.err.(*panicError); ok { //nolint:errorlint // ours, never wrapped
				q.late.Store(p)
				q.logLate() // or else the next query raises it
			}
			q.waiter.left.Add(-1)
			<-q.slot
		}
	}()
	if q.phase.CompareAndSwap(setOut, begun) {
		a.task, a.err = q.src.Task(q.ctx, q.id)
	}
}

// logLate logs the panic of a call that was left behind, if the wait has ended, and nobody is there to raise it to.
func (q *query) logLate() {
	if !q.over.Load() {
		return
	}
	if p := q.late.Swap(nil); p != nil {
		q.log.Error("panic in a query that was left behind", zap.String("task", q.id), zap.String("panic", p.Error()))
	}
}

// leave leaves the call in flight behind, unless its answer has arrived: then it returns that.
func (q *query) leave() *answer {
	q.phase.CompareAndSwap(setOut, calledOff)
	q.waiter.left.Add(1)
	select {
	case q.slot <- struct{}{}:
		return nil
	default:
		q.waiter.left.Add(-1)
		<-q.slot
		return &q.result
	}
}

// free reports whether no call that was left behind is alive, and waits for that until the given time. If it panicked
// since, so does free.
func (q *query) free(ctx context.Context, now, until time.Time) bool {
	if !q.take(ctx, now, until) {
		return false
	}
	<-q.slot
	if p := q.late.Swap(nil); p != nil {
		panic(p)
	}
	return true
}

// take fills the slot, which is also what lets us read what the call has written.
func (q *query) take(ctx context.Context, now, until time.Time) bool {
	select {
	case q.slot <- struct{}{}:
		return true
	default:
	}
	if !until.After(now) {
		return false
	}
	select {
	case q.slot <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-q.alarm.at(until):
	}
	return false
}

// giveUp cancels the call in flight.
func (q *query) giveUp() {
	if q.cancel != nil {
		q.cancel()
		q.cancel = nil
	}
}

// stop ends what the wait has started, when it returns.
func (q *query) stop() {
	q.giveUp()
	q.over.Store(true)
	q.logLate()
	if q.alarm.timer != nil {
		q.alarm.timer.Stop()
	}
}

// alarm is the one timer of a wait, made when first needed.
type alarm struct{ timer *time.Timer }

// at sets the alarm and returns the channel it will be heard on.
func (a *alarm) at(t time.Time) <-chan time.Time {
	if a.timer == nil {
		a.timer = time.NewTimer(time.Until(t))
	} else {
		a.timer.Reset(time.Until(t))
	}
	return a.timer.C
}
