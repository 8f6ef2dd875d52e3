package fakecloud

import "time"

// Fault is something that goes wrong with one request, or with all requests for a while ([Fault.For], [Fault.Times]).
// The zero Fault is none. A Fault is a value: it may be injected again, into other gateways too.
type Fault struct {
	apply  func(*Exchange)
	more   int // requests besides the first; -1: not even that
	period time.Duration
	until  time.Time
}

// Inject queues faults for a route. Each request that arrives takes the first one, whoever makes the request. Requests
// without a fault are served normally.
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

// For makes the fault hit every request for this long, counted from the first of them. 0: one request.
func (f Fault) For(d time.Duration) Fault {
	f.period = d
	return f
}

// Times makes the fault hit n requests, one after the other. 0 or less: none.
func (f Fault) Times(n int) Fault {
	f.more = max(n, 0) - 1
	return f
}

// After delays the fault: for example an error of a gateway that has waited for a long time.
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

// takeFault takes the fault of a request for a route from its queue, or from that of any route.
func (g *Gateway) takeFault(r Route) Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range []Route{r, AnyRoute} {
		for len(g.faults[r]) > 0 {
			if f, ok := g.takeFirst(r); ok {
				return f
			}
		}
	}
	return Serve()
}

// takeFirst takes the first fault of a queue, which stays there as long as it has more requests to come; not ok: its
// time is over.
func (g *Gateway) takeFirst(r Route) (taken Fault, ok bool) {
	f := &g.faults[r][0]
	if f.until.IsZero() {
		f.until = time.Now().Add(f.period)
	}
	taken = *f
	if taken.period > 0 && time.Now().Before(taken.until) {
		return taken, true
	}
	f.until = time.Time{}
	if f.more--; f.more < 0 {
		g.faults[r] = g.faults[r][1:]
	}
	return taken, taken.period <= 0
}
