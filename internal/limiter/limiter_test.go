package limiter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
)

// script is a test in virtual time: what is granted when, in words.
type script struct {
	*Limiter
	start time.Time
	log   []string
}

func inBubble(t *testing.T, quota Quota, f func(t *testing.T, s *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{Limiter: New(quota), start: time.Now()}
		f(t, s)
		synctest.Wait()
		if s.serving || len(s.queue)+len(s.finals) != 0 {
			t.Errorf("got serving %v, %d and %d in the queues, want an idle Limiter", s.serving, len(s.queue), len(s.finals))
		}
	})
}

func (s *script) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%v ", time.Since(s.start))+fmt.Sprintf(format, args...))
}

// ask takes a place for a poll that was due at a time.
func (s *script) ask(name string, due time.Duration, final bool) *Permit {
	p := &Permit{Due: s.start.Add(due), Final: final}
	p.Grant = func(err error) {
		if err != nil {
			name += fmt.Sprintf(" %v", err)
		}
		s.note("%s", name)
	}
	if s.Acquire(p) {
		s.note("%s at once", name)
	}
	return p
}

func (s *script) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !reflect.DeepEqual(s.log, want) {
		t.Errorf("got\n%q, want\n%q", s.log, want)
	}
	s.log = nil
}

// heldUntil is until when all hold off.
func (s *script) heldUntil() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.coolDown.blockedUntil
}

// bucket gives a permit every so often; it counts those that it has given.
type bucket struct {
	every time.Duration
	given int
}

