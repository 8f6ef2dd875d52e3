package fakecloud

import "time"

// Fault is something that goes wrong with one request, or with all of them for a while ([Fault.For], [Fault.Times]).
// The zero Fault is none. A Fault is a value: it may be injected again, into other gateways too.
type Fault struct {
	apply  func(*Exchange)
	more   int // requests besides the first; -1: not even that
	period time.Duration
	until  time.Time
}

// Inject queues faults for a route: each request takes the first one, whoever makes it, when it arrives. Requests
// without a fault are served as usual.
func (g *Gateway) Inject(r Route, faults ...Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range faults {
		if f.apply == nil {
			f.apply = (*Exchange).proceed
		}
		if f.more >= 0 {
			g.faults[r] = append(g.faults[r], f)
		}
	}
}

// Clear forgets the faults that are still queued, for all routes.
func (g *Gateway) Clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.faults)
}

// For makes the fault befall every request for so long, counted from the first of them. 0: one request.
func (f Fault) For(d time.Duration) Fault {
	f.period = d
	return f
}

// Times makes the fault befall n requests, one after the other. 0 or less: none.
func (f Fault) Times(n int) Fault {
	f.more = max(n, 0) - 1
	return f
}

// After makes the fault befall its request with a delay: an error from a gateway that has waited for long, for
// instance.
func (f Fault) After(d time.Duration) Fault {
	apply := f.apply
	if apply == nil {
		apply = (*Exchange).proceed
	}
	f.apply = func(e *Exchange) {
		if e.sleep(d); !e.disconnected {
			apply(e)
		}
	}
	return f
}

// takeFault takes the fault of a request for a route from its queue.
func (g *Gateway) takeFault(r Route) Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range []Route{r, AnyRoute} {
		for len(g.faults[r]) > 0 {
			f := &g.faults[r][0]
			if f.until.IsZero() {
				f.until = time.Now().Add(f.period)
			}
			taken := *f
			if taken.period > 0 && time.Now().Before(taken.until) {
				return taken
			}
			if f.more--; f.more < 0 {
				g.faults[r] = g.faults[r][1:]
			}
			f.until = time.Time{}
			if taken.period <= 0 {
				return taken
			}
		}
	}
	return Serve()
}
