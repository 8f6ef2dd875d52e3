package taskwait

import "time"

type Subscription[T any] struct {
	ask  func() (T, error)
	next time.Duration
}

func (s *Subscription[T]) Next() (T, error) {
	time.Sleep(s.next)
	return s.dispatch()
}

func (s *Subscription[T]) Plan(d time.Duration) { s.next = d }

type result[T any] struct {
	answer T
	err    error
}

func (s *Subscription[T]) dispatch() (T, error) {
	done := make(chan result[T])
	go func() {
		answer, err := s.ask()
		done <- result[T]{answer, err}
	}()
	r := <-done
	return r.answer, r.err
}