func (b *bucket) Wait(ctx context.Context) error {
	select {
	case <-time.After(b.every):
		b.given++
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// quotaFunc is a quota that is one function.
type quotaFunc func(context.Context) error

func (f quotaFunc) Wait(ctx context.Context) error { return f(ctx) }

type burst struct {
	quotaFunc
	n int
}

func (b burst) Burst() int { return b.n }

func TestOrder(t *testing.T) {
	inBubble(t, &bucket{every: time.Second}, func(t *testing.T, s *script) {
		time.Sleep(time.Minute)
		s.start = time.Now()
		s.ask("due at 3", 3*time.Second, false)
		s.ask("due at 1", 1*time.Second, false)
		s.ask("final due at 7", 7*time.Second, true) // counts as due at 2
		s.ask("final due at 9", 9*time.Second, true) // counts as due at 4
		s.ask("due at 4.1", 4100*time.Millisecond, false)
		time.Sleep(10 * time.Second)
		s.want(t, "1s due at 1", "2s final due at 7", "3s due at 3", "4s final due at 9", "5s due at 4.1")
	})
}

// TestOrderModel plays random queues: a permit is never granted while another that ranks before it waits.
func TestOrderModel(t *testing.T) {
	for seed := range uint64(40) {
		quota := &bucket{every: 10 * time.Millisecond}
		inBubble(t, quota, func(t *testing.T, s *script) { playOrder(t, s, quota, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func playOrder(t *testing.T, s *script, quota *bucket, r *rand.Rand) {
	waiting := map[*Permit]bool{}
	granted, cancelled := 0, 0
	for range 100 {
		p := &Permit{Due: s.start.Add(time.Duration(r.IntN(20)) * time.Second), Final: r.IntN(4) == 0}
		p.Grant = func(error) {
			if !waiting[p] {
				t.Error("got a permit that was granted twice, or cancelled")
			}
			delete(waiting, p)
			for q := range waiting {
				if q.rank().Before(p.rank()) {
					t.Errorf("got rank %v granted while %v waits", p.rank().Sub(s.start), q.rank().Sub(s.start))
				}
			}
			granted++
		}
		if waiting[p] = true; s.Acquire(p) {
			t.Error("got a permit at once, want one from the quota")
		}
		for q := range waiting {
			if r.IntN(20) == 0 {
				s.Cancel(q)
				s.Cancel(q) // once more is nothing
				delete(waiting, q)
				cancelled++
			}
			break
		}
		s.heldUntil() // the lock lets the goroutine that serves see what was done here
		time.Sleep(time.Duration(1+r.IntN(10)) * 999 * time.Microsecond)
		synctest.Wait()
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	if len(waiting) != 0 || granted+cancelled != 100 || quota.given != granted {
		t.Errorf("got %d waiting, %d granted, %d cancelled, %d given by the quota", len(waiting), granted, cancelled,
			quota.given)
	}
}

func TestWithoutQuota(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, s *script) {
		s.ask("one", 0, false)
		s.ask("two", 0, true)
		s.want(t, "0s one at once", "0s two at once")
		if s.serving {
			t.Error("got a goroutine, want none")
		}
	})
}

func TestCancel(t *testing.T) {
	quota := &bucket{every: time.Second}
	inBubble(t, quota, func(t *testing.T, s *script) {
		one, two := s.ask("one", 0, false), s.ask("two", 1, true)
		three := s.ask("three", 2, false)
		time.Sleep(900 * time.Millisecond)
		s.Cancel(one)
		s.Cancel(two)
		s.want(t)
		time.Sleep(100 * time.Millisecond)
		s.want(t, "1s three") // the quota's permit was asked for before
		s.Cancel(three)       // it has come: nothing happens

		time.Sleep(9 * time.Second)
		four := s.ask("four", 0, false)
		time.Sleep(900 * time.Millisecond)
		s.Cancel(four) // the last one: the quota is told
		synctest.Wait()
		if s.serving || quota.given != 1 {
			t.Errorf("got serving %v, %d permits of the quota, want false and 1", s.serving, quota.given)
		}
		s.Cancel(s.ask("five", 0, false))
		s.ask("six", 0, false)
		time.Sleep(time.Second)
		s.want(t, "11.9s six")
	})
}

// TestCancelHoldOff makes sure that nobody sleeps on for a permit that was given up.
func TestCancelHoldOff(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, s *script) {
		s.Throttled(time.Hour)
		p := s.ask("one", 0, false)
		synctest.Wait()
		s.Cancel(p)
		synctest.Wait()
		if s.serving {
			t.Error("got a goroutine that serves nobody")
		}
		s.want(t)
	})
}

func TestHoldOff(t *testing.T) {
	tests := []struct {
		name       string
		told, want time.Duration
	}{
		{"said", 10 * time.Second, 10 * time.Second},
		{"short", time.Millisecond, time.Millisecond},
		{"not said", 0, time.Second},
		{"negative", -time.Hour, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, s *script) {
				shortest, longest := tt.want*2, time.Duration(0)
				for range 200 {
					s.mu.Lock()
					s.coolDown = coolDown{}
					s.mu.Unlock()
					s.Throttled(tt.told)
					d := s.heldUntil().Sub(s.start)
					shortest, longest = min(shortest, d), max(longest, d)
				}
				if shortest < tt.want || shortest > tt.want*102/100 || longest < tt.want*108/100 || longest > tt.want*11/10 {
					t.Errorf("got hold-offs from %v to %v, want all of %v and up to a tenth more", shortest, longest, tt.want)
				}
				s.ask("one", 0, false)
				until := s.heldUntil()
				time.Sleep(time.Until(until) - 1)
				s.want(t)
				time.Sleep(time.Nanosecond)
				s.want(t, fmt.Sprint(until.Sub(s.start), " one"))
			})
		})
	}
}

func TestThrottledAgain(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, s *script) {
		s.Throttled(10 * time.Second)
		first := s.heldUntil()
		s.ask("one", 0, false)
		s.Throttled(time.Second) // less: nothing changes
		if got := s.heldUntil(); got != first {
			t.Errorf("got a hold-off until %v, want %v", got.Sub(s.start), first.Sub(s.start))
		}
		time.Sleep(time.Until(first) - time.Second)
		s.Throttled(5 * time.Second) // while the first lasts, whose end wakes the queue
		second := s.heldUntil()
		time.Sleep(time.Until(second))
		s.want(t, fmt.Sprint(second.Sub(s.start), " one"))
	})
}

