package taskwait

import "context"

// observed begins the observation of a wait for id, if there is an observer: it returns ctx with the observer's values,
// and s whose Progress it receives.
func (s *settings) observed(ctx context.Context, id string) (context.Context, *settings) {
	if s.observer == nil {
		return ctx, s
	}
	ctx, receive := s.observe(ctx, id)
	return ctx, s.toldTo(func(*Progress) func(Progress) { return receive })
}

// observe calls the observer. What it returns is not nil, and ctx ends when the one before does.
func (s *settings) observe(ctx context.Context, id string) (context.Context, func(Progress)) {
	values, receive := s.observer(ctx, id)
	if receive == nil {
		receive = func(Progress) {}
	}
	if values == nil {
		return ctx, receive
	}
	return valued{ctx, values}, receive
}

// toldTo is s where what receivers returns is told of a Progress, before the callback is.
func (s *settings) toldTo(receivers func(*Progress) func(Progress)) *settings {
	t := *s
	t.progress = func(p Progress) {
		receivers(&p)(p)
		if s.progress != nil && !p.Interrupted {
			s.progress(p)
		}
	}
	return &t
}

// valued is a context with the values of another.
type valued struct {
	context.Context
	values context.Context
}

func (c valued) Value(key any) any { return c.values.Value(key) }

// causeOf is why ctx has ended. Package context asks the values for that, and those of an observer may be of a context
// that is none of ctx.
func causeOf(ctx context.Context) error {
	if c, ok := ctx.(valued); ok {
		ctx = c.Context
	}
	return context.Cause(ctx)
}
