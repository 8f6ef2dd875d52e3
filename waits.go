package taskwait

import "sync"

// stays are the calls of a Waiter that are under way, the oldest first.
type stays struct {
	mu          sync.Mutex
	first, last *stay
}

// stay is one call, from its start until it returns.
type stay struct {
	stays      *stays
	mu         sync.Mutex // held to change what its waits show
	waits      shown      // nil: it has returned
	prev, next *stay
}

// shown is what a stay waits for.
type shown interface {
	// show returns the i-th wait; more is false if there is none. over: it has ended.
	show(i int) (p Progress, over, more bool)
}

// enter begins a stay.
func (l *stays) enter(s *stay, waits shown) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.stays, s.waits, s.prev = l, waits, l.last
	if l.last == nil {
		l.first = s
	} else {
		l.last.next = s
	}
	l.last = s
}

// leave ends it.
func (s *stay) leave() {
	s.mu.Lock()
	s.waits = nil
	s.mu.Unlock()
	l := s.stays
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
}

func (l *stays) all() (all []*stay) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := l.first; s != nil; s = s.next {
		all = append(all, s)
	}
	return all
}

// each yields the waits of a stay that are not over. It returns false if yield does.
func (s *stay) each(yield func(Progress) bool) bool {
	for i := 0; ; i++ {
		p, over, more := s.at(i)
		if !more {
			return true
		}
		if !over && !yield(p) {
			return false
		}
	}
}

func (s *stay) at(i int) (p Progress, over, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waits == nil {
		return p, true, false
	}
	return s.waits.show(i)
}