// TestRamp makes sure that permits come one by one after a hold-off, for as long again as it has lasted.
func TestRamp(t *testing.T) {
	tests := []struct {
		name    string
		quota   Quota
		d       time.Duration
		n       int           // in the queue
		spacing time.Duration // between permits
		ramp    int           // permits that are kept apart from the one before
	}{
		{"few", nil, time.Second, 3, 250 * time.Millisecond, 2},
		{"many", nil, time.Second, 10, 100 * time.Millisecond, 9},
		{"few behind a quota", &bucket{}, time.Second, 3, 250 * time.Millisecond, 2},
		{"very many, for a short time", nil, 8 * time.Millisecond, 16, 500 * time.Microsecond, 15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.quota, func(t *testing.T, s *script) {
				s.Throttled(tt.d)
				until := s.heldUntil()
				want := []string{}
				for i := range tt.n {
					s.ask(fmt.Sprint(i), time.Duration(i), false)
					want = append(want, fmt.Sprint((until.Sub(s.start)+time.Duration(i)*tt.spacing), " ", i))
				}
				time.Sleep(time.Until(until) + tt.d - 1)
				s.want(t, want...)

				time.Sleep(time.Nanosecond) // the ramp is over
				now := time.Since(s.start)
				suffix := " at once"
				if tt.quota != nil {
					suffix = ""
				}
				s.ask("later", 0, false)
				s.want(t, fmt.Sprint(now, " later", suffix))
				s.ask("also", 0, false)
				s.want(t, fmt.Sprint(now, " also", suffix))
			})
		})
	}
}

// TestRampEmptyQueue makes sure that permits come one by one, too, where nobody has waited for the end of the hold-off.
func TestRampEmptyQueue(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, s *script) {
		s.Throttled(10 * time.Second)
		s.start = s.heldUntil()
		time.Sleep(time.Until(s.start) + time.Second)
		s.ask("one", 0, false)
		s.ask("two", 0, false)
		s.ask("final", 0, true)
		time.Sleep(500 * time.Millisecond)
		s.want(t, "1s one at once", "1s final", "1.25s two")
		time.Sleep(8500 * time.Millisecond)
		s.ask("three", 0, false)
		s.ask("four", 0, false)
		s.want(t, "10s three at once", "10s four at once")
	})
}

// TestFinalInHoldOff makes sure that a final poll waits for the quota alone.
func TestFinalInHoldOff(t *testing.T) {
	t.Run("no quota", func(t *testing.T) {
		inBubble(t, nil, func(t *testing.T, s *script) {
			s.Throttled(time.Hour)
			s.ask("final", 0, true)
			p := s.ask("one", 0, false)
			time.Sleep(time.Second)
			s.ask("second final", 0, true) // its goroutine sleeps
			s.want(t, "0s final at once", "1s second final")
			s.Cancel(p)
		})
	})
	t.Run("quota", func(t *testing.T) {
		inBubble(t, &bucket{every: time.Second}, func(t *testing.T, s *script) {
			s.Throttled(10 * time.Second)
			until := s.heldUntil()
			s.ask("one", -time.Hour, false) // due for longer, and held
			time.Sleep(2 * time.Second)
			s.ask("final", 0, true)
			s.ask("second final", 1, true)
			time.Sleep(20 * time.Second)
			s.want(t, "3s final", "4s second final", fmt.Sprint(until.Sub(s.start)+time.Second, " one"))
		})
	})
	t.Run("throttled while the quota is asked", func(t *testing.T) {
		inBubble(t, &bucket{every: time.Second}, func(t *testing.T, s *script) {
			s.ask("one", 0, false)
			s.ask("final", time.Hour, true)
			time.Sleep(500 * time.Millisecond)
			s.Throttled(10 * time.Second)
			until := s.heldUntil()
			time.Sleep(20 * time.Second)
			s.want(t, "1s final", fmt.Sprint(until.Sub(s.start)+time.Second, " one"))
		})
	})
}

// TestFinalsQueue makes sure that a final poll does not overtake another that waits to be served.
func TestFinalsQueue(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, s *script) {
		s.Throttled(time.Hour)
		p := s.ask("one", 0, false)
		s.ask("final", 0, true)
		s.ask("second final", 1, true)
		s.want(t, "0s final", "0s second final")
		s.Cancel(p)
	})
}

// TestFinalLeavesTheQuotaAlone makes sure that a final poll that comes while the quota is asked does not begin that
// anew.
func TestFinalLeavesTheQuotaAlone(t *testing.T) {
	inBubble(t, &bucket{every: time.Second}, func(t *testing.T, s *script) {
		s.ask("one", time.Hour, false)
		time.Sleep(900 * time.Millisecond)
		s.ask("final", 0, true)
		time.Sleep(2 * time.Second)
		s.want(t, "1s final", "2s one")

		s.ask("first final", 0, true)
		time.Sleep(900 * time.Millisecond)
		s.ask("second final", 1, true)
		time.Sleep(2 * time.Second)
		s.want(t, "3.9s first final", "4.9s second final")

		s.Throttled(10 * time.Second)
		s.ask("one", time.Hour, false)
		s.start = s.heldUntil()
		time.Sleep(time.Until(s.start) + 900*time.Millisecond) // the hold-off has just ended as the quota was asked
		s.ask("final", 0, true)
		time.Sleep(2 * time.Second)
		s.want(t, "1s final", "2s one")
	})
}

