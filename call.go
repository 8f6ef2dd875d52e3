package taskwait

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// maxCalls is how many single looks of one WaitForTasks run at once: enough for 300 a second at 50 ms each, and no
	// flood where there is no limiter.
	maxCalls = 16

	// maxLeft is how many of its calls may be left behind before it asks nothing more: a Source that hangs on every id,
	// and heeds no context, must not collect a goroutine for each.
	maxLeft = 64
)

// call is one call of the Source on behalf of a scheduler, on a goroutine of its own for the reasons that query has.
type call struct {
	calls  *calls
	slot   int32 // whom it is for; pageCall: all
	batch  Batch
	began  time.Time
	bounds bounds
	ctx    context.Context
	cancel context.CancelFunc
	cut    bool // cancelled by us

	phase  atomic.Int32 // setOut, begun, calledOff or answered
	late   atomic.Pointer[panicError]
	answer answer
	tasks  []Task
	next   string
}

const pageCall int32 = -1

// answered is the phase of a call that has come back before it was called off.
const answered = calledOff + 1

// calls are those of one scheduler.
type calls struct {
	waiter *Waiter
	batch  BatchSource
	log    *zap.Logger
	done   chan *call // has room for all: a call never waits for the scheduler
	flying []*call
	left   int // of them left behind
	over   atomic.Bool
}

func newCalls(w *Waiter, log *zap.Logger) *calls {
	return &calls{waiter: w, log: log, done: make(chan *call, maxCalls+maxLeft+2)}
}

// begin sends a call on its way.
func (cs *calls) begin(ctx context.Context, slot int32, b Batch, limits bounds) {
	c := &call{calls: cs, slot: slot, batch: b, began: time.Now(), bounds: limits}
	c.ctx, c.cancel = context.WithCancel(ctx)
	cs.flying = append(cs.flying, c)
	go c.run()
}

// run makes the call.
func (c *call) run() {
	c.answer.err = errGoexit
	defer func() {
		if v := recover(); v != nil {
			p := &panicError{v, debug.Stack()}
			c.answer.err = p
			c.late.Store(p)
		}
		if !c.phase.CompareAndSwap(begun, answered) {
			c.calls.waiter.left.Add(-1)
		}
		c.calls.done <- c
		c.logLate()
	}()
	if !c.phase.CompareAndSwap(setOut, begun) {
		return
	}
	if c.slot == pageCall {
		c.tasks, c.next, c.answer.err = c.calls.batch.Tasks(c.ctx, c.batch)
		return
	}
	c.answer.task, c.answer.err = c.calls.waiter.src.Task(c.ctx, c.batch.IDs[0])
}

// logLate logs the panic of a call that was left behind, if there is nobody any more to raise it to.
func (c *call) logLate() {
	if !c.calls.over.Load() {
		return
	}
	if p := c.late.Swap(nil); p != nil {
		c.calls.log.Error("panic in a query that was left behind", zap.Strings("tasks", c.batch.IDs[:1]), zap.String("panic", p.Error()))
	}
}

// arrived takes a call that has come back off the list, and raises its panic. late is true if it had been left behind.
func (cs *calls) arrived(c *call) (late bool) {
	cs.remove(c)
	c.cancel()
	if p := c.late.Swap(nil); p != nil {
		panic(p)
	}
	late = c.phase.Load() == calledOff
	if late {
		cs.left--
	}
	if c.answer.sent = c.began; c.cut && byContext(c.answer.err) {
		c.answer.err = noAnswer(time.Since(c.began)) // that was us
	}
	return late
}

func (cs *calls) remove(c *call) {
	for i := range cs.flying {
		if cs.flying[i] == c {
			last := len(cs.flying) - 1
			cs.flying[i], cs.flying[last] = cs.flying[last], nil
			cs.flying = cs.flying[:last]
			return
		}
	}
}

// enforce cancels calls and leaves them behind as their bounds say. It returns one that was left behind now, and otherwise
// when to come again; zero: not before another call is begun.
func (cs *calls) enforce(now time.Time) (gone *call, again time.Time) {
	for _, c := range cs.flying {
		if c.phase.Load() >= calledOff {
			continue // gone, or its answer is on the way
		}
		if !now.Before(c.bounds.cancel) && !c.cut {
			c.cut = true
			c.cancel()
		}
		by := c.bounds.leave
		if !c.cut {
			by = earlier(by, c.bounds.cancel)
		}
		if c.cut && !now.Before(c.bounds.leave) && c.leave() {
			return c, again
		}
		if again.IsZero() || by.Before(again) {
			again = by
		}
	}
	return nil, again
}

// leave leaves c behind, unless its answer has arrived.
func (c *call) leave() bool {
	c.calls.waiter.left.Add(1)
	if !c.phase.CompareAndSwap(setOut, calledOff) && !c.phase.CompareAndSwap(begun, calledOff) {
		c.calls.waiter.left.Add(-1)
		return false
	}
	c.calls.left++
	return true
}

// stop ends them all.
func (cs *calls) stop() {
	for _, c := range cs.flying {
		c.cancel()
		if c.phase.Load() < calledOff {
			c.leave()
		}
	}
	cs.over.Store(true)
	for _, c := range cs.flying {
		c.logLate()
	}
}
