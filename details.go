package taskwait

import (
	"context"
	"sync/atomic"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
	"go.uber.org/zap"
)

// details are what a Detailer reports of one task, in the pauses between its polls.
type details struct {
	source    Detailer
	limiter   *limiter.Limiter // nil: there is none
	log       *zap.Logger
	abandoned *atomic.Int64
	returned  chan *detailsCall // holds one
	busy      bool              // a call was abandoned, and has not returned
}

// detailsCall is one call of a Detailer.
type detailsCall struct {
	guard.Call
	task Task // what is asked about, then the details
	err  error
}

// newDetails returns the details of one wait; nil: the Source has none.
func newDetails(src Source, s *settings, abandoned *atomic.Int64) *details {
	source := detailerOf(src)
	if source == nil {
		return nil
	}
	return &details{
		source: source, limiter: s.limiter, log: s.log, abandoned: abandoned, returned: make(chan *detailsCall, 1),
	}
}

// poll asks for the details of t until ctx ends; nil: there was no answer.
func (d *details) poll(ctx context.Context, t Task) *detailsCall {
	if d.busy {
		select {
		case <-d.returned:
			d.busy = false
		default:
			return nil
		}
	}
	if d.limiter != nil && d.limiter.Wait(ctx) != nil {
		return nil
	}
	c := &detailsCall{task: t}
	c.Begin(ctx, d.abandoned)
	go c.Run(func(ctx context.Context) { c.task, c.err = d.source.Details(ctx, c.task) }, func(err error, late bool) {
		if err != nil {
			c.err = err
		}
		if panicked, ok := err.(*guard.PanicError); ok && late { //nolint:errorlint // never wrapped
			d.log.Error("panic in abandoned details", zap.String("panic", panicked.Error()))
		}
		d.returned <- c
	})
	select {
	case <-d.returned:
	case <-ctx.Done():
		if c.Abandon() {
			d.busy = true
			return nil
		}
		<-d.returned
	}
	c.Cancel()
	if panicked, ok := c.err.(*guard.PanicError); ok { //nolint:errorlint // never wrapped
		panic(panicked)
	}
	return c
}