// TestCancelWhileQuotaIsAsked makes sure what becomes of the quota's answer for a permit that was given up: an error is
// nobody's, a permit is that of the next.
func TestCancelWhileQuotaIsAsked(t *testing.T) {
	for _, tt := range []struct {
		name  string
		gives bool
		want  []string
	}{{"error", false, []string{"2s two"}}, {"permit", true, []string{"1s two"}}} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			slow := quotaFunc(func(ctx context.Context) error {
				time.Sleep(time.Second) // whatever becomes of ctx
				if asked++; asked == 1 && !tt.gives {
					return ctx.Err()
				}
				return nil
			})
			inBubble(t, slow, func(t *testing.T, s *script) {
				one := s.ask("one", 0, false)
				time.Sleep(500 * time.Millisecond)
				s.Cancel(one)
				s.ask("two", 0, false)
				time.Sleep(3 * time.Second)
				s.want(t, tt.want...)
			})
		})
	}
}

func TestHolds(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, s *script) {
		holds := func(want time.Duration) {
			t.Helper()
			if got := s.HeldFor(time.Now()); got != want || s.Holds() != (want > 0) {
				t.Errorf("got a hold-off for %v, %v, want %v", got, s.Holds(), want)
			}
		}
		holds(0)
		s.Throttled(time.Second)
		holds(time.Until(s.heldUntil()))
		time.Sleep(time.Until(s.heldUntil()) - 1)
		holds(1)
		time.Sleep(time.Nanosecond)
		holds(0)
		time.Sleep(time.Nanosecond)
		holds(0)
	})
}

func TestThrottledWhileQuotaIsAsked(t *testing.T) {
	quota := &bucket{every: time.Second}
	inBubble(t, quota, func(t *testing.T, s *script) {
		s.ask("one", 0, false)
		time.Sleep(500 * time.Millisecond)
		s.Throttled(10 * time.Second)
		until := s.heldUntil()
		time.Sleep(20 * time.Second)
		s.want(t, fmt.Sprint(until.Sub(s.start)+time.Second, " one"))
	})
}

func TestRefusal(t *testing.T) {
	closed := errors.New("closed")
	refuse := quotaFunc(func(context.Context) error { return closed })
	tests := []struct {
		name    string
		quota   Quota
		forGood bool
	}{
		{"for now", refuse, false},
		{"burst 1", burst{refuse, 1}, false},
		{"burst 0", burst{refuse, 0}, true},
		{"burst -1", burst{refuse, -1}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.quota, func(t *testing.T, s *script) {
				err := s.Wait(t.Context())
				var r *Refusal
				if !errors.As(err, &r) || r.ForGood != tt.forGood || !errors.Is(err, closed) {
					t.Errorf("got %#v, want a refusal because of %v, for good: %v", err, closed, tt.forGood)
				}
				if got, want := fmt.Sprint(err), "the limiter gives no permit: closed"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				s.Throttled(time.Second) // a refusal begins no ramp, and one in a hold-off comes after it
				until := s.heldUntil()
				s.ask("one", 0, false)
				s.ask("two", 0, false)
				time.Sleep(2 * time.Second)
				at := until.Sub(s.start)
				s.want(t, fmt.Sprint(at, " one the limiter gives no permit: closed"),
					fmt.Sprint(at, " two the limiter gives no permit: closed"))
			})
		})
	}
}

// TestRefusalAndHoldOff makes sure that an error of the quota reaches whoever has waited for longest although all have
// come to hold off meanwhile.
func TestRefusalAndHoldOff(t *testing.T) {
	quota := quotaFunc(func(context.Context) error { time.Sleep(time.Second); return errors.New("closed") })
	inBubble(t, quota, func(t *testing.T, s *script) {
		s.ask("one", 0, false)
		synctest.Wait()
		s.Throttled(time.Hour)
		time.Sleep(time.Second)
		s.want(t, "1s one the limiter gives no permit: closed")
	})
}

