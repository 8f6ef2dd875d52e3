package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

func sendsNothing(t *trial) error {
	if err := t.arrange(Succeeded); err != nil {
		return err
	}
	before, uncounted := t.count()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := t.endsAtOnce(ctx, t.call(ctx, t.ID), time.Now()); err != nil {
		return fmt.Errorf("called with a context that has ended: %w", err)
	}
	if uncounted != nil {
		return uncounted
	}
	if after, _ := t.count(); after != before {
		return fmt.Errorf("called with a context that has ended: got %d queries sent, want none", after-before)
	}
	return nil
}

// cancelled makes the check that a call in flight ends when its context is cancelled.
func cancelled(s Situation) func(*trial) error {
	return func(t *trial) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		c, err := t.inFlight(ctx, s)
		if err != nil {
			return err
		}
		if err := c.stillAsks(s); err != nil {
			return err
		}
		at := time.Now()
		cancel()
		if err := t.endsAtOnce(ctx, c, at); err != nil {
			return fmt.Errorf("with %s, cancelled in flight: %w", s, err)
		}
		return nil
	}
}

// expired makes the check that a call in flight ends when its context's deadline passes.
func expired(s Situation) func(*trial) error {
	return func(t *trial) error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*settle)
		defer cancel()
		c, err := t.inFlight(ctx, s)
		if err != nil {
			return err
		}
		at, _ := ctx.Deadline()
		if err := t.endsAtOnce(ctx, c, at); err != nil {
			return fmt.Errorf("with %s, past the deadline in flight: %w", s, err)
		}
		return nil
	}
}

// endsAlone checks that of several calls in flight only the one ends whose context does.
func endsAlone(t *trial) error {
	first, cancelFirst := context.WithCancel(context.Background())
	defer cancelFirst()
	others, cancelOthers := context.WithCancel(context.Background())
	defer cancelOthers()
	one, err := t.inFlight(first, Hanging)
	if err != nil {
		return err
	}
	other, err := t.inFlight(others, Hanging)
	if err != nil {
		return err
	}
	cancelFirst()
	if _, err := one.wait(); err != nil {
		return err
	}
	time.Sleep(settle)
	if err := other.stillAsks(Hanging); err != nil {
		return fmt.Errorf("when the context of another call had ended: %w", err)
	}
	cancelOthers()
	_, err = other.wait()
	return err
}

// stillAsks returns an error if c has ended, though its context has not.
func (c *call) stillAsks(s Situation) error {
	if !c.over() {
		return nil
	}
	a, err := c.wait()
	if err != nil {
		return err
	}
	return fmt.Errorf("with %s: got %v; want the call to go on until its context ends", s, a)
}

// endsAtOnce checks that c, whose ctx has ended or soon will, ended then, with ctx's error.
func (t *trial) endsAtOnce(ctx context.Context, c *call, at time.Time) error {
	a, err := c.wait()
	if err != nil {
		return fmt.Errorf("%w, want it to end at once when its context does", err)
	}
	late := c.ended.Sub(at)
	switch {
	case ctx.Err() == nil:
		return fmt.Errorf("got %v; want the call to go on until its context ends", a)
	case t.exact && late > 0:
		return fmt.Errorf("the call ended %v after its context, want at once", late)
	case !errors.Is(a.err, ctx.Err()):
		return fmt.Errorf("got %v; want an error that Is %q, the context's", a, ctx.Err())
	}
	return nil
}
