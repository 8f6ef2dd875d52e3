package taskwait

import "context"

// observed begins the observation of a wait for id, if there is an observer: it returns ctx with the observer's values,
// and s with its ears.
func (s *settings) observed(ctx context.Context, id string) (context.Context, *settings) {
	if s.observer == nil {
		return ctx, s
	}
	ctx, hear := s.observe(ctx, id)
	return ctx, s.heardBy(func(*Progress) func(Progress) { return hear })
}

// observe calls the observer. What it returns is not nil, and ctx ends when the one before does.
func (s *settings) observe(ctx context.Context, id string) (context.Context, func(Progress)) {
	values, hear := s.observer(ctx, id)
	if hear == nil {
		hear = func(Progress) {}
	}
	if values == nil {
		return ctx, hear
	}
	return valued{ctx, values}, hear
}

// heardBy is s where what hears returns hears of a Progress, before the callback does.
func (s *settings) heardBy(hears func(*Progress) func(Progress)) *settings {
	t := *s
	t.progress = func(p Progress) {
		hears(&p)(p)
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