// TestBadQuota makes sure that no quota, whatever it does, is the end of the Limiter.
func TestBadQuota(t *testing.T) {
	tests := []struct {
		name string
		bad  func()
		want func(error) bool
	}{
		{"panics", func() { panic("boom") }, func(err error) bool {
			p, ok := err.(*guard.PanicError)
			return ok && p.Value == "boom"
		}},
		{"ends its goroutine", runtime.Goexit, func(err error) bool {
			return err == guard.ErrGoexit
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			quota := quotaFunc(func(context.Context) error {
				if calls++; calls%2 == 1 {
					tt.bad()
				}
				return nil
			})
			inBubble(t, quota, func(t *testing.T, s *script) {
				for range 3 {
					if err := s.Wait(t.Context()); !tt.want(err) {
						t.Errorf("got %v, want what the quota did", err)
					}
					if err := s.Wait(t.Context()); err != nil {
						t.Errorf("got %v, want a permit", err)
					}
				}
			})
		})
	}
}

// TestHungQuota makes sure that nobody has to stay for a quota that ignores its context.
func TestHungQuota(t *testing.T) {
	release := make(chan struct{})
	quota := quotaFunc(func(context.Context) error { <-release; return nil })
	synctest.Test(t, func(t *testing.T) {
		release = make(chan struct{})
		l, start := New(quota), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v, want the context's error after 1s", err, time.Since(start))
		}
		granted := false
		l.Acquire(&Permit{Due: start, Grant: func(err error) { granted = err == nil }})
		synctest.Wait()
		close(release) // what it gives now is whoever's is there
		synctest.Wait()
		if !granted || l.serving {
			t.Errorf("got granted %v, serving %v, want true and false", granted, l.serving)
		}
	})
}

func TestWait(t *testing.T) {
	quota := &bucket{every: time.Second}
	inBubble(t, quota, func(t *testing.T, s *script) {
		ended, end := context.WithCancel(t.Context())
		end()
		if err := s.Wait(ended); !errors.Is(err, context.Canceled) || s.serving {
			t.Errorf("got %v, serving %v, want the context's error and nothing asked", err, s.serving)
		}
		if err := s.Wait(t.Context()); err != nil || time.Since(s.start) != time.Second {
			t.Errorf("got %v after %v, want a permit after 1s", err, time.Since(s.start))
		}
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := s.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		synctest.Wait()
		if quota.given != 1 || s.serving {
			t.Errorf("got %d permits of the quota, serving %v, want 1 and false", quota.given, s.serving)
		}
		time.Sleep(time.Second)
		s.ask("due before", 0, false)
		if err := s.Wait(t.Context()); err != nil || time.Since(s.start) != 4500*time.Millisecond {
			t.Errorf("got %v after %v, want a permit after 4.5s: the other was due before", err, time.Since(s.start))
		}
	})
	free := New(nil)
	if err := free.Wait(t.Context()); err != nil {
		t.Errorf("got %v, want a permit at once", err)
	}
}

func TestAcquireFromContext(t *testing.T) {
	quota := &bucket{every: time.Second}
	inBubble(t, quota, func(t *testing.T, s *script) {
		ended, end := context.WithCancel(t.Context())
		end()
		if err := Acquire(t.Context()); err != nil {
			t.Errorf("without a limiter: got %v, want nil", err)
		}
		if err := Acquire(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("without a limiter: got %v, want the context's error", err)
		}
		if err := Acquire(NewContext(ended, s.Limiter)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		if err := Acquire(NewContext(t.Context(), s.Limiter)); err != nil || quota.given != 1 {
			t.Errorf("got %v and %d permits of the quota, want nil and 1", err, quota.given)
		}
	})
}

// TestCallsBack makes sure that a quota and a Grant can use the Limiter: neither runs under its lock.
func TestCallsBack(t *testing.T) {
	var l *Limiter
	use := func() {
		p := &Permit{Due: time.Now(), Grant: func(error) {}}
		l.Acquire(p)
		l.Cancel(p)
		l.Throttled(time.Nanosecond)
	}
	l = New(quotaFunc(func(context.Context) error { use(); return nil }))
	done := make(chan struct{})
	l.Acquire(&Permit{Due: time.Now(), Grant: func(error) { use(); close(done) }})
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("got a deadlock")
	}
}
